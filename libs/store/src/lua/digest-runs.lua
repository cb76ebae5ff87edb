-- Says in some bytes which runs a shard has and when they ended, so that who knows them need not read them again.
--
-- KEYS[1] runs   zset  sealed runs of the shard by time
-- KEYS[2] ended  zset  runs of the shard by their end
-- ARGV[1] most runs: with more it takes too long
--
-- Returns the digest, 16 bytes or fewer; nil where the shard has more runs.
if redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[1]) then return false end

-- The CRC-64 that DUMP ends with (https://redis.io/docs/latest/commands/dump/). It goes over scores as they are in
-- memory, in a fraction of the time in which ZRANGE makes texts of them.
local function sum_of(key)
  local dump = redis.call('DUMP', key)
  return dump and dump:sub(-8) or ''
end
return sum_of(KEYS[1]) .. sum_of(KEYS[2])
