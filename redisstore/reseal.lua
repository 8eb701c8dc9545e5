-- Puts values in the place of old ones that are still there, and answers how many.
-- KEYS: a hash.
-- ARGV: field, old value, new value; and so on.
local n = 0
for i = 1, #ARGV, 3 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2])
    n = n + 1
  end
end
return n
