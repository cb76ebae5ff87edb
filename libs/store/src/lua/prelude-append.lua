-- Adding generated tasks to a run: whose turn it is, and where the parts go.

-- An appender without a sign for so long is dead: another may begin.
local APPEND_MS = 10000

local function now_ms()
  local t = call('TIME')
  return tonumber(t[1]) * 1000 + floor(tonumber(t[2]) / 1000)
end

local function may_append(token)
  local h = call('HMGET', K.meta, 'appendToken', 'appendAt')
  return not h[1] or h[1] == token or now_ms() - tonumber(h[2]) > APPEND_MS
end

local function hold_append(token)
  call('HSET', K.meta, 'appendToken', token, 'appendAt', now_ms())
end

-- Whether this attempt of the task is open in a delivery that was claimed under the token.
local function holds_delivery(carrier, token, id, attempt)
  local packed = call('HGET', K.deliveries, carrier)
  if not packed or sub(packed, 1, 8) ~= token then return false end
  local d = read_delivery(packed)
  local ids, n, places = open_ids(d)
  for i = 1, n do
    if ids[i] == id then return byte(d.attempts, places[i] + 1) == attempt end
  end
  return false
end

-- Nil where a page of a set may be written behind the run's last node; else why not. The arguments begin with
-- carrier, token, generator, attempt and shape.
local function may_write(args)
  local h = call('HMGET', K.meta, 'state', 'halt', 'retry', 'shape', 'editing')
  if not h[1] then return 'gone' end
  if h[2] then return 'halting' end
  if tonumber(h[3] or 0) > 0 then return 'retrying' end
  if not holds_delivery(args[1], args[2], tonumber(args[3]), tonumber(args[4])) then return 'gone' end
  if h[5] or not may_append(args[2]) then return 'busy' end
  return tonumber(h[4] or 0) ~= tonumber(args[5]) and 'moved' or nil
end

local function write_part(name, kind, place, bytes)
  if kind == 's' then call('SETRANGE', K[name], place, bytes) else call('HSET', K[name], place, bytes) end
end
