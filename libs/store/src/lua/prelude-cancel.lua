-- Cancelling tasks, page by page.

-- Tasks of a page that have come to their end here.
local cancelled = { ids = {}, n = 0 }
local function end_cancelled(id)
  cancelled.n = cancelled.n + 1
  cancelled.ids[cancelled.n] = id
end

-- Counts and tells them, and has their children visited; their states are written by the caller.
local function save_cancelled()
  local n = cancelled.n
  if n == 0 then return end
  table.sort(cancelled.ids)
  local codes, group, same = {}, nil, 0
  for i = 1, n do
    codes[i] = char(CANCELLED)
    local its = group_of(cancelled.ids[i])
    if its ~= group then
      if same > 0 then count_ends(group, CANCELLED, same) end
      group, same = its, 0
    end
    same = same + 1
  end
  count_ends(group, CANCELLED, same)
  tell_tasks(cancelled.ids, codes, rep('\0', n), n)
  add_ends(cancelled.ids, codes, n)
end

-- First phase: what waits, for parents or for a time, ends; what may be in a list or a delivery is marked. A
-- waiting task is marked as released, so that no visit decides it any more.
local function cancel_tasks(ids, n)
  local codes, words = read_packed(K.state, 1, ids, n, 1), read_packed(K.waiting, 4, ids, n, 4)
  local moved, states, m, waits, new_words, w = {}, {}, 0, {}, {}, 0
  local times, delayed, marked = {}, 0, 0
  for i = 1, n do
    local id, code, flags = ids[i], byte(codes[i]), byte(words[i])
    local is_waiting = code == 0 and flags < RELEASED and sub(words[i], 2) ~= '\0\0\0'
    if code == 0 or code == DELAYED then
      m = m + 1
      moved[m] = id
      states[m] = char(CANCELLED)
      if is_waiting then
        w = w + 1
        waits[w], new_words[w] = id, char(flags + RELEASED) .. sub(words[i], 2)
        end_cancelled(id)
      elseif code == DELAYED then
        delayed = delayed + 1
        times[delayed] = 'retry:' .. record().id .. ':' .. id
        end_cancelled(id)
      else
        states[m] = char(CANCELLING)
        marked = marked + 1
      end
    end
  end
  write_packed(K.waiting, 4, waits, new_words, w)
  write_states(moved, states, m)
  for i = 1, delayed, CHUNK do call('ZREM', K.times, unpack(times, i, min(delayed, i + CHUNK - 1))) end
  add_total('delayed', -delayed)
  add_total('ending', marked)
end

-- Second phase, one delivery: marked tasks of one that nobody has claimed end; a claimed one decides.
local function cancel_in_delivery(carrier)
  local d = read_delivery(call('HGET', K.deliveries, carrier))
  if d.token == NO_TOKEN then
    local left, dropped = drop_cancelled(d)
    if dropped == 0 then return end
    if left == 0 then close_delivery(carrier, d) else call('HSET', K.deliveries, carrier, pack_delivery(d)) end
    return
  end
  local ids, n = open_ids(d)
  local codes = read_packed(K.state, 1, ids, n, 1)
  local marked, states, m = {}, {}, 0
  for i = 1, n do
    if byte(codes[i]) == CANCELLING then
      m = m + 1
      marked[m], states[m] = ids[i], char(HALTING)
    end
  end
  write_states(marked, states, m)
end

-- Deliveries after a carrier, the first so many; nil at the end.
local function cancel_in_deliveries(from, most)
  local carriers = {}
  for _, carrier in ipairs(call('HKEYS', K.deliveries)) do
    if tonumber(carrier) > from then carriers[#carriers + 1] = tonumber(carrier) end
  end
  table.sort(carriers)
  for i = 1, min(#carriers, most) do cancel_in_delivery(carriers[i]) end
  return #carriers > most and carriers[most] or nil
end

-- Third phase: entries of a list from a place on. Nothing is taken off its head meanwhile; what is put there
-- only has entries looked at twice. Returns the next place; nil at the end.
local function cancel_in_list(key, at, most, take)
  local entries = call('LRANGE', key, at, at + most - 1)
  local all, m = {}, 0
  for _, entry in ipairs(entries) do
    for _, id in ipairs(unpack_ids(entry, 5, (#entry - 4) / 4)) do
      m = m + 1
      all[m] = id
    end
  end
  table.sort(all)
  local codes, marked = read_packed(K.state, 1, all, m, 1), {}
  for i = 1, m do marked[all[i]] = byte(codes[i]) == CANCELLING end
  local kept, ends, e = #entries, {}, 0
  for i, entry in ipairs(entries) do
    local n = (#entry - 4) / 4
    local ids, rest, left = unpack_ids(entry, 5, n), {}, 0
    for k = 1, n do
      if marked[ids[k]] then
        e = e + 1
        ends[e] = ids[k]
        end_cancelled(ids[k])
      else
        left = left + 1
        rest[left] = ids[k]
      end
    end
    if left == 0 then kept = kept - 1 end
    if left < n then
      local head = sub(entry, 1, 4)
      call('LSET', key, at + i - 1, left > 0 and head .. pack_ids(rest, 1, left) or '')
      count(u32(head, 1) % 16777216, READY, left - n)
    end
  end
  if kept < #entries then call('LREM', key, 0, '') end
  table.sort(ends)
  local states = {}
  for i = 1, e do states[i] = char(CANCELLED) end
  write_states(ends, states, e)
  add_total('ending', -e)
  take(e)
  return #entries == most and at + kept or nil
end
