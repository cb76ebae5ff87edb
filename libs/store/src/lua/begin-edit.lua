-- Freezes a run for an edit: nothing of it starts, and outcomes wait, until it is swapped or thawed. Sent
-- again by the same editor it says that the editor is alive.
--
-- KEYS[1] meta  hash  the run's own record
-- ARGV[1] token of this edit
-- ARGV[2] when the run that was read was created, in ms
-- ARGV[3] its revision
-- ARGV[4] its shape
-- ARGV[5] now in ms
-- ARGV[6] ms without a sign after which an editor is gone
--
-- Returns one word: begun; else changed (it has another revision), grown (it has another shape: tasks joined it),
-- editing (another edit is under way), retrying, changing (tasks of it are being cancelled), halting or the state
-- of a run that can't be edited; nil where that run is gone.
local fields = { 'state', 'created', 'revision', 'shape', 'halt', 'retry', 'editing', 'editingAt', 'editStep', 'cancel',
  'ending' }
local h = redis.call('HMGET', KEYS[1], unpack(fields))
local state, editing, now = h[1], h[7], tonumber(ARGV[5])
if not state or h[2] ~= ARGV[2] then return false end
if state == 'submitting' or state == 'created' then return state end
if editing == ARGV[1] then
  redis.call('HSET', KEYS[1], 'editingAt', now)
  return 'begun'
end
-- What was swapped is brought to its end by whoever looks after the run.
local is_alive = editing and (h[9] == '2' or now - tonumber(h[8]) < tonumber(ARGV[6]))
if is_alive then return 'editing' end
if (h[3] or '1') ~= ARGV[3] then return 'changed' end
if (h[4] or '0') ~= ARGV[4] then return 'grown' end
if tonumber(h[6] or 0) > 0 then return 'retrying' end
if state == 'running' and h[5] then return 'halting' end
if tonumber(h[10] or 0) + tonumber(h[11] or 0) > 0 then return 'changing' end
redis.call('HSET', KEYS[1], 'editing', ARGV[1], 'editingAt', now, 'editStep', 1)
-- What the doctor computed before must not be mended after.
redis.call('HINCRBY', KEYS[1], 'repairs', 1)
return 'begun'
