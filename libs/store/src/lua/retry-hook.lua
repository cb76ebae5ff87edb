-- Has something sent again that a webhook had given up: in a lane of its own, beside what the webhook is
-- told meanwhile. One that was closed is told of what comes from now on, too.
--
-- KEYS[1] meta         hash    the run's own record
-- KEYS[2] hookLanes    hash    lane -> JSON: the last event that was delivered, the message under way
-- KEYS[3] hooks        zset    runs of the shard with webhooks, by when they are looked at
-- KEYS[4] hooksFailed  stream  messages of webhooks that were given up
-- ARGV[1] id of the run
-- ARGV[2] when the run was created, in ms
-- ARGV[3] id of the entry in hooksFailed
-- ARGV[4] number of the webhook
-- ARGV[5] the new lane as JSON
-- ARGV[6] 1: the webhook was closed, and the new lane goes on to the last event that there is now
-- ARGV[7] now in ms
--
-- Returns one word: begun; missing where there is no such entry (any more); removed where the run is gone.
local name = 'r' .. ARGV[3]
if redis.call('HEXISTS', KEYS[2], name) == 1 then return 'begun' end
if #redis.call('XRANGE', KEYS[4], ARGV[3], ARGV[3]) == 0 then return 'missing' end
local h = redis.call('HMGET', KEYS[1], 'created', 'events')
redis.call('XDEL', KEYS[4], ARGV[3])
if h[1] ~= ARGV[2] then return 'removed' end
local lane = ARGV[5]
if ARGV[6] == '1' then
  local last = h[2] or '0'
  lane = string.gsub(lane, '"until":null', '"until":' .. last)
  redis.call('HSET', KEYS[2], ARGV[4], '{"after":' .. last .. ',"until":null,"closed":false,"plan":null}')
end
redis.call('HSET', KEYS[2], name, lane)
redis.call('HINCRBY', KEYS[1], 'hookRetries', 1)
redis.call('ZADD', KEYS[3], ARGV[7], ARGV[1])
return 'begun'
