-- Visiting the children of accepted ends, and what becomes of a child whose parents were seen.

-- Flags in the top byte of a `waiting` word: what was seen of the parents so far.
local UNMET_FAILED, UNMET, SUCCESS, RELEASED = 1, 2, 4, 8
-- While tasks are brought back: not to be decided yet. A word from RELEASED on is decided by no visit.
local HELD = 16
-- Rules and conditions of an edge, as packEdge writes them.
local ALL, NONE_FAILED, ANY = 0, 1, 2
local ON_SUCCEEDED, ON_FAILED = 0, 1
-- The parent's end is waited for, and says nothing.
local SILENT = 3

local function holds(on, code)
  if on == ON_SUCCEEDED then return code == SUCCEEDED end
  if on == ON_FAILED then return code == FAILED or code == UPSTREAM_FAILED end
  return true
end

-- What an edge tells its child about the end of its parent, as flags.
local function flags_of(condition, code)
  if condition % 4 == SILENT then return 0 end
  local rule, met = floor(condition / 4), holds(condition % 4, code)
  local failed = code == FAILED or code == UPSTREAM_FAILED
  if rule == ALL then return met and 0 or failed and UNMET_FAILED or UNMET end
  if rule == NONE_FAILED then return failed and UNMET_FAILED or code == SUCCEEDED and SUCCESS or 0 end
  if rule == ANY then return met and RELEASED or 0 end
  return 0
end

-- The state that a child comes to when all its parents are final: SUCCEEDED stands for "runs".
local function verdict(rule, flags)
  if rule == ALL then
    if band(flags, UNMET_FAILED) ~= 0 then return UPSTREAM_FAILED end
    return band(flags, UNMET) ~= 0 and SKIPPED or SUCCEEDED
  end
  if rule == NONE_FAILED then
    if band(flags, UNMET_FAILED) ~= 0 then return UPSTREAM_FAILED end
    return band(flags, SUCCESS) ~= 0 and SUCCEEDED or SKIPPED
  end
  return rule == ANY and SKIPPED or SUCCEEDED
end

-- What one round gathers over all entries that it visits.
local seen
local function see_nothing()
  seen = { times = {}, flags = {}, rule = {}, plain = true }
end

local function see(id, condition, code)
  seen.plain = false
  seen.times[id] = (seen.times[id] or 0) + 1
  seen.rule[id] = floor(condition / 4)
  seen.flags[id] = bor(seen.flags[id] or 0, flags_of(condition, code))
end

-- Sees the edges of one task: `count` of a block, from its byte `at`.
local function see_edges(block, at, count, code)
  local times, succeeded = seen.times, code == SUCCEEDED
  for p = at, at + count * 4 - 1, 4 do
    local a, b, c, condition = byte(block, p, p + 3)
    local id = a + b * 256 + c * 65536
    if succeeded and condition == 0 then
      times[id] = (times[id] or 0) + 1
    else
      see(id, condition, code)
    end
  end
end

-- What one read may span: a read costs as much as some KB that are not needed.
local SPAN_TASKS, SPAN_EDGES = 2048, 2048

-- Ids i … j whose offsets come in one read.
local function span_of(ids, i, n)
  local j, base = i, ids[i]
  while j < n and ids[j + 1] > ids[j] and ids[j + 1] - base < SPAN_TASKS do j = j + 1 end
  return j
end

-- Edges of ids[i] … ids[j] that came after the run was sealed; most runs have none, and know it.
local function later_edges(ids, i, j)
  if not record().more then return {} end
  local later = {}
  for from = i, j, CHUNK do
    local to = min(j, from + CHUNK - 1)
    local part = call('HMGET', K.moreChildren, unpack(ids, from, to))
    for x = from, to do later[x] = part[x - from + 1] or nil end
  end
  return later
end

-- Sees what came later of one task, from edge `skip` on. Returns what is left of the budget, and the edge
-- that is next where not all were seen.
local function see_later(edges, skip, code, budget)
  local total = #edges / 4
  -- At least one: the cursor has to move on, however small the budget.
  local count = min(total - skip, max(1, budget))
  see_edges(edges, skip * 4 + 1, count, code)
  local next_edge = skip + count
  return budget - count, next_edge < total and next_edge or nil
end

-- Visits an entry from its cursor, at most about `budget` edges and tasks. Returns what is left of
-- the budget and the cursor, which stands behind the last task when all was visited.
local function visit(entry, budget)
  local index, skip, n = u32(entry, 1), u32(entry, 5), u32(entry, 9)
  local rest, i = n - index, 1
  local ids = unpack_ids(entry, 13 + index * 4, rest)
  local codes_at = 12 + n * 4 + index
  while i <= rest and budget > 0 do
    local j, base = span_of(ids, i, rest), ids[i]
    local raw = call('GETRANGE', K.childOffsets, base * 4, ids[j] * 4 + 7)
    local later = later_edges(ids, i, j)
    while i <= j and budget > 0 do
      local at_i = (ids[i] - base) * 4 + 1
      -- The cursor may stand among the edges that came later.
      local from, stop, k = min(u32(raw, at_i) + skip, u32(raw, at_i + 4)), u32(raw, at_i + 4), i
      while k < j do
        local to = u32(raw, (ids[k + 1] - base) * 4 + 5)
        if to - from > SPAN_EDGES then break end
        k, stop = k + 1, to
      end
      if k == i then stop = min(stop, from + budget) end
      local block = stop > from and call('GETRANGE', K.children, from * 4, stop * 4 - 1) or ''
      while i <= k and budget > 0 do
        local at = (ids[i] - base) * 4 + 1
        local first, last, code = u32(raw, at), u32(raw, at + 4), byte(entry, codes_at + i)
        local own = min(last, first + skip)
        local till = min(last, own + budget)
        see_edges(block, (own - from) * 4 + 1, till - own, code)
        budget = budget - (till - own) - 1
        if till < last then return budget, index + i - 1, till - first, n end
        if later[i] then
          local next_edge
          budget, next_edge = see_later(later[i], max(0, skip - (last - first)), code, budget)
          if next_edge then return budget, index + i - 1, last - first + next_edge, n end
        end
        skip = 0
        i = i + 1
      end
    end
  end
  return budget, index + i - 1, 0, n
end

-- Children that the round decided.
local decided, codes_of, decisions
local function decide(id, code)
  decisions = decisions + 1
  decided[decisions], codes_of[decisions] = id, code
end

-- Children close together whose edges were all plain: one block is read, changed and written.
local function lower_block(ids, from, to)
  local first = ids[from]
  local block = call('GETRANGE', K.waiting, first * 4, ids[to] * 4 + 3)
  local out, kept = {}, 1
  for x = from, to do
    local at = (ids[x] - first) * 4 + 1
    local flags, b, c, d = byte(block, at, at + 3)
    local left = (b * 256 + c) * 256 + d - seen.times[ids[x]]
    if left == 0 and flags < RELEASED then decide(ids[x], verdict(ALL, flags)) end
    if at > kept then out[#out + 1] = sub(block, kept, at - 1) end
    out[#out + 1] = char(flags, floor(left / 65536), floor(left / 256) % 256, left % 256)
    kept = at + 4
  end
  call('SETRANGE', K.waiting, first * 4, table.concat(out))
end

local function lower_scattered(ids, from, to)
  local ops, k = {}, 0
  for x = from, to do
    ops[k + 1], ops[k + 2], ops[k + 3], ops[k + 4] = 'INCRBY', 'u32', '#' .. ids[x], -seen.times[ids[x]]
    k = k + 4
  end
  local words = call('BITFIELD', K.waiting, unpack(ops))
  local sets, s = {}, 0
  for x = from, to do
    local id, word = ids[x], words[x - from + 1]
    local before = floor(word / 16777216)
    local flags = bor(before, seen.flags[id] or 0)
    if flags ~= before then
      sets[s + 1], sets[s + 2], sets[s + 3], sets[s + 4] = 'SET', 'u8', id * 32, flags
      s = s + 4
    end
    if before < RELEASED and flags >= RELEASED then
      decide(id, SUCCEEDED)
    elseif before < RELEASED and word % 16777216 == 0 then
      decide(id, verdict(seen.rule[id] or ALL, flags))
    end
  end
  if s > 0 then call('BITFIELD', K.waiting, unpack(sets)) end
end

-- Lowers what was seen, child by child in ascending order, and decides those that it completes.
local function lower_children()
  decided, codes_of, decisions = {}, {}, 0
  local children, n = {}, 0
  for id in pairs(seen.times) do
    n = n + 1
    children[n] = id
  end
  table.sort(children)
  for i = 1, n, CHUNK do
    local j = min(n, i + CHUNK - 1)
    local dense = seen.plain and children[j] - children[i] < (j - i + 1) * 16
    if dense then lower_block(children, i, j) else lower_scattered(children, i, j) end
  end
end

-- Of decided children, by place, the state bytes; only runs that reuse results have any to look at.
local function states_of_decided()
  if record().more ~= MORE_REUSES or decisions == 0 then return {} end
  return read_packed(K.state, 1, decided, decisions, 1)
end

-- Makes decided children ready; returns those that ended instead: skipped, a barrier that holds, or a task
-- whose result is reused.
local function release_decided()
  local ready, order, ends, end_codes, ended = {}, {}, {}, {}, 0
  local states, reused = states_of_decided(), char(REUSED)
  local task_ids, task_codes, tasks = {}, {}, 0
  for i = 1, decisions do
    local id, code = decided[i], codes_of[i]
    local group = group_of(id)
    if code == SUCCEEDED and not group_info(group).barrier and states[i] ~= reused then
      if not ready[group] then
        ready[group] = {}
        order[#order + 1] = group
      end
      ready[group][#ready[group] + 1] = id
    else
      ended = ended + 1
      ends[ended], end_codes[ended] = id, char(code)
      count_ends(group, code, 1)
      if not group_info(group).barrier then
        tasks = tasks + 1
        task_ids[tasks], task_codes[tasks] = id, end_codes[ended]
      end
    end
  end
  for _, group in ipairs(order) do push_ready(group, 0, ready[group], #ready[group], false) end
  if ended > 0 then write_states(ends, end_codes, ended) end
  tell_tasks(task_ids, task_codes, rep('\0', tasks), tasks)
  return ends, end_codes, ended
end

-- The backlog: entries in Redis come before those of this call, which are in memory until it ends.
local backlog
local function open_backlog()
  backlog = { stored = call('LLEN', K.backlog), fresh = {}, at = 1 }
end

local function add_ends(ids, codes, n)
  if n > 0 then backlog.fresh[#backlog.fresh + 1] = backlog_entry(ids, codes, n) end
end

-- Visits entries until the budget is used up; returns what is left of it.
local function visit_backlog(budget)
  while budget > 0 do
    local stored = backlog.stored > 0
    local entry = stored and call('LINDEX', K.backlog, 0) or backlog.fresh[backlog.at]
    if not entry then break end
    local index, skip, n
    budget, index, skip, n = visit(entry, budget)
    if index < n then
      local rest = pack_u32(index) .. pack_u32(skip) .. sub(entry, 9)
      if stored then call('LSET', K.backlog, 0, rest) else backlog.fresh[backlog.at] = rest end
      break
    elseif stored then
      call('LPOP', K.backlog)
      backlog.stored = backlog.stored - 1
    else
      backlog.at = backlog.at + 1
    end
  end
  return budget
end

local function has_backlog()
  return backlog.stored > 0 or backlog.fresh[backlog.at] ~= nil
end

-- Visits children of accepted ends, at most about `budget` edges. What is skipped, and barriers that
-- hold, are visited in turn.
local function advance(budget)
  while budget > 0 and has_backlog() do
    see_nothing()
    budget = visit_backlog(budget)
    lower_children()
    add_ends(release_decided())
  end
end

-- Stores what is left, cursor and all. Returns the number of entries.
local function save_backlog()
  local fresh = backlog.fresh
  if fresh[backlog.at] then call('RPUSH', K.backlog, unpack(fresh, backlog.at)) end
  return backlog.stored + #fresh - backlog.at + 1
end
