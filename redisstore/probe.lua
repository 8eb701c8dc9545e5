-- Calls each command that redyn's scripts call, on keys that are gone after that. Fails with the first that fails.
-- KEYS: a string, a hash, a stream, a set.
local text, hash, stream, set = unpack(KEYS)
for _, command in ipairs({
	{'SET', text, '1', 'PX', 1000}, {'INCR', text}, {'PERSIST', text}, {'PEXPIRE', text, 1000}, {'PTTL', text},
	{'EXISTS', text}, {'GET', text}, {'DEL', text},
	{'HSET', hash, 'field', '1'}, {'PEXPIRE', hash, 1000}, {'HINCRBY', hash, 'field', 1}, {'HGET', hash, 'field'},
	{'HMGET', hash, 'field'}, {'HGETALL', hash}, {'HEXISTS', hash, 'field'}, {'HLEN', hash}, {'HDEL', hash, 'field'},
	{'XADD', stream, 'MAXLEN', '~', 1, '*', 'field', '1'}, {'PEXPIRE', stream, 1000}, {'XDEL', stream, '1-1'},
	{'SADD', set, '1'}, {'SREM', set, '1'}, {'UNLINK', text, hash, stream, set},
}) do
	local answer = redis.pcall(unpack(command))
	if type(answer) == 'table' and answer.err then
		for _, delete in ipairs({'UNLINK', 'DEL'}) do redis.pcall(delete, text, hash, stream, set) end
		return redis.error_reply(answer.err .. ' (' .. command[1] .. ')')
	end
end
