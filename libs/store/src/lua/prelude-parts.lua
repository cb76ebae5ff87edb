-- Parts of a run: tasks that are cancelled while the others go on, and classes and tasks that are paused.
-- Fields of the record tell whether there are any, so that other runs pay nothing.

-- A run that is being halted: its open ids end cancelled and the delivery goes.
local function cancel_delivery(carrier, d)
  local ids, n = open_ids(d)
  local codes = {}
  for i = 1, n do codes[i] = char(CANCELLED) end
  write_states(ids, codes, n)
  count_ends(d.group, CANCELLED, n)
  add_total('open', -n)
  close_delivery(carrier, d)
end

-- Open tasks of a delivery that are being cancelled end, whoever has it; where places are given, only these.
-- Returns how many tasks are left open and how many ended; the caller writes the delivery, or closes it.
local function drop_cancelled(d, only)
  local ids, n, places = open_ids(d)
  if (record().ending or 0) == 0 then return n, 0 end
  local codes, bits = read_packed(K.state, 1, ids, n, 1), { byte(d.bits, 1, -1) }
  local ends, end_codes, k = {}, {}, 0
  for i = 1, n do
    local code = byte(codes[i])
    if (code == HALTING or code == CANCELLING) and (not only or only[places[i]]) then
      k = k + 1
      ends[k], end_codes[k] = ids[i], char(CANCELLED)
      local at = floor(places[i] / 8) + 1
      bits[at] = bits[at] - lshift(1, places[i] % 8)
    end
  end
  if k == 0 then return n, 0 end
  d.bits = char(unpack(bits))
  write_states(ends, end_codes, k)
  count_ends(d.group, CANCELLED, k)
  add_total('ending', -k)
  add_total('open', -k)
  push_backlog(ends, end_codes, k)
  tell_tasks(ends, end_codes, rep('\0', k), k)
  return n - k, k
end

-- `paused` names groups and tasks.
local function has_paused_parts()
  local r = record()
  return (r.pausedGroups or 0) + (r.pausedTasks or 0) > 0
end

local paused_groups = {}
local function is_group_paused(group)
  if (record().pausedGroups or 0) == 0 then return false end
  if paused_groups[group] == nil then paused_groups[group] = call('HEXISTS', K.paused, 'g' .. group) == 1 end
  return paused_groups[group]
end

-- By place: whether a task of a group is paused. Nil where none is.
local function find_paused(group, ids, n)
  local found = {}
  if is_group_paused(group) then
    for i = 1, n do found[i] = true end
    return n > 0 and found or nil
  end
  if (record().pausedTasks or 0) == 0 then return nil end
  local any
  for i = 1, n, CHUNK do
    local fields = {}
    for j = i, min(n, i + CHUNK - 1) do fields[j - i + 1] = 't' .. ids[j] end
    for j, value in ipairs(call('HMGET', K.paused, unpack(fields))) do
      found[i + j - 1] = value ~= false
      any = any or value ~= false
    end
  end
  return any and found or nil
end

-- An entry of a ready list without the tasks that are paused, and one of these alone; nil where it has none.
local function split_entry(entry)
  local n = (#entry - 4) / 4
  local ids = unpack_ids(entry, 5, n)
  local paused = has_paused_parts() and find_paused(u32(entry, 1) % 16777216, ids, n)
  if not paused then return entry, nil end
  local free, aside = {}, {}
  for i = 1, n do
    local part = paused[i] and aside or free
    part[#part + 1] = ids[i]
  end
  local head = sub(entry, 1, 4)
  return #free > 0 and head .. pack_ids(free, 1, #free) or nil, head .. pack_ids(aside, 1, #aside)
end

-- Open tasks of a delivery that must not start come back to the front of their ready list. Returns how
-- many are left open and how many came back; the caller writes the delivery, or closes it.
local function return_paused(d)
  local ids, n, places = open_ids(d)
  local paused = not record().pausedAt and find_paused(d.group, ids, n)
  if not record().pausedAt and not paused then return n, 0 end
  local bits, back, k = { byte(d.bits, 1, -1) }, {}, 0
  for i = 1, n do
    if not paused or paused[i] then
      k = k + 1
      back[k] = ids[i]
      local at = floor(places[i] / 8) + 1
      bits[at] = bits[at] - lshift(1, places[i] % 8)
    end
  end
  d.bits = char(unpack(bits))
  -- What may have taken a worker down goes on alone.
  push_ready(d.group, d.starts > 0 and bor(d.flags, SINGLE) or d.flags, back, k, true)
  add_total('open', -k)
  return n - k, k
end

-- What is being brought back, or cancelled by itself, ends with all others of a run that is ended early.
local function drop_changes()
  local r = record()
  if (r.retry or 0) > 0 then
    call('DEL', K.retry)
    set_field('retry', 0)
  end
  if (r.cancel or 0) > 0 then
    call('DEL', K.cancel)
    set_field('cancel', 0)
  end
  if (r.ending or 0) > 0 then set_field('ending', 0) end
end
