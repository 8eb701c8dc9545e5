-- Notes when credentials were used, as far as they are there and that is later than noted.
-- KEYS: epoch.
-- ARGV: id, Unix time; and so on.
for i = 1, #ARGV, 2 do
	local key = prefix .. 'cred:' .. ARGV[i]
	local noted = redis.call('HMGET', key, 'value', 'last_use')
	if noted[1] and tonumber(ARGV[i + 1]) > tonumber(noted[2] or 0) then
		redis.call('HSET', key, 'last_use', ARGV[i + 1])
	end
end
return 'done'
