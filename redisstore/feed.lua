-- Feeds RRsets into a generation that is being fed. It may be run twice.
-- KEYS: rr:<id>:<gen>.
-- ARGV: the generation's time to live in ms, how many RRsets it is known to have; then for each
--   RRset its field, the value that it is known to have ('' for none), and the one that it is to get.
-- Answers how many RRsets there are, and for each that has neither value its number and the value
-- that it has; nothing at all if the generation has expired or is in use.
local left = redis.call('PTTL', KEYS[1])
if left == -1 or redis.call('HLEN', KEYS[1]) < tonumber(ARGV[2]) then return {} end
local fields, count = {}, (#ARGV - 2) / 3
for n = 1, count do
	fields[n] = ARGV[3 * n]
end
local there = redis.call('HMGET', KEYS[1], unpack(fields))
local reply, write = {''}, {}
for n = 1, count do
	local value, old, new = there[n] or '', ARGV[3 * n + 1], ARGV[3 * n + 2]
	if value == old then
		write[#write + 1] = fields[n]
		write[#write + 1] = new
	elseif value ~= new then
		reply[#reply + 1] = tostring(n)
		reply[#reply + 1] = value
	end
end
if #write > 0 then redis.call('HSET', KEYS[1], unpack(write)) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
reply[1] = tostring(redis.call('HLEN', KEYS[1]))
return reply
