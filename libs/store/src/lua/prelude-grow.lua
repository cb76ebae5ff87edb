-- A run that grows: edges that came after it was sealed, and sets of generated tasks that were replaced.

-- Of a set that its generator has generated anew: final, and no task any more.
local RETIRED = 11
-- Its word: no visit of a parent decides it, and however often parents run again, none counts it below zero.
local RETIRED_WORD = char(RELEASED, 255, 255, 255)
-- Nodes of replaced sets that one call looks at.
local RETIRE_PAGE = 512

-- One node at a time: few are retired at once.
local function retire_nodes(ids, n)
  for i = 1, n do
    local id = ids[i]
    local code = byte(call('GETRANGE', K.state, id, id))
    if code == 0 then
      call('SETRANGE', K.state, id, char(RETIRED))
      call('SETRANGE', K.waiting, id * 4, RETIRED_WORD)
      add_total('fin', 1)
    end
  end
end

-- A final task that is no task any more.
local function forget_end(group, code)
  local info = group_info(group)
  count(group, code, -1)
  add_total('c' .. code, -1)
  if code ~= FAILED or info.allow_failure then return end
  add_total('bad', -1)
  -- A retry of the generator had left it alone.
  add_total('forgiven', -min(1, record().forgiven or 0))
end

-- Retires ids from … stop - 1 but those that were released and have not ended; true where there are some.
local function retire_span(from, stop)
  local states = call('GETRANGE', K.state, from, stop - 1)
  local words = call('GETRANGE', K.waiting, from * 4, stop * 4 - 1)
  local ids, codes, new_words, n, tasks, runs = {}, {}, {}, 0, 0, false
  for id = from, stop - 1 do
    local code, at = byte(states, id - from + 1), (id - from) * 4 + 1
    local group = group_of(id)
    local barrier = group_info(group).barrier
    local ended = code >= SUCCEEDED and code <= CANCELLED
    local released = code == 0 and (byte(words, at) >= RELEASED or sub(words, at + 1, at + 3) == '\0\0\0')
    if code == DELAYED or code == HALTING or code == CANCELLING or released and not barrier then
      runs = true
    elseif code == 0 or code == REUSED or ended and not barrier then
      n = n + 1
      ids[n], codes[n], new_words[n] = id, char(RETIRED), RETIRED_WORD
      if not ended then add_total('fin', 1) else forget_end(group, code) end
      if not barrier then
        tasks = tasks + 1
        count(group, RETIRED, 1)
      end
    end
  end
  write_states(ids, codes, n)
  write_packed(K.waiting, 4, ids, new_words, n)
  if tasks > 0 then call('HINCRBY', K.meta, 'barriers', tasks) end
  return runs
end

-- Whether a node is of a set that was replaced and is not retired as a whole: some of it goes on.
local function is_replaced(id)
  if (record().retiring or 0) == 0 then return false end
  for _, entry in ipairs(call('LRANGE', K.retiring, 0, -1)) do
    if id >= u32(entry, 1) and id < u32(entry, 5) then return true end
  end
  return false
end

-- One page of retiring what was replaced. What had been released before is left to end, and is looked at
-- again when something has ended since. Returns 1 while there are pages to go through.
local function retire_page()
  local r = record()
  if (r.retiring or 0) == 0 or r.halt or (r.retry or 0) > 0 or (r.cancel or 0) > 0 then return 0 end
  if r.retireWait and r.retireWait == r.fin then return 0 end
  local entry = call('LINDEX', K.retiring, 0)
  if not entry then
    set_field('retiring', 0)
    return 0
  end
  local from, to, at, runs = u32(entry, 1), u32(entry, 5), u32(entry, 9), u32(entry, 13)
  local stop = min(to, at + RETIRE_PAGE)
  if retire_span(at, stop) then runs = 1 end
  if stop < to then
    call('LSET', K.retiring, 0, pack_u32(from) .. pack_u32(to) .. pack_u32(stop) .. pack_u32(runs))
    return 1
  end
  call('LPOP', K.retiring)
  if runs == 0 then
    add_total('retiring', -1)
  else
    call('RPUSH', K.retiring, pack_u32(from) .. pack_u32(to) .. pack_u32(from) .. pack_u32(0))
    set_field('retireWait', r.fin)
  end
  return runs == 0 and r.retiring > 0 and 1 or 0
end
