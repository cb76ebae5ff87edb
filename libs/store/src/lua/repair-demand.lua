-- Sets how many runs want slots of a queue, unless it changed since it was read.
--
-- KEYS[1] demand  hash  queue@priority -> runs of the shard that want slots
-- ARGV[1] queue@priority
-- ARGV[2] what was read; empty: nothing
-- ARGV[3] what is right
--
-- Returns 1; 0 where it changed meanwhile.
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
