-- Deletes all of a user's sessions. ARGV[2]: the user's id.
for _, id in ipairs(redis.call('SMEMBERS', user_key(ARGV[2]))) do forget(id) end
-- What is corrupt may not have said whose it was.
redis.call('DEL', user_key(ARGV[2]))
