-- Takes ids out of an entry of a ready list: tasks that are there twice, or that must not start.
--
-- KEYS[1] meta        hash    the run's own record
-- KEYS[2] counts      hash    per group and state
-- KEYS[3] groupIndex  string  8 bytes a group
-- KEYS[4] demand      hash    queue -> runs of the shard that want slots
-- KEYS[5] parked      list    ready tasks that are paused
-- KEYS[6…] ready      list    one list a queue
-- ARGV[1] repairs that were made before
-- ARGV[2] number of the queue; parked for tasks that are paused
-- ARGV[3] the entry as it was seen
-- ARGV[4] what remains of it; empty: nothing
-- ARGV[5] group of the entry; empty where it is malformed, so that its ids were never counted
--
-- Returns the number of repairs made; -1 where another was made meanwhile, or the entry is gone.
local q = ARGV[2] ~= 'parked' and queue_of(tonumber(ARGV[2])) or nil
local key = q and q.key or K.parked
local place = call('LPOS', key, ARGV[3])
if not place then return -1 end
local made = begin_repair(ARGV[1])
if not made then return -1 end
if ARGV[4] == '' then call('LREM', key, 1, ARGV[3]) else call('LSET', key, place, ARGV[4]) end
if ARGV[5] ~= '' then
  local dropped = (#ARGV[3] - math.max(4, #ARGV[4])) / 4
  if q then
    q.ready = q.ready - dropped
    q.dirty = true
  else
    add_total('parked', -dropped)
  end
  count(tonumber(ARGV[5]), READY, -dropped)
end
save_run()
return made
