-- The run's own record, its groups, queues and counts: read once a call, changed here, written once
-- by save_run.

-- meta: v state n fin bad events halt pausedAt onFailure parallelism seq open queues q0… r0… i0… c2…c6 delayed tries
-- what came later: more (1 where edges did, 2 where results were carried over besides), retiring (ranges of
-- replaced sets), retireWait; behind n, the end of what was written of results (spill)
-- and of a retry: phase (retry), cursor (retryAt, retryEdge), failures that it left alone (forgiven)
-- and of parts: phase of a cancel of tasks (cancel), its cursor (cancelAt, cancelList), tasks in HALTING or
-- CANCELLING by it (ending), what is paused (pausedGroups, pausedTasks), put aside (parked), looked at again (unpark)
-- and of an edit: its token (editing) while the run is frozen
local TEXTS = { 'state', 'halt', 'onFailure', 'id', 'editing' }
local NUMBERS = { 'n', 'fin', 'bad', 'events', 'open', 'seq', 'parallelism', 'tries', 'priority', 'delayed',
  'duplicates', 'queues', 'shape', 'more', 'retiring', 'retireWait', 'pausedAt', 'retry', 'retryAt', 'retryEdge',
  'forgiven', 'c2', 'c3', 'c4', 'c5', 'c6', 'cancel', 'cancelAt', 'cancelList', 'ending', 'pausedGroups', 'pausedTasks',
  'parked', 'unpark' }
local MORE_REUSES = 2
local loaded, changed = nil, {}

local function record()
  if loaded then return loaded end
  local fields = { unpack(TEXTS) }
  for i, field in ipairs(NUMBERS) do fields[#TEXTS + i] = field end
  local texts = #TEXTS
  for number = 0, #KEYS - FIXED - 1 do
    fields[#fields + 1] = 'r' .. number
    fields[#fields + 1] = 'i' .. number
  end
  local h = call('HMGET', K.meta, unpack(fields))
  loaded = {}
  for i, field in ipairs(fields) do
    if h[i] then loaded[field] = i <= texts and h[i] or tonumber(h[i]) end
  end
  -- A caller who knew the run before it grew: refused before anything is written, and sent again.
  local queues = loaded.queues
  if queues and queues ~= #KEYS - FIXED then error({ err = 'STALE ' .. queues }) end
  return loaded
end

local function set_field(field, value)
  record()[field] = value
  changed[field] = true
end

local function add_total(field, by)
  if by ~= 0 then set_field(field, (record()[field] or 0) + by) end
end

-- The feed: events are numbered from 1, and an entry has the number of its last one. It is a copy for
-- those who look: one that can not be written must not hold up the run.
local MOST_ENTRIES = 10000
local function add_events(kind, now, payload, n)
  add_total('events', n)
  redis.pcall('XADD', K.events, 'MAXLEN', '~', MOST_ENTRIES, '0-' .. record().events, 'k', kind, 't', now, 'p', payload)
end

-- Tasks that this call ended or put off: one entry for all of them, put together from packed parts.
local feed = { ids = {}, codes = {}, attempts = {}, n = 0 }
local function tell_tasks(ids, codes, attempts, n)
  if n == 0 then return end
  local k = #feed.ids + 1
  feed.ids[k], feed.codes[k], feed.attempts[k] = pack_ids(ids, 1, n), table.concat(codes, '', 1, n), attempts
  feed.n = feed.n + n
end

local function save_told(now)
  if feed.n == 0 then return end
  local payload = table.concat(feed.ids) .. table.concat(feed.codes) .. table.concat(feed.attempts)
  add_events('tasks', now, payload, feed.n)
end

-- Groups: `groupRanges` holds (first id, group) pairs in ascending order. A block of at most 65 is
-- kept, so that ascending ids cost one read a block.
local ranges = { first = 1, stop = 0 }

local function use_ranges(raw)
  local have = #raw / 8
  ranges.block = unpack_ids(raw, 1, have * 2)
  ranges.size = min(have, 65)
  ranges.first = ranges.block[1]
  ranges.stop = have > ranges.size and ranges.block[ranges.size * 2 + 1] or 16777217
  ranges.at = 1
end

local function load_ranges(id)
  if not ranges.block then
    -- Most runs have few groups: one read holds them all.
    use_ranges(call('GETRANGE', K.groupRanges, 0, 66 * 8 - 1))
    if id < ranges.stop then return end
  end
  ranges.n = ranges.n or call('STRLEN', K.groupRanges) / 8
  local lo, hi = 0, ranges.n - 1
  while hi - lo > 64 do
    local mid = ceil((lo + hi) / 2)
    if u32(call('GETRANGE', K.groupRanges, mid * 8, mid * 8 + 3), 1) <= id then lo = mid else hi = mid - 1 end
  end
  use_ranges(call('GETRANGE', K.groupRanges, lo * 8, lo * 8 + 66 * 8 - 1))
end

local function group_of(id)
  if id < ranges.first or id >= ranges.stop then load_ranges(id) end
  local block, at = ranges.block, ranges.at
  if block[at * 2 - 1] > id then at = 1 end
  while at < ranges.size and block[at * 2 + 1] <= id do at = at + 1 end
  ranges.at = at
  return block[at * 2]
end

-- groupIndex: class u32 | queue u8 | flags u8 (1 barrier, 2 failure allowed, 4 side by side) | maxBatch u16
local infos = {}
local function group_info(group)
  local info = infos[group]
  if not info then
    local s = call('GETRANGE', K.groupIndex, group * 8, group * 8 + 7)
    local flags = byte(s, 6)
    info = { queue = byte(s, 5), barrier = band(flags, 1) ~= 0, allow_failure = band(flags, 2) ~= 0,
      side_by_side = band(flags, 4) ~= 0, max_batch = u16(s, 7) }
    infos[group] = info
  end
  return info
end

-- Counts of a group by state, attempts measured (n) and their microseconds (us).
-- 11: of a generated set that was replaced, so no task any more.
local COUNTED = { READY, SUCCEEDED, FAILED, SKIPPED, UPSTREAM_FAILED, CANCELLED, 11, 'n', 'us' }
local counts, counts_were = {}, {}

local function counts_of(group)
  local known = counts[group]
  if not known then
    local fields, were = {}, {}
    for i, name in ipairs(COUNTED) do fields[i] = group .. ':' .. name end
    local h = call('HMGET', K.counts, unpack(fields))
    known = {}
    for i, name in ipairs(COUNTED) do
      known[name] = tonumber(h[i] or 0)
      were[name] = known[name]
    end
    counts[group], counts_were[group] = known, were
  end
  return known
end

local function count(group, name, by)
  local known = counts_of(group)
  known[name] = known[name] + by
end

-- Counts n tasks of a group that came to a final state.
local function count_ends(group, code, n)
  add_total('fin', n)
  local info = group_info(group)
  if info.barrier then return end
  count(group, code, n)
  add_total('c' .. code, n)
  if code == FAILED and not info.allow_failure then add_total('bad', n) end
end

local function save_counts()
  local sets = {}
  for group, known in pairs(counts) do
    local were = counts_were[group]
    for name, value in pairs(known) do
      if value ~= were[name] then
        sets[#sets + 1], sets[#sets + 2] = group .. ':' .. name, value
        were[name] = value
      end
    end
    if #sets > CHUNK then
      call('HSET', K.counts, unpack(sets))
      sets = {}
    end
  end
  if #sets > 0 then call('HSET', K.counts, unpack(sets)) end
end

-- Queues: ready tasks and deliveries in flight. `fresh` are entries of this call that are not in
-- the list yet, from place `at`; `stored` counts the ids in the list.
local queues = {}

-- A paused run wants slots for what it has in flight alone: others get those of its ready tasks.
local function wants_slots(ready, inflight)
  return inflight > 0 or ready > 0 and not record().pausedAt
end

local function queue_of(number)
  local q = queues[number]
  if not q then
    local r = record()
    local ready, inflight = r['r' .. number] or 0, r['i' .. number] or 0
    q = { ready = ready, inflight = inflight, stored = ready, fresh = {}, at = 1, key = KEYS[FIXED + 1 + number],
      wanted = wants_slots(ready, inflight) }
    queues[number] = q
  end
  return q
end

-- Joined with what came before of the same group; entries with flags stay alone.
local function add_fresh(q, head, flags, ids)
  local last = q.fresh[#q.fresh]
  if flags == 0 and last and #q.fresh >= q.at and sub(last, 1, 4) == head and #last + #ids <= 1028 then
    q.fresh[#q.fresh] = last .. ids
  else
    q.fresh[#q.fresh + 1] = head .. ids
  end
end

-- Entries are a header (24 bits of group, 8 of flags) and at most 256 ids.
local function push_ready(group, flags, ids, n, at_front)
  local q = queue_of(group_info(group).queue)
  local head = pack_u32(group + flags * 16777216)
  for i = 1, n, 256 do
    local packed = pack_ids(ids, i, min(n, i + 255))
    if at_front then call('LPUSH', q.key, head .. packed) else add_fresh(q, head, flags, packed) end
  end
  if at_front then q.stored = q.stored + n end
  q.ready = q.ready + n
  q.dirty = true
  count(group, READY, n)
end

local function save_ready(q)
  local first = q.fresh[q.at]
  if not first then return end
  if q.stored > 0 and byte(first, 4) == 0 and #first < 1028 then
    local tail = call('LINDEX', q.key, -1)
    if tail and sub(tail, 1, 4) == sub(first, 1, 4) and #tail + #first <= 1032 then
      call('LSET', q.key, -1, tail .. sub(first, 5))
      q.at = q.at + 1
    end
  end
  for i = q.at, #q.fresh, 128 do call('RPUSH', q.key, unpack(q.fresh, i, min(#q.fresh, i + 127))) end
  q.fresh, q.at = {}, 1
end

-- An entry of the backlog: next task u32 | next edge u32 | n u32 | ids | codes
local function backlog_entry(ids, codes, n)
  return pack_u32(0) .. pack_u32(0) .. pack_u32(n) .. pack_ids(ids, 1, n) .. table.concat(codes, '', 1, n)
end

local function push_backlog(ids, codes, n)
  call('RPUSH', K.backlog, backlog_entry(ids, codes, n))
end

local function leave_flight(d)
  local q = queue_of(d.queue)
  q.inflight = q.inflight - 1
  q.dirty = true
end

local function close_delivery(carrier, d)
  call('HDEL', K.deliveries, carrier)
  call('ZREM', K.outbox, carrier)
  leave_flight(d)
end

-- `demand` of the shard counts the runs that have ready tasks or deliveries in flight, by queue and
-- priority, so that windows are shared by the runs that want one.
local function save_queue(number, q)
  save_ready(q)
  if not q.dirty then return end
  q.dirty = false
  set_field('r' .. number, q.ready)
  set_field('i' .. number, q.inflight)
  local wanted = wants_slots(q.ready, q.inflight)
  if wanted == q.wanted then return end
  q.wanted = wanted
  call('HINCRBY', K.demand, call('HGET', K.meta, 'q' .. number) .. '@' .. (record().priority or 0), wanted and 1 or -1)
end

local function save_run()
  for number, q in pairs(queues) do save_queue(number, q) end
  save_counts()
  local sets = {}
  for field in pairs(changed) do sets[#sets + 1], sets[#sets + 2] = field, loaded[field] end
  if #sets > 0 then call('HSET', K.meta, unpack(sets)) end
  changed = {}
end

-- Nothing is paused any more: the run ends, or is ended early.
local function forget_paused()
  local r = record()
  if r.pausedAt then call('HDEL', K.meta, 'pausedAt', 'pausedBy') end
  if (r.pausedGroups or 0) + (r.pausedTasks or 0) + (r.parked or 0) == 0 then return end
  call('DEL', K.paused, K.parked)
  for _, field in ipairs({ 'pausedGroups', 'pausedTasks', 'parked', 'unpark' }) do set_field(field, 0) end
end

-- Ends the run when every node is final and the backlog is empty. Returns its state; `halting` for
-- one that is being cancelled or stopped and has not ended, `retrying` while tasks are brought back,
-- `changing` while tasks are cancelled page by page. To be called before save_run.
local function conclude(now, backlog)
  local r = record()
  if r.state ~= 'running' then return r.state end
  local paging = (r.retry or 0) > 0 and 'retrying' or (r.cancel or 0) > 0 and 'changing'
  if paging and not r.halt then return paging end
  local replacing = (r.retiring or 0) > 0 and not r.halt
  if (r.fin or 0) ~= r.n or backlog > 0 or replacing then return r.halt and 'halting' or 'running' end
  local state = 'succeeded'
  local bad, cancelled = (r.bad or 0) > 0, (r.c6 or 0) > 0
  -- Without a halt, what is cancelled was left behind by a retry.
  if cancelled and (r.halt == 'cancel' or not bad) then state = 'cancelled' elseif bad then state = 'failed' end
  if paging then
    set_field('retry', 0)
    set_field('cancel', 0)
  end
  forget_paused()
  set_field('state', state)
  set_field('ended', now)
  add_events('ended', now, state, 1)
  call('ZREM', K.active, r.id)
  call('ZADD', K.ended, now, r.id)
  return state
end
