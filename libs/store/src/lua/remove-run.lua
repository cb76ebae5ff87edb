-- Takes a run out of the sets of its shard and deletes its keys, all at once: its id may be in use
-- again right afterwards.
--
-- KEYS[1] meta        hash  the run's own record
-- KEYS[2] runs        zset  sealed runs of the shard by time
-- KEYS[3] submitting  zset  runs of the shard that are not sealed, or only created
-- KEYS[4] active      zset  runs of the shard that have not ended
-- KEYS[5] ended       zset  runs of the shard that ended
-- KEYS[6] demand      hash  queue@priority -> runs of the shard that want slots
-- KEYS[7] copies      zset  archived runs that are here to be read, by when they go
-- KEYS[8] deleted     zset  id and time of creation of runs that were deleted, by when
-- KEYS[9] hooks       zset  runs of the shard with webhooks, by when they are looked at
-- KEYS[10…] other      string  or hash, list, zset: every other key of the run
-- ARGV[1] id
-- ARGV[2] submitting, ended or copies: the set that the run must still be in
-- ARGV[3] its score there at most
-- ARGV[4] how it must still stand, as stand_of says it, with all its webhooks told; empty where that does not matter
-- ARGV[5] now in ms where somebody deletes it, who does not want it back from the archive; else none
--
-- Returns 1; 0 where the run is not in that set any more, or was there later, or stands otherwise: it lives.
local set = ({ submitting = KEYS[3], ended = KEYS[5], copies = KEYS[7] })[ARGV[2]]
local score = redis.call('ZSCORE', set, ARGV[1])
if not score or tonumber(score) > tonumber(ARGV[3]) then return 0 end

-- What changes with a run that has ended: it is retried, edited, mended, or the last of a log comes.
local function stand_of()
  local h = redis.call('HMGET', KEYS[1], 'created', 'state', 'ended', 'events', 'logBytes', 'logsCut', 'repairs',
    'editing', 'revision', 'hookRetries')
  for i = 1, 10 do h[i] = h[i] or '' end
  return table.concat(h, ' ')
end
if (ARGV[4] or '') ~= '' then
  if stand_of() ~= ARGV[4] then return 0 end
  -- A webhook is still to be told.
  if redis.call('ZSCORE', KEYS[9], ARGV[1]) then return 0 end
end
if ARGV[5] then redis.call('ZADD', KEYS[8], ARGV[5], ARGV[1] .. ' ' .. redis.call('HGET', KEYS[1], 'created')) end
for _, i in ipairs({ 2, 3, 4, 5, 7, 9 }) do redis.call('ZREM', KEYS[i], ARGV[1]) end
-- A submission that broke off while it was sealed may have pushed roots.
local h = redis.call('HMGET', KEYS[1], 'queues', 'priority')
for number = 0, tonumber(h[1] or 0) - 1 do
  local q = redis.call('HMGET', KEYS[1], 'q' .. number, 'r' .. number, 'i' .. number)
  if tonumber(q[2] or 0) + tonumber(q[3] or 0) > 0 then
    redis.call('HINCRBY', KEYS[6], q[1] .. '@' .. (h[2] or 0), -1)
  end
end
-- Freed in the background, however large they are.
redis.call('UNLINK', KEYS[1], unpack(KEYS, 10))
return 1
