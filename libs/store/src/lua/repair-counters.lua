-- Corrects counters of a run by differences. What a counter is off by does not change while the run
-- goes on, since every step changes the counter and what it counts together.
--
-- KEYS[1] meta        hash    the run's own record
-- KEYS[2] counts      hash    per group and state
-- KEYS[3] groupIndex  string  8 bytes a group
-- KEYS[4] demand      hash    queue -> runs of the shard that want slots
-- KEYS[5…] ready      list    one list a queue
-- ARGV[1] repairs that were made before
-- ARGV[2…] name, difference, …: ready:<queue>, inflight:<queue>, group:<group>:<state> or a field of the record
--
-- Returns the number of repairs made; -1 where another was made meanwhile, or the run is gone.
local made = begin_repair(ARGV[1])
if not made then return -1 end
for i = 2, #ARGV, 2 do
  local name, by = ARGV[i], tonumber(ARGV[i + 1])
  local kind, number, state = string.match(name, '^(%a+):(%d+):?(%d*)$')
  if kind == 'group' then
    count(tonumber(number), tonumber(state), by)
  elseif kind then
    local q = queue_of(tonumber(number))
    if kind == 'ready' then q.ready = q.ready + by else q.inflight = q.inflight + by end
    q.dirty = true
  else
    add_total(name, by)
  end
end
save_run()
return made
