-- Closes places of a delivery whose tasks are not its own any more, and the delivery with its last
-- open place. A malformed delivery goes as it is: counters are corrected afterwards.
--
-- KEYS[1] meta        hash    the run's own record
-- KEYS[2] state       string  1 byte a node
-- KEYS[3] counts      hash    per group and state
-- KEYS[4] groupIndex  string  8 bytes a group
-- KEYS[5] deliveries  hash    carrier -> packed delivery
-- KEYS[6] outbox      zset    carriers that are not in BullMQ yet
-- KEYS[7] demand      hash    queue -> runs of the shard that want slots
-- KEYS[8…] ready      list    one list a queue
-- ARGV[1] repairs that were made before
-- ARGV[2] carrier
-- ARGV[3] the delivery as it was seen
-- ARGV[4] 1 where it is malformed, else 0
-- ARGV[5…] places
--
-- Returns the number of repairs made; -1 where another was made meanwhile, or the delivery moved.
if call('HGET', K.deliveries, ARGV[2]) ~= ARGV[3] then return -1 end
local made = begin_repair(ARGV[1])
if not made then return -1 end
if ARGV[4] == '1' then
  call('HDEL', K.deliveries, ARGV[2])
  call('ZREM', K.outbox, ARGV[2])
  return made
end
local d = read_delivery(ARGV[3])
local bits, closed = { byte(d.bits, 1, -1) }, 0
for i = 5, #ARGV do
  local place = tonumber(ARGV[i])
  local at, bit_of = floor(place / 8) + 1, lshift(1, place % 8)
  if band(bits[at], bit_of) ~= 0 then
    bits[at] = bits[at] - bit_of
    closed = closed + 1
  end
end
d.bits = char(unpack(bits))
add_total('open', -closed)
local _, left = open_ids(d)
if left == 0 then close_delivery(ARGV[2], d) else call('HSET', K.deliveries, ARGV[2], pack_delivery(d)) end
save_run()
return made
