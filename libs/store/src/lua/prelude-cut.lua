-- Cutting ready ids into deliveries, and what is told of the outbox.

-- How long the tasks of one delivery should take together: long enough that the cost of a delivery
-- vanishes, short enough that nothing waits long behind a slow neighbour.
local DELIVERY_MS = 200
-- Less work than this costs more to carry around than to do: quick tasks are not spread thinner.
local WORTHWHILE_MS = 5
-- Tasks of a group that was never measured: a worker hands back what would wait behind a slow one.
local UNMEASURED = 64
-- Tasks that run side by side in their delivery gain little from being spread thinner.
local SIDE_BY_SIDE = 64
-- Deliveries that one call cuts, for the few ms that a call may take.
local MOST_CUT = 24

-- Microseconds that a task of a group is expected to take, by earlier runs; nil: nothing is known.
local expected = {}
local function expected_us(group)
  local us = expected[group]
  if us == nil then
    us = tonumber(call('HGET', K.counts, group .. ':e')) or false
    expected[group] = us
  end
  return us or nil
end

-- How many tasks a delivery takes, and how many make it worth the way while every slot is busy.
local function sizes_for(group, queue, slots)
  local info = group_info(group)
  local share = ceil(queue.ready / slots)
  -- Where the tasks of a delivery run side by side, none waits behind another.
  if info.side_by_side then return max(1, min(info.max_batch, max(share, SIDE_BY_SIDE))), 1 end
  local known = counts_of(group)
  local mean_us = known.n > 0 and known.us / known.n or expected_us(group)
  if not mean_us then return max(1, min(info.max_batch, share, UNMEASURED)), info.max_batch end
  mean_us = max(1, mean_us)
  local worth = min(info.max_batch, floor(WORTHWHILE_MS * 1000 / mean_us))
  local size = min(info.max_batch, share, floor(DELIVERY_MS * 1000 / mean_us))
  return max(1, size, worth), max(1, worth)
end

-- The first ready entry: what is in the list comes before what this call made ready.
local function first_entry(q)
  if q.stored > 0 then return call('LINDEX', q.key, 0) end
  return q.fresh[q.at]
end

local function drop_entry(q, entry)
  if q.stored > 0 then
    call('LPOP', q.key)
    q.stored = q.stored - (#entry - 4) / 4
  else
    q.at = q.at + 1
  end
end

local function put_back(q, entry)
  if q.at > 1 then
    q.at = q.at - 1
    q.fresh[q.at] = entry
  else
    call('LPUSH', q.key, entry)
    q.stored = q.stored + (#entry - 4) / 4
  end
end

-- Entries that one call puts aside, or looks at again.
local MOST_PARKED = 64
local parked = 0

local function park(q, entry)
  local n = (#entry - 4) / 4
  call('RPUSH', K.parked, entry)
  q.ready = q.ready - n
  q.dirty = true
  add_total('parked', n)
end

-- The first entry with what may start of it: paused tasks before it are put aside. Nil too where this call has
-- put aside as much as one may.
local function first_free(q)
  local entry = first_entry(q)
  while entry and has_paused_parts() do
    if parked >= MOST_PARKED then return nil end
    local free, aside = split_entry(entry)
    if not aside then return entry end
    parked = parked + 1
    drop_entry(q, entry)
    park(q, aside)
    if free then
      put_back(q, free)
      return free
    end
    entry = first_entry(q)
  end
  return entry
end

-- Looks again at what was put aside before something was resumed, each entry once.
local function unpark()
  local left = record().unpark or 0
  while left > 0 and parked < MOST_PARKED do
    local entry = call('LPOP', K.parked)
    left, parked = entry and left - 1 or 0, parked + 1
    local free, aside
    if entry then free, aside = split_entry(entry) end
    if aside then call('RPUSH', K.parked, aside) end
    if free then
      local n, head = (#free - 4) / 4, sub(free, 1, 4)
      local q = queue_of(group_info(u32(free, 1) % 16777216).queue)
      add_fresh(q, head, byte(free, 4), sub(free, 5))
      q.ready = q.ready + n
      q.dirty = true
      add_total('parked', -n)
    end
    set_field('unpark', left)
  end
end

-- Ascending: states of a delivery are written in its order, and what ends together together.
local function sort_ids(packed)
  local n = #packed / 4
  local ids = unpack_ids(packed, 1, n)
  for i = 2, n do
    if ids[i] < ids[i - 1] then
      table.sort(ids)
      return pack_ids(ids, 1, n)
    end
  end
  return packed
end

-- Takes ids from the head of the list; entries of the same group are joined. Nil where nothing is
-- ready, or where it is too little to be worth a delivery before a slot is free: those in flight
-- bring the next turn.
local function take_ready(q, slots, room)
  local entry = first_free(q)
  if not entry then return nil end
  local head = u32(entry, 1)
  local group, flags = head % 16777216, floor(head / 16777216)
  local size, worth = 1, 1
  if flags == 0 then size, worth = sizes_for(group, q, slots) end
  if q.inflight >= slots and q.ready < worth then return nil end
  drop_entry(q, entry)
  size = min(room, size) * 4
  local parts, length = { sub(entry, 5) }, #entry - 4
  while length < size do
    local more = first_free(q)
    if not more or u32(more, 1) ~= head then break end
    drop_entry(q, more)
    parts[#parts + 1] = sub(more, 5)
    length = length + #more - 4
  end
  local ids = #parts == 1 and parts[1] or sort_ids(table.concat(parts))
  if length > size then
    put_back(q, pack_u32(head) .. sub(ids, size + 1))
    ids = sub(ids, 1, size)
  end
  -- One entry holds what became ready in several rounds.
  if #parts == 1 then ids = sort_ids(ids) end
  return group, flags, ids, #ids / 4
end

local function attempts_of(ids, n)
  if (record().tries or 0) == 0 then return rep('\1', n) end
  local found = call('HMGET', K.tries, unpack(unpack_ids(ids, 1, n)))
  local out = {}
  for i = 1, n do out[i] = char(tonumber(found[i] or 1)) end
  return table.concat(out)
end

-- A carrier that is not in BullMQ yet, and 20 bytes of its delivery: group u32 | cut at u32 | n u16 |
-- flags u8 | queue u8 | first id u32 | its attempt u8 | 0 u24.
local function outbox_entry(carrier, packed)
  local n = u16(packed, 25)
  return pack_u32(carrier) .. sub(packed, 17, 32) .. sub(packed, HEAD + 4 * n + 1, HEAD + 4 * n + 1) .. '\0\0\0'
end

-- What a call cut: fields of `deliveries`, scores of the outbox, what is told of it, and what is
-- reserved for the worker that called.
local made = { deliveries = {}, scores = {}, told = {}, reserved = {} }

local function make_delivery(carrier, now, d)
  local packed = pack_delivery(d)
  local at = #made.deliveries
  made.deliveries[at + 1], made.deliveries[at + 2] = carrier, packed
  made.scores[at + 1], made.scores[at + 2] = now, carrier
  made.told[#made.told + 1] = outbox_entry(carrier, packed)
  if d.token ~= NO_TOKEN then
    made.reserved[#made.reserved + 1] = carrier
    made.reserved[#made.reserved + 1] = packed
  end
end

-- Fills the window of each queue. `shares` holds (window, slots, reserved) for each queue, in order:
-- so many of its deliveries go to the caller, under its token, without a claim. True where more
-- could be cut than one call does.
local function cut(now, shares, token)
  local r = record()
  -- A cancel of tasks goes through deliveries and lists: meanwhile nothing moves from one to the other.
  if r.state ~= 'running' or r.halt or r.pausedAt or (r.cancel or 0) > 1 then return false end
  unpark()
  local seq, before = r.seq or 0, r.seq or 0
  local room = r.parallelism and r.parallelism - (r.open or 0) or 16777216
  for number = 0, #shares / 3 - 1 do
    local q = queue_of(number)
    local window, slots, reserve = shares[number * 3 + 1], max(1, shares[number * 3 + 2]), shares[number * 3 + 3]
    while q.ready > 0 and q.inflight < window and room > 0 do
      if seq - before >= MOST_CUT then break end
      local group, flags, ids, n = take_ready(q, slots, room)
      if not group then break end
      seq = seq + 1
      room = room - n
      q.ready = q.ready - n
      q.inflight = q.inflight + 1
      q.dirty = true
      count(group, READY, -n)
      make_delivery(seq, now, {
        token = reserve > 0 and token or NO_TOKEN, attempts_started = 0, starts = 0, group = group,
        cut_at = floor(now / 1000), n = n, flags = flags, queue = number, ids = ids,
        attempts = attempts_of(ids, n), bits = open_bits(n),
      })
      reserve = reserve - 1
      add_total('open', n)
    end
  end
  local left = parked >= MOST_PARKED
  if seq == before then return left end
  set_field('seq', seq)
  for i = 1, #made.deliveries, CHUNK do
    local j = min(#made.deliveries, i + CHUNK - 1)
    call('HSET', K.deliveries, unpack(made.deliveries, i, j))
    call('ZADD', K.outbox, unpack(made.scores, i, j))
  end
  return left or seq - before >= MOST_CUT
end

-- Up to 256 carriers that are not in BullMQ yet, whoever cut them.
local function read_outbox()
  local carriers = call('ZRANGE', K.outbox, 0, 255)
  if #carriers == 0 then return '' end
  local packed = call('HMGET', K.deliveries, unpack(carriers))
  local out = {}
  for i, carrier in ipairs(carriers) do
    if packed[i] then
      out[#out + 1] = outbox_entry(tonumber(carrier), packed[i])
    else
      call('ZREM', K.outbox, carrier)
    end
  end
  return table.concat(out)
end
