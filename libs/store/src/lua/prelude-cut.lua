-- Cutting ready ids into deliveries, and what is told of the outbox.

-- How long the tasks of one delivery should take together: long enough that the cost of a delivery
-- vanishes, short enough that nothing waits long behind a slow neighbour.
local DELIVERY_MS = 200
-- Less work than this costs more to carry around than to do: quick tasks are not spread thinner.
local WORTHWHILE_MS = 5
-- Tasks of a group that was never measured: nothing may wait behind a slow one, and the first that
-- ends tells.
local UNMEASURED = 1

-- How many tasks a delivery takes, and how many make it worth the way while every slot is busy.
local function sizes_for(group, queue, slots)
  local info = group_info(group)
  local share = ceil(queue.ready / slots)
  -- Where the tasks of a delivery run side by side, none waits behind another.
  if info.side_by_side then return max(1, min(info.max_batch, share)), 1 end
  local h = call('HMGET', K.counts, group .. ':n', group .. ':us')
  if not h[1] then return UNMEASURED, 1 end
  local mean_us = max(1, h[2] / h[1])
  local worth = min(info.max_batch, floor(WORTHWHILE_MS * 1000 / mean_us))
  local size = min(info.max_batch, share, floor(DELIVERY_MS * 1000 / mean_us))
  return max(1, size, worth), max(1, worth)
end

-- Ascending, so that what ends together is written together.
local function sort_ids(packed)
  local n = #packed / 4
  local ids = unpack_ids(packed, 1, n)
  table.sort(ids)
  return pack_ids(ids, 1, n)
end

-- Takes ids from the head of the list; entries of the same group are joined. Nil where nothing is
-- ready, or where it is too little to be worth a delivery before a slot is free: those in flight
-- bring the next turn.
local function take_ready(queue, slots, room)
  local entry = call('LINDEX', queue.key, 0)
  if not entry then return nil end
  local head = u32(entry, 1)
  local group, flags = head % 16777216, floor(head / 16777216)
  local size, worth = 1, 1
  if flags == 0 then size, worth = sizes_for(group, queue, slots) end
  if queue.inflight >= slots and queue.ready < worth then return nil end
  call('LPOP', queue.key)
  size = min(room, size) * 4
  local parts, length = { sub(entry, 5) }, #entry - 4
  while length < size do
    local more = call('LINDEX', queue.key, 0)
    if not more or u32(more, 1) ~= head then break end
    call('LPOP', queue.key)
    parts[#parts + 1] = sub(more, 5)
    length = length + #more - 4
  end
  local ids = #parts == 1 and parts[1] or sort_ids(table.concat(parts))
  if length > size then
    call('LPUSH', queue.key, pack_u32(head) .. sub(ids, size + 1))
    ids = sub(ids, 1, size)
  end
  return group, flags, ids, #ids / 4
end

local function attempts_of(ids, n, tries)
  if tries == 0 then return rep('\1', n) end
  local fields = unpack_ids(ids, 1, n)
  local found = call('HMGET', K.tries, unpack(fields))
  local out = {}
  for i = 1, n do out[i] = char(tonumber(found[i] or 1)) end
  return table.concat(out)
end

-- Fills the window of each queue. `shares` holds (window, slots) for each queue, in order.
local function cut(now, shares)
  local h = call('HMGET', K.meta, 'state', 'halt', 'seq', 'open', 'parallelism', 'tries')
  if h[1] ~= 'running' or h[2] then return end
  local seq, open = tonumber(h[3] or 0), tonumber(h[4] or 0)
  local room = h[5] and tonumber(h[5]) - open or 16777216
  local made, taken = 0, 0
  for number = 0, #shares / 2 - 1 do
    local q = queue_of(number)
    local window, slots = shares[number * 2 + 1], max(1, shares[number * 2 + 2])
    while q.ready > 0 and q.inflight < window and room > taken do
      local group, flags, ids, n = take_ready(q, slots, room - taken)
      if not group then break end
      made = made + 1
      taken = taken + n
      q.ready = q.ready - n
      q.inflight = q.inflight + 1
      q.dirty = true
      ready_count(group, -n)
      call('HSET', K.deliveries, seq + made, pack_delivery({
        token = NO_TOKEN, attempts_started = 0, starts = 0, group = group, cut_at = floor(now / 1000), n = n,
        flags = flags, queue = number, ids = ids, attempts = attempts_of(ids, n, tonumber(h[6] or 0)), bits = open_bits(n),
      }))
      call('ZADD', K.outbox, now, seq + made)
    end
  end
  if made > 0 then
    call('HSET', K.meta, 'seq', seq + made)
    add_total('open', taken)
  end
end

-- Up to 256 carriers that are not in BullMQ yet, each as carrier u32 and 20 bytes of its delivery:
-- group u32 | cut at u32 | n u16 | flags u8 | queue u8 | first id u32 | its attempt u8 | 0 u24.
local function read_outbox()
  local carriers = call('ZRANGE', K.outbox, 0, 255)
  if #carriers == 0 then return '' end
  local packed = call('HMGET', K.deliveries, unpack(carriers))
  local out = {}
  for i, carrier in ipairs(carriers) do
    local d = packed[i]
    if d then
      local n = u16(d, 25)
      out[#out + 1] = pack_u32(tonumber(carrier)) .. sub(d, 17, 32) .. sub(d, HEAD + 4 * n + 1, HEAD + 4 * n + 1) .. '\0\0\0'
    else
      call('ZREM', K.outbox, carrier)
    end
  end
  return table.concat(out)
end
