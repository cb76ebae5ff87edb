-- Writes how far a webhook of a run has got; where something is given up, also that. Nothing happens
-- where another has moved it since it was read, or the run is gone.
--
-- KEYS[1] meta         hash    the run's own record
-- KEYS[2] hookLanes    hash    lane -> JSON: the last event that was delivered, the message under way
-- KEYS[3] hooksFailed  stream  messages of webhooks that were given up
-- ARGV[1] when the run that was read was created, in ms
-- ARGV[2] lane
-- ARGV[3] the last event that was delivered when the lane was read
-- ARGV[4] the lane from now on as JSON; empty: it is done with and goes
-- ARGV[5…] fields and values of what is given up; none where nothing is
--
-- Returns 1; 0 where nothing happened.
if redis.call('HGET', KEYS[1], 'created') ~= ARGV[1] then return 0 end
local raw = redis.call('HGET', KEYS[2], ARGV[2])
-- Lanes of numbers follow the run from its beginning; others are made when something is sent again.
if not raw and not string.find(ARGV[2], '^%d+$') then return 0 end
local lane = raw and cjson.decode(raw) or { after = 0 }
if lane.closed == true or lane.after ~= tonumber(ARGV[3]) then return 0 end
if #ARGV > 4 then redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', unpack(ARGV, 5)) end
if ARGV[4] == '' then
  redis.call('HDEL', KEYS[2], ARGV[2])
else
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
end
return 1
