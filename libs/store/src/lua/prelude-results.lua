-- Results of tasks: outputs, attempts, failures and logs, each kept by the number of its task.

-- Fields `id.attempt` of a task's attempts.
local function attempts_of(id, last)
  local fields = {}
  for attempt = 1, last do fields[attempt] = id .. '.' .. attempt end
  return fields
end

-- The number of the last attempt of each; those that are not kept had one at most.
local function attempt_numbers(ids, n)
  local numbers = {}
  for i = 1, n, CHUNK do
    local part = call('HMGET', K.tries, unpack(ids, i, min(n, i + CHUNK - 1)))
    for k = 1, #part do numbers[i + k - 1] = tonumber(part[k] or 1) end
  end
  return numbers
end

local function bytes_of_logs(fields)
  local bytes = 0
  for i = 1, #fields do bytes = bytes + call('HSTRLEN', K.logs, fields[i]) end
  return bytes
end

-- Forgets everything that is kept of some tasks besides what they are.
local function forget_results(ids, n)
  local numbers, logs = attempt_numbers(ids, n), 0
  local has_logs = call('EXISTS', K.logs) == 1
  for i = 1, n do
    local fields = attempts_of(ids[i], numbers[i])
    if has_logs then
      logs = logs + bytes_of_logs(fields)
      call('HDEL', K.logs, unpack(fields))
    end
    if numbers[i] > 1 then
      call('HDEL', K.failures, unpack(fields))
      call('HDEL', K.past, unpack(fields))
    end
  end
  for i = 1, n, CHUNK do
    local j = min(n, i + CHUNK - 1)
    for _, key in ipairs({ K.outputs, K.bases, K.tries }) do call('HDEL', key, unpack(ids, i, j)) end
  end
  if logs > 0 then call('HINCRBY', K.meta, 'logBytes', -logs) end
end

-- Copies fields of a hash to others; returns the bytes that came to be there.
local function copy_fields(key, from, to)
  local bytes = 0
  for i = 1, #from, CHUNK do
    local j = min(#from, i + CHUNK - 1)
    local had, sets = call('HMGET', key, unpack(from, i, j)), {}
    for k = 1, #had do
      if had[k] then
        sets[#sets + 1], sets[#sets + 2] = to[i + k - 1], had[k]
        bytes = bytes + #had[k]
      end
    end
    for k = 1, #sets, CHUNK do call('HSET', key, unpack(sets, k, min(#sets, k + CHUNK - 1))) end
  end
  return bytes
end

-- How many pairs come into so many bytes of logs and outputs: one at least.
local function pairs_within(from, numbers, n, most)
  local has_logs, has_outputs = call('EXISTS', K.logs) == 1, call('EXISTS', K.outputs) == 1
  if not has_logs and not has_outputs then return n end
  local bytes = 0
  for i = 1, n do
    if has_logs then bytes = bytes + bytes_of_logs(attempts_of(from[i], numbers[i])) end
    if has_outputs then bytes = bytes + call('HSTRLEN', K.outputs, from[i]) end
    if bytes > most and i > 1 then return i - 1 end
  end
  return n
end

-- Copies all that is kept of tasks to others, of which nothing is kept; the old numbers ascend. Returns how many.
local function copy_results(from, to, n, most)
  local numbers = attempt_numbers(from, n)
  n = pairs_within(from, numbers, n, most)
  local olds, news, logs_from, logs_to, more_from, more_to = {}, {}, {}, {}, {}, {}
  for i = 1, n do
    olds[i], news[i] = from[i], to[i]
    for attempt = 1, numbers[i] do
      logs_from[#logs_from + 1], logs_to[#logs_to + 1] = from[i] .. '.' .. attempt, to[i] .. '.' .. attempt
      if numbers[i] > 1 then
        more_from[#more_from + 1], more_to[#more_to + 1] = logs_from[#logs_from], logs_to[#logs_to]
      end
    end
  end
  local records, order = read_packed(K.attempts, 12, olds, n, 12), order_of(news, n)
  local sorted, moved = {}, {}
  for i = 1, n do
    local record = records[order[i]]
    sorted[i], moved[i] = news[order[i]], record .. rep('\0', 12 - #record)
  end
  write_packed(K.attempts, 12, sorted, moved, n)
  for _, key in ipairs({ K.outputs, K.tries, K.bases }) do
    if call('EXISTS', key) == 1 then copy_fields(key, olds, news) end
  end
  for _, key in ipairs({ K.past, K.failures }) do copy_fields(key, more_from, more_to) end
  if call('EXISTS', K.logs) == 1 then
    local before = bytes_of_logs(logs_to)
    local added = copy_fields(K.logs, logs_from, logs_to) - before
    if added ~= 0 then call('HINCRBY', K.meta, 'logBytes', added) end
  end
  return n
end
