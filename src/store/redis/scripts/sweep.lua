-- Deletes sessions that have expired, and says how many were due and how many of them were there: the others had
-- expired for Redis already. ARGV: the present moment, how many at most.
local due = redis.call('ZRANGEBYSCORE', expiries, '-inf', ARGV[2], 'LIMIT', 0, ARGV[3])
local deleted = 0
for _, id in ipairs(due) do deleted = deleted + forget(id) end
return {#due, deleted}
