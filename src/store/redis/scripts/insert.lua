-- Keeps a new session, unless its id or a secret of it is taken. ARGV: id, life, columns.
local id, life, named = ARGV[2], ARGV[3], columns()
if redis.call('EXISTS', session_key(id)) == 1 then return 0 end
for _, secret in ipairs(secrets_of(named)) do
    if redis.call('EXISTS', secret_key(secret)) == 1 then return 0 end
end
put(id, life, named)
return 1
