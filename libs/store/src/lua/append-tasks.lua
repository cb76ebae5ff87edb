-- Makes the tasks that an attempt of a generator generated part of its run, all at once. What does not fit one
-- call was written by write-generated behind the run's last node, where nobody looks; the rest comes here.
-- Their start barrier waits for the generator, whose outcome is not accepted yet: nothing of them starts
-- before. Its end barriers wait for them from now on. Of parents that stand in the run already, those whose
-- children were visited are counted at once; to others the new edges belong like their own.
--
-- KEYS[1] meta             hash    the run's own record
-- KEYS[2] state            string  1 byte a node
-- KEYS[3] waiting          string  u32 a node
-- KEYS[4] parentOffsets    string  u32 a node and one more
-- KEYS[5] parents          string  packed edges
-- KEYS[6] childOffsets     string  u32 a node and one more
-- KEYS[7] children         string  packed edges
-- KEYS[8] counts           hash    per group and state
-- KEYS[9] groups           hash    deflated groups
-- KEYS[10] groupIndex      string  8 bytes a group
-- KEYS[11] groupRanges     string  first id, group
-- KEYS[12] payload         hash    deflated payloads
-- KEYS[13] names           string  u16 a node
-- KEYS[14] deliveries      hash    carrier -> packed delivery
-- KEYS[15] backlog         list    accepted ends whose children are not all visited
-- KEYS[16] generated       hash    generator -> JSON of its set
-- KEYS[17] moreChildren    hash    node -> packed edges
-- KEYS[18] moreParents     hash    node -> packed edges
-- KEYS[19] retiring        list    ranges of sets that were replaced
-- KEYS[20] active          zset    runs of the shard that have not ended
-- KEYS[21] ended           zset    runs of the shard that ended
-- KEYS[22] demand          hash    queue -> runs of the shard that want slots
-- KEYS[23] outcomes        stream  what listeners settle
-- KEYS[24] events          stream  the feed: numbered events
-- KEYS[25…] ready          list    one list a queue
-- ARGV[1] carrier
-- ARGV[2] token of the claim
-- ARGV[3] the generator's number
-- ARGV[4] its attempt
-- ARGV[5] shape of the run that the rest was made for
-- ARGV[6] JSON: the set's record, the run's fields, padding, what is retired at once,
-- whose results are reused
-- ARGV[7] edges from nodes of the run: parent u32, packed edge u32; the start barrier's first, others ascending
-- ARGV[8] edges into end barriers of the generator: barrier u32, packed edge u32
-- ARGV[9] ranges of what the set replaces: from u32, to u32
-- ARGV[10…] name of a key, 's' or 'h', offset or field, bytes
--
-- Returns one word: done; gone (the delivery is another's), moved (the run has another shape), busy (another
-- set is on its way, tasks are being cancelled, the run is frozen for an edit, or an end of the replaced set is still
-- to be visited), retrying, halting, retired (the generator itself was replaced).
local r = record()
if not r.state then return 'gone' end
local generator, attempt = ARGV[3], tonumber(ARGV[4])
local known = call('HGET', K.generated, generator)
if known and cjson.decode(known).attempt == attempt then return 'done' end
if r.halt then return 'halting' end
if (r.retry or 0) > 0 then return 'retrying' end
if r.editing or (r.cancel or 0) > 0 then return 'busy' end
if not holds_delivery(ARGV[1], ARGV[2], tonumber(generator), attempt) then return 'gone' end
if not may_append(ARGV[2]) then return 'busy' end
-- What its set would join is on its way out; its record may be that of the new set already.
if is_replaced(tonumber(generator)) then return 'retired' end
if (r.shape or 0) ~= tonumber(ARGV[5]) then return 'moved' end
local plan = cjson.decode(ARGV[6])
-- Tasks were brought back since what is reused was looked at.
if plan.reused > 0 and (call('HGET', K.meta, 'retryToken') or '') ~= plan.retryToken then return 'moved' end
-- Results of another set, whose worker died: they are wiped first.
if call('HEXISTS', K.meta, 'spill') == 1 and call('HGET', K.meta, 'appendToken') ~= ARGV[2] then return 'moved' end
if #ARGV[9] > 0 and ((r.retiring or 0) > 0 or are_to_visit(plan.retired)) then return 'busy' end

for at = 10, #ARGV, 4 do write_part(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]) end

-- The set that an earlier attempt generated.
for _, nested in ipairs(plan.replaced) do call('HDEL', K.generated, nested) end
retire_nodes(plan.retired, #plan.retired)
for at = 1, #ARGV[9], 8 do
  call('RPUSH', K.retiring, sub(ARGV[9], at, at + 7) .. sub(ARGV[9], at, at + 3) .. pack_u32(0))
  add_total('retiring', 1)
end
if #ARGV[9] > 0 then call('HDEL', K.meta, 'retireWait') end
if #plan.detached > 0 then call('HDEL', K.moreChildren, unpack(plan.detached)) end

call('HSET', K.generated, generator, plan.record)
for field, value in pairs(plan.fields) do call('HSET', K.meta, field, value) end
call('HINCRBY', K.meta, 'barriers', plan.barriers)
call('HDEL', K.meta, 'appendToken', 'appendAt', 'spill')
set_field('n', plan.nodes)
set_field('shape', (r.shape or 0) + 1)
set_field('more', max(r.more or 0, plan.reused > 0 and MORE_REUSES or 1))
add_total('fin', plan.padding)

-- The generator has not ended, so each of its end barriers waits for it and for the set. One that the first
-- success decides may have ended by a set that is replaced now: it has released what it releases.
for at = 1, #ARGV[8], 8 do
  local barrier, edge = u32(ARGV[8], at), u32(ARGV[8], at + 4)
  call('HSET', K.moreParents, barrier, pack_u32(edge))
  -- Beside the children that it has in the set, so that a retry of the generator can take it away.
  call('HSET', K.moreChildren, edge % 16777216, pack_u32(edge - edge % 16777216 + barrier))
  local flags = byte(call('GETRANGE', K.waiting, barrier * 4, barrier * 4))
  call('SETRANGE', K.waiting, barrier * 4, char(flags >= RELEASED and flags or 0) .. '\0\0\2')
end

call('HSET', K.moreChildren, generator, sub(ARGV[7], 5, 8))
open_backlog()
add_parents_of_run(ARGV[7], 9)
save_backlog()
call('XADD', K.outcomes, '*', 'r', r.id, 'c', 0, 't', '', 'g', 0, 'p', '', 'x', '')
save_run()
return 'done'
