-- Stands before each script that changes something.
-- KEYS: epoch, log, zones, then the script's own.
-- ARGV: change id, who, from, time, length of the log, then the script's own.
-- A script answers {word, ...}; 'done' is followed by the id of its log entry ('' if there is
-- none), the id of the newest entry, and what the script adds.
local data = redis.call('HMGET', KEYS[1], 'id', 'schema', 'log')
local epoch, version, newest = data[1], data[2], data[3] or ''

-- If the user has no right to what most scripts do after that, it fails here, and leaves no entry. (Before, a
-- server that is out of memory would take the entry, as it takes what comes after a write.)
local function append(fields)
	local id = redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'epoch', epoch, 'prev', newest,
		'change', ARGV[1], 'who', ARGV[2], 'from', ARGV[3], 'time', ARGV[4], unpack(fields))
	for _, command in ipairs({{'HDEL', KEYS[1], ''}, {'UNLINK', KEYS[1] .. ':none'}, {'HSET', KEYS[1], 'log', id}}) do
		local done = redis.pcall(unpack(command))
		if type(done) == 'table' and done.err then
			redis.pcall('XDEL', KEYS[2], id)
			error(done.err)
		end
	end
	return id
end
