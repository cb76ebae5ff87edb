-- Pauses classes and tasks of a run, or lets them go on. What is paused is found when deliveries are cut and
-- claimed, and put aside; what goes on is looked for among it. Both need a turn: the listener is nudged.
--
-- KEYS[1] meta      hash    the run's own record
-- KEYS[2] paused    hash    classes and tasks that are paused
-- KEYS[3] parked    list    ready tasks that are paused
-- KEYS[4] outcomes  stream  what listeners settle
-- KEYS[5] events    stream  the feed: numbered events
-- ARGV[1] pause or resume
-- ARGV[2] when the run that was read was created, in ms
-- ARGV[3] now in ms
-- ARGV[4] how many may be paused at once
-- ARGV[5] what the feed tells of it
-- ARGV[6] what is kept of it: since when, by whom
-- ARGV[7…] g and the number of a group, t and the number of a task
--
-- Returns { state, changed }; the state is halting for a run that is being ended early, editing for one that is frozen, full where more would
-- be paused than may be; nil where that run is gone.
local h = redis.call('HMGET', KEYS[1], 'state', 'created', 'halt', 'id', 'editing')
local state, id = h[1], h[4]
if not state or h[2] ~= ARGV[2] then return false end
if state ~= 'running' then return { state, 0 } end
if h[5] then return { 'editing', 0 } end
if h[3] then return { 'halting', 0 } end

local pauses, groups, tasks = ARGV[1] == 'pause', 0, 0
if pauses then
  local known = redis.call('HLEN', KEYS[2])
  for i = 7, #ARGV do known = known + 1 - redis.call('HEXISTS', KEYS[2], ARGV[i]) end
  if known > tonumber(ARGV[4]) then return { 'full', 0 } end
end
for i = 7, #ARGV do
  local by
  if pauses then by = redis.call('HSETNX', KEYS[2], ARGV[i], ARGV[6]) else by = -redis.call('HDEL', KEYS[2], ARGV[i]) end
  if string.sub(ARGV[i], 1, 1) == 'g' then groups = groups + by else tasks = tasks + by end
end
if groups + tasks == 0 then return { state, 0 } end

redis.call('HINCRBY', KEYS[1], 'pausedGroups', groups)
redis.call('HINCRBY', KEYS[1], 'pausedTasks', tasks)
if not pauses then redis.call('HSET', KEYS[1], 'unpark', redis.call('LLEN', KEYS[3])) end
local number = redis.call('HINCRBY', KEYS[1], 'events', 1)
redis.pcall('XADD', KEYS[5], '0-' .. number, 'k', pauses and 'part-paused' or 'part-resumed', 't', ARGV[3], 'p', ARGV[5])
redis.call('XADD', KEYS[4], '*', 'r', id, 'c', 0, 't', '', 'g', 0, 'p', '', 'x', '')
return { state, math.abs(groups + tasks) }
