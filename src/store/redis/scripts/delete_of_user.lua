-- Deletes all of a user's sessions but for one. ARGV: the user's id, the id of the session that stays, or nothing.
local user, stays = user_key(ARGV[2]), ARGV[3]
for _, id in ipairs(redis.call('SMEMBERS', user)) do
    if id ~= stays then
        forget(id)
        -- What is corrupt may not have said whose it was.
        redis.call('SREM', user, id)
    end
end
