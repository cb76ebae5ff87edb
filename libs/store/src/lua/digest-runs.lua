-- Says in some bytes which runs a shard has and when they ended, so that who knows them need not read them again.
--
-- KEYS[1] runs   zset  sealed runs of the shard by time
-- KEYS[2] ended  zset  runs of the shard by their end
-- ARGV[1] most runs: with more it takes too long
--
-- Returns the digest; empty where the shard has more runs.
if redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[1]) then return '' end
local runs = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
local ended = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
return redis.sha1hex(table.concat(runs, ' ') .. '\n' .. table.concat(ended, ' '))
