-- Says when the webhooks of a run are looked at next, or that they need no more looks; nothing happens
-- where the run has changed since it was read: then they are looked at again.
--
-- KEYS[1] meta   hash  the run's own record
-- KEYS[2] hooks  zset  runs of the shard with webhooks, by when they are looked at
-- ARGV[1] id
-- ARGV[2…5] created, state, events and hookRetries of its record when it was read
-- ARGV[6] when to look next, in ms; empty: no more
--
-- Returns 1; 0 where nothing happened.
local h = redis.call('HMGET', KEYS[1], 'created', 'state', 'events', 'hookRetries')
if not h[1] then return redis.call('ZREM', KEYS[2], ARGV[1]) end
for i = 1, 4 do
  if (h[i] or '') ~= ARGV[i + 1] then return 0 end
end
if ARGV[6] == '' then return redis.call('ZREM', KEYS[2], ARGV[1]) end
redis.call('ZADD', KEYS[2], 'XX', ARGV[6], ARGV[1])
return 1
