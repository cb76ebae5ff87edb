-- What is left to do of an edit, a page a call. Before the swap: a run whose editor gave up, or gave no sign
-- for too long, is thawed as it was. After it: attempts and outputs of tasks that run again are set back, and
-- with the last page the run goes on.
--
-- KEYS[1] meta      hash    the run's own record
-- KEYS[2] tries     hash    attempt number where it is above 1
-- KEYS[3] bases     hash    id -> attempts made before its last retry
-- KEYS[4] attempts  string  12 bytes a node
-- KEYS[5] past      hash    id.attempt -> 12 bytes of a success
-- KEYS[6] outputs   hash    id -> JSON
-- KEYS[7] deaths    hash    id -> workers that died under it
-- KEYS[8] times     zset    what waits for a time in this shard
-- KEYS[9] resets    string  u32 a task that is set back: 24 bits of id, 8 of what it was
-- KEYS[10] outcomes stream  what listeners settle
-- KEYS[11…] ready   list    one list a queue
-- ARGV[1] now in ms
-- ARGV[2] ms without a sign after which an editor is gone
-- ARGV[3] token of the editor who gives up, else ''
-- ARGV[4] tasks a page
--
-- Returns one word: none (no edit is under way), frozen, thawed, paging, done; nil where the run is gone.
local r = record()
if not r.state then return false end
if not r.editing then return 'none' end
local h = call('HMGET', K.meta, 'editingAt', 'editStep', 'resetAt')

local function go_on()
  call('HDEL', K.meta, 'editing', 'editingAt', 'editStep', 'resetAt')
  call('XADD', K.outcomes, '*', 'r', r.id, 'c', 0, 't', '', 'g', 0, 'p', '', 'x', '')
end

if h[2] ~= '2' then
  if ARGV[3] ~= r.editing and tonumber(ARGV[1]) - tonumber(h[1]) < tonumber(ARGV[2]) then return 'frozen' end
  go_on()
  return 'thawed'
end

-- What a task was besides its final states: one whose attempt goes on, one that had not started, one that
-- the run has no more.
local STARTED, UNSTARTED, REMOVED = 10, 11, 12
local at = tonumber(h[3] or 0)
local block = call('GETRANGE', K.resets, at * 4, (at + tonumber(ARGV[4])) * 4 - 1)
local n = #block / 4
local words = unpack_ids(block, 1, n)
local all, ended, codes, k = {}, {}, {}, 0
local open, were, m = {}, {}, 0
local gone = {}
for i = 1, n do
  local id, code = words[i] % 16777216, floor(words[i] / 16777216)
  all[i] = id
  if code == REMOVED then
    gone[#gone + 1] = id
  elseif code == SUCCEEDED or code == FAILED or code == CANCELLED then
    k = k + 1
    ended[k], codes[k] = id, code
  else
    m = m + 1
    open[m], were[m] = id, code
  end
  if code == DELAYED or code == REMOVED then call('ZREM', K.times, 'retry:' .. r.id .. ':' .. id) end
end
keep_attempts(ended, codes, k)

-- An attempt that goes on has its number for itself: the next one is another.
local tries, numbers, bases = last_tries(open, m), {}, {}
for i = 1, m do
  local next_attempt = tries[i] or 1
  if were[i] == STARTED then
    next_attempt = min(next_attempt, MOST_ATTEMPTS - 1) + 1
    numbers[#numbers + 1], numbers[#numbers + 2] = open[i], next_attempt
  end
  if next_attempt > 1 then bases[#bases + 1], bases[#bases + 2] = open[i], next_attempt - 1 end
end
set_fields(K.tries, numbers)
set_fields(K.bases, bases)
add_total('tries', #numbers / 2)
delete_fields(K.tries, gone)
delete_fields(K.bases, gone)
delete_fields(K.outputs, all)
delete_fields(K.deaths, all)

at = at + n
local is_done = at * 4 >= call('STRLEN', K.resets)
call('HSET', K.meta, 'resetAt', at)
save_run()
if not is_done then return 'paging' end
call('DEL', K.resets)
go_on()
return 'done'
