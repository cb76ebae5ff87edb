-- Visiting the children of accepted ends, and what becomes of a child whose parents were seen.

-- Flags in the top byte of a `waiting` word: what was seen of the parents so far.
local UNMET_FAILED, UNMET, SUCCESS, RELEASED = 1, 2, 4, 8
-- Rules and conditions of an edge, as packEdge writes them.
local ALL, NONE_FAILED, ANY = 0, 1, 2
local ON_SUCCEEDED, ON_FAILED = 0, 1

local function holds(on, code)
  if on == ON_SUCCEEDED then return code == SUCCEEDED end
  if on == ON_FAILED then return code == FAILED or code == UPSTREAM_FAILED end
  return true
end

-- What an edge tells its child about the end of its parent, as flags.
local function flags_of(condition, code)
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

local function see(edge, code)
  local id, condition = edge % 16777216, floor(edge / 16777216)
  seen.plain = false
  seen.times[id] = (seen.times[id] or 0) + 1
  seen.rule[id] = floor(condition / 4)
  seen.flags[id] = bor(seen.flags[id] or 0, flags_of(condition, code))
end

-- Ids i … j whose offsets come in one read: neighbours, or nearly so.
local function span_of(ids, i, n, skip)
  local j = i
  while skip == 0 and j < n and ids[j + 1] > ids[j] and ids[j + 1] - ids[j] <= 8 and j - i < 256 do j = j + 1 end
  return j
end

-- Sees the edges from … stop - 1 of ids[x] …, whose offsets start at `base`.
local function see_edges(ids, x, from, stop, offsets, base, codes, codes_at)
  local edges, times = unpack_ids(call('GETRANGE', K.children, from * 4, stop * 4 - 1), 1, stop - from), seen.times
  local code, till = byte(codes, codes_at + x - 1), offsets[ids[x] - base + 2]
  for e = from, stop - 1 do
    while e >= till do
      x = x + 1
      code, till = byte(codes, codes_at + x - 1), offsets[ids[x] - base + 2]
    end
    local edge = edges[e - from + 1]
    if edge < 16777216 and code == SUCCEEDED then
      times[edge] = (times[edge] or 0) + 1
    else
      see(edge, code)
    end
  end
end

-- Visits an entry from its cursor, at most about `budget` edges and tasks. Returns what is left of
-- the budget and the cursor, which stands behind the last task when all was visited.
local function visit(entry, budget)
  local index, skip, n = u32(entry, 1), u32(entry, 5), u32(entry, 9)
  local rest = n - index
  local ids = unpack_ids(entry, 13 + index * 4, rest)
  local codes_at = 13 + n * 4 + index
  local i = 1
  while i <= rest and budget > 0 do
    local j = span_of(ids, i, rest, skip)
    local base = ids[i]
    local raw = call('GETRANGE', K.childOffsets, base * 4, ids[j] * 4 + 7)
    local offsets = unpack_ids(raw, 1, ids[j] - base + 2)
    while i <= j do
      -- A run of neighbours has its edges side by side.
      local k = i
      while k < j and ids[k + 1] == ids[k] + 1 do k = k + 1 end
      local from, to = offsets[ids[i] - base + 1] + skip, offsets[ids[k] - base + 2]
      local stop = min(to, from + max(1, budget))
      if stop > from then see_edges(ids, i, from, stop, offsets, base, entry, codes_at) end
      budget = budget - (stop - from) - (k - i + 1)
      if stop < to then
        local p = i
        while stop >= offsets[ids[p] - base + 2] do p = p + 1 end
        return budget, index + p - 1, stop - offsets[ids[p] - base + 1], n
      end
      skip = 0
      i = k + 1
      if budget <= 0 then break end
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
    if left == 0 then decide(ids[x], verdict(ALL, flags)) end
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
    local released = band(before, RELEASED) ~= 0
    if flags ~= before then
      sets[s + 1], sets[s + 2], sets[s + 3], sets[s + 4] = 'SET', 'u8', id * 32, flags
      s = s + 4
    end
    if not released and band(flags, RELEASED) ~= 0 then
      decide(id, SUCCEEDED)
    elseif not released and word % 16777216 == 0 then
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

-- Makes decided children ready; returns those that ended instead: skipped, or a barrier that holds.
local function release_decided()
  local ready, order, ends, end_codes, ended = {}, {}, {}, {}, 0
  for i = 1, decisions do
    local id, code = decided[i], codes_of[i]
    local group = group_of(id)
    if code == SUCCEEDED and not group_info(group).barrier then
      if not ready[group] then
        ready[group] = {}
        order[#order + 1] = group
      end
      ready[group][#ready[group] + 1] = id
    else
      ended = ended + 1
      ends[ended], end_codes[ended] = id, char(code)
      count_ends(group, code, 1)
    end
  end
  for _, group in ipairs(order) do push_ready(group, 0, ready[group], #ready[group], false) end
  if ended > 0 then write_states(ends, end_codes, ended) end
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
