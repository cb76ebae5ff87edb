-- Copies results of tasks of a set that is being replaced to tasks of the next one, behind the run's last node,
-- where nobody looks before append-tasks. The run's record keeps how far that came (`spill`): where the worker
-- dies, wipe-results takes it away before another set comes there. A page that is sent again writes the same.
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
-- ARGV[5] shape of the run that the page was made for
-- ARGV[6] pairs: the number that a task had u32, the one that it gets u32; the first ascend
-- ARGV[7] bytes of logs and outputs that a call copies
--
-- Returns how many of the pairs were done; else one word: gone, moved, busy, retrying, halting as of append-tasks.
local refused = may_write(ARGV)
if refused then return refused end
-- One replaced set at a time is retired.
if tonumber(call('HGET', K.meta, 'retiring') or 0) > 0 then return 'busy' end
hold_append(ARGV[2])
local n = #ARGV[6] / 8
local numbers, from, to, last = unpack_ids(ARGV[6], 1, n * 2), {}, {}, 0
for i = 1, n do
  from[i], to[i] = numbers[i * 2 - 1], numbers[i * 2]
  last = max(last, to[i])
end
local spill = tonumber(call('HGET', K.meta, 'spill') or 0)
call('HSET', K.meta, 'spill', max(spill, last + 1))
return tostring(copy_results(from, to, n, tonumber(ARGV[7])))
