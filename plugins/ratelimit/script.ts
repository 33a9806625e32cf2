// The same two laws as scripts that Redis runs: each count of a request is looked at and counted in one go, by the clock of Redis.
import { maxEntries } from './window.ts'

/** Sets `now`, in milliseconds. */
export const CLOCK = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000`

/**
 * KEYS: one a count. ARGV: of each count its kind (w, b), most or the ms of one, ms of the span or the depth, cost, what is known to have been counted
 * at least, how many were counted elsewhere, and a time. Returns the place of the count that waits the longest (0: all were counted), its wait in
 * microseconds, the time; of each count what is used (a bucket: microseconds until it is full), of each how many are newer than its time, and of each
 * the mark by which it is taken back.
 */
const TAKE = `
local n = #KEYS
local states, used, newer, short, wait = {}, {}, {}, 0, 0
for i = 1, n do
  local at = i * 7
  local size, span, cost = tonumber(ARGV[at - 5]), tonumber(ARGV[at - 4]), tonumber(ARGV[at - 3])
  local least, others, seen = tonumber(ARGV[at - 2]), tonumber(ARGV[at - 1]), tonumber(ARGV[at])
  local packed = redis.call('GET', KEYS[i])
  local list = packed and cmsgpack.unpack(packed) or {}
  local missing = 0
  if ARGV[at - 6] == 'w' then
    local kept, total, fresh = {}, 0, 0
    for j = 1, #list, 3 do
      -- Where the clock of the server was set back, what seems to come is of now.
      local to, count = math.min(list[j + 1], now), list[j + 2]
      if to + span > now and count > 0 then
        kept[#kept + 1] = math.min(list[j], to)
        kept[#kept + 1] = to
        kept[#kept + 1] = count
        total = total + count
        if to > seen then fresh = fresh + count end
      end
    end
    local added = math.max(others, least - total)
    if added > 0 then
      kept[#kept + 1] = now
      kept[#kept + 1] = now
      kept[#kept + 1] = added
      total, fresh = total + added, fresh + added
    end
    local places, freed = total + cost - size, 0
    if places > 0 then
      missing = span
      for j = 1, #kept, 3 do
        freed = freed + kept[j + 2]
        if freed >= places then
          missing = kept[j + 1] + span - now
          break
        end
      end
    end
    states[i], used[i], newer[i] = kept, total, fresh
  else
    local left = math.min(math.max((list[1] or now) - now, least, 0), span)
    missing = left + cost * size - span
    if missing <= size / 1e6 then missing = 0 end
    states[i], used[i], newer[i] = left, left, 0
  end
  if missing > wait then
    short, wait = i, missing
  end
end
local reply = { short, math.ceil(wait * 1000), string.format('%.3f', now) }
for i = 1, n do
  local at = i * 7
  local size, span, cost = tonumber(ARGV[at - 5]), tonumber(ARGV[at - 4]), tonumber(ARGV[at - 3])
  local state, mark = states[i], ''
  if ARGV[at - 6] == 'w' then
    if short == 0 then
      local last = #state
      if last > 0 and size > ${maxEntries} and now - state[last - 2] < span / ${maxEntries - 1} then
        state[last - 1], state[last] = now, state[last] + cost
      else
        state[last + 1], state[last + 2], state[last + 3] = now, now, cost
      end
      mark = string.format('%.3f', state[#state - 2])
      used[i], newer[i] = used[i] + cost, newer[i] + cost
    end
    if #state > 0 then redis.call('SET', KEYS[i], cmsgpack.pack(state), 'PX', math.ceil(span) + 1) end
    reply[3 + i] = used[i]
  else
    if short == 0 then state = state + cost * size end
    if state > 0 then redis.call('SET', KEYS[i], cmsgpack.pack({ now + state }), 'PX', math.ceil(state) + 1) end
    reply[3 + i] = math.ceil(state * 1000)
  end
  reply[3 + n + i] = newer[i]
  reply[3 + 2 * n + i] = mark
end
return reply`

/** KEYS: windows. ARGV: of each the mark and the cost. */
const TAKE_BACK = `
for i = 1, #KEYS do
  local packed = redis.call('GET', KEYS[i])
  local list = packed and cmsgpack.unpack(packed) or {}
  local cost = tonumber(ARGV[2 * i])
  for j = 1, #list, 3 do
    if string.format('%.3f', list[j]) == ARGV[2 * i - 1] then
      local back = math.min(cost, list[j + 2])
      list[j + 2], cost = list[j + 2] - back, cost - back
    end
  end
  if packed then redis.call('SET', KEYS[i], cmsgpack.pack(list), 'KEEPTTL') end
end
return 1`

/** With a clock of the caller's own, tests hold the laws against those in memory. */
export const takeScript = (clock: string = CLOCK): string => clock + TAKE
export const takeBackScript: string = TAKE_BACK
