-- Applies a change: compares what it expects, drops what is there already, raises serials.
-- KEYS, for each zone: zone:<id>, rr:<id>:<gen>, meta:<id>.
-- ARGV: least serial by unixtime, by date, most bytes of an entry, number of zones; for each zone:
--   name, id, gen, then three lists, each begun by its number of pairs: expected RRsets, RRsets,
--   metadata. A pair is a field of the hash and its value, '' if there is none.
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

local zones = {}
local size = 0
for z = 1, tonumber(ARGV[9]) do
	local zone = {name = ARGV[at], id = ARGV[at + 1], key = KEYS[3 * z + 1], rr = KEYS[3 * z + 2], meta = KEYS[3 * z + 3]}
	local gen = ARGV[at + 2]
	at = at + 3
	if redis.call('HGET', KEYS[3], zone.name) ~= zone.id then return {'stale'} end
	local known = redis.call('HMGET', zone.key, 'gen', 'kind', 'policy')
	if known[1] ~= gen then return {'stale'} end

	for _, p in ipairs(list()) do
		if (redis.call('HGET', zone.rr, p[1]) or '') ~= p[2] then return {'conflict', p[1]} end
	end
	local sets, own = list(), false
	local soa = zone.name .. ' SOA'
	for _, p in ipairs(sets) do
		own = own or p[1] == soa
	end
	local meta
	zone.sets, size = changed(zone.rr, sets)
	zone.metadata, meta = changed(zone.meta, list())
	zone.size = size + meta
	if #zone.sets > 0 and not own and known[2] ~= 'slave' then
		local value = redis.call('HGET', zone.rr, soa) or ''
		local before, old, after = string.match(value, soa_parts)
		if old then
			value = before .. string.format('%.0f', following(tonumber(old), known[3])) .. after
			zone.sets[#zone.sets + 1] = {soa, value}
			zone.size = zone.size + #soa + #value
		end
	end
	for _, p in ipairs(zone.sets) do
		if p[1] == soa then
			local _, serial = string.match(p[2], soa_parts)
			zone.serial = serial
		end
	end
	if #zone.sets + #zone.metadata > 0 then zones[#zones + 1] = zone end
end
if #zones == 0 then return {'done', '', newest} end

local entry, reply = {}, {}
local room, most = tonumber(ARGV[8]), 1500 -- bytes, pairs: unpack takes some 8,000 values
local function add(name, value)
	entry[#entry + 1] = name
	entry[#entry + 1] = value
end
for _, zone in ipairs(zones) do
	add('zone ' .. zone.id, zone.name)
	if zone.serial then
		add('serial ' .. zone.id, zone.serial)
		reply[#reply + 1] = zone.name
		reply[#reply + 1] = zone.serial
	end
	local count = #zone.sets + #zone.metadata
	if zone.size > room or count > most then
		add('data ' .. zone.id, '*')
	else
		room, most = room - zone.size, most - count
		for _, p in ipairs(zone.sets) do add('rr ' .. zone.id .. ' ' .. p[1], p[2]) end
		for _, p in ipairs(zone.metadata) do add('meta ' .. zone.id .. ' ' .. p[1], p[2]) end
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

-- Written last, when all that can fail has been tried: what a failing script has written stays.
local id = append(entry)
for _, zone in ipairs(zones) do
	write(zone.rr, zone.sets)
	write(zone.meta, zone.metadata)
end
return {'done', id, id, unpack(reply)}
