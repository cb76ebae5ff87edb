-- Cuts ready ids into deliveries within the windows, and tells what is not in BullMQ yet.
--
-- KEYS[1] meta         hash    the run's own record
-- KEYS[2] counts       hash    per group and state
-- KEYS[3] groupIndex   string  8 bytes a group
-- KEYS[4] deliveries   hash    carrier -> packed delivery
-- KEYS[5] outbox       zset    carriers that are not in BullMQ yet
-- KEYS[6] backlog      list    accepted ends whose children are not all visited
-- KEYS[7] tries        hash    attempt number where it is above 1
-- KEYS[8] active       zset    runs of the shard that have not ended
-- KEYS[9] ended        zset    runs of the shard that ended
-- KEYS[10] demand      hash    queue -> runs of the shard that want slots
-- KEYS[11…] ready      list    one list a queue
-- ARGV[1] now in ms
-- ARGV[2…] window and slots of each queue
--
-- Returns { state, finished nodes, length of the backlog, unmoved outbox }; nil where the run is gone.
if call('EXISTS', K.meta) == 0 then return false end
local now = tonumber(ARGV[1])
local shares = {}
for i = 2, #ARGV do shares[i - 1] = tonumber(ARGV[i]) end
cut(now, shares)
save_run()
local state = conclude(now)
return { state, tonumber(call('HGET', K.meta, 'fin') or 0), call('LLEN', K.backlog), read_outbox() }
