-- What a request has to know before it can be judged. It is counted, too.
-- ARGV, from a place on: source ('' if it is not known), most failures of it (0: no limit), most
--   requests of it and in how many ms; hash of a token ('' if there is none); whether the credentials
--   that grant the hosts are wanted, whether their one-time tokens are ('1' or ''); lists, each begun
--   by its length: ids of credentials, ids of hosts, names of hosts, names of zones whose credentials
--   are wanted.
-- Answers 'found' and the number of credentials, for each: value, failures, last use; then for each
--   host: id, name, policy, created, one-time token, changed. Or 'limit' and ms to wait.

-- The name above; a dot behind a backslash belongs to a label.
local function parent(name)
	local dot = string.find(name, '[.\\]')
	while string.sub(name, dot, dot) == '\\' do
		dot = string.find(name, '[.\\]', dot + 2)
	end
	return string.sub(name, dot + 1)
end

local function request(first)
	local source, most_failed, most, per, token, for_hosts, one_time = unpack(ARGV, first, first + 6)
	most_failed, most = tonumber(most_failed), tonumber(most)
	if source ~= '' then
		local wait = full(prefix .. 'limit:failures:' .. source, most_failed)
		local asked = prefix .. 'limit:source:' .. source
		if most > 0 and count(asked, per) > most then
			wait = math.max(wait, redis.call('PTTL', asked), 1)
		end
		if wait > 0 then return {'limit', tostring(wait)} end
	end

	local at = first + 7
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
		found[#found + 1] = most_failed > 0 and redis.call('GET', prefix .. 'limit:credential:' .. id) or ''
		found[#found + 1] = c[2] or ''
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
		local live = one_time ~= '' and redis.call('GET', prefix .. 'token:' .. id)
		for _, value in ipairs({id, h[1], h[2] or '', h[3] or '', live or '', h[4] or ''}) do
			hosts[#hosts + 1] = value
		end
		return h[1]
	end

	-- Whoever grants a name, or what is below a name above it.
	local passed = {}
	local function add_all_grants(name)
		add_grants(name, '')
		while name ~= '' and name ~= '.' do
			name = parent(name)
			if name == '' then name = '.' end
			if passed[name] then return end
			passed[name] = true
			add_grants(name, ' below$')
		end
	end

	if token ~= '' then
		local id = redis.call('HGET', prefix .. 'tokens', token)
		if id then add_credential(id) end
	end
	for _, id in ipairs(list()) do add_credential(id) end
	local names = {}
	local function add_name(name)
		if not name or names[name] then return false end
		names[name] = true
		names[#names + 1] = name
		return true
	end
	for _, id in ipairs(list()) do add_name(add_host(id)) end
	for _, name in ipairs(list()) do
		if add_name(name) then
			local id = redis.call('HGET', prefix .. 'hosts', name)
			if id then add_host(id) end
		end
	end
	if for_hosts ~= '' then
		for _, name in ipairs(names) do add_all_grants(name) end
	end
	for _, name in ipairs(list()) do add_grants(name, '') end

	found[2] = tostring(credentials)
	for _, value in ipairs(hosts) do found[#found + 1] = value end
	return found
end

-- A digest of what a judgement is made of: all but when something was used or changed last.
local function basis(found)
	local hosts, parts = 2 + 3 * tonumber(found[2]), {found[2]}
	for i = 3, #found do
		if i <= hosts and (i - 2) % 3 ~= 0 or i > hosts and (i - hosts) % 6 ~= 0 then parts[#parts + 1] = found[i] end
	end
	return redis.sha1hex(table.concat(parts, '\n'))
end
