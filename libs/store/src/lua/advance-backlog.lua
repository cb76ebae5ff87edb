-- Visits children of accepted ends, at most a budget of edges; what became ready goes to the ready
-- lists, what is skipped and barriers that hold go to the backlog in turn. The cursor is stored in
-- the same call. Then cuts as cut-deliveries does, so that a hop needs no further round trip.
--
-- KEYS[1] meta          hash    the run's own record
-- KEYS[2] state         string  1 byte a node
-- KEYS[3] waiting       string  u32 a node: flags, parents that are not final
-- KEYS[4] childOffsets  string  u32 a node and one more
-- KEYS[5] children      string  packed edges
-- KEYS[6] counts        hash    per group and state
-- KEYS[7] groupIndex    string  8 bytes a group
-- KEYS[8] groupRanges   string  first id, group
-- KEYS[9] deliveries    hash    carrier -> packed delivery
-- KEYS[10] outbox       zset    carriers that are not in BullMQ yet
-- KEYS[11] backlog      list    accepted ends whose children are not all visited
-- KEYS[12] tries        hash    attempt number where it is above 1
-- KEYS[13] active       zset    runs of the shard that have not ended
-- KEYS[14] ended        zset    runs of the shard that ended
-- KEYS[15] demand       hash    queue -> runs of the shard that want slots
-- KEYS[16…] ready       list    one list a queue
-- ARGV[1] now in ms
-- ARGV[2] budget in edges
-- ARGV[3…] window and slots of each queue
--
-- Returns { state, finished nodes, length of the backlog, unmoved outbox }; nil where the run is gone.
local h = call('HMGET', K.meta, 'state', 'halt')
if not h[1] then return false end
local now = tonumber(ARGV[1])
if h[2] then call('DEL', K.backlog) end

local budget = tonumber(ARGV[2])
while budget > 0 do
  local entry = call('LINDEX', K.backlog, 0)
  if not entry then break end
  local index, skip, n
  budget, index, skip, n = visit(entry, budget)
  if index < n then
    call('LSET', K.backlog, 0, pack_u32(index) .. pack_u32(skip) .. sub(entry, 9))
    break
  end
  call('LPOP', K.backlog)
end

local children, count = {}, 0
for id in pairs(seen.times) do
  count = count + 1
  children[count] = id
end
table.sort(children)
for i = 1, count, CHUNK do
  local j = min(count, i + CHUNK - 1)
  local dense = seen.plain and j > i + 7 and children[j] - children[i] < (j - i + 1) * 4
  if dense then lower_block(children, i, j) else lower_scattered(children, i, j) end
end

local ready, order = {}, {}
local ends, end_codes, ended = {}, {}, 0
for i = 1, decisions do
  local id, code = decided[i], codes_of[i]
  local group = group_of(id)
  if code == SUCCEEDED and not group_info(group).barrier then
    if not ready[group] then
      ready[group] = {}
      order[#order + 1] = group
    end
    ready[group][#ready[group] + 1] = id
  else
    ended = ended + 1
    ends[ended], end_codes[ended] = id, char(code)
    count_ends(group, code, 1)
  end
end
for _, group in ipairs(order) do push_ready(group, 0, ready[group], #ready[group], false) end
if ended > 0 then
  write_states(ends, end_codes, ended)
  push_backlog(ends, end_codes, ended)
end

local shares = {}
for i = 3, #ARGV do shares[i - 2] = tonumber(ARGV[i]) end
cut(now, shares)
save_run()
local state = conclude(now)
return { state, tonumber(call('HGET', K.meta, 'fin') or 0), call('LLEN', K.backlog), read_outbox() }
