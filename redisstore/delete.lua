-- Deletes a zone.
-- KEYS: zone:<id>, rr:<id>:<gen>, meta:<id>, key:<id>.
-- ARGV: name, id, gen.
local name, id, gen = unpack(ARGV, 6, 8)
if not epoch then return {'lost'} end
if version ~= '1' then return {'schema', version} end
if redis.call('HGET', KEYS[3], name) ~= id or redis.call('HGET', KEYS[4], 'gen') ~= gen then
	return {'stale'}
end
redis.call('HDEL', KEYS[3], name)
redis.call('UNLINK', KEYS[4], KEYS[5], KEYS[6], KEYS[7])
local entry = append({'zone ' .. id, name, 'data ' .. id, 'gone'})
return {'done', entry, entry}
