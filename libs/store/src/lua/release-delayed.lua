-- Puts tasks whose delay is over on the ready lists.
--
-- KEYS[1] meta         hash    the run's own record
-- KEYS[2] state        string  1 byte a node
-- KEYS[3] counts       hash    per group and state
-- KEYS[4] groupIndex   string  8 bytes a group
-- KEYS[5] groupRanges  string  first id, group
-- KEYS[6] times        zset    what waits for a time in this shard
-- KEYS[7] demand       hash    queue -> runs of the shard that want slots
-- KEYS[8…] ready       list    one list a queue
-- ARGV[1] id of the run
-- ARGV[2…] ids of tasks
--
-- Returns the number of tasks released; a task that is not delayed any more only leaves the times.
-- Of a frozen run nothing is released: its times stay.
local r = record()
if r.editing then return 0 end
local halt = r.halt
local released = 0
for i = 2, #ARGV do
  local id = tonumber(ARGV[i])
  call('ZREM', K.times, 'retry:' .. ARGV[1] .. ':' .. ARGV[i])
  if not halt and call('GETRANGE', K.state, id, id) == char(DELAYED) then
    write_states({ id }, { '\0' }, 1)
    push_ready(group_of(id), 0, { id }, 1, false)
    released = released + 1
  end
end
add_total('delayed', -released)
save_run()
return released
