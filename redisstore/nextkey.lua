-- Gives a zone the number of a new DNSSEC key, '' if there is no such zone.
-- KEYS: zones, zone:<id>.
-- ARGV: name, id.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return '' end
return tostring(redis.call('HINCRBY', KEYS[2], 'last_key', 1))
