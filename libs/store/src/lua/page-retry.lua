-- One page of bringing tasks back, in three phases over the same list: reset what has ended; count the
-- parents of each anew; decide those whose parents have decided. Nothing of the list starts before the
-- third, and each call stores its cursor. Parents are counted while no visit is due: an end that waits
-- in the backlog would be counted, and be visited afterwards.
--
-- KEYS[1] meta            hash    the run's own record
-- KEYS[2] state           string  1 byte a node
-- KEYS[3] waiting         string  u32 a node: flags, parents that are not final
-- KEYS[4] childOffsets    string  u32 a node and one more
-- KEYS[5] children        string  packed edges
-- KEYS[6] parentOffsets   string  u32 a node and one more
-- KEYS[7] parents         string  packed edges
-- KEYS[8] counts          hash    per group and state
-- KEYS[9] groupIndex      string  8 bytes a group
-- KEYS[10] groupRanges    string  first id, group
-- KEYS[11] backlog        list    accepted ends whose children are not all visited
-- KEYS[12] tries          hash    attempt number where it is above 1
-- KEYS[13] bases          hash    id -> attempts made before its last retry
-- KEYS[14] attempts       string  12 bytes a node
-- KEYS[15] past           hash    id.attempt -> 12 bytes of a success
-- KEYS[16] outputs        hash    id -> JSON
-- KEYS[17] deaths         hash    id -> workers that died under it
-- KEYS[18] retry          string  u32 a task: 24 bits of id, 8 of what else is said of it
-- KEYS[19] active         zset    runs of the shard that have not ended
-- KEYS[20] ended          zset    runs of the shard that ended
-- KEYS[21] demand         hash    queue -> runs of the shard that want slots
-- KEYS[22] events         stream  the feed: numbered events
-- KEYS[23] paused         hash    classes and tasks that are paused
-- KEYS[24] parked         list    ready tasks that are paused
-- KEYS[25] moreChildren   hash    node -> packed edges that came later
-- KEYS[26] moreParents    hash    the same, of parents
-- KEYS[27] generated      hash    generator -> JSON of its set
-- KEYS[28…] ready         list    one list a queue
-- ARGV[1] now in ms
-- ARGV[2] tasks a page
-- ARGV[3] edges a page
--
-- Returns { state, phase }: 0 where nothing is under way any more; nil where the run is gone.
local r = record()
if not r.state then return false end
if r.halt or (r.retry or 0) == 0 then return { r.halt and r.state == 'running' and 'halting' or r.state, 0 } end
local most, edges = tonumber(ARGV[2]), tonumber(ARGV[3])
local total = call('STRLEN', K.retry) / 4
local at = r.retryAt or 0
local n = min(most, total - at)
local ids, marks = unpack_ids(call('GETRANGE', K.retry, at * 4, (at + n) * 4 - 1), 1, n), {}
for i = 1, n do ids[i], marks[i] = ids[i] % 16777216, floor(ids[i] / 16777216) end

-- Counts parents of ids[1] and those that follow, up to the budget; of one with more than that a part.
local function count_page()
  local skip = r.retryEdge or 0
  local offsets = read_packed(K.parentOffsets, 4, ids, n, 8)
  local words = read_packed(K.waiting, 4, ids, n, 4)
  local pending = skip > 0 and unvisited() or nil
  local later = later_parents(ids, n)
  local done = 0
  while done < n and edges > 0 do
    local first, last = u32(offsets[done + 1], 1), u32(offsets[done + 1], 5)
    local count = last - first - skip
    if count > edges and done > 0 then break end
    local part = min(count, edges)
    local block = part > 0 and call('GETRANGE', K.parents, (first + skip) * 4, (first + skip + part) * 4 - 1) or ''
    local left, flags, rule = 0, 0, ALL
    if part > 0 then left, flags, rule = count_parents(block, 1, part, pending) end
    if part == count and later[done + 1] then
      local more, more_flags = count_parents(later[done + 1], 1, #later[done + 1] / 4, pending)
      left, flags = left + more, bor(flags, more_flags)
    end
    words[done + 1] = add_parents(words[done + 1], skip == 0, left, flags, rule)
    edges = edges - part - 1
    if part < count then
      write_packed(K.waiting, 4, ids, words, done + 1)
      set_field('retryEdge', skip + part)
      return done
    end
    skip = 0
    done = done + 1
  end
  write_packed(K.waiting, 4, ids, words, done)
  set_field('retryEdge', 0)
  return done
end

open_backlog()
local phase = r.retry
if phase == 1 then
  if at == 0 then add_events('retried', ARGV[1], call('HGET', K.meta, 'retriedBy') or '', 1) end
  reset_tasks(ids, n, marks)
elseif phase == 2 then
  if (r.retryEdge or 0) == 0 then advance(edges) end
  n = (r.retryEdge or 0) == 0 and has_backlog() and 0 or count_page()
else
  free_tasks(ids, n)
  advance(edges)
end
at = at + n
if at >= total then
  at, phase = 0, phase % 3 + 1
  if phase == 1 then
    phase = 0
    call('DEL', K.retry)
  end
  set_field('retry', phase)
end
set_field('retryAt', at)
save_told(ARGV[1])
local state = conclude(tonumber(ARGV[1]), save_backlog())
save_run()
return { state, phase }
