-- All of a user's sessions that are there, in whatever state. ARGV[2]: the user's id.
local sessions = {}
for _, id in ipairs(redis.call('SMEMBERS', user_key(ARGV[2]))) do
    sessions[#sessions + 1] = read(id) or nil
end
return sessions
