-- Begins to bring tasks back: keeps which they are, sets the run going again, and nudges the listener,
-- which goes through them page by page.
--
-- KEYS[1] meta      hash    the run's own record
-- KEYS[2] retry     string  u32 an id
-- KEYS[3] active    zset    runs of the shard that have not ended
-- KEYS[4] ended     zset    runs of the shard that ended
-- KEYS[5] outcomes  stream  what listeners settle
-- KEYS[6] hooks     zset    runs of the shard with webhooks, by when they are looked at
-- ARGV[1] token of this retry
-- ARGV[2] when the run that was read was created, in ms
-- ARGV[3] now in ms
-- ARGV[4] ids, ascending
--
-- Returns one word: begun; else retrying (another is under way), halting or the state of a run that can't be
-- retried; nil where that run is gone.
local fields = { 'state', 'created', 'halt', 'retry', 'retryToken', 'id', 'bad' }
local h = redis.call('HMGET', KEYS[1], unpack(fields))
local state, id = h[1], h[6]
if not state or h[2] ~= ARGV[2] then return false end
-- Sent again.
if h[5] == ARGV[1] then return 'begun' end
if state == 'submitting' or state == 'created' then return state end
if tonumber(h[4] or 0) > 0 then return 'retrying' end
if state == 'running' and h[3] then return 'halting' end

redis.call('SET', KEYS[2], ARGV[4])
redis.call('HDEL', KEYS[1], 'halt', 'haltedDeliveries', 'haltedNodes')
-- Failures that are there already stop nothing any more; those that are brought back are taken off again.
redis.call('HSET', KEYS[1], 'retryToken', ARGV[1], 'retry', 1, 'retryAt', 0, 'retryEdge', 0, 'forgiven', h[7] or 0)
-- What the doctor computed before must not be mended after.
redis.call('HINCRBY', KEYS[1], 'repairs', 1)
if state ~= 'running' then
  redis.call('HSET', KEYS[1], 'state', 'running')
  redis.call('HDEL', KEYS[1], 'ended')
  redis.call('ZREM', KEYS[4], id)
  redis.call('ZADD', KEYS[3], ARGV[3], id)
end
-- Those who were told of its end are told how it goes on.
if redis.call('HEXISTS', KEYS[1], 'hooks') == 1 then redis.call('ZADD', KEYS[6], ARGV[3], id) end
redis.call('XADD', KEYS[5], '*', 'r', id, 'c', 0, 't', '', 'g', 0, 'p', '', 'x', '')
return 'begun'
