-- What every script begins with: the keys of a session, and how they are set and deleted together.
--
-- ARGV[1] is the prefix. An id is hexadecimal wherever it is part of a key or kept beside one; hashes of secrets and
-- the user's id are bytes in the session's hash, as they are in a row.

local prefix = ARGV[1]
local expiries = prefix .. 'expiries'

local function hex(bytes)
    return (bytes:gsub('.', function(byte) return string.format('%02x', byte:byte()) end))
end

local function session_key(id) return prefix .. 'session:' .. id end
local function secret_key(hash) return prefix .. 'secret:' .. hex(hash) end
local function user_key(user) return prefix .. 'user:' .. user end

-- The session's id and hash; false if it is gone. What is there and no hash is given out as an empty one, for the caller
-- to find it corrupt: an error would stop a script that is about others too.
local function read(id)
    local hash = redis.pcall('HGETALL', session_key(id))
    if hash.err then return {id, {}} end
    return #hash > 0 and {id, hash}
end

-- What the stored session is found by. Of a corrupt one, whatever is there.
local function found_by(id)
    local hash = redis.pcall('HMGET', session_key(id), 'secret', 'former', 'user_id')
    if hash.err then return {secrets = {}} end
    local secrets = {}
    for index = 1, 2 do
        if hash[index] then secrets[#secrets + 1] = hash[index] end
    end
    return {secrets = secrets, user = hash[3] and hex(hash[3])}
end

-- Lets the session's secrets lead nowhere.
local function forget_secrets(was, id)
    for _, secret in ipairs(was.secrets) do
        -- A corrupt session may hold what leads to another.
        if redis.pcall('GET', secret_key(secret)) == id then redis.call('DEL', secret_key(secret)) end
    end
end

-- Deletes the session with all that leads to it, and returns 1 if it was there, else 0.
local function forget(id)
    local was = found_by(id)
    forget_secrets(was, id)
    if was.user then redis.pcall('SREM', user_key(was.user), id) end
    redis.call('ZREM', expiries, id)
    return redis.call('DEL', session_key(id))
end

-- The columns that a call has named, from ARGV[4] on: an id and a life in milliseconds come before.
local function columns()
    local named = {}
    for index = 4, #ARGV, 2 do named[ARGV[index]] = ARGV[index + 1] end
    return named
end

local function secrets_of(named)
    return named.former and {named.secret, named.former} or {named.secret}
end

-- Writes the session with all that leads to it, each for `life`.
local function put(id, life, named)
    local key = session_key(id)
    redis.call('HSET', key, unpack(ARGV, 4))
    redis.call('PEXPIRE', key, life)
    for _, secret in ipairs(secrets_of(named)) do
        redis.call('SET', secret_key(secret), id, 'PX', life)
    end
    redis.call('ZADD', expiries, named.expires, id)
    if not named.user_id then return end
    local user = user_key(hex(named.user_id))
    if redis.call('SADD', user, id) == 1 then
        -- Sessions that expired before a sweep are still in the set. Each new one removes them, so
        -- it stays small.
        for _, other in ipairs(redis.call('SMEMBERS', user)) do
            if redis.call('EXISTS', session_key(other)) == 0 then redis.call('SREM', user, other) end
        end
    end
    -- The set must not go before the last of its sessions, or that one would outlive signing out everywhere.
    if redis.call('PTTL', user) < tonumber(life) then redis.call('PEXPIRE', user, life) end
end

