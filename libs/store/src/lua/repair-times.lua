-- Gives delayed tasks that wait for no time one that is due, and takes times of other tasks away.
--
-- KEYS[1] state  string  1 byte a node
-- KEYS[2] times  zset    what waits for a time in this shard
-- ARGV[1] id of the run
-- ARGV[2] now in ms
-- ARGV[3…] ids of tasks
--
-- Returns the number of changes.
local changes = 0
for i = 3, #ARGV do
  local member = 'retry:' .. ARGV[1] .. ':' .. ARGV[i]
  if redis.call('GETRANGE', KEYS[1], ARGV[i], ARGV[i]) == '\7' then
    changes = changes + redis.call('ZADD', KEYS[2], 'NX', ARGV[2], member)
  else
    changes = changes + redis.call('ZREM', KEYS[2], member)
  end
end
return changes
