-- Puts what was written for a new revision in the place of what a frozen run has, all at once. The run stays
-- frozen while there are attempts and outputs to be set back.
--
-- KEYS[1] meta        hash    the run's own record
-- KEYS[2] active      zset    runs of the shard that have not ended
-- KEYS[3] ended       zset    runs of the shard that ended
-- KEYS[4] submitting  zset    runs of the shard that are not sealed, or only created
-- KEYS[5] demand      hash    queue -> runs of the shard that want slots
-- KEYS[6] outcomes    stream  what listeners settle
-- KEYS[7] events      stream  the feed: numbered events
-- KEYS[8] backlog     list    accepted ends whose children are not all visited
-- KEYS[9] resets      string  u32 a task that is set back
-- KEYS[10] deliveries  hash    carrier -> packed delivery
-- KEYS[11] outbox     zset    carriers that are not in BullMQ yet
-- KEYS[12] revisions  hash    revision -> JSON of when it came, and what became of tasks
-- KEYS[13] hooks      zset    runs of the shard with webhooks, by when they are looked at
-- KEYS[14…] target    string  or hash, list: where a key goes, and the key; the record of the new revision comes first
-- ARGV[1] token of this edit
-- ARGV[2] now in ms
-- ARGV[3] id under which the new revision was written
-- ARGV[4] JSON of the new revision
-- ARGV[5] who asks; empty: not said
-- ARGV[6] number of fields to be removed from meta; then these
-- then field, value, … of meta
--
-- Returns one word: swapped; lost where the run was thawed meanwhile; nil where it is gone.
local call, meta = redis.call, KEYS[1]
local h = call('HMGET', meta, 'state', 'editing', 'edited', 'id', 'pausedAt', 'revision', 'shape')
local state, id, paused = h[1], h[4], h[5]
if not state then return false end
-- Sent again.
if h[3] == ARGV[1] then return 'swapped' end
if h[2] ~= ARGV[1] then return 'lost' end

-- What its queues want of the shard's slots is taken back before the change, and counted anew after it.
local function count_demand(by)
  local queues, priority = unpack(call('HMGET', meta, 'queues', 'priority'))
  for number = 0, tonumber(queues or 0) - 1 do
    local q = call('HMGET', meta, 'q' .. number, 'r' .. number, 'i' .. number)
    local wants = tonumber(q[3] or 0) > 0 or tonumber(q[2] or 0) > 0 and not paused
    if wants then call('HINCRBY', KEYS[5], q[1] .. '@' .. (priority or 0), by) end
  end
end
count_demand(-1)

call('UNLINK', KEYS[8], KEYS[9], KEYS[14])
call('ZREM', KEYS[4], ARGV[3])
for i = 15, #KEYS, 2 do
  call('UNLINK', KEYS[i])
  if call('EXISTS', KEYS[i + 1]) == 1 then call('RENAME', KEYS[i + 1], KEYS[i]) end
end

-- Deliveries that nobody had are closed: their tasks are ready, or run otherwise.
for _, carrier in ipairs(call('ZRANGE', KEYS[11], 0, -1)) do
  if call('HEXISTS', KEYS[10], carrier) == 0 then call('ZREM', KEYS[11], carrier) end
end

local removed = tonumber(ARGV[6])
call('HDEL', meta, 'halt', 'haltedAt', 'haltedBy', 'haltedDeliveries', 'haltedNodes', 'ended', unpack(ARGV, 7, 6 + removed))
for at = 7 + removed, #ARGV, 512 do call('HSET', meta, unpack(ARGV, at, math.min(#ARGV, at + 511))) end
local revision = tonumber(h[6] or 1) + 1
call('HSET', meta, 'state', 'running', 'revision', revision, 'shape', tonumber(h[7] or 0) + 1, 'edited', ARGV[1])
call('HSET', KEYS[12], revision, ARGV[4])
call('HINCRBY', meta, 'repairs', 1)
count_demand(1)
if state ~= 'running' then
  call('ZREM', KEYS[3], id)
  call('ZADD', KEYS[2], ARGV[2], id)
  -- Who is told of it is told of the new end, too.
  if call('HEXISTS', meta, 'hooks') == 1 then call('ZADD', KEYS[13], ARGV[2], id) end
end
local number = call('HINCRBY', meta, 'events', 1)
redis.pcall('XADD', KEYS[7], '0-' .. number, 'k', 'edited', 't', ARGV[2], 'p', ARGV[5])
if call('EXISTS', KEYS[9]) == 1 then
  call('HSET', meta, 'editStep', 2, 'resetAt', 0)
else
  call('HDEL', meta, 'editing', 'editingAt', 'editStep')
end
call('XADD', KEYS[6], '*', 'r', id, 'c', 0, 't', '', 'g', 0, 'p', '', 'x', '')
return 'swapped'
