-- Starts a run that was only created, and nudges the listener.
--
-- KEYS[1] meta        hash    the run's own record
-- KEYS[2] submitting  zset    runs of the shard that are not sealed, or only created
-- KEYS[3] active      zset    runs of the shard that have not ended
-- KEYS[4] outcomes    stream  what listeners settle
-- KEYS[5] events      stream  the feed: numbered events
-- ARGV[1] now in ms
-- ARGV[2] who asks; empty: not said
--
-- Returns the state before; nil where there is no such run.
local h = redis.call('HMGET', KEYS[1], 'state', 'id')
if h[1] == 'created' then
  redis.call('HSET', KEYS[1], 'state', 'running', 'started', ARGV[1])
  redis.call('ZADD', KEYS[3], ARGV[1], h[2])
  redis.call('ZREM', KEYS[2], h[2])
  local number = redis.call('HINCRBY', KEYS[1], 'events', 1)
  redis.pcall('XADD', KEYS[5], '0-' .. number, 'k', 'started', 't', ARGV[1], 'p', ARGV[2])
  redis.call('XADD', KEYS[4], '*', 'r', h[2], 'c', 0, 't', '', 'g', 0, 'p', '', 'x', '')
end
return h[1]
