-- Gives a delivery to the worker whose BullMQ job started it, under that worker's token.
--
-- KEYS[1] meta         hash    the run's own record
-- KEYS[2] state        string  1 byte a node
-- KEYS[3] counts       hash    per group and state
-- KEYS[4] groupIndex   string  8 bytes a group
-- KEYS[5] deliveries   hash    carrier -> packed delivery
-- KEYS[6] deaths       hash    id -> workers that died under it
-- KEYS[7] outbox       zset    carriers that are not in BullMQ yet
-- KEYS[8] backlog      list    accepted ends whose children are not all visited
-- KEYS[9] failures     hash    id.attempt -> record
-- KEYS[10] outputs     hash    id -> JSON
-- KEYS[11] demand      hash    queue -> runs of the shard that want slots
-- KEYS[12] events      stream  the feed: numbered events
-- KEYS[13] paused      hash    classes and tasks that are paused
-- KEYS[14…] ready      list    one list a queue
-- ARGV[1] carrier
-- ARGV[2] attemptsStarted of the job
-- ARGV[3] token, 8 random bytes
-- ARGV[4] deaths after which a task is poison
-- ARGV[5] failure record of a poisoned task
-- ARGV[6] now in ms
--
-- Returns { packed delivery, 1 where the run has outputs, its shape, 1 where tasks of it were cancelled or are paused };
-- else one word: gone, late, cancelled, split (open tasks come back one by one), poison, parked or paused (open tasks
-- are ready again), editing (ask again). After cancelled, split, poison and parked, and where the 1 says so, the run
-- needs a settling turn.
local r = record()
local carrier, started, token = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local packed = call('HGET', K.deliveries, carrier)
if not packed then return 'gone' end
local d = read_delivery(packed)
local has_outputs = call('EXISTS', K.outputs)
if d.token == token then return { packed, has_outputs, r.shape or 0, 0 } end
if started <= d.attempts_started then return 'late' end

-- Asked again in a moment: the delivery may have other tasks then, or none.
if r.editing then return 'editing' end
if r.halt then
  cancel_delivery(carrier, d)
  save_run()
  return 'cancelled'
end

local left, dropped = drop_cancelled(d)
save_told(ARGV[6])
if dropped > 0 and left == 0 then
  close_delivery(carrier, d)
  save_run()
  return 'cancelled'
end

local answer
-- One that was reserved may have been started without a claim; the first start of its job was not.
local reserved = d.starts == 0 and d.token ~= NO_TOKEN
if d.starts > 0 or (reserved and started > 1) then
  -- Whoever started it before is dead, or lost its lease.
  local ids, count, places = open_ids(d)
  local limit = tonumber(ARGV[4])
  for i = 1, count do
    local deaths = call('HINCRBY', K.deaths, ids[i], 1)
    if count > 1 then
      push_ready(d.group, bor(SINGLE, deaths >= limit - 1 and ISOLATED or 0), { ids[i] }, 1, true)
      answer = 'split'
    elseif deaths >= limit then
      write_states(ids, { char(FAILED) }, 1)
      call('HSET', K.failures, ids[1] .. '.' .. byte(d.attempts, places[1] + 1), ARGV[5])
      count_ends(d.group, FAILED, 1)
      push_backlog(ids, { char(FAILED) }, 1)
      tell_tasks(ids, { char(FAILED) }, sub(d.attempts, places[1] + 1, places[1] + 1), 1)
      answer = 'poison'
    elseif deaths >= limit - 1 then
      d.flags = bor(d.flags, ISOLATED)
    end
  end
  if answer then
    add_total('open', -count)
    close_delivery(carrier, d)
    save_told(ARGV[6])
    save_run()
    return answer
  end
end

local paused
left, paused = return_paused(d)
if paused > 0 and left == 0 then
  close_delivery(carrier, d)
  save_run()
  return r.pausedAt and 'paused' or 'parked'
end
if dropped + paused > 0 then save_run() end

d.token = token
d.attempts_started = started
d.starts = d.starts + 1
packed = pack_delivery(d)
call('HSET', K.deliveries, carrier, packed)
call('ZREM', K.outbox, carrier)
return { packed, has_outputs, r.shape or 0, dropped + paused > 0 and 1 or 0 }
