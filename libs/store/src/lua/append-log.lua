-- Keeps the tail of what an attempt wrote, within the task's and the run's caps.
--
-- KEYS[1] meta  hash  the run's own record
-- KEYS[2] logs  hash  id.attempt -> f64 bytes dropped before the tail, the tail
-- ARGV[1] id.attempt
-- ARGV[2] bytes written before this tail, as a decimal
-- ARGV[3] the tail
-- ARGV[4] the run's cap in bytes
-- ARGV[5] channel on which followers listen
--
-- Returns 1; 0 where the run's cap is reached and nothing was kept; -1 where there is no such run.
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local used = tonumber(redis.call('HGET', KEYS[1], 'logBytes') or 0)
local old = redis.call('HSTRLEN', KEYS[2], ARGV[1])
local size = 8 + #ARGV[3]
if used - old + size > tonumber(ARGV[4]) then
  redis.call('HSET', KEYS[1], 'logsCut', 1)
  return 0
end
redis.call('HSET', KEYS[2], ARGV[1], struct.pack('<d', ARGV[2]) .. ARGV[3])
redis.call('HINCRBY', KEYS[1], 'logBytes', size - old)
redis.call('PUBLISH', ARGV[5], ARGV[1])
return 1
