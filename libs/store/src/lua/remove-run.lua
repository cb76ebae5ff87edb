-- Takes a run out of the sets of its shard and deletes its keys, all at once: its id may be in use
-- again right afterwards.
--
-- KEYS[1] meta        hash  the run's own record
-- KEYS[2] runs        zset  sealed runs of the shard by time
-- KEYS[3] submitting  zset  runs of the shard that are not sealed, or only created
-- KEYS[4] active      zset  runs of the shard that have not ended
-- KEYS[5] ended       zset  runs of the shard that ended
-- KEYS[6] demand      hash  queue@priority -> runs of the shard that want slots
-- KEYS[7] hooks       zset  runs of the shard with webhooks, by when they are looked at
-- KEYS[8…] other      string  or hash, list, zset: every other key of the run
-- ARGV[1] id
-- ARGV[2] submitting or ended: the set that the run must still be in
-- ARGV[3] its score there at most
--
-- Returns 1; 0 where the run is not in that set any more, or was there later: it lives.
local set = ARGV[2] == 'submitting' and KEYS[3] or KEYS[5]
local score = redis.call('ZSCORE', set, ARGV[1])
if not score or tonumber(score) > tonumber(ARGV[3]) then return 0 end
for i = 2, 5 do redis.call('ZREM', KEYS[i], ARGV[1]) end
redis.call('ZREM', KEYS[7], ARGV[1])
-- A submission that broke off while it was sealed may have pushed roots.
local h = redis.call('HMGET', KEYS[1], 'queues', 'priority')
for number = 0, tonumber(h[1] or 0) - 1 do
  local q = redis.call('HMGET', KEYS[1], 'q' .. number, 'r' .. number, 'i' .. number)
  if tonumber(q[2] or 0) + tonumber(q[3] or 0) > 0 then
    redis.call('HINCRBY', KEYS[6], q[1] .. '@' .. (h[2] or 0), -1)
  end
end
-- Freed in the background, however large they are.
redis.call('UNLINK', KEYS[1], unpack(KEYS, 8))
return 1
