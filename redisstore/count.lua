-- Counts of what happens, each in a key that ends when the time is over that began with the first.
-- KEYS: epoch, which begins with the prefix of all keys; then the script's own.
local prefix = string.sub(KEYS[1], 1, -6)

local function count(key, ms)
	local n = redis.call('INCR', key)
	if n == 1 then redis.call('PEXPIRE', key, ms) end
	return n
end

-- The ms for which no more may happen, as most of it has; 0: it may.
local function full(key, most)
	if most == 0 or tonumber(redis.call('GET', key) or 0) < most then return 0 end
	return math.max(redis.call('PTTL', key), 1)
end
