-- A turn of a run: accepts outcomes, visits children of what has ended within a budget, and cuts what
-- is ready into deliveries. Whoever brings the last outcomes of a delivery can have deliveries
-- reserved in the same call. What the budget did not reach stays in the backlog with its cursor.
-- Sent again, outcomes count as duplicates and the next bounded step of the same work is done.
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
-- KEYS[13] attempts     string  12 bytes a node
-- KEYS[14] failures     hash    id.attempt -> record
-- KEYS[15] outputs      hash    id -> JSON
-- KEYS[16] times        zset    what waits for a time in this shard
-- KEYS[17] active       zset    runs of the shard that have not ended
-- KEYS[18] ended        zset    runs of the shard that ended
-- KEYS[19] demand       hash    queue -> runs of the shard that want slots
-- KEYS[20] events       stream  the feed: numbered events
-- KEYS[21] paused       hash    classes and tasks that are paused
-- KEYS[22] parked       list    ready tasks that are paused
-- KEYS[23] moreChildren hash    node -> packed edges that came later
-- KEYS[24] retiring     list    ranges of generated sets that were replaced
-- KEYS[25] stash        list    outcomes that came while the run was frozen
-- KEYS[26] retry        string  u32 an id
-- KEYS[27] cancel       string  u32 an id
-- KEYS[28…] ready       list    one list a queue
-- ARGV[1] now in ms
-- ARGV[2] budget in edges
-- ARGV[3] 1: tell of the whole outbox; 0: of what this call cut
-- ARGV[4] token of reserved deliveries, 8 random bytes
-- ARGV[5] queues that shares are given for
-- ARGV[6…] window, slots and deliveries to reserve, of each of them
-- then carrier, token, outcomes of 16 bytes, extras, due times of retries as doubles; per entry
--
-- Returns { state or editing, finished nodes, entries of the backlog and 1 where more can be cut, outbox, accepted,
-- duplicates, reserved (carrier, packed delivery, …), 1 where the run has outputs, its shape }; nil where
-- the run is gone.
local r = record()
if not r.state then return false end
local halted = r.halt
local now, at = tonumber(ARGV[1]), 6
local shares = {}
for i = 1, tonumber(ARGV[5]) * 3 do
  shares[i] = tonumber(ARGV[at])
  at = at + 1
end

-- Of a frozen run nothing moves; what came is kept until it goes on.
if r.editing then
  for i = at, #ARGV, 5 do stash(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]) end
  return { 'editing', r.fin or 0, 0, '', 0, 0, {}, 0, r.shape or 0 }
end

open_backlog()
local stashed = call('EXISTS', K.stash)
if at <= #ARGV or stashed > 0 then
  if stashed > 0 then stashed = settle_stash(r.id) end
  for i = at, #ARGV, 5 do settle(r.id, ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]) end
  add_ends(save_accepted())
end
if r.halt then
  -- A stop that this call decided may end the run at once.
  drop_changes()
  if backlog.stored > 0 then call('DEL', K.backlog) end
  backlog = { stored = 0, fresh = {}, at = 1 }
end
-- While a retry holds tasks, or counts parents of one, no end is visited; nor while a cancel marks what it selected.
if r.retry ~= 1 and r.cancel ~= 1 and (r.retryEdge or 0) == 0 then advance(tonumber(ARGV[2])) end
local left = save_backlog() + retire_page()
local more = cut(now, shares, ARGV[4])
save_told(now)
if r.halt ~= halted then add_events('halting', now, r.halt, 1) end
local state = conclude(now, left + stashed)
save_run()
local told = ARGV[3] == '1' and read_outbox() or table.concat(made.told)
local has_outputs = #made.reserved > 0 and call('EXISTS', K.outputs) or 0
return { state, r.fin or 0, left + stashed + (more and 1 or 0), told, accepted.n, accepted.duplicates, made.reserved, has_outputs, r.shape or 0 }
