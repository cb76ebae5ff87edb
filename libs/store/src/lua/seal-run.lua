-- Pushes the roots of one page of nodes to the ready lists; the last page starts the run.
--
-- KEYS[1] meta         hash    the run's own record
-- KEYS[2] state        string  1 byte a node
-- KEYS[3] waiting      string  u32 a node
-- KEYS[4] counts       hash    per group and state
-- KEYS[5] groupIndex   string  8 bytes a group
-- KEYS[6] groupRanges  string  first id, group
-- KEYS[7] backlog      list    accepted ends whose children are not all visited
-- KEYS[8] submitting   zset    runs of the shard that are not sealed
-- KEYS[9] runs         zset    sealed runs of the shard by time
-- KEYS[10] active      zset    runs of the shard that have not ended
-- KEYS[11] demand      hash    queue -> runs of the shard that want slots
-- KEYS[12…] ready      list    one list a queue
-- ARGV[1] token of this submission
-- ARGV[2] nodes a page
-- ARGV[3] now in ms
-- ARGV[4] the state to seal into: running or created
-- ARGV[5] when a run that is only created expires, in ms
--
-- Returns { cursor, n }: sealed when they are equal; nil where the submission is gone.
local h = call('HMGET', K.meta, 'submitToken', 'state', 'seal', 'n', 'id')
if h[1] ~= ARGV[1] then return false end
local from, n = tonumber(h[3] or 0), tonumber(h[4])
if h[2] ~= 'submitting' then return { n, n } end
local to = min(n, from + tonumber(ARGV[2]))

local words = call('GETRANGE', K.waiting, from * 4, to * 4 - 1)
local roots, ends, codes = {}, {}, {}
local last
for id = from, to - 1 do
  local at = (id - from) * 4 + 1
  if sub(words, at, at + 3) == '\0\0\0\0' then
    local group = group_of(id)
    if group_info(group).barrier then
      ends[#ends + 1], codes[#codes + 1] = id, char(SUCCEEDED)
      count_ends(group, SUCCEEDED, 1)
    else
      if last ~= group then roots[#roots + 1] = { group = group, ids = {} } end
      last = group
      local ids = roots[#roots].ids
      ids[#ids + 1] = id
    end
  end
end
for _, root in ipairs(roots) do push_ready(root.group, 0, root.ids, #root.ids, false) end
if #ends > 0 then
  write_states(ends, codes, #ends)
  push_backlog(ends, codes, #ends)
end

local now = tonumber(ARGV[3])
call('HSET', K.meta, 'seal', to)
if to == n then
  call('HSET', K.meta, 'state', ARGV[4])
  call('ZADD', K.runs, call('HGET', K.meta, 'created'), h[5])
  if ARGV[4] == 'running' then
    call('HSET', K.meta, 'started', now)
    call('ZADD', K.active, now, h[5])
    call('ZREM', K.submitting, h[5])
  else
    call('ZADD', K.submitting, tonumber(ARGV[5]), h[5])
  end
else
  call('ZADD', K.submitting, now, h[5])
end
save_run()
return { to, n }
