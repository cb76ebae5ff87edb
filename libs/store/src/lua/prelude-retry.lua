-- Bringing tasks back, page by page. While a retry is under way, flags of a `waiting` word say more:
-- HELD: brought back or waiting, and not decided before its parents are counted anew; RELEASED without
-- HELD: it had been released before, and is left as it is. The rule of a held task stands beside.
local RULE = 32

local function pack_word(flags, left)
  return char(flags, floor(left / 65536), floor(left / 256) % 256, left % 256)
end

local function unpack_word(s)
  local flags, b, c, d = byte(s, 1, 4)
  return flags, (b * 256 + c) * 256 + d
end

local function delete_fields(key, fields)
  if #fields == 0 or call('EXISTS', key) == 0 then return end
  for i = 1, #fields, CHUNK do call('HDEL', key, unpack(fields, i, min(#fields, i + CHUNK - 1))) end
end

local function set_fields(key, fields)
  for i = 1, #fields, CHUNK do call('HSET', key, unpack(fields, i, min(#fields, i + CHUNK - 1))) end
end

-- The number of the last attempt of each, where it is known to be above 1.
local function last_tries(ids, n)
  if n == 0 or (record().tries or 0) == 0 then return {} end
  local out = {}
  for i = 1, n, CHUNK do
    local part = call('HMGET', K.tries, unpack(ids, i, min(n, i + CHUNK - 1)))
    for k = 1, #part do out[i + k - 1] = tonumber(part[k] or 1) end
  end
  return out
end

-- Attempts that were made stay: a success moves beside, since its place is the next one's. Numbers go on
-- up to what a byte holds, and what was made before counts no more against the task's retries.
local NO_ATTEMPT = rep('\0', 12)
local function keep_attempts(ids, codes, n)
  local records = read_packed(K.attempts, 12, ids, n, 12)
  local tries = last_tries(ids, n)
  local past, numbers, bases = {}, {}, {}
  for i = 1, n do
    local code, made = codes[i], #records[i] == 12 and records[i] ~= NO_ATTEMPT
    if code == SUCCEEDED or code == FAILED or code == CANCELLED and made then
      local id, attempt = ids[i], tries[i] or 1
      if code == SUCCEEDED then past[#past + 1], past[#past + 2] = id .. '.' .. attempt, records[i] end
      local base = min(attempt, MOST_ATTEMPTS - 1)
      numbers[#numbers + 1], numbers[#numbers + 2] = id, base + 1
      bases[#bases + 1], bases[#bases + 2] = id, base
    end
  end
  set_fields(K.past, past)
  set_fields(K.tries, numbers)
  set_fields(K.bases, bases)
  add_total('tries', #numbers / 2)
end

-- Takes tasks of a group that had ended back out of its counts.
local function uncount_ends(group, code, n)
  count_ends(group, code, -n)
  local info = group_info(group)
  if code ~= FAILED or info.barrier or info.allow_failure then return end
  -- Failures that the retry leaves alone remain.
  add_total('forgiven', -min(n, record().forgiven or 0))
end

-- What the list says of a task besides its id. KEPT: of a generated set whose generator may run again; what has
-- ended stays as it is. REVOKED: the same, but what it hangs on runs again, so its success can't be reused.
-- ALONE: a generator that runs again, of whose set nothing is listed, since all of it has ended.
local KEPT, REVOKED, ALONE = 128, 64, 32

-- A success of a set that is about to be replaced is given up: the task becomes what it would be if its generator
-- failed. Returns its new state.
local function revoke(group, code)
  if code == SUCCEEDED then count_ends(group, code, -1) end
  count_ends(group, UPSTREAM_FAILED, 1)
  return char(UPSTREAM_FAILED)
end

-- What generators have generated stands alone while they run again: their end barriers wait for them, and for
-- the next set. Where all of it has ended, it does not wait for its generator once more either.
local function detach_sets(ids, n, alone)
  if not record().more then return end
  if #alone > 0 then call('HDEL', K.moreChildren, unpack(alone)) end
  for i = 1, n, CHUNK do
    local sets = call('HMGET', K.generated, unpack(ids, i, min(n, i + CHUNK - 1)))
    for k = 1, #sets do
      local set = sets[k] and cjson.decode(sets[k])
      if set and #set.gathers > 0 then
        call('HDEL', K.moreChildren, unpack(set.gathers))
        call('HDEL', K.moreParents, unpack(set.ends))
      end
    end
  end
end

-- Page of the first phase: what has ended is as if it had never run; what waits is held; what was
-- released is left, and so is what ended in a set that may be replaced.
local function reset_tasks(ids, n, marks)
  local codes = read_packed(K.state, 1, ids, n, 1)
  local words = read_packed(K.waiting, 4, ids, n, 4)
  local nodes, zeros, m = {}, {}, 0
  local tasks, were, t, alone = {}, {}, 0, {}
  -- Neighbours are mostly of one group and ended alike.
  local group, code, same = nil, nil, 0
  for i = 1, n do
    local id, now = ids[i], byte(codes[i])
    local word = words[i]
    local flags = byte(word)
    local mark = RELEASED
    local its = group_of(id)
    local barrier = group_info(its).barrier
    local ended, revoked = now >= SUCCEEDED and now <= CANCELLED, marks[i] == REVOKED
    if revoked and not barrier and (now == SUCCEEDED or now == REUSED) then
      m = m + 1
      nodes[m], zeros[m] = id, revoke(its, now)
    elseif ended and marks[i] >= REVOKED and not barrier then
      mark = RELEASED
    elseif ended or now == REUSED and marks[i] == 0 then
      mark = HELD
      m = m + 1
      nodes[m], zeros[m] = id, '\0'
      if ended then
        if its ~= group or now ~= code then
          if same > 0 then uncount_ends(group, code, same) end
          group, code, same = its, now, 0
        end
        same = same + 1
      end
      if not barrier then
        t = t + 1
        tasks[t], were[t] = id, ended and now or SUCCEEDED
        if marks[i] == ALONE then alone[#alone + 1] = id end
      end
    elseif (now == 0 or now == REUSED) and flags < RELEASED and sub(word, 2) ~= '\0\0\0' then
      mark = HELD
    end
    words[i] = char(bor(flags, mark)) .. sub(word, 2)
  end
  if same > 0 then uncount_ends(group, code, same) end
  write_packed(K.waiting, 4, ids, words, n)
  write_states(nodes, zeros, m)
  keep_attempts(tasks, were, t)
  delete_fields(K.outputs, tasks)
  delete_fields(K.deaths, tasks)
  detach_sets(tasks, t, alone)
end

-- Ends whose children were not visited: to them these parents are not final.
local function unvisited()
  local ids = {}
  for at = 0, call('LLEN', K.backlog) - 1, 64 do
    for _, entry in ipairs(call('LRANGE', K.backlog, at, at + 63)) do
      local list = unpack_ids(entry, 13, u32(entry, 9))
      for i = 1, #list do ids[list[i]] = true end
    end
  end
  return ids
end

-- The state codes of the parents that edges name, edge by edge.
local function codes_of_parents(parents, n)
  local low, high = 16777216, 0
  for i = 1, n do
    low, high = min(low, parents[i]), max(high, parents[i])
  end
  if high - low < 65536 then
    local block, codes = call('GETRANGE', K.state, low, high), {}
    for i = 1, n do codes[i] = byte(block, parents[i] - low + 1) end
    return codes
  end
  local sorted, known = {}, {}
  for i = 1, n do
    if not known[parents[i]] then
      known[parents[i]] = true
      sorted[#sorted + 1] = parents[i]
    end
  end
  table.sort(sorted)
  local states, codes = read_packed(K.state, 1, sorted, #sorted, 1), {}
  for i = 1, #sorted do known[sorted[i]] = byte(states[i]) end
  for i = 1, n do codes[i] = known[parents[i]] end
  return codes
end

-- Counts `count` edges of `block` from its byte `at` into a word: parents left, flags and the rule.
local function count_parents(block, at, count, pending)
  local parents, conditions = {}, {}
  for i = 1, count do
    local edge = u32(block, at + (i - 1) * 4)
    parents[i], conditions[i] = edge % 16777216, floor(edge / 16777216)
  end
  local codes, left, flags, rule = codes_of_parents(parents, count), 0, 0, ALL
  for i = 1, count do
    local code = codes[i]
    rule = floor(conditions[i] / 4)
    if code < SUCCEEDED or code > CANCELLED or pending and pending[parents[i]] then
      left = left + 1
    else
      flags = bor(flags, flags_of(conditions[i], code))
    end
  end
  return left, flags, rule
end

-- Edges to parents that came later, of ids[i]: end barriers of generators have them, one each.
local function later_parents(ids, n)
  local later = {}
  if not record().more then return later end
  for i = 1, n, CHUNK do
    local part = call('HMGET', K.moreParents, unpack(ids, i, min(n, i + CHUNK - 1)))
    for k = 1, #part do later[i + k - 1] = part[k] or nil end
  end
  return later
end

-- What a word says after `count` more of its parents were counted: from none, where none were before.
local function add_parents(word, fresh, left, flags, rule)
  local had, had_left = unpack_word(word)
  if had < HELD then
    -- It was released before: only how many of its parents will be seen once more matters.
    return pack_word(RELEASED, (fresh and 0 or had_left) + left)
  end
  local seen_flags = fresh and 0 or had % HELD
  return pack_word(bor(seen_flags, flags) + HELD + rule * RULE, (fresh and 0 or had_left) + left)
end

-- Page of the third phase: held tasks are free again, and decided where their parents have decided.
local function free_tasks(ids, n)
  local words = read_packed(K.waiting, 4, ids, n, 4)
  decided, codes_of, decisions = {}, {}, 0
  for i = 1, n do
    local flags, left = unpack_word(words[i])
    if flags >= HELD then
      local own, rule = flags % HELD, floor(flags / RULE)
      words[i] = pack_word(own, left)
      if own >= RELEASED then
        decide(ids[i], SUCCEEDED)
      elseif left == 0 then
        decide(ids[i], verdict(rule, own))
      end
    end
  end
  write_packed(K.waiting, 4, ids, words, n)
  add_ends(release_decided())
end
