-- Answers what a request has to know before it can be judged, and counts the request.
-- KEYS: epoch.
-- ARGV: source ('' if it is not known), most failures of it (0: no limit), most requests of it and
--   in how many ms; hash of a token ('' if there is none); whether the credentials that grant the
--   hosts are wanted, whether their one-time tokens are ('1' or ''); lists, each begun by its length:
--   ids of credentials, ids of hosts, names of hosts, names of zones whose credentials are wanted.
-- Answers 'found' and the number of credentials, for each: value, last use, failures; then for each
--   host: id, name, policy, created, changed, one-time token. Or 'limit' and ms to wait.
local data = redis.call('HMGET', KEYS[1], 'id', 'schema')
if not data[1] then return {'lost'} end
if data[2] ~= '1' then return {'schema', data[2] or ''} end

local source, most_failed, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if source ~= '' then
	local wait = full(prefix .. 'limit:failures:' .. source, most_failed)
	local asked = prefix .. 'limit:source:' .. source
	if most > 0 and count(asked, ARGV[4]) > most then
		wait = math.max(wait, redis.call('PTTL', asked), 1)
	end
	if wait > 0 then return {'limit', tostring(wait)} end
end

local at = 8
local function list()
	local last = at + tonumber(ARGV[at])
	local all = {}
	for i = at + 1, last do
		all[#all + 1] = ARGV[i]
	end
	at = last + 1
	return all
end

local found, seen, credentials = {'found', '0'}, {}, 0
local function add_credential(id)
	if seen[id] then return end
	seen[id] = true
	local c = redis.call('HMGET', prefix .. 'cred:' .. id, 'value', 'last_use')
	if not c[1] then return end
	credentials = credentials + 1
	found[#found + 1] = c[1]
	found[#found + 1] = c[2] or ''
	found[#found + 1] = most_failed > 0 and redis.call('GET', prefix .. 'limit:credential:' .. id) or ''
end
local function add_grants(name, what)
	local grants = redis.call('HGETALL', prefix .. 'grants:' .. name)
	for i = 1, #grants, 2 do
		if string.find(grants[i + 1], what) then add_credential(grants[i]) end
	end
end

local hosts = {}
local function add_host(id)
	local h = redis.call('HMGET', prefix .. 'host:' .. id, 'name', 'policy', 'created', 'changed')
	if not h[1] or hosts[id] then return h[1] end
	hosts[id] = true
	local token = ARGV[7] ~= '' and redis.call('GET', prefix .. 'token:' .. id)
	for _, value in ipairs({id, h[1], h[2] or '', h[3] or '', h[4] or '', token or ''}) do
		hosts[#hosts + 1] = value
	end
	return h[1]
end

-- The name above; a dot behind a backslash belongs to a label.
local function parent(name)
	local dot = string.find(name, '[.\\]')
	while string.sub(name, dot, dot) == '\\' do
		dot = string.find(name, '[.\\]', dot + 2)
	end
	return string.sub(name, dot + 1)
end

-- Whoever grants a name, or what is below a name above it.
local function add_all_grants(name)
	add_grants(name, '')
	while name ~= '' and name ~= '.' do
		name = parent(name)
		if name == '' then name = '.' end
		add_grants(name, ' below$')
	end
end

if ARGV[5] ~= '' then
	local id = redis.call('HGET', prefix .. 'tokens', ARGV[5])
	if id then add_credential(id) end
end
for _, id in ipairs(list()) do add_credential(id) end
local names = {}
for _, id in ipairs(list()) do names[#names + 1] = add_host(id) or nil end
for _, name in ipairs(list()) do
	names[#names + 1] = name
	local id = redis.call('HGET', prefix .. 'hosts', name)
	if id then add_host(id) end
end
if ARGV[6] ~= '' then
	for _, name in ipairs(names) do add_all_grants(name) end
end
for _, name in ipairs(list()) do add_grants(name, '') end

found[2] = tostring(credentials)
for _, value in ipairs(hosts) do found[#found + 1] = value end
return found
