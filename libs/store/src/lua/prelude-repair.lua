-- Repairs are made from what was read before. `repairs` of the run's record counts them: one that was
-- computed before another was made is refused, and so is one that is sent again, and any of a run that is being edited.
local function begin_repair(seen)
  local r = call('HMGET', K.meta, 'state', 'repairs', 'editing')
  if not r[1] or r[3] or tonumber(r[2] or 0) ~= tonumber(seen) then return nil end
  return call('HINCRBY', K.meta, 'repairs', 1)
end
