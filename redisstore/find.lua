-- Answers what a request has to know before it can be judged, and counts the request.
-- KEYS: epoch.
-- ARGV: what request.lua reads.
-- Answers what that answers.
local data = redis.call('HMGET', KEYS[1], 'id', 'schema')
if not data[1] then return {'lost'} end
if data[2] ~= '1' then return {'schema', data[2] or ''} end
return request(1)
