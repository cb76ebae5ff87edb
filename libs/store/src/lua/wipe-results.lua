-- Takes away results that were carried over for a set that never joined its run: a page of the numbers behind
-- the run's last node, from the end. Under the lock under which they are written. Sent again it has nothing to do.
--
-- KEYS[1] meta        hash    the run's own record
-- KEYS[2] deliveries  hash    carrier -> packed delivery
-- KEYS[3] attempts    string  12 bytes a node
-- KEYS[4] tries       hash    attempt number where it is above 1
-- KEYS[5] bases       hash    id -> attempts made before its last retry
-- KEYS[6] past        hash    id.attempt -> 12 bytes of a success
-- KEYS[7] failures    hash    id.attempt -> record
-- KEYS[8] outputs     hash    id -> JSON
-- KEYS[9] logs        hash    id.attempt -> f64 bytes dropped before the tail, the tail
-- ARGV[1] carrier
-- ARGV[2] token of the claim
-- ARGV[3] the generator's number
-- ARGV[4] its attempt
-- ARGV[5] shape of the run
-- ARGV[6] numbers a page
--
-- Returns one word: wiped, paging; else gone, moved, busy, retrying, halting as of append-tasks.
local refused = may_write(ARGV)
if refused then return refused end
hold_append(ARGV[2])
local h = call('HMGET', K.meta, 'n', 'spill')
local nodes, spill = tonumber(h[1]), tonumber(h[2] or 0)
local first = max(nodes, spill - tonumber(ARGV[6]))
local ids, n = {}, max(0, spill - first)
for i = 1, n do ids[i] = first + i - 1 end
forget_results(ids, n)
local stored = call('STRLEN', K.attempts)
if stored > first * 12 then
  call('SETRANGE', K.attempts, first * 12, rep('\0', min(spill * 12, stored) - first * 12))
end
if first > nodes then
  call('HSET', K.meta, 'spill', first)
  return 'paging'
end
call('HDEL', K.meta, 'spill')
return 'wiped'
