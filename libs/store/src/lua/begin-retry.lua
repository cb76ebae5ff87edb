-- Begins to bring tasks back: keeps which they are, sets the run going again, and nudges the listener,
-- which goes through them page by page.
--
-- KEYS[1] meta      hash    the run's own record
-- KEYS[2] retry     string  u32 a task: 24 bits of id, 8 of what else is said of it
-- KEYS[3] active    zset    runs of the shard that have not ended
-- KEYS[4] ended     zset    runs of the shard that ended
-- KEYS[5] outcomes  stream  what listeners settle
-- KEYS[6] hooks     zset    runs of the shard with webhooks, by when they are looked at
-- ARGV[1] token of this retry
-- ARGV[2] when the run that was read was created, in ms
-- ARGV[3] now in ms
-- ARGV[4] what is kept in retry, ascending by id
-- ARGV[5] who asks; empty: not said
-- ARGV[6] shape of the run that they were found in
-- ARGV[7] ms without a sign after which an editor is gone
--
-- Returns one word: begun; else moved (tasks joined the run since), editing, retrying (another is under way), changing (a
-- cancel of tasks is), halting or the state of a run that can't be retried; nil where that run is gone.
local fields = { 'state', 'created', 'halt', 'retry', 'retryToken', 'id', 'bad', 'cancel', 'shape', 'editing', 'editingAt',
  'editStep' }
local h = redis.call('HMGET', KEYS[1], unpack(fields))
local state, id = h[1], h[6]
if not state or h[2] ~= ARGV[2] then return false end
-- Sent again.
if h[5] == ARGV[1] then return 'begun' end
if state == 'submitting' or state == 'created' then return state end
if h[10] and (h[12] == '2' or tonumber(ARGV[3]) - tonumber(h[11]) < tonumber(ARGV[7])) then return 'editing' end
if tonumber(h[4] or 0) > 0 then return 'retrying' end
if tonumber(h[8] or 0) > 0 then return 'changing' end
if state == 'running' and h[3] then return 'halting' end
-- What hangs on them may be more by now.
if tonumber(h[9] or 0) ~= tonumber(ARGV[6]) then return 'moved' end

redis.call('SET', KEYS[2], ARGV[4])
redis.call('HDEL', KEYS[1], 'halt', 'haltedAt', 'haltedBy', 'haltedDeliveries', 'haltedNodes', 'editing', 'editingAt', 'editStep')
-- Failures that are there already stop nothing any more; those that are brought back are taken off again.
redis.call('HSET', KEYS[1], 'retryToken', ARGV[1], 'retry', 1, 'retryAt', 0, 'retryEdge', 0, 'forgiven', h[7] or 0,
  'retriedAt', ARGV[3], 'retriedBy', ARGV[5])
-- Sets may stand alone from now on: who has read how they are joined reads it again.
if tonumber(redis.call('HGET', KEYS[1], 'more') or 0) > 0 then redis.call('HINCRBY', KEYS[1], 'shape', 1) end
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
