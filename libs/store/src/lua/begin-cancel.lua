-- Begins to cancel tasks of a run that goes on: keeps which they are, and nudges the listener, which goes
-- through them page by page.
--
-- KEYS[1] meta      hash    the run's own record
-- KEYS[2] cancel    string  u32 an id
-- KEYS[3] cancels   list    JSON: when, by whom and of what tasks were cancelled
-- KEYS[4] outcomes  stream  what listeners settle
-- KEYS[5] events    stream  the feed: numbered events
-- ARGV[1] token of this cancel
-- ARGV[2] when the run that was read was created, in ms
-- ARGV[3] now in ms
-- ARGV[4] ids, ascending
-- ARGV[5] what the feed tells of it
-- ARGV[6] what is kept of it
-- ARGV[7] cancels that are kept, the newest
--
-- Returns one word: begun; else editing, retrying or changing (another change is under way), halting or the state of a
-- run of which nothing can be cancelled; nil where that run is gone.
local fields = { 'state', 'created', 'halt', 'retry', 'cancel', 'cancelToken', 'id', 'editing' }
local h = redis.call('HMGET', KEYS[1], unpack(fields))
local state, id = h[1], h[7]
if not state or h[2] ~= ARGV[2] then return false end
-- Sent again.
if h[6] == ARGV[1] then return 'begun' end
if state ~= 'running' then return state end
if h[8] then return 'editing' end
if h[3] then return 'halting' end
if tonumber(h[4] or 0) > 0 then return 'retrying' end
if tonumber(h[5] or 0) > 0 then return 'changing' end

redis.call('SET', KEYS[2], ARGV[4])
redis.call('HSET', KEYS[1], 'cancelToken', ARGV[1], 'cancel', 1, 'cancelAt', 0, 'cancelList', 0)
redis.call('LPUSH', KEYS[3], ARGV[6])
redis.call('LTRIM', KEYS[3], 0, ARGV[7] - 1)
-- What the doctor computed before must not be mended after.
redis.call('HINCRBY', KEYS[1], 'repairs', 1)
local number = redis.call('HINCRBY', KEYS[1], 'events', 1)
redis.pcall('XADD', KEYS[5], '0-' .. number, 'k', 'part-cancelled', 't', ARGV[3], 'p', ARGV[5])
redis.call('XADD', KEYS[4], '*', 'r', id, 'c', 0, 't', '', 'g', 0, 'p', '', 'x', '')
return 'begun'
