-- What several scripts do to a run: groups, queues and their counters, the ready lists, the counts,
-- and the end. Totals are gathered in locals and written once by save_run.

-- meta: v state n fin bad halt onFailure parallelism seq open queues q0… r0… i0… c2…c6 delayed tries
local totals = {}
local function add_total(field, by)
  if by ~= 0 then totals[field] = (totals[field] or 0) + by end
end

-- Groups: `groupRanges` holds (first id, group) pairs in ascending order. A block of at most 65 is
-- kept, so that ascending ids cost one read a block.
local ranges = { first = 1, stop = 0 }

local function load_ranges(id)
  ranges.n = ranges.n or call('STRLEN', K.groupRanges) / 8
  local lo, hi = 0, ranges.n - 1
  while hi - lo > 64 do
    local mid = ceil((lo + hi) / 2)
    if u32(call('GETRANGE', K.groupRanges, mid * 8, mid * 8 + 3), 1) <= id then lo = mid else hi = mid - 1 end
  end
  local raw = call('GETRANGE', K.groupRanges, lo * 8, hi * 8 + 15)
  local have = #raw / 8
  ranges.block = unpack_ids(raw, 1, have * 2)
  ranges.size = min(have, hi - lo + 1)
  ranges.first = ranges.block[1]
  ranges.stop = have > ranges.size and ranges.block[ranges.size * 2 + 1] or 16777217
  ranges.at = 1
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

-- Queues: ready tasks and deliveries in flight. `demand` of the shard counts the runs that have
-- either, by queue and priority, so that windows are shared by the runs that want one.
local queues = {}
local function queue_of(number)
  local q = queues[number]
  if not q then
    local h = call('HMGET', K.meta, 'r' .. number, 'i' .. number)
    q = { ready = tonumber(h[1] or 0), inflight = tonumber(h[2] or 0), key = KEYS[FIXED + 1 + number] }
    q.wanted = q.ready + q.inflight > 0
    queues[number] = q
  end
  return q
end

local function ready_count(group, by)
  if by ~= 0 then call('HINCRBY', K.counts, group .. ':' .. READY, by) end
end

-- Entries are a header (24 bits of group, 8 of flags) and at most 256 ids.
local function push_ready(group, flags, ids, n, at_front)
  local info = group_info(group)
  local q = queue_of(info.queue)
  local head = pack_u32(group + flags * 16777216)
  local tail = flags == 0 and n < 256 and not at_front and q.ready > 0 and call('LINDEX', q.key, -1)
  if tail and sub(tail, 1, 4) == head and #tail / 4 - 1 + n <= 256 then
    call('LSET', q.key, -1, tail .. pack_ids(ids, 1, n))
  elseif at_front then
    for i = 1, n, 256 do call('LPUSH', q.key, head .. pack_ids(ids, i, min(n, i + 255))) end
  else
    for i = 1, n, 256 do call('RPUSH', q.key, head .. pack_ids(ids, i, min(n, i + 255))) end
  end
  q.ready = q.ready + n
  q.dirty = true
  ready_count(group, n)
end

-- Counts n tasks of a group that came to a final state.
local function count_ends(group, code, n)
  add_total('fin', n)
  local info = group_info(group)
  if info.barrier then return end
  call('HINCRBY', K.counts, group .. ':' .. code, n)
  add_total('c' .. code, n)
  if code == FAILED and not info.allow_failure then add_total('bad', n) end
end

-- An entry of the backlog: next task u32 | next edge u32 | n u32 | ids | codes
local function push_backlog(ids, codes, n)
  call('RPUSH', K.backlog, pack_u32(0) .. pack_u32(0) .. pack_u32(n) .. pack_ids(ids, 1, n) .. table.concat(codes, '', 1, n))
end

local function close_delivery(carrier, d)
  call('HDEL', K.deliveries, carrier)
  call('ZREM', K.outbox, carrier)
  local q = queue_of(d.queue)
  q.inflight = q.inflight - 1
  q.dirty = true
end

local function save_run()
  for number, q in pairs(queues) do
    if q.dirty then
      call('HSET', K.meta, 'r' .. number, q.ready, 'i' .. number, q.inflight)
      local wanted = q.ready + q.inflight > 0
      if wanted ~= q.wanted then
        local h = call('HMGET', K.meta, 'q' .. number, 'priority')
        call('HINCRBY', K.demand, h[1] .. '@' .. (h[2] or 0), wanted and 1 or -1)
        q.wanted = wanted
      end
    end
  end
  for field, by in pairs(totals) do call('HINCRBY', K.meta, field, by) end
  totals = {}
end

-- Ends the run when every node is final and the backlog is empty. Returns its state; `halting` for
-- one that is being cancelled or stopped and has not ended.
local function conclude(now)
  local h = call('HMGET', K.meta, 'state', 'fin', 'n', 'bad', 'halt', 'c' .. CANCELLED)
  if h[1] ~= 'running' then return h[1] end
  if h[2] ~= h[3] or call('EXISTS', K.backlog) == 1 then return h[5] and 'halting' or 'running' end
  local state = 'succeeded'
  if h[5] == 'cancel' and h[6] then state = 'cancelled' elseif tonumber(h[4] or 0) > 0 then state = 'failed' end
  local id = call('HGET', K.meta, 'id')
  call('HSET', K.meta, 'state', state, 'ended', now)
  call('ZREM', K.active, id)
  call('ZADD', K.ended, now, id)
  return state
end

-- A run that is being halted: its open ids end cancelled and the delivery goes.
local function cancel_delivery(carrier, d)
  local ids, count = open_ids(d)
  local codes = {}
  for i = 1, count do codes[i] = char(CANCELLED) end
  write_states(ids, codes, count)
  count_ends(d.group, CANCELLED, count)
  add_total('open', -count)
  close_delivery(carrier, d)
end
