-- Reads some fields of a hash of a run, however large it is: about 256 KB at once.
--
-- KEYS[1] meta    hash  the run's own record
-- KEYS[2] target  hash  what is read
-- ARGV[1] cursor: 0 at first, then that of the last call
--
-- Returns { cursor, field, value, … }; the cursor is 0 at the end. A field may come twice.
local cursor, found, bytes = ARGV[1], {}, 0
repeat
  local page = redis.call('HSCAN', KEYS[2], cursor, 'COUNT', 64)
  cursor = page[1]
  for _, text in ipairs(page[2]) do
    found[#found + 1] = text
    bytes = bytes + #text
  end
until cursor == '0' or bytes >= 262144 or #found >= 1600
table.insert(found, 1, cursor)
return found
