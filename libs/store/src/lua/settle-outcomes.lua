-- Accepts outcomes of claimed deliveries: each task's open bit counts once. Children are not visited
-- here: accepted ends go to the backlog.
--
-- KEYS[1] meta         hash    the run's own record
-- KEYS[2] state        string  1 byte a node
-- KEYS[3] counts       hash    per group and state
-- KEYS[4] groupIndex   string  8 bytes a group
-- KEYS[5] deliveries   hash    carrier -> packed delivery
-- KEYS[6] outbox       zset    carriers that are not in BullMQ yet
-- KEYS[7] backlog      list    accepted ends whose children are not all visited
-- KEYS[8] tries        hash    attempt number where it is above 1
-- KEYS[9] attempts     string  12 bytes a node
-- KEYS[10] failures    hash    id.attempt -> record
-- KEYS[11] outputs     hash    id -> JSON
-- KEYS[12] times       zset    what waits for a time in this shard
-- KEYS[13] demand      hash    queue -> runs of the shard that want slots
-- KEYS[14…] ready      list    one list a queue
-- ARGV[1] id of the run
-- ARGV[2…] carrier, token, outcomes of 16 bytes, extras, due times of retries as doubles; per entry
--
-- Returns { accepted, duplicates }.
local duplicates, halt = 0, call('HGET', K.meta, 'halt')

local function is_open(bits, place)
  return band(bits[floor(place / 8) + 1], lshift(1, place % 8)) ~= 0
end

-- The delivery without the places that were just accepted, or gone when none is open.
local function keep_or_close(carrier, d, bits)
  for i = 1, #bits do
    if bits[i] ~= 0 then
      d.bits = char(unpack(bits))
      call('HSET', K.deliveries, carrier, pack_delivery(d))
      return
    end
  end
  close_delivery(carrier, d)
end

local function delay(id, attempt, due)
  call('HSET', K.tries, id, attempt + 1)
  call('ZADD', K.times, due, 'retry:' .. ARGV[1] .. ':' .. id)
  add_total('delayed', 1)
  add_total('tries', 1)
end

-- What was accepted, over all deliveries of the call.
local ids, codes, records, count = {}, {}, {}, 0

local function settle(carrier, token, outcomes, extras, dues)
  local n = #outcomes / 16
  local packed = call('HGET', K.deliveries, carrier)
  if not packed or sub(packed, 1, 8) ~= token then
    duplicates = duplicates + n
    return
  end
  local d = read_delivery(packed)
  local bits = { byte(d.bits, 1, -1) }
  local output_of, failure_of = read_extras(extras)
  local before, micros, by_code = count, 0, {}
  for i = 0, n - 1 do
    local at = i * 16
    local place, attempt, code = u16(outcomes, at + 1), byte(outcomes, at + 3, at + 4)
    if place < d.n and is_open(bits, place) and byte(d.attempts, place + 1) == attempt then
      local id = u32(d.ids, place * 4 + 1)
      if code == DELAYED and halt then code = FAILED end
      bits[floor(place / 8) + 1] = bits[floor(place / 8) + 1] - lshift(1, place % 8)
      count = count + 1
      ids[count], codes[count], records[count] = id, char(code), sub(outcomes, at + 5, at + 16)
      micros = micros + struct.unpack('<f', outcomes, at + 9) * 1000
      if output_of[place] then call('HSET', K.outputs, id, output_of[place]) end
      if failure_of[place] then call('HSET', K.failures, id .. '.' .. attempt, failure_of[place]) end
      if code == DELAYED then delay(id, attempt, struct.unpack('<d', dues, i * 8 + 1)) end
      by_code[code] = (by_code[code] or 0) + 1
    else
      duplicates = duplicates + 1
    end
  end
  if count == before then return end
  keep_or_close(carrier, d, bits)
  for code, k in pairs(by_code) do
    if code ~= DELAYED then count_ends(d.group, code, k) end
  end
  call('HINCRBY', K.counts, d.group .. ':n', count - before)
  call('HINCRBY', K.counts, d.group .. ':us', floor(micros))
end

-- States and attempts in ascending order; ends go to the backlog as one entry.
local function write_accepted()
  local order = order_of(ids, count)
  local sorted_ids, sorted_codes, sorted_records = {}, {}, {}
  local ends, end_codes, ended = {}, {}, 0
  for i = 1, count do
    local from = order[i]
    sorted_ids[i], sorted_codes[i], sorted_records[i] = ids[from], codes[from], records[from]
    if codes[from] ~= char(DELAYED) then
      ended = ended + 1
      ends[ended], end_codes[ended] = ids[from], codes[from]
    end
  end
  write_states(sorted_ids, sorted_codes, count)
  write_packed(K.attempts, 12, sorted_ids, sorted_records, count)
  if ended > 0 and not halt then push_backlog(ends, end_codes, ended) end
  add_total('open', -count)
end

for i = 2, #ARGV, 5 do settle(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]) end
write_accepted()
add_total('duplicates', duplicates)
save_run()
local h = call('HMGET', K.meta, 'onFailure', 'bad', 'halt')
if h[1] == 'stop' and tonumber(h[2] or 0) > 0 and not h[3] then call('HSET', K.meta, 'halt', 'stop') end
return { count, duplicates }
