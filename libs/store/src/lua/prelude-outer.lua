-- Edges from nodes of a run to generated tasks.

-- Ends whose children, those of new edges among them, are still to be visited.
local function still_to_visit()
  local ids = {}
  for at = 0, call('LLEN', K.backlog) - 1, 64 do
    for _, entry in ipairs(call('LRANGE', K.backlog, at, at + 63)) do
      local index, n = u32(entry, 1), u32(entry, 9)
      local list = unpack_ids(entry, 13 + index * 4, n - index)
      for i = 1, #list do ids[list[i]] = true end
    end
  end
  return ids
end

-- Whether the end of one of these nodes is still to be visited: an end barrier that is set back in this call
-- would be counted down by it.
local function are_to_visit(ids)
  if call('EXISTS', K.backlog) == 0 then return false end
  local waiting = still_to_visit()
  for _, id in ipairs(ids) do
    if waiting[id] then return true end
  end
  return false
end

-- Adds edges to what came later of each parent: 8 bytes each, from byte `at` of the packed list, ascending
-- by parent. Those of parents whose children were visited already are seen at once.
local function add_parents_of_run(packed, at)
  local count = (#packed - at + 1) / 8
  if count == 0 then return end
  local numbers = unpack_ids(packed, at, count * 2)
  local parents, edges = {}, {}
  for i = 1, count do parents[i], edges[i] = numbers[i * 2 - 1], numbers[i * 2] end
  local nodes, later, k = {}, {}, 0
  for i = 1, count do
    if parents[i] ~= nodes[k] then
      k = k + 1
      nodes[k], later[k] = parents[i], {}
    end
    later[k][#later[k] + 1] = pack_u32(edges[i])
  end
  for i = 1, k, CHUNK do
    local j = min(k, i + CHUNK - 1)
    local had, sets = call('HMGET', K.moreChildren, unpack(nodes, i, j)), {}
    for x = i, j do
      sets[#sets + 1] = nodes[x]
      sets[#sets + 1] = (had[x - i + 1] or '') .. table.concat(later[x])
    end
    for x = 1, #sets, CHUNK do call('HSET', K.moreChildren, unpack(sets, x, min(#sets, x + CHUNK - 1))) end
  end
  local waiting, codes = still_to_visit(), codes_of_parents(parents, count)
  see_nothing()
  for i = 1, count do
    local code = codes[i]
    if code >= SUCCEEDED and code <= CANCELLED and not waiting[parents[i]] then
      see(edges[i] % 16777216, floor(edges[i] / 16777216), code)
    end
  end
  lower_children()
  add_ends(release_decided())
end
