-- Takes a run out of the sets of its shard and deletes its record; whatever still comes for it finds
-- nothing. Its other keys are deleted afterwards: until that is done it stands among the submissions,
-- where a janitor finds it if whoever deletes it dies.
--
-- KEYS[1] meta        hash  the run's own record
-- KEYS[2] runs        zset  sealed runs of the shard by time
-- KEYS[3] submitting  zset  runs of the shard that are not sealed, or only created
-- KEYS[4] active      zset  runs of the shard that have not ended
-- KEYS[5] ended       zset  runs of the shard that ended
-- KEYS[6] demand      hash  queue@priority -> runs of the shard that want slots
-- ARGV[1] id
--
-- Returns 1; 0 where there was no record any more.
for i = 2, 5 do redis.call('ZREM', KEYS[i], ARGV[1]) end
redis.call('ZADD', KEYS[3], redis.call('TIME')[1] * 1000, ARGV[1])
local h = redis.call('HMGET', KEYS[1], 'queues', 'priority', 'state')
if not h[3] then return 0 end
-- A submission that broke off while it was sealed may have pushed roots.
for number = 0, tonumber(h[1] or 0) - 1 do
  local q = redis.call('HMGET', KEYS[1], 'q' .. number, 'r' .. number, 'i' .. number)
  if tonumber(q[2] or 0) + tonumber(q[3] or 0) > 0 then
    redis.call('HINCRBY', KEYS[6], q[1] .. '@' .. (h[2] or 0), -1)
  end
end
redis.call('DEL', KEYS[1])
return 1
