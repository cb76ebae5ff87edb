-- Opens a copy of an archived run whose pages have been written: from now on it can be read, until it expires.
--
-- KEYS[1] meta        hash  the run's own record
-- KEYS[2] submitting  zset  runs of the shard that are not sealed, and copies that are not open
-- KEYS[3] copies      zset  archived runs that are here to be read, by when they go
-- ARGV[1] id
-- ARGV[2] token under which it was written
-- ARGV[3] when it goes again, in ms
-- ARGV[4…] field, value, … of its record
--
-- Returns 1; 0 where it was removed meanwhile.
local h = redis.call('HMGET', KEYS[1], 'submitToken', 'copyToken')
-- Sent again.
if h[2] == ARGV[2] then return 1 end
if h[1] ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
for i = 4, #ARGV, 1000 do redis.call('HSET', KEYS[1], unpack(ARGV, i, math.min(#ARGV, i + 999))) end
redis.call('HSET', KEYS[1], 'archived', 1, 'copyToken', ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
return 1
