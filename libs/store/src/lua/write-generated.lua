-- Writes a page of generated tasks behind the last node of their run, where nobody looks before append-tasks.
-- The first page takes the run's lock for that, each one renews it: sets are added one at a time. A page that
-- is sent again writes the same.
--
-- KEYS[1] meta            hash    the run's own record
-- KEYS[2] state           string  1 byte a node
-- KEYS[3] waiting         string  u32 a node
-- KEYS[4] parentOffsets   string  u32 a node and one more
-- KEYS[5] parents         string  packed edges
-- KEYS[6] childOffsets    string  u32 a node and one more
-- KEYS[7] children        string  packed edges
-- KEYS[8] payload         hash    deflated payloads
-- KEYS[9] names           string  u16 a node
-- KEYS[10] deliveries     hash    carrier -> packed delivery
-- ARGV[1] carrier
-- ARGV[2] token of the claim
-- ARGV[3] the generator's number
-- ARGV[4] its attempt
-- ARGV[5] shape of the run that the page was made for
-- ARGV[6…] name of a key, 's' or 'h', offset or field, bytes
--
-- Returns one word: written; gone, moved, busy, retrying, halting as of append-tasks.
local refused = may_write(ARGV)
if refused then return refused end
hold_append(ARGV[2])
for at = 6, #ARGV, 4 do write_part(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]) end
return 'written'
