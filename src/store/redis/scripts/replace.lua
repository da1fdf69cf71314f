-- Compare-and-set: only if the session is there, at the revision before the new one. ARGV: id, life, columns.
local id, life, named = ARGV[2], ARGV[3], columns()
local stored = redis.pcall('HGET', session_key(id), 'revision')
-- Gone, or no hash: never made again.
if not stored or stored.err then return 0 end
local revision = tonumber(stored)
if not revision or revision + 1 ~= tonumber(named.revision) then return 0 end
for _, secret in ipairs(secrets_of(named)) do
    local owner = redis.call('GET', secret_key(secret))
    if owner and owner ~= id then return redis.error_reply('ERR the secret is another session\'s') end
end
-- A session's user never changes once it is set, so its entry in the user's set stays valid.
forget_secrets(found_by(id), id)
redis.call('DEL', session_key(id))
put(id, life, named)
return 1
