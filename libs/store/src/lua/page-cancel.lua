-- One page of cancelling tasks of a run that goes on, in three phases: mark the tasks, and end those that wait;
-- go through the deliveries; go through the lists of ready tasks. In the first no end is visited, so that what
-- was selected is cancelled and not skipped; in the others nothing is cut, so that nothing marked gets from a
-- list into a delivery. Each call stores its cursor.
--
-- KEYS[1] meta          hash    the run's own record
-- KEYS[2] state         string  1 byte a node
-- KEYS[3] waiting       string  u32 a node: flags, parents that are not final
-- KEYS[4] childOffsets  string  u32 a node and one more
-- KEYS[5] children      string  packed edges
-- KEYS[6] counts        hash    per group and state
-- KEYS[7] groupIndex    string  8 bytes a group
-- KEYS[8] groupRanges   string  first id, group
-- KEYS[9] deliveries    hash    carrier -> packed delivery
-- KEYS[10] outbox       zset    carriers that are not in BullMQ yet
-- KEYS[11] backlog      list    accepted ends whose children are not all visited
-- KEYS[12] times        zset    what waits for a time in this shard
-- KEYS[13] cancel       string  u32 an id
-- KEYS[14] paused       hash    classes and tasks that are paused
-- KEYS[15] parked       list    ready tasks that are paused
-- KEYS[16] active       zset    runs of the shard that have not ended
-- KEYS[17] ended        zset    runs of the shard that ended
-- KEYS[18] demand       hash    queue -> runs of the shard that want slots
-- KEYS[19] events       stream  the feed: numbered events
-- KEYS[20] moreChildren  hash    node -> packed edges that came later
-- KEYS[21…] ready         list    one list a queue
-- ARGV[1] now in ms
-- ARGV[2] tasks a page
-- ARGV[3] deliveries or entries of lists a page
-- ARGV[4] edges a page
--
-- Returns { state, phase, 1 where from this call on workers can see what they are to end }; the phase is 0 where
-- nothing is under way any more; nil where the run is gone.
local r = record()
if not r.state then return false end
if r.halt or (r.cancel or 0) == 0 then return { r.halt and r.state == 'running' and 'halting' or r.state, 0, 0 } end
local tasks, most = tonumber(ARGV[2]), tonumber(ARGV[3])
local phase, at = r.cancel, r.cancelAt or 0
local lists = #KEYS - FIXED

local function go_through_list()
  local number = r.cancelList or 0
  local next_at
  if number < lists then
    local q = queue_of(number)
    next_at = cancel_in_list(q.key, at, most, function(n)
      q.ready, q.stored, q.dirty = q.ready - n, q.stored - n, q.dirty or n > 0
    end)
  else
    next_at = cancel_in_list(K.parked, at, most, function(n) add_total('parked', -n) end)
  end
  if next_at then return next_at end
  set_field('cancelList', number + 1)
  return number < lists and 0 or nil
end

local next_at
if phase == 1 then
  local total = call('STRLEN', K.cancel) / 4
  local n = min(tasks, total - at)
  cancel_tasks(unpack_ids(call('GETRANGE', K.cancel, at * 4, (at + n) * 4 - 1), 1, n), n)
  if at + n < total then next_at = at + n end
elseif phase == 2 then
  next_at = cancel_in_deliveries(at, most)
else
  next_at = go_through_list()
end
-- Deliveries have put ends there.
open_backlog()
save_cancelled()
if phase > 1 then advance(tonumber(ARGV[4])) end
if not next_at then
  phase = (phase + 1) % 4
  if phase == 0 then call('DEL', K.cancel) end
  set_field('cancel', phase)
end
set_field('cancelAt', next_at or 0)
save_told(ARGV[1])
local state = conclude(tonumber(ARGV[1]), save_backlog())
save_run()
return { state, phase, phase == 3 and r.cancelAt == 0 and (r.cancelList or 0) == 0 and 1 or 0 }
