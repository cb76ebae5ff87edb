-- Puts open ids of a claimed delivery back at the front of their ready list: all of them where a worker
-- stops, some where they would have to wait behind a slow one. A delivery without open ids is closed.
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
-- KEYS[10…] ready     list    one list a queue
-- ARGV[1] carrier
-- ARGV[2] token
-- ARGV[3] now in ms
-- ARGV[4…] places, from 0; none: all
--
-- Returns the number of ids put back, and of those that ended since they are being cancelled; 0 where the delivery
-- is closed or another token holds it; -1 while the run is frozen: ask again.
local r = record()
if r.editing then return -1 end
local packed = call('HGET', K.deliveries, ARGV[1])
if not packed or sub(packed, 1, 8) ~= ARGV[2] then return 0 end
local d = read_delivery(packed)
local halt = r.halt

local wanted = #ARGV > 3 and {} or nil
for i = 4, #ARGV do wanted[tonumber(ARGV[i])] = true end
-- What is being cancelled does not come back.
local dropped = 0
if not halt then dropped = select(2, drop_cancelled(d, wanted)) end
local bits = { byte(d.bits, 1, -1) }
local all, open, places = open_ids(d)
local ids, codes, n = {}, {}, 0
for i = 1, open do
  local place = places[i]
  if not wanted or wanted[place] then
    n = n + 1
    ids[n], codes[n] = all[i], char(CANCELLED)
    bits[floor(place / 8) + 1] = bits[floor(place / 8) + 1] - lshift(1, place % 8)
  end
end
if n + dropped == 0 then return 0 end

if halt then
  write_states(ids, codes, n)
  count_ends(d.group, CANCELLED, n)
else
  push_ready(d.group, d.flags, ids, n, true)
end
add_total('open', -n)
if n == open then
  close_delivery(ARGV[1], d)
else
  d.bits = char(unpack(bits))
  call('HSET', K.deliveries, ARGV[1], pack_delivery(d))
end
save_told(ARGV[3])
save_run()
return n + dropped
