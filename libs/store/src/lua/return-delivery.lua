-- Puts the open ids of a claimed delivery back at the front of their ready list and closes it: a
-- worker that stops hands back what it did not start or had to give up.
--
-- KEYS[1] meta        hash    the run's own record
-- KEYS[2] state       string  1 byte a node
-- KEYS[3] counts      hash    per group and state
-- KEYS[4] groupIndex  string  8 bytes a group
-- KEYS[5] deliveries  hash    carrier -> packed delivery
-- KEYS[6] outbox      zset    carriers that are not in BullMQ yet
-- KEYS[7] demand      hash    queue -> runs of the shard that want slots
-- KEYS[8…] ready      list    one list a queue
-- ARGV[1] carrier
-- ARGV[2] token
--
-- Returns the number of ids put back; 0 where the delivery is closed or another token holds it.
local packed = call('HGET', K.deliveries, ARGV[1])
if not packed or sub(packed, 1, 8) ~= ARGV[2] then return 0 end
local d = read_delivery(packed)
local ids, count = open_ids(d)
if call('HGET', K.meta, 'halt') then
  cancel_delivery(ARGV[1], d)
else
  push_ready(d.group, d.flags, ids, count, true)
  add_total('open', -count)
  close_delivery(ARGV[1], d)
end
save_run()
return count
