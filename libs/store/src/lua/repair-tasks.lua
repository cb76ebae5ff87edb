-- Puts single tasks right: the word of a task that was counted wrong, and a task that is decided but
-- was lost on its way. A task that moved meanwhile is left alone.
--
-- KEYS[1] meta         hash    the run's own record
-- KEYS[2] state        string  1 byte a node
-- KEYS[3] waiting      string  u32 a node: flags, parents that are not final
-- KEYS[4] counts       hash    per group and state
-- KEYS[5] groupIndex   string  8 bytes a group
-- KEYS[6] groupRanges  string  first id, group
-- KEYS[7] backlog      list    accepted ends whose children are not all visited
-- KEYS[8] demand       hash    queue -> runs of the shard that want slots
-- KEYS[9…] ready       list    one list a queue
-- ARGV[1] repairs that were made before
-- ARGV[2…] id, state byte seen, word seen, new word, verdict, …: 0 nothing more, 2 runs, else a final state
--
-- Returns the number of repairs made; -1 where another was made meanwhile, or the run is gone.
local made = begin_repair(ARGV[1])
if not made then return -1 end
local halt = record().halt
for i = 2, #ARGV, 5 do
  local id, code = tonumber(ARGV[i]), tonumber(ARGV[i + 4])
  local state = byte(call('GETRANGE', K.state, id, id)) or 0
  local word = call('BITFIELD', K.waiting, 'GET', 'u32', '#' .. id)[1]
  local unmoved = state == tonumber(ARGV[i + 1]) and word == tonumber(ARGV[i + 2])
  -- Cancelled by a repair is only what a halt, or a cancel of tasks, left behind.
  local is_ending = not halt and (state == HALTING or state == CANCELLING)
  if unmoved and (code == CANCELLED) == (halt ~= nil or is_ending) then
    if is_ending then add_total('ending', -1) end
    local group = group_of(id)
    if ARGV[i + 3] ~= ARGV[i + 2] then call('BITFIELD', K.waiting, 'SET', 'u32', '#' .. id, ARGV[i + 3]) end
    local runs = code == SUCCEEDED and state ~= REUSED and not group_info(group).barrier
    if code == 0 or runs then
      if state ~= 0 and state ~= REUSED then write_states({ id }, { '\0' }, 1) end
      if code ~= 0 then push_ready(group, 0, { id }, 1, false) end
    else
      write_states({ id }, { char(code) }, 1)
      count_ends(group, code, 1)
      if not halt then push_backlog({ id }, { char(code) }, 1) end
    end
  end
end
save_run()
return made
