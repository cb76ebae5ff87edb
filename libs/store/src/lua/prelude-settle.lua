-- Accepting outcomes of claimed deliveries: each task's open bit counts once.

-- Deliveries that outcomes came for, by carrier; false where there is none.
local held = {}

local function hold(carrier, token)
  local d = held[carrier]
  if d == nil then
    local packed = call('HGET', K.deliveries, carrier)
    d = packed and read_delivery(packed) or false
    if d then
      d.open = { byte(d.bits, 1, -1) }
      d.accepted = 0
    end
    held[carrier] = d
  end
  return d and d.token == token and d or nil
end

local function is_open(bits, place)
  return band(bits[floor(place / 8) + 1], lshift(1, place % 8)) ~= 0
end

local function is_done(d)
  for i = 1, #d.open do
    if d.open[i] ~= 0 then return false end
  end
  return true
end

-- Deliveries without the places that were accepted; those with no place open are closed.
local function save_held()
  local closed, kept = {}, {}
  for carrier, d in pairs(held) do
    if d and d.accepted > 0 then
      if is_done(d) then
        closed[#closed + 1] = carrier
        leave_flight(d)
      else
        d.bits = char(unpack(d.open))
        kept[#kept + 1], kept[#kept + 2] = carrier, pack_delivery(d)
      end
    end
  end
  if #closed > 0 then
    call('HDEL', K.deliveries, unpack(closed))
    call('ZREM', K.outbox, unpack(closed))
  end
  if #kept > 0 then call('HSET', K.deliveries, unpack(kept)) end
end

-- What was accepted, over all deliveries of the call.
-- `later` has the number of attempts that are not the first.
local accepted = { ids = {}, codes = {}, records = {}, later = {}, n = 0, duplicates = 0, outputs = {}, failures = {} }

local function delay(run_id, id, attempt, due)
  call('HSET', K.tries, id, min(attempt + 1, MOST_ATTEMPTS))
  call('ZADD', K.times, due, 'retry:' .. run_id .. ':' .. id)
  add_total('delayed', 1)
  add_total('tries', 1)
end

-- What is being cancelled is not tried again.
local function is_cancelled(id)
  if (record().ending or 0) == 0 then return false end
  local code = byte(call('GETRANGE', K.state, id, id))
  return code == HALTING or code == CANCELLING
end

-- Tasks that are being cancelled and have come to an end by themselves.
local function count_ending(ids, n)
  if (record().ending or 0) == 0 or record().halt then return end
  local codes, ended = read_packed(K.state, 1, ids, n, 1), 0
  for i = 1, n do
    local code = byte(codes[i])
    if code == HALTING or code == CANCELLING then ended = ended + 1 end
  end
  add_total('ending', -ended)
end

-- One entry of outcomes, 16 bytes each: place u16 | attempt u8 | code u8 | record of the attempt.
local function settle(run_id, carrier, token, outcomes, extras, dues)
  local n = #outcomes / 16
  local d = hold(carrier, token)
  if not d then
    accepted.duplicates = accepted.duplicates + n
    return
  end
  local halt, bits = record().halt, d.open
  local output_of, failure_of = read_extras(extras)
  local before, micros, by_code = accepted.n, 0, {}
  for i = 0, n - 1 do
    local at = i * 16
    local place, attempt, code = u16(outcomes, at + 1), byte(outcomes, at + 3, at + 4)
    if place < d.n and is_open(bits, place) and byte(d.attempts, place + 1) == attempt then
      local id = u32(d.ids, place * 4 + 1)
      if code == DELAYED and (halt or is_cancelled(id)) then code = FAILED end
      bits[floor(place / 8) + 1] = bits[floor(place / 8) + 1] - lshift(1, place % 8)
      local k = accepted.n + 1
      accepted.n = k
      accepted.ids[k], accepted.codes[k], accepted.records[k] = id, char(code), sub(outcomes, at + 5, at + 16)
      if attempt ~= 1 then accepted.later[k] = char(attempt) end
      micros = micros + struct.unpack('<f', outcomes, at + 9) * 1000
      if output_of[place] then
        local outputs = accepted.outputs
        outputs[#outputs + 1], outputs[#outputs + 2] = id, output_of[place]
      end
      if failure_of[place] then
        local failures = accepted.failures
        failures[#failures + 1], failures[#failures + 2] = id .. '.' .. attempt, failure_of[place]
      end
      if code == DELAYED then delay(run_id, id, attempt, struct.unpack('<d', dues, i * 8 + 1)) end
      by_code[code] = (by_code[code] or 0) + 1
    else
      accepted.duplicates = accepted.duplicates + 1
    end
  end
  d.accepted = d.accepted + accepted.n - before
  for code, k in pairs(by_code) do
    if code ~= DELAYED then count_ends(d.group, code, k) end
  end
  count(d.group, 'n', accepted.n - before)
  count(d.group, 'us', floor(micros))
end

-- What comes while the run is frozen, entry by entry as it came.
local function stash(...)
  call('RPUSH', K.stash, cmsgpack.pack({ ... }))
end

-- Settles what was kept, up to about so many outcomes a call. Returns the entries that are left.
local MOST_STASHED = 256
local function settle_stash(run_id)
  local count = 0
  while count < MOST_STASHED do
    local entry = call('LPOP', K.stash)
    if not entry then return 0 end
    local e = cmsgpack.unpack(entry)
    count = count + #e[3] / 16
    settle(run_id, e[1], e[2], e[3], e[4], e[5])
  end
  return call('LLEN', K.stash)
end

local function hset_all(key, pairs_of)
  for i = 1, #pairs_of, CHUNK do call('HSET', key, unpack(pairs_of, i, min(#pairs_of, i + CHUNK - 1))) end
end

-- Attempt numbers in an order, packed.
local function attempts_in(order, n)
  if not next(accepted.later) then return rep('\1', n) end
  local out = {}
  for i = 1, n do out[i] = accepted.later[order[i]] or '\1' end
  return table.concat(out)
end

-- Writes what was accepted, in ascending order. Returns the ends whose children are to be visited.
local function save_accepted()
  local n = accepted.n
  local order = order_of(accepted.ids, n)
  local ids, codes, records, ends, end_codes, ended = {}, {}, {}, {}, {}, 0
  local delayed, halt = char(DELAYED), record().halt
  for i = 1, n do
    local from = order[i]
    local id, code = accepted.ids[from], accepted.codes[from]
    ids[i], codes[i], records[i] = id, code, accepted.records[from]
    if code ~= delayed and not halt then
      ended = ended + 1
      ends[ended], end_codes[ended] = id, code
    end
  end
  count_ending(ids, n)
  write_states(ids, codes, n)
  tell_tasks(ids, codes, attempts_in(order, n), n)
  write_packed(K.attempts, 12, ids, records, n)
  hset_all(K.outputs, accepted.outputs)
  hset_all(K.failures, accepted.failures)
  save_held()
  add_total('open', -n)
  add_total('duplicates', accepted.duplicates)
  local r = record()
  if r.onFailure == 'stop' and (r.bad or 0) > (r.forgiven or 0) and not r.halt then set_field('halt', 'stop') end
  return ends, end_codes, ended
end
