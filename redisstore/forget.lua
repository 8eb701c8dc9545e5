-- Takes the name of a node whose lease has expired off the list.
-- KEYS: nodes, node:<name>.
-- ARGV: name.
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
return redis.call('SREM', KEYS[1], ARGV[1])
