-- Makes a copy of an archived run a run as any other that has ended: it is listed, and stays.
--
-- KEYS[1] meta     hash  the run's own record
-- KEYS[2] runs     zset  sealed runs of the shard by time
-- KEYS[3] ended    zset  runs of the shard that ended
-- KEYS[4] copies   zset  archived runs that are here to be read, by when they go
-- KEYS[5] deleted  zset  id and time of creation of runs that were deleted, by when
-- ARGV[1] id
-- ARGV[2] now in ms: its time in Redis begins anew
--
-- Returns 1; 0 where it is no copy (any more).
local h = redis.call('HMGET', KEYS[1], 'archived', 'created', 'state')
if h[1] ~= '1' or h[3] == 'submitting' then return 0 end
redis.call('HDEL', KEYS[1], 'archived', 'copyToken')
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('ZADD', KEYS[2], h[2], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
-- It was deleted, and has come back from a bundle: the archive may have it again.
redis.call('ZREM', KEYS[5], ARGV[1] .. ' ' .. h[2])
return 1
