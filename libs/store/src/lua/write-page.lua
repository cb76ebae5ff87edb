-- Writes one page of a run that is being submitted; refused when a janitor removed it meanwhile.
--
-- KEYS[1] meta        hash    the run's own record
-- KEYS[2] submitting  zset    runs of the shard that are not sealed
-- KEYS[3] target      string  or hash, list, stream, by ARGV[3]
-- ARGV[1] token of this submission
-- ARGV[2] now in ms
-- ARGV[3] 's' writes bytes at offset ARGV[4]; 'h' sets fields of a hash; 'l' puts entries to a list of ARGV[4];
--         'e' adds an entry to a stream
-- ARGV[4…] offset and bytes; or field, value, …; or length and entries; or id, field, value, …
--
-- Returns 1; 0 where the submission is gone.
if redis.call('HGET', KEYS[1], 'submitToken') ~= ARGV[1] then return 0 end
redis.call('ZADD', KEYS[2], 'XX', ARGV[2], redis.call('HGET', KEYS[1], 'id'))
if ARGV[3] == 's' then
  redis.call('SETRANGE', KEYS[3], ARGV[4], ARGV[5])
elseif ARGV[3] == 'e' then
  -- Sent again: there is such an entry, or a later one.
  redis.pcall('XADD', KEYS[3], unpack(ARGV, 4))
elseif ARGV[3] == 'l' then
  -- Of another length, the list has them.
  if redis.call('LLEN', KEYS[3]) == tonumber(ARGV[4]) then redis.call('RPUSH', KEYS[3], unpack(ARGV, 5)) end
else
  redis.call('HSET', KEYS[3], unpack(ARGV, 4))
end
return 1
