-- Counts a finished task at each of its children and at its run.
--
-- KEYS[1] left      hash  task -> parents that have not finished; 'all' -> tasks that have not
-- KEYS[2] children  hash  task -> its children, separated by spaces
-- ARGV[1] task
-- ARGV[2] channel on which the end of the run is told
-- ARGV[3] run
--
-- Returns the children that have no unfinished parent any more.
local ready = {}
local children = redis.call('HGET', KEYS[2], ARGV[1])
if children then
  for child in string.gmatch(children, '%S+') do
    if redis.call('HINCRBY', KEYS[1], child, -1) == 0 then
      ready[#ready + 1] = child
    end
  end
end
if redis.call('HINCRBY', KEYS[1], 'all', -1) == 0 then
  redis.call('PUBLISH', ARGV[2], ARGV[3])
end
return ready
