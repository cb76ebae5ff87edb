-- Pushes the roots of one page of nodes to the ready lists; the last page starts the run and nudges
-- the listener. A run that fits one page is also created and written by the same call.
--
-- KEYS[1] meta            hash    the run's own record
-- KEYS[2] state           string  1 byte a node
-- KEYS[3] waiting         string  u32 a node
-- KEYS[4] counts          hash    per group and state
-- KEYS[5] groupIndex      string  8 bytes a group
-- KEYS[6] groupRanges     string  first id, group
-- KEYS[7] backlog         list    accepted ends whose children are not all visited
-- KEYS[8] submitting      zset    runs of the shard that are not sealed
-- KEYS[9] runs            zset    sealed runs of the shard by time
-- KEYS[10] active         zset    runs of the shard that have not ended
-- KEYS[11] demand         hash    queue -> runs of the shard that want slots
-- KEYS[12] outcomes       stream  what listeners settle
-- KEYS[13] events         stream  the feed: numbered events
-- KEYS[14] parentOffsets  string  written only, as all that follow
-- KEYS[15] parents        string  u32 an edge
-- KEYS[16] childOffsets   string  u32 a node
-- KEYS[17] children       string  u32 an edge
-- KEYS[18] groups         hash    deflated groups
-- KEYS[19] payload        hash    deflated payloads
-- KEYS[20] names          string  u16 a node
-- KEYS[21] spec           string  deflated text
-- KEYS[22] hooks          zset    runs of the shard with webhooks, by when they are looked at
-- KEYS[23…] ready         list    one list a queue
-- ARGV[1] token of this submission
-- ARGV[2] nodes a page
-- ARGV[3] now in ms
-- ARGV[4] the state to seal into: running or created
-- ARGV[5] when a run that is only created expires, in ms
-- ARGV[6] number of the arguments that make its record; none where all is written already
-- ARGV[7…] fields of meta and values; then name of a key, field ('' for a string), bytes, …
--
-- Returns { cursor, n }: sealed when they are equal; { state, hash of the body } where another
-- submission has the id; nil where the submission is gone.
local function write_all(fields)
  call('HSET', K.meta, unpack(ARGV, 7, 6 + fields))
  for at = 7 + fields, #ARGV, 3 do
    local key, field, bytes = K[ARGV[at]], ARGV[at + 1], ARGV[at + 2]
    if field == '' then call('SET', key, bytes) else call('HSET', key, field, bytes) end
  end
end

local token = ARGV[1]
if ARGV[6] then
  local h = call('HMGET', K.meta, 'submitToken', 'state', 'bodyHash')
  if h[1] and h[1] ~= token then return { h[2], h[3] } end
  if not h[1] then write_all(tonumber(ARGV[6])) end
end
local h = call('HMGET', K.meta, 'submitToken', 'state', 'seal', 'n', 'id')
if h[1] ~= token then return false end
local from, n, id = tonumber(h[3] or 0), tonumber(h[4]), h[5]
if h[2] ~= 'submitting' then return { n, n } end
local to = min(n, from + tonumber(ARGV[2]))

-- Roots are the nodes whose word is zero. Most are not: find() passes over them faster than a loop.
local words = call('GETRANGE', K.waiting, from * 4, to * 4 - 1)
local ends, codes, barriers = {}, {}, 0
local group, ids, count = nil, {}, 0
local at = 1
while true do
  at = string.find(words, '\0\0\0\0', at, true)
  if not at then break end
  local past = (at - 1) % 4
  if past > 0 then
    at = at + 4 - past
  else
    local node = from + (at - 1) / 4
    local its = group_of(node)
    if group_info(its).barrier then
      barriers = barriers + 1
      ends[barriers], codes[barriers] = node, char(SUCCEEDED)
      count_ends(its, SUCCEEDED, 1)
    else
      if its ~= group and count > 0 then
        push_ready(group, 0, ids, count, false)
        ids, count = {}, 0
      end
      group, count = its, count + 1
      ids[count] = node
    end
    at = at + 4
  end
end
if count > 0 then push_ready(group, 0, ids, count, false) end
if barriers > 0 then
  write_states(ends, codes, barriers)
  push_backlog(ends, codes, barriers)
end

local now = tonumber(ARGV[3])
call('HSET', K.meta, 'seal', to)
if to < n then
  call('ZADD', K.submitting, now, id)
else
  call('HSET', K.meta, 'state', ARGV[4])
  call('ZADD', K.runs, call('HGET', K.meta, 'created'), id)
  if call('HEXISTS', K.meta, 'hooks') == 1 then call('ZADD', K.hooks, now, id) end
  if ARGV[4] == 'running' then
    call('HSET', K.meta, 'started', now)
    add_events('started', now, call('HGET', K.meta, 'by') or '', 1)
    call('ZADD', K.active, now, id)
    call('ZREM', K.submitting, id)
    call('XADD', K.outcomes, '*', 'r', id, 'c', 0, 't', '', 'g', 0, 'p', '', 'x', '')
  else
    call('ZADD', K.submitting, tonumber(ARGV[5]), id)
  end
end
save_run()
return { to, n }
