-- Deletes a zone.
-- KEYS: zone:<id>, rr:<id>:<gen>, meta:<id>, key:<id>.
-- ARGV: name, id, gen.
local name, id, gen = unpack(ARGV, 6, 8)
if not epoch then return {'lost'} end
if version ~= '1' then return {'schema', version} end
-- A zone:<id> that is missing, or no hash, has no generation.
local there = redis.pcall('HGET', KEYS[4], 'gen')
if type(there) ~= 'string' then there = '' end
if redis.call('HGET', KEYS[3], name) ~= id or there ~= gen then
	return {'stale'}
end
-- Whoever may not put it back does not take it away.
local back = redis.pcall('HSET', KEYS[3], name, id)
if type(back) == 'table' and back.err and not string.find(back.err, 'OOM', 1, true) then return redis.error_reply(back.err) end
-- A server that is out of memory takes what comes after a write, though not everybody may append.
redis.call('HDEL', KEYS[3], name)
local ok, entry = pcall(append, {'zone ' .. id, name, 'data ' .. id, 'gone'})
if not ok then
	redis.call('HSET', KEYS[3], name, id)
	error(entry)
end
redis.call('UNLINK', KEYS[4], KEYS[5], KEYS[6], KEYS[7])
return {'done', entry, entry}
