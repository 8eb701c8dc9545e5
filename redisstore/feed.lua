-- Feeds RRsets into a generation that is being fed. It may be run twice.
-- KEYS: rr:<id>:<gen>.
-- ARGV: the generation's time to live in ms, how many RRsets it is known to have; then for each
--   RRset its field, the value that it is known to have ('' for none), and the one that it is to get.
-- Answers how many RRsets there are, and for each that has neither value its number and the value
-- that it has; nothing at all if the generation has expired or is in use.
local left = redis.call('PTTL', KEYS[1])
if left == -1 or redis.call('HLEN', KEYS[1]) < tonumber(ARGV[2]) then return {} end
local reply = {''}
for i = 3, #ARGV, 3 do
	local field, old, new = ARGV[i], ARGV[i + 1], ARGV[i + 2]
	if old ~= '' or redis.call('HSETNX', KEYS[1], field, new) == 0 then
		local value = redis.call('HGET', KEYS[1], field) or ''
		if value == old then
			redis.call('HSET', KEYS[1], field, new)
		elseif value ~= new then
			reply[#reply + 1] = tostring(i / 3)
			reply[#reply + 1] = value
		end
	end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
reply[1] = tostring(redis.call('HLEN', KEYS[1]))
return reply
