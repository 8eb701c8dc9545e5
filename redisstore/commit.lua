-- Makes a generation that was fed the zone's records, in a zone that is there or a new one.
-- KEYS: zone:<id>, rr:<id>:<new gen>, rr:<id>:<old gen> (the new one again if the zone is new).
-- ARGV: epoch to begin ('' if there is one), name, id, old gen ('' if the zone is new), new gen,
--   number of RRsets fed, serial, then fields and values of the zone if it is new.
local begin, name, id, old, gen, count, serial = unpack(ARGV, 6, 12)
if begin == '' then
	if not epoch then return {'lost'} end
	if version ~= '1' then return {'schema', version} end
elseif epoch then
	return {'begun'}
end
local there = redis.call('HGET', KEYS[3], name)
if old == '' then
	if there then return {'exists'} end
	if redis.call('EXISTS', KEYS[4]) == 1 then return {'taken'} end
elseif there ~= id or redis.call('HGET', KEYS[4], 'gen') ~= old then
	return {'stale'}
end
if redis.call('HLEN', KEYS[5]) ~= tonumber(count) then return {'incomplete'} end

epoch = epoch or begin
local entry = append({'zone ' .. id, name, 'serial ' .. id, serial, 'data ' .. id, '*'})
if begin ~= '' then
	redis.call('HSET', KEYS[1], 'id', epoch, 'schema', '1')
end
-- Less than the id if that was given by a primary which this one had not heard all of.
if tonumber(redis.call('HGET', KEYS[1], 'last_zone') or 0) < tonumber(id) then
	redis.call('HSET', KEYS[1], 'last_zone', id)
end
redis.call('PERSIST', KEYS[5])
if old == '' then
	redis.call('HSET', KEYS[3], name, id)
	redis.call('HSET', KEYS[4], unpack(ARGV, 13))
else
	redis.call('UNLINK', KEYS[6])
end
redis.call('HSET', KEYS[4], 'gen', gen)
return {'done', entry, entry}
