-- Gives a delivery that BullMQ has lost a new carrier. Its starts are kept, so that a task which
-- takes its workers down is noticed.
--
-- KEYS[1] meta        hash    the run's own record
-- KEYS[2] state       string  1 byte a node
-- KEYS[3] counts      hash    per group and state
-- KEYS[4] groupIndex  string  8 bytes a group
-- KEYS[5] deliveries  hash    carrier -> packed delivery
-- KEYS[6] outbox      zset    carriers that are not in BullMQ yet
-- KEYS[7] demand      hash    queue -> runs of the shard that want slots
-- KEYS[8] backlog     list    accepted ends whose children are not all visited
-- KEYS[9] events      stream  the feed: numbered events
-- KEYS[10] stash      list    outcomes that came while the run was frozen
-- KEYS[11…] ready     list    one list a queue
-- ARGV[1] carrier
-- ARGV[2] token that was seen; another one means that it lives
-- ARGV[3] now in ms
--
-- Returns the new carrier; 0 where it is closed, waits in the outbox or was claimed meanwhile.
local r = record()
-- Its outcomes may be among those that wait.
if r.editing or call('EXISTS', K.stash) == 1 then return 0 end
local packed = call('HGET', K.deliveries, ARGV[1])
if not packed or sub(packed, 1, 8) ~= ARGV[2] or call('ZSCORE', K.outbox, ARGV[1]) then return 0 end
local d = read_delivery(packed)
if r.halt then
  cancel_delivery(ARGV[1], d)
  save_run()
  return 0
end
-- What is being cancelled does not start again.
local left, dropped = drop_cancelled(d)
save_told(ARGV[3])
if dropped > 0 then
  if left == 0 then close_delivery(ARGV[1], d) end
  save_run()
  if left == 0 then return 0 end
end
local carrier = call('HINCRBY', K.meta, 'seq', 1)
d.token, d.attempts_started, d.cut_at = NO_TOKEN, 0, floor(tonumber(ARGV[3]) / 1000)
call('HDEL', K.deliveries, ARGV[1])
call('HSET', K.deliveries, carrier, pack_delivery(d))
call('ZADD', K.outbox, ARGV[3], carrier)
return carrier
