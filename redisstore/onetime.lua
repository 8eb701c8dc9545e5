-- Gives a host a one-time token, unless it has one.
-- KEYS: epoch, host:<id>, token:<id>.
-- ARGV: a new token, its ms to live.
local data = redis.call('HMGET', KEYS[1], 'id', 'schema')
if not data[1] then return {'lost'} end
if data[2] ~= '1' then return {'schema', data[2] or ''} end
if redis.call('HEXISTS', KEYS[2], 'name') == 0 then return {'unknown'} end
local live = redis.call('GET', KEYS[3])
if not live then
	live = ARGV[1]
	redis.call('SET', KEYS[3], live, 'PX', ARGV[2])
end
return {'done', live}
