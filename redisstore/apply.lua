-- Applies a change: compares what it expects, drops what is there already, raises serials.
-- KEYS: tsig, autoprimaries, then for each zone: zone:<id>, rr:<id>:<gen>, meta:<id>, key:<id>.
-- ARGV: least serial by unixtime, by date, most bytes of an entry, number of zones; lists of TSIG
--   keys and of autoprimaries; for each zone: name, id, gen, then lists of expected RRsets, RRsets,
--   metadata, DNSSEC keys, fields of zone:<id>. A list is begun by its number of pairs. A pair is a
--   field of the hash and its value, '' if there is none.
if not epoch then return {'lost'} end
if version ~= '1' then return {'schema', version} end

local at = 10
local function list()
	local all = {}
	local count = tonumber(ARGV[at])
	at = at + 1
	for i = 1, count do
		all[i] = {ARGV[at], ARGV[at + 1]}
		at = at + 2
	end
	return all
end

-- What differs from the hash.
local function changed(key, wanted)
	local diff, size = {}, 0
	for _, p in ipairs(wanted) do
		if (redis.call('HGET', key, p[1]) or '') ~= p[2] then
			diff[#diff + 1] = p
			size = size + #p[1] + #p[2]
		end
	end
	return diff, size
end

local floor = {unixtime = tonumber(ARGV[6]), date = tonumber(ARGV[7])}

-- RFC 1982: the floor if it follows old, else one more.
local function following(old, policy)
	local least = floor[policy]
	if least then
		local ahead = (least - old) % 4294967296
		if ahead > 0 and ahead < 2147483648 then return least end
	end
	return (old + 1) % 4294967296
end

local soa_parts = '^(.-"content":%["%s*%S+%s+%S+%s+)(%d+)(%s.*)$'

local tsig, tsig_size = changed(KEYS[4], list())
local auto, auto_size = changed(KEYS[5], list())

local zones = {}
for z = 1, tonumber(ARGV[9]) do
	local zone = {
		name = ARGV[at], id = ARGV[at + 1],
		key = KEYS[4 * z + 2], rr = KEYS[4 * z + 3], meta = KEYS[4 * z + 4], dnssec = KEYS[4 * z + 5],
	}
	local gen = ARGV[at + 2]
	at = at + 3
	if redis.call('HGET', KEYS[3], zone.name) ~= zone.id then return {'stale'} end
	local known = redis.call('HMGET', zone.key, 'gen', 'kind', 'policy')
	if known[1] ~= gen then return {'stale'} end

	for _, p in ipairs(list()) do
		if (redis.call('HGET', zone.rr, p[1]) or '') ~= p[2] then return {'conflict', p[1]} end
	end
	local sets = list()
	local diff, size = changed(zone.rr, sets)
	zone.sets, zone.size = diff, size
	for _, part in ipairs({{'metadata', zone.meta}, {'keys', zone.dnssec}, {'properties', zone.key}}) do
		zone[part[1]], size = changed(part[2], list())
		zone.size = zone.size + size
	end

	local own = false
	local soa = zone.name .. ' SOA'
	for _, p in ipairs(sets) do
		own = own or p[1] == soa
	end
	if #diff > 0 and not own then
		local about = {kind = known[2], policy = known[3]}
		for _, p in ipairs(zone.properties) do
			about[p[1]] = p[2]
		end
		local value = redis.call('HGET', zone.rr, soa) or ''
		local before, old, after = string.match(value, soa_parts)
		if old and about.kind ~= 'slave' then
			value = before .. string.format('%.0f', following(tonumber(old), about.policy)) .. after
			diff[#diff + 1] = {soa, value}
			zone.size = zone.size + #soa + #value
		end
	end
	for _, p in ipairs(diff) do
		if p[1] == soa then
			local _, serial = string.match(p[2], soa_parts)
			zone.serial = serial
		end
	end
	if #diff + #zone.metadata + #zone.keys + #zone.properties > 0 then zones[#zones + 1] = zone end
end
if #zones + #tsig + #auto == 0 then return {'done', '', newest} end

local entry, reply = {}, {}
local function add(name, value)
	entry[#entry + 1] = name
	entry[#entry + 1] = value
end
local function add_all(word, diff)
	for _, p in ipairs(diff) do add(word .. ' ' .. p[1], p[2]) end
end

-- The entry tells all properties of a zone if one of them changed.
local told = {'kind', 'policy', 'notified_serial', 'last_check', 'masters', 'account', 'created'}
local function add_properties(zone)
	if #zone.properties == 0 then return end
	local values, new = redis.call('HMGET', zone.key, unpack(told)), {}
	for _, p in ipairs(zone.properties) do new[p[1]] = p[2] end
	for i, field in ipairs(told) do
		add('about ' .. zone.id .. ' ' .. field, new[field] or values[i] or '')
	end
end

add_all('tsig', tsig)
add_all('autoprimary', auto)
-- Bytes, pairs: unpack takes some 8,000 values.
local room, most = tonumber(ARGV[8]) - tsig_size - auto_size, 1500 - #tsig - #auto
for _, zone in ipairs(zones) do
	add('zone ' .. zone.id, zone.name)
	if zone.serial then
		add('serial ' .. zone.id, zone.serial)
		reply[#reply + 1] = zone.name
		reply[#reply + 1] = zone.serial
	end
	local count = #zone.sets + #zone.metadata + #zone.keys
	if #zone.properties > 0 then count = count + #told end
	if zone.size > room or count > most then
		add('data ' .. zone.id, '*')
	else
		room, most = room - zone.size, most - count
		add_all('rr ' .. zone.id, zone.sets)
		add_all('meta ' .. zone.id, zone.metadata)
		add_all('key ' .. zone.id, zone.keys)
		add_properties(zone)
	end
end

local function write(key, diff)
	for _, p in ipairs(diff) do
		if p[2] == '' then
			redis.call('HDEL', key, p[1])
		else
			redis.call('HSET', key, p[1], p[2])
		end
	end
end

-- Numbers given from outside count as given, too.
local function count_keys(zone)
	local last = tonumber(redis.call('HGET', zone.key, 'last_key') or 0)
	local most = last
	for _, p in ipairs(zone.keys) do
		most = math.max(most, tonumber(p[1]))
	end
	if most > last then redis.call('HSET', zone.key, 'last_key', string.format('%.0f', most)) end
end

-- Written last, when all that can fail has been tried: what a failing script has written stays.
local id = append(entry)
write(KEYS[4], tsig)
write(KEYS[5], auto)
for _, zone in ipairs(zones) do
	write(zone.rr, zone.sets)
	write(zone.meta, zone.metadata)
	write(zone.dnssec, zone.keys)
	write(zone.key, zone.properties)
	count_keys(zone)
end
return {'done', id, id, unpack(reply)}
