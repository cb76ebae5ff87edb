-- Puts a run into the sets of its shard that its state asks for, and takes it out of the others.
--
-- KEYS[1] meta        hash  the run's own record
-- KEYS[2] runs        zset  sealed runs of the shard by time
-- KEYS[3] submitting  zset  runs of the shard that are not sealed, or only created
-- KEYS[4] active      zset  runs of the shard that have not ended
-- KEYS[5] ended       zset  runs of the shard that ended
-- ARGV[1] id
-- ARGV[2] now in ms
--
-- Returns the number of changes.
local h = redis.call('HMGET', KEYS[1], 'state', 'created', 'started', 'ended')
local state, changes = h[1], 0
local function place(key, belongs, score)
  if belongs then
    changes = changes + redis.call('ZADD', key, 'NX', score or ARGV[2], ARGV[1])
  else
    changes = changes + redis.call('ZREM', key, ARGV[1])
  end
end
local ended = state == 'succeeded' or state == 'failed' or state == 'cancelled'
place(KEYS[2], state and state ~= 'submitting', h[2])
place(KEYS[3], state == 'submitting' or state == 'created')
place(KEYS[4], state == 'running', h[3])
place(KEYS[5], ended, h[4])
return changes
