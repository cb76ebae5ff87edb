-- One page of ending a run early: first the deliveries (unclaimed ones are closed, the tasks of
-- claimed ones are marked, their outcomes decide), then every task that did not start.
--
-- KEYS[1] meta         hash    the run's own record
-- KEYS[2] state        string  1 byte a node
-- KEYS[3] counts       hash    per group and state
-- KEYS[4] groupIndex   string  8 bytes a group
-- KEYS[5] groupRanges  string  first id, group
-- KEYS[6] deliveries   hash    carrier -> packed delivery
-- KEYS[7] outbox       zset    carriers that are not in BullMQ yet
-- KEYS[8] backlog      list    accepted ends whose children are not all visited
-- KEYS[9] submitting   zset    runs of the shard that are not sealed, or only created
-- KEYS[10] active      zset    runs of the shard that have not ended
-- KEYS[11] ended       zset    runs of the shard that ended
-- KEYS[12] demand      hash    queue -> runs of the shard that want slots
-- KEYS[13] retry       string  u32 an id
-- KEYS[14] events      stream  the feed: numbered events
-- KEYS[15] cancel      string  u32 an id
-- KEYS[16] paused      hash    classes and tasks that are paused
-- KEYS[17] parked      list    ready tasks that are paused
-- KEYS[18] times       zset    what waits for a time in this shard
-- KEYS[19…] ready      list    one list a queue
-- ARGV[1] cancel, stop, or page (the next page of what was begun)
-- ARGV[2] now in ms
-- ARGV[3] nodes a page
-- ARGV[4] deliveries a page
-- ARGV[5] who asks; empty: not said
--
-- Returns { state, 1 while pages are left, 1 where this call began it }; nil where there is no such run.
local h = call('HMGET', K.meta, 'haltedDeliveries', 'haltedNodes')
local r = record()
local state, halt, n = r.state, r.halt, r.n or 0
if not state then return false end
if r.editing then return { 'editing', 0, 0 } end
if state ~= 'running' and state ~= 'created' then return { state, 0, 0 } end
local now, began = tonumber(ARGV[2]), 0
if ARGV[1] ~= 'page' and halt ~= ARGV[1] and halt ~= 'cancel' then
  halt, began = ARGV[1], 1
  set_field('halt', halt)
  call('HSET', K.meta, 'haltedAt', now, 'haltedBy', ARGV[5])
  add_events('halting', now, ARGV[5] == '' and halt or halt .. ' ' .. ARGV[5], 1)
  if state == 'created' then
    set_field('state', 'running')
    call('ZADD', K.active, now, r.id)
    call('ZREM', K.submitting, r.id)
  end
end
if not halt then return { state, 0, 0 } end
forget_paused()
drop_changes()

-- None of the group is ready any more: its ready list is gone.
local function cancel_unstarted(group, count)
  if count == 0 then return end
  count_ends(group, CANCELLED, count)
  counts_of(group)[READY] = 0
end

call('DEL', K.backlog)
for number = 0, #KEYS - FIXED - 1 do
  local q = queue_of(number)
  call('DEL', q.key)
  q.ready, q.stored, q.dirty = 0, 0, true
end

local carriers, from = {}, tonumber(h[1] or 0)
for _, carrier in ipairs(call('HKEYS', K.deliveries)) do
  if tonumber(carrier) > from then carriers[#carriers + 1] = tonumber(carrier) end
end
table.sort(carriers)
for i = 1, min(#carriers, tonumber(ARGV[4])) do
  local d = read_delivery(call('HGET', K.deliveries, carriers[i]))
  if d.token == NO_TOKEN then
    cancel_delivery(carriers[i], d)
  else
    local ids, count = open_ids(d)
    local codes = {}
    for k = 1, count do codes[k] = char(HALTING) end
    write_states(ids, codes, count)
  end
  call('HSET', K.meta, 'haltedDeliveries', carriers[i])
end
local left = #carriers > tonumber(ARGV[4])

local at = tonumber(h[2] or 0)
if not left and at < n then
  local to = min(n, at + tonumber(ARGV[3]))
  local page = call('GETRANGE', K.state, at, to - 1)
  local ids, codes, count, group, run = {}, {}, 0, nil, 0
  local times, delayed = {}, 0
  for id = at, to - 1 do
    local code = byte(page, id - at + 1)
    if code == 0 or code == DELAYED or code == CANCELLING or code == REUSED then
      count = count + 1
      ids[count], codes[count] = id, char(CANCELLED)
      if code == DELAYED then
        delayed = delayed + 1
        times[delayed] = 'retry:' .. r.id .. ':' .. id
      end
      local g = group_of(id)
      if g ~= group then
        cancel_unstarted(group, run)
        group, run = g, 0
      end
      run = run + 1
    end
  end
  cancel_unstarted(group, run)
  write_states(ids, codes, count)
  for i = 1, delayed, CHUNK do call('ZREM', K.times, unpack(times, i, min(delayed, i + CHUNK - 1))) end
  call('HSET', K.meta, 'haltedNodes', to)
  set_field('delayed', 0)
  left = to < n
end
local answer = conclude(now, 0)
save_run()
return { answer, left and 1 or 0, began }
