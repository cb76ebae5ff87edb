-- Forgets results of tasks that are none any more: they were carried over to others. Nothing depends on it but
-- memory, so who dies before it leaves them until the run is deleted. Sent again it has nothing to do.
--
-- KEYS[1] meta      hash    the run's own record
-- KEYS[2] tries     hash    attempt number where it is above 1
-- KEYS[3] bases     hash    id -> attempts made before its last retry
-- KEYS[4] past      hash    id.attempt -> 12 bytes of a success
-- KEYS[5] failures  hash    id.attempt -> record
-- KEYS[6] outputs   hash    id -> JSON
-- KEYS[7] logs      hash    id.attempt -> f64 bytes dropped before the tail, the tail
-- ARGV[1] numbers of a replaced set, u32 each, ascending
--
-- Returns how many were looked at; 0 where the run is gone.
if call('EXISTS', K.meta) == 0 then return 0 end
local n = #ARGV[1] / 4
forget_results(unpack_ids(ARGV[1], 1, n), n)
return n
