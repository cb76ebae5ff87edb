-- Pauses a run, or lets it go on: a flag in its record, so that it is counted and settled as ever and
-- only nothing more starts. While it is paused its ready tasks want no slots. Going on nudges the listener.
--
-- KEYS[1] meta      hash    the run's own record
-- KEYS[2] demand    hash    queue -> runs of the shard that want slots
-- KEYS[3] outcomes  stream  what listeners settle
-- KEYS[4] events    stream  the feed: numbered events
-- KEYS[5…] ready    list    one list a queue
-- ARGV[1] pause or resume
-- ARGV[2] now in ms
-- ARGV[3] who asks; empty: not said
--
-- Returns { state, 1 where this call changed it }; the state is halting for a run that is being ended
-- early, editing for one that is frozen; nil where there is no such run.
local r = record()
if not r.state then return false end
if r.editing then return { 'editing', 0 } end
if r.state ~= 'running' then return { r.state, 0 } end
if r.halt then return { 'halting', 0 } end
local pauses = ARGV[1] == 'pause'
if pauses == (r.pausedAt ~= nil) then return { r.state, 0 } end
add_events(pauses and 'paused' or 'resumed', ARGV[2], ARGV[3], 1)

-- What its queues wanted so far is looked at before the flag changes.
for number = 0, #KEYS - FIXED - 1 do queue_of(number).dirty = true end
if pauses then
  set_field('pausedAt', tonumber(ARGV[2]))
  call('HSET', K.meta, 'pausedBy', ARGV[3])
else
  r.pausedAt = nil
  call('HDEL', K.meta, 'pausedAt', 'pausedBy')
  call('XADD', K.outcomes, '*', 'r', r.id, 'c', 0, 't', '', 'g', 0, 'p', '', 'x', '')
end
save_run()
return { r.state, 1 }
