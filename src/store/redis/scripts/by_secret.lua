-- ARGV[2]: the hash of a secret.
local id = redis.call('GET', secret_key(ARGV[2]))
return id and read(id)
