import type { Redis } from 'ioredis';

type Value = string | number;
type Script = (keys: readonly string[], args: readonly Value[]) => Promise<unknown>;

/** Each script is one step for everyone: Redis runs nothing else meanwhile, and its own clock is the only one that counts. */
export interface Scripts {
  /** Puts a process at the head of a run. Where the server lost its data, what is in flight has to tell so first. */
  readonly begin: Script;
  /** Keeps a run alive. 'ok' and the workers, 'foreign' where another process leads it, 'lost' where the server forgot it. */
  readonly beat: Script;
  readonly end: Script;
  /** What is to be done with a call: 'go', 'answered' or 'dropped'. */
  readonly take: Script;
  /** Keeps the first answer to a call. */
  readonly answer: Script;
  /** A lease: 0, or milliseconds until one may be had. */
  readonly acquire: Script;
  readonly renew: Script;
  readonly release: Script;
  /** A worker tells that it lives; what runs there are. */
  readonly tick: Script;
}

const now = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end`;

const begin = `${now}
-- KEYS run, runs, server, answers ARGV session, version, providers, ttlMs, runId, isAgain, serverId, keepMs
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'session', ARGV[1], 'version', ARGV[2], 'providers', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[4], ARGV[8])
redis.call('ZADD', KEYS[2], now() + ARGV[4], ARGV[5])
if redis.call('EXISTS', KEYS[3]) == 0 then
  redis.call('HSET', KEYS[3], 'id', ARGV[7], 'since', ARGV[6] == '1' and now() or 0)
end
return redis.call('HGETALL', KEYS[4])`;

const beat = `${now}
-- KEYS run, runs, workers, answers, inbox ARGV session, ttlMs, runId, keepMs
local session = redis.call('HGET', KEYS[1], 'session')
if not session then return { 'lost' } end
if session ~= ARGV[1] then return { 'foreign' } end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], now() + ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[4], ARGV[4])
redis.call('PEXPIRE', KEYS[5], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now())
return { 'ok', unpack(redis.call('ZRANGE', KEYS[3], 0, -1)) }`;

const end = `
-- KEYS run, runs, answers, inbox ARGV session, runId, keepMs
if redis.call('HGET', KEYS[1], 'session') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'state', 'ended')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[3], KEYS[4])
return 1`;

const take = `
-- KEYS run, answers ARGV call, inboxPrefix, keepMs
local run = redis.call('HMGET', KEYS[1], 'session', 'state')
if not run[1] or run[2] == 'ended' then return 'dropped' end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then
  redis.call('RPUSH', ARGV[2] .. run[1], ARGV[1])
  redis.call('PEXPIRE', ARGV[2] .. run[1], ARGV[3])
  return 'answered'
end
return 'go'`;

const answer = `
-- KEYS run, answers ARGV call, answer, inboxPrefix, keepMs
local run = redis.call('HMGET', KEYS[1], 'session', 'state')
if run[2] == 'ended' then return 0 end
local isFirst = redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
-- Of a run whose process has died it waits for the next one.
if run[1] then
  redis.call('RPUSH', ARGV[3] .. run[1], ARGV[1])
  redis.call('PEXPIRE', ARGV[3] .. run[1], ARGV[4])
end
return isFirst`;

const minute = `
-- What was used in the last minute: whole seconds, the one that is about to leave included.
local function used(key, at)
  local sum, oldest = 0, nil
  local sums = redis.call('HGETALL', key)
  for i = 1, #sums, 2 do
    local second = tonumber(sums[i])
    if second < at - 60 then
      redis.call('HDEL', key, sums[i])
    else
      sum = sum + tonumber(sums[i + 1])
      if tonumber(sums[i + 1]) > 0 and (not oldest or second < oldest) then oldest = second end
    end
  end
  return sum, oldest
end`;

const acquire = `${now}${minute}
-- KEYS leases, requests, tokens, accountRequests, accountTokens, server, workers, seen
-- ARGV member, leaseMs, serverId, concurrency, rpm, tpm, accountRpm, accountTpm, tokens (limits: '' where there is none)
local at = now()
local stored = redis.call('HMGET', KEYS[6], 'id', 'since')
-- The server was emptied: its run says when it goes on.
if not stored[1] then return 200 end
if stored[1] ~= ARGV[3] then
  redis.call('HSET', KEYS[6], 'id', ARGV[3], 'since', at)
  stored[2] = at
end
-- After a restart the last of what was in flight may be missing, until each worker was heard of or counts as dead.
if at < tonumber(stored[2]) + ARGV[2] then
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[7], at, '+inf')) do
    if redis.call('HGET', KEYS[8], worker) ~= ARGV[3] then return 100 end
  end
  if #redis.call('ZRANGEBYSCORE', KEYS[7], at, '+inf') == 0 then return 100 end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', at)
if ARGV[4] ~= '' and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 50 end
local second = math.floor(at / 1000)
local waitMs = 0
local function check(key, limit, amount)
  if limit == '' then return end
  local sum, oldest = used(key, second)
  -- An amount that never fits goes alone.
  if sum > 0 and sum + amount > tonumber(limit) then
    waitMs = math.max(waitMs, 10, math.min(1000, (oldest + 61) * 1000 - at))
  end
end
check(KEYS[2], ARGV[5], 1)
check(KEYS[3], ARGV[6], tonumber(ARGV[9]))
check(KEYS[4], ARGV[7], 1)
check(KEYS[5], ARGV[8], tonumber(ARGV[9]))
if waitMs > 0 then return waitMs end
redis.call('ZADD', KEYS[1], at + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 2)
local function spend(key, limit, amount)
  if limit == '' then return end
  redis.call('HINCRBY', key, second, amount)
  redis.call('PEXPIRE', key, 120000)
end
spend(KEYS[2], ARGV[5], 1)
spend(KEYS[3], ARGV[6], ARGV[9])
spend(KEYS[4], ARGV[7], 1)
spend(KEYS[5], ARGV[8], ARGV[9])
return -second`;

const renew = `${now}
-- KEYS leases ARGV leaseMs, members
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now() + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1] * 2)
return 1`;

const release = `${now}
-- KEYS leases, tokens, accountTokens ARGV member, second, difference
redis.call('ZREM', KEYS[1], ARGV[1])
if tonumber(ARGV[3]) ~= 0 and tonumber(ARGV[2]) >= math.floor(now() / 1000) - 60 then
  for i = 2, 3 do
    if redis.call('HEXISTS', KEYS[i], ARGV[2]) == 1 then redis.call('HINCRBY', KEYS[i], ARGV[2], ARGV[3]) end
  end
end
return 1`;

const tick = `${now}
-- KEYS server, runs, workers, seen ARGV worker, leaseMs, serverId, runPrefix
local at = now()
local stored = redis.call('HGET', KEYS[1], 'id')
if stored and stored ~= ARGV[3] then redis.call('HSET', KEYS[1], 'id', ARGV[3], 'since', at) end
redis.call('ZADD', KEYS[3], at + ARGV[2], ARGV[1])
redis.call('HSET', KEYS[4], ARGV[1], ARGV[3])
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', at)) do redis.call('HDEL', KEYS[4], worker) end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', at)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', at)
local found = {}
for _, runId in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  local run = redis.call('HMGET', ARGV[4] .. runId, 'version', 'providers')
  if run[1] then
    found[#found + 1] = runId
    found[#found + 1] = run[1]
    found[#found + 1] = run[2]
  end
end
return found`;

const sources = { begin, beat, end, take, answer, acquire, renew, release, tick } as const;

export function loadScripts(client: Redis): Scripts {
  const load = (name: string, lua: string): Script => {
    const command = `llmcheck${name}`;
    client.defineCommand(command, { lua });
    const commands = client as unknown as Readonly<Record<string, (...args: Value[]) => Promise<unknown>>>;
    return (found, args) => commands[command]?.(found.length, ...found, ...args) ?? Promise.reject(new Error(command));
  };
  return {
    begin: load('begin', sources.begin),
    beat: load('beat', sources.beat),
    end: load('end', sources.end),
    take: load('take', sources.take),
    answer: load('answer', sources.answer),
    acquire: load('acquire', sources.acquire),
    renew: load('renew', sources.renew),
    release: load('release', sources.release),
    tick: load('tick', sources.tick),
  };
}
