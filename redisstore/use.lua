-- What belongs to a change besides the data: whose limit it counts against, what it uses up.
-- ARGV, the last of the script's: Unix time; most changes of a host (0: no limit) and in how many ms;
--   id of the host whose one-time token is used up, and the token ('' if none is); name of the
--   signature that is used up ('' if none is), and for how many ms that is kept; the names that are
--   updated.
local function read_use(at)
	if not ARGV[at] then return nil end
	local now, most, per, host, token, replay, keep = unpack(ARGV, at, at + 6)
	return {
		now = now, most = tonumber(most), per = per, names = {unpack(ARGV, at + 7)},
		token = prefix .. 'token:' .. host, given = token,
		replay = prefix .. 'replay:' .. replay, keep = keep, replayed = replay ~= '',
	}
end

local function is_used(use)
	return use.given ~= '' and redis.call('GET', use.token) ~= use.given
		or use.replayed and redis.call('EXISTS', use.replay) == 1
end

local function use_up(use)
	if use.given ~= '' then redis.call('DEL', use.token) end
	if use.replayed then redis.call('SET', use.replay, ARGV[1], 'PX', use.keep) end
end

-- An update without a change is not in the log: whoever loses the reply looks here.
local function note_done()
	redis.call('SET', prefix .. 'done:' .. ARGV[1], newest, 'PX', 60000)
end

-- The ms until all names may change again that zones change; 0: they may.
local function limit_of(use, zones)
	local moved, wait = {}, 0
	for _, zone in ipairs(zones) do
		for _, p in ipairs(zone.sets) do
			local owner, kind = string.match(p[1], '^(.*) (.*)$')
			if kind ~= 'SOA' then moved[owner] = true end
		end
	end
	local names = {}
	for _, name in ipairs(use.names) do
		if moved[name] then
			names[#names + 1] = name
			wait = math.max(wait, full(prefix .. 'limit:host:' .. name, use.most))
		end
	end
	use.names = names
	return wait
end

local function note_changed(use)
	for _, name in ipairs(use.names) do
		if use.most > 0 then count(prefix .. 'limit:host:' .. name, use.per) end
		local host = redis.call('HGET', prefix .. 'hosts', name)
		if host then redis.call('HSET', prefix .. 'host:' .. host, 'changed', use.now) end
	end
end
