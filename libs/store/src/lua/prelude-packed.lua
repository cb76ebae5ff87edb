-- Packed arithmetic: the counterpart of packed.ts. All integers are little endian except the words
-- of `waiting`, which BITFIELD reads big endian.
local call = redis.call
local sub, byte, char, rep = string.sub, string.byte, string.char, string.rep
local floor, min, max, ceil = math.floor, math.min, math.max, math.ceil
local band, bor, lshift = bit.band, bit.bor, bit.lshift

-- A chunk of 512: unpack() and struct.pack() are limited by the depth of Lua's C stack.
local CHUNK = 512

local function u16(s, at)
  local a, b = byte(s, at, at + 1)
  return a + b * 256
end

local function u32(s, at)
  local a, b, c, d = byte(s, at, at + 3)
  return a + b * 256 + c * 65536 + d * 16777216
end

local function pack_u32(v)
  return struct.pack('<I4', v)
end

-- n integers of s that start at byte `at`
local function unpack_ids(s, at, n)
  local ids = {}
  for i = 0, n - 1, CHUNK do
    local m = min(CHUNK, n - i)
    local part = { struct.unpack('<' .. rep('I4', m), s, at + i * 4) }
    for j = 1, m do ids[i + j] = part[j] end
  end
  return ids
end

local function pack_ids(ids, from, to)
  local parts = {}
  for i = from, to, CHUNK do
    local j = min(to, i + CHUNK - 1)
    parts[#parts + 1] = struct.pack('<' .. rep('I4', j - i + 1), unpack(ids, i, j))
  end
  return table.concat(parts)
end

-- Writes values[i], each `width` bytes, at ids[i], ascending. Where ids lie close together the block
-- around them is read, changed and written: a command costs more than some hundred bytes.
local function write_packed(key, width, ids, values, n)
  local i, gap, most = 1, 512 / width, 32768 / width
  while i <= n do
    local j = i
    while j < n and ids[j + 1] - ids[j] <= gap and ids[j + 1] - ids[i] < most and j - i < CHUNK do j = j + 1 end
    local first, last = ids[i], ids[j]
    if last - first == j - i then
      call('SETRANGE', key, first * width, table.concat(values, '', i, j))
    else
      local block = call('GETRANGE', key, first * width, (last + 1) * width - 1)
      -- A string that was not written so far is shorter.
      block = block .. rep('\0', (last - first + 1) * width - #block)
      local out, k, kept = {}, 0, 1
      for x = i, j do
        local at = (ids[x] - first) * width + 1
        if at > kept then
          k = k + 1
          out[k] = sub(block, kept, at - 1)
        end
        k = k + 1
        out[k] = values[x]
        kept = at + width
      end
      call('SETRANGE', key, first * width, table.concat(out))
    end
    i = j + 1
  end
end

-- Items of `size` bytes at ids[i] * width, ascending. Those that lie close together come in one read.
local function read_packed(key, width, ids, n, size)
  local out, i, gap, most = {}, 1, 512 / width, 32768 / width
  while i <= n do
    local j = i
    while j < n and ids[j + 1] - ids[j] <= gap and ids[j + 1] - ids[i] < most do j = j + 1 end
    local base = ids[i] * width
    local block = call('GETRANGE', key, base, ids[j] * width + size - 1)
    for x = i, j do
      local at = ids[x] * width - base
      out[x] = sub(block, at + 1, at + size)
    end
    i = j + 1
  end
  return out
end

-- The order in which keys ascend: positions of an array of less than 4,096 integers.
local function order_of(keys, n)
  local order, sorted = {}, true
  for i = 1, n do
    order[i] = keys[i] * 4096 + i
    sorted = sorted and (i == 1 or keys[i] > keys[i - 1])
  end
  if not sorted then table.sort(order) end
  for i = 1, n do order[i] = order[i] % 4096 end
  return order
end

local function write_states(ids, codes, n)
  write_packed(K.state, 1, ids, codes, n)
end

-- Codes of the state byte. 0: not final and nothing to say (waiting, ready, queued or running).
local READY, SUCCEEDED, FAILED, SKIPPED, UPSTREAM_FAILED, CANCELLED, DELAYED = 1, 2, 3, 4, 5, 6, 7
-- Held by a claimed delivery of a run that is being halted, or cancelled itself: its outcome decides.
local HALTING = 9
-- Being cancelled while the run goes on, and in a ready list or a delivery so far. Where that delivery was
-- claimed it becomes HALTING.
local CANCELLING = 10
-- Not final, and not to be run: its result was carried over from a set that was replaced, and it ends with that
-- as soon as its parents let it run.
local REUSED = 12

-- A delivery: token 8 | attemptsStarted u32 | starts u32 | group u32 | cut at u32 s | n u16 |
-- flags u8 | queue u8 | ids u32 n | attempts u8 n | open bits ceil(n / 8)
local NO_TOKEN = rep('\0', 8)
local HEAD = 28
local SINGLE, ISOLATED = 1, 2
-- An attempt's number is a byte.
local MOST_ATTEMPTS = 255

local function open_bits(n)
  local full = floor(n / 8)
  local rest = n % 8
  return rep('\255', full) .. (rest > 0 and char(2 ^ rest - 1) or '')
end

local function pack_delivery(d)
  return d.token .. struct.pack('<I4I4I4I4I2BB', d.attempts_started, d.starts, d.group, d.cut_at,
    d.n, d.flags, d.queue) .. d.ids .. d.attempts .. d.bits
end

local function read_delivery(s)
  local n = u16(s, 25)
  local attempts_at = HEAD + 1 + 4 * n
  return {
    token = sub(s, 1, 8), attempts_started = u32(s, 9), starts = u32(s, 13), group = u32(s, 17),
    cut_at = u32(s, 21), n = n, flags = byte(s, 27), queue = byte(s, 28),
    ids = sub(s, HEAD + 1, attempts_at - 1), attempts = sub(s, attempts_at, attempts_at + n - 1),
    bits = sub(s, attempts_at + n),
  }
end

-- The ids whose bit is open, ascending by place, and their places from 0.
local function open_ids(d)
  local ids, places, count = {}, {}, 0
  for place = 0, d.n - 1 do
    if band(byte(d.bits, floor(place / 8) + 1), lshift(1, place % 8)) ~= 0 then
      count = count + 1
      ids[count] = u32(d.ids, place * 4 + 1)
      places[count] = place
    end
  end
  return ids, count, places
end

-- Extras: place u16 | kind u8 (1 output, 2 failure) | length u32 | bytes
local function read_extras(s)
  local outputs, failures, at = {}, {}, 1
  while at <= #s do
    local kind, length = byte(s, at + 2), u32(s, at + 3)
    local into = kind == 1 and outputs or failures
    into[u16(s, at)] = sub(s, at + 7, at + 6 + length)
    at = at + 7 + length
  end
  return outputs, failures
end
