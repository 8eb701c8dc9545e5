-- Applies a change: compares what it expects, drops what is there already, raises serials.
-- KEYS: for each zone: zone:<id>, rr:<id>:<gen>, meta:<id>, key:<id>; then the other hashes.
-- ARGV: least serial by unixtime, by date, most bytes of an entry; the premise: number of its values,
--   the basis that the answer is to have, what request.lua reads; number of zones, for each: name, id, gen,
--   lists of expected RRsets, RRsets, metadata, DNSSEC keys, fields of zone:<id>; number of other
--   hashes, for each: the word before its fields in the log ('' if they are not told), how many fields
--   it has ('' if that is all the same), lists of expected fields, fields; a list of what else the log
--   tells; then what use.lua reads. A list is begun by its number of pairs. A pair is a field of the
--   hash and its value, '' if there is none.
-- Answers 'other' and what request.lua answers if that is not as the premise says.
if not epoch then return {'lost'} end
if version ~= '1' then return {'schema', version} end

local at = 8
local function take()
	at = at + 1
	return ARGV[at]
end

local premise = tonumber(take())
if premise > 0 then
	local found = request(at + 2)
	if found[1] ~= 'found' or basis(found) ~= ARGV[at + 1] then
		table.insert(found, 1, 'other')
		return found
	end
	at = at + premise
end

local function list()
	local all = {}
	for i = 1, tonumber(take()) do
		local field = take()
		all[i] = {field, take()}
	end
	return all
end

-- Calls a command of a hash with all arguments, and returns all answers: unpack takes some 8,000 values.
local function call(command, key, arguments)
	local answers, part = {}, 1000
	for first = 1, #arguments, part do
		local some = redis.call(command, key, unpack(arguments, first, math.min(first + part - 1, #arguments)))
		if type(some) == 'table' then
			for _, answer in ipairs(some) do answers[#answers + 1] = answer end
		end
	end
	return answers
end

-- What the hash has instead of the pairs, for each; '' if there is none.
local function present(key, pairs_of)
	local fields = {}
	for i, p in ipairs(pairs_of) do fields[i] = p[1] end
	local values = call('HMGET', key, fields)
	for i, value in ipairs(values) do values[i] = value or '' end
	return values
end

-- The field that is not as expected.
local function unexpected(key, expected)
	local values = present(key, expected)
	for i, p in ipairs(expected) do
		if values[i] ~= p[2] then return p[1] end
	end
end

-- What differs from the hash.
local function changed(key, wanted)
	local values, diff, size = present(key, wanted), {}, 0
	for i, p in ipairs(wanted) do
		if values[i] ~= p[2] then
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
local zone_count = tonumber(take())
for z = 1, zone_count do
	local zone = {
		name = take(), key = KEYS[4 * z], rr = KEYS[4 * z + 1], meta = KEYS[4 * z + 2], dnssec = KEYS[4 * z + 3],
	}
	zone.id = take()
	if redis.call('HGET', KEYS[3], zone.name) ~= zone.id then return {'stale'} end
	local known = redis.call('HMGET', zone.key, 'gen', 'kind', 'policy')
	if known[1] ~= take() then return {'stale'} end

	local other = unexpected(zone.rr, list())
	if other then return {'conflict', other} end
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
	if own then
		for _, p in ipairs(diff) do
			if p[1] == soa then zone.serial = select(2, string.match(p[2], soa_parts)) end
		end
	elseif #diff > 0 then
		local about = {kind = known[2], policy = known[3]}
		for _, p in ipairs(zone.properties) do
			about[p[1]] = p[2]
		end
		local before, old, after = string.match(redis.call('HGET', zone.rr, soa) or '', soa_parts)
		if old and about.kind ~= 'slave' then
			zone.serial = string.format('%.0f', following(tonumber(old), about.policy))
			local value = before .. zone.serial .. after
			diff[#diff + 1] = {soa, value}
			zone.size = zone.size + #soa + #value
		end
	end
	if #diff + #zone.metadata + #zone.keys + #zone.properties > 0 then zones[#zones + 1] = zone end
end

local hashes = {}
for h = 1, tonumber(take()) do
	local hash = {key = KEYS[3 + 4 * zone_count + h], word = take()}
	local fields = take()
	local other = unexpected(hash.key, list())
	if fields ~= '' and redis.call('HLEN', hash.key) ~= tonumber(fields) then other = hash.key end
	if other then return {'conflict', other} end
	hash.diff, hash.size = changed(hash.key, list())
	if #hash.diff > 0 then hashes[#hashes + 1] = hash end
end
local told = list()

local use = read_use(at + 1)
if use and is_used(use) then return {'used'} end
if #zones + #hashes == 0 then
	if use then
		use_up(use)
		note_done()
	end
	return {'done', '', newest}
end
if use then
	local wait = limit_of(use, zones)
	if wait > 0 then return {'limit', tostring(wait)} end
end

local entry, reply = {}, {}
local function add(name, value)
	entry[#entry + 1] = name
	entry[#entry + 1] = value
end
local function add_all(word, diff)
	for _, p in ipairs(diff) do add(word .. ' ' .. p[1], p[2]) end
end

-- The entry tells all properties of a zone if one of them changed.
local properties = {'kind', 'policy', 'notified_serial', 'last_check', 'masters', 'account', 'created'}
local function add_properties(zone)
	if #zone.properties == 0 then return end
	local values, new = redis.call('HMGET', zone.key, unpack(properties)), {}
	for _, p in ipairs(zone.properties) do new[p[1]] = p[2] end
	for i, field in ipairs(properties) do
		add('about ' .. zone.id .. ' ' .. field, new[field] or values[i] or '')
	end
end

-- Bytes, pairs: unpack takes some 8,000 values.
local room, most = tonumber(ARGV[8]), 1500 - #told
for _, p in ipairs(told) do add(p[1], p[2]) end
for _, hash in ipairs(hashes) do
	if hash.word ~= '' then
		room, most = room - hash.size, most - #hash.diff
		add_all(hash.word, hash.diff)
	end
end
for _, zone in ipairs(zones) do
	add('zone ' .. zone.id, zone.name)
	if zone.serial then
		add('serial ' .. zone.id, zone.serial)
		reply[#reply + 1] = zone.name
		reply[#reply + 1] = zone.serial
	end
	local pairs_of_zone = #zone.sets + #zone.metadata + #zone.keys
	if #zone.properties > 0 then pairs_of_zone = pairs_of_zone + #properties end
	if zone.size > room or pairs_of_zone > most then
		add('data ' .. zone.id, '*')
	else
		room, most = room - zone.size, most - pairs_of_zone
		add_all('rr ' .. zone.id, zone.sets)
		add_all('meta ' .. zone.id, zone.metadata)
		add_all('key ' .. zone.id, zone.keys)
		add_properties(zone)
	end
end

local function write(key, diff)
	local put, dropped = {}, {}
	for _, p in ipairs(diff) do
		if p[2] == '' then
			dropped[#dropped + 1] = p[1]
		else
			put[#put + 1] = p[1]
			put[#put + 1] = p[2]
		end
	end
	call('HSET', key, put)
	call('HDEL', key, dropped)
end

-- Numbers given from outside count as given, too.
local function count_keys(zone)
	if #zone.keys == 0 then return end
	local last = tonumber(redis.call('HGET', zone.key, 'last_key') or 0)
	local most = last
	for _, p in ipairs(zone.keys) do
		most = math.max(most, tonumber(p[1]))
	end
	if most > last then redis.call('HSET', zone.key, 'last_key', string.format('%.0f', most)) end
end

-- Written last, when all that can fail has been tried: what a failing script has written stays.
local id = append(entry)
for _, zone in ipairs(zones) do
	write(zone.rr, zone.sets)
	write(zone.meta, zone.metadata)
	write(zone.dnssec, zone.keys)
	write(zone.key, zone.properties)
	count_keys(zone)
end
for _, hash in ipairs(hashes) do
	write(hash.key, hash.diff)
end
if use then
	use_up(use)
	note_changed(use)
end
return {'done', id, id, unpack(reply)}
