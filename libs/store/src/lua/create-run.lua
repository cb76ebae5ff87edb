-- Makes the record of a run that is being submitted; the same id again tells what is there.
--
-- KEYS[1] meta        hash  the run's own record
-- KEYS[2] submitting  zset  runs of the shard that are not sealed, by the time of their last page
-- ARGV[1] id
-- ARGV[2] now in ms
-- ARGV[3] token of this submission
-- ARGV[4] hash of the request's body
-- ARGV[5…] field, value
--
-- Returns { 'new' }, or { state, hash of the body, token } of the run that has the id.
local h = redis.call('HMGET', KEYS[1], 'state', 'bodyHash', 'submitToken')
if h[1] and not (h[1] == 'submitting' and h[3] == ARGV[3]) then
  return { h[1], h[2] or '', h[3] or '' }
end
redis.call('HSET', KEYS[1], 'v', 1, 'id', ARGV[1], 'state', 'submitting', 'created', ARGV[2], 'submitToken', ARGV[3],
  'bodyHash', ARGV[4], unpack(ARGV, 5))
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
return { 'new' }
