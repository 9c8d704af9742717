import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import type { CompletionRequest } from '../../src/model/run/completion.ts';
import { connectRedis, openPresence, type QueueModules, reconnectIfSilent } from '../../src/queue/connect-redis.ts';
import { readAnswer, readRunInfo, readTask, readWorkerInfo, toQueuedRequest } from '../../src/queue/messages.ts';

interface Server {
  readonly info?: string;
  /** What the connection ends with. */
  readonly refusal?: Error;
  /** What the client tells before. */
  readonly error?: string;
}

/** Connects to a server that says this of itself. */
async function connect(server: Server) {
  const options: { retryStrategy?: (times: number) => number }[] = [];
  const disconnected: boolean[] = [];
  class Client extends EventEmitter {
    constructor(given: object) {
      super();
      options.push(given);
    }
    connect() {
      if (server.error !== undefined) this.emit('error', new Error(server.error));
      return server.refusal === undefined ? Promise.resolve() : Promise.reject(server.refusal);
    }
    info() {
      return Promise.resolve(server.info ?? '');
    }
    disconnect() {
      disconnected.push(true);
    }
  }
  const modules = { redis: { Redis: Client } } as unknown as QueueModules;
  const found = await connectRedis(modules, { url: new URL('redis://h:7/2'), password: 'p' });
  return { found: typeof found === 'string' ? found : 'connected', options: options[0], disconnected };
}

const info = (version: string, policy?: string) =>
  `redis_version:${version}\r\n${policy === undefined ? '' : `maxmemory_policy:${policy}\r\n`}`;

test.each<[server: Server, found: string]>([
  [{ info: info('6.2.0', 'noeviction') }, 'connected'],
  [{ info: info('7.0.1') }, 'connected'],
  [{ info: info('6.1.9') }, 'Redis 6.2 or later is needed, there is 6.1'],
  [{ info: info('5.12.0') }, 'Redis 6.2 or later is needed, there is 5.12'],
  [{}, 'Redis 6.2 or later is needed, there is one without a version'],
  [
    { info: info('7.0.1', 'allkeys-lru') },
    'its maxmemory-policy is allkeys-lru, with which it forgets calls; it must be noeviction',
  ],
  [{ refusal: new Error('closed') }, 'closed'],
  [{ refusal: new Error('closed'), error: 'wrong password' }, 'wrong password'],
  [{ info: info('7.0.1'), error: 'ERR DB index is out of range' }, 'ERR DB index is out of range'],
  [{ refusal: new Error('') }, 'no connection'],
])('a server that is %j is taken or refused with its reason', async (server, found) => {
  const connected = await connect(server);
  expect(connected.found).toBe(found);
  expect(connected.disconnected).toHaveLength(found === 'connected' ? 0 : 1);
});

test('a client reconnects ever later, for as long as it takes', async () => {
  const { options } = await connect({ info: info('7.0.0') });
  const { retryStrategy, ...others } = options ?? {};
  expect(others).toEqual({
    host: 'h',
    port: 7,
    db: 2,
    password: 'p',
    lazyConnect: true,
    connectTimeout: 5000,
    maxRetriesPerRequest: null,
  });
  expect([1, 9, 10, 11].map((times) => retryStrategy?.(times))).toEqual([50, 450, 500, 500]);
});

/** As much of Redis as presence needs; `expire` lets a key go as time does. */
function openStore() {
  const sets = new Map<string, Set<string>>();
  const values = new Map<string, string>();
  const writes: unknown[][] = [];
  const setOf = (key: string) => sets.get(key) ?? sets.set(key, new Set()).get(key) ?? new Set<string>();
  const client = {
    sadd: (key: string, id: string) => Promise.resolve(setOf(key).add(id).size),
    srem: (key: string, ...ids: readonly string[]) => Promise.resolve(ids.map((id) => setOf(key).delete(id)).length),
    smembers: (key: string) => Promise.resolve([...setOf(key)]),
    set: (...args: readonly unknown[]) => {
      writes.push([...args]);
      values.set(String(args[0]), String(args[1]));
      return Promise.resolve('OK');
    },
    get: (key: string) => Promise.resolve(values.get(key) ?? null),
    mget: (keys: readonly string[]) => Promise.resolve(keys.map((key) => values.get(key) ?? null)),
    del: (key: string) => Promise.resolve(Number(values.delete(key))),
  };
  return { client: client as unknown as Redis, sets, writes, expire: (key: string) => values.delete(key) };
}

test('runs and workers are present until their keys expire', async () => {
  const { client, sets, writes, expire } = openStore();
  const workers = openPresence(client, 'workers');
  expect([await workers.list(), await workers.read('a')]).toEqual([new Map(), undefined]);
  await workers.write('a', 'one', 500);
  await workers.write('b', 'two', 500);
  expect(writes[0]).toEqual(['llmcheck:workers:a', 'one', 'PX', 500]);
  expect(await openPresence(client, 'runs').list()).toEqual(new Map());
  const both = new Map([
    ['a', 'one'],
    ['b', 'two'],
  ]);
  expect([await workers.list(), await workers.read('a')]).toEqual([both, 'one']);
  expire('llmcheck:workers:a');
  expect(await workers.list()).toEqual(new Map([['b', 'two']]));
  expect([...(sets.get('llmcheck:workers') ?? [])]).toEqual(['b']);
  await workers.remove('b');
  expect([await workers.list(), await workers.read('b')]).toEqual([new Map(), undefined]);
});

test.each([
  ['ready', [true]],
  ['connecting', []],
])('a client that is %s reconnects while a step is silent: %j', async (status, reconnects) => {
  const calls: unknown[] = [];
  let looks = 0;
  let end = (): void => undefined;
  const twice = new Promise<void>((resolve) => {
    end = resolve;
  });
  const client = {
    get status() {
      looks += 1;
      if (looks === 2) end();
      return looks === 1 ? status : 'reconnecting';
    },
    disconnect: (isKept: boolean) => calls.push(isKept),
  } as unknown as Redis;
  await reconnectIfSilent(client, 1, () => twice);
  expect(calls).toEqual(reconnects);
  await expect(reconnectIfSilent(client, 1000, () => Promise.reject(new RangeError('no')))).rejects.toThrow(RangeError);
});

const request = {
  messages: [{ role: 'user', content: 'hi' }],
  params: {},
  trial: 0,
  origin: { suite: 's', prompt: 'p', provider: 'v', caseId: 'c' },
};
const task = { runId: 'r', timeoutMs: 1, request };

test.each<[data: unknown, found: object]>([
  [task, { task }],
  [JSON.stringify(task), { task }],
  [{ ...task, more: 1 }, { fault: 'the job: Unrecognized key: "more"' }],
  [{ ...task, timeoutMs: 0 }, { fault: expect.stringMatching(/^timeoutMs: /) as string }],
  // A program would read them in the place of what the run asks.
  ...['model', 'messages', 'params', 'trial', 'vars'].map((key): [unknown, object] => [
    { ...task, request: { ...request, origin: { ...request.origin, [key]: [] } } },
    { fault: `request.origin: Unrecognized key: "${key}"` },
  ]),
  ...['model', 'adapter', 'adapterVersion', 'baseUrl'].map((key): [unknown, object] => [
    { ...task, request: { ...request, [key]: 'other' } },
    { fault: `request: Unrecognized key: "${key}"` },
  ]),
  [
    { ...task, request: { ...request, messages: [{ role: 'user', content: 'hi', files: [{ base64: '' }] }] } },
    { fault: 'request.messages.0: Unrecognized key: "files"' },
  ],
  ['{', { fault: expect.stringMatching(/^the job: /) as string }],
  [{ ...task, runId: '' }, { fault: expect.stringMatching(/^runId: /) as string }],
  [{ ...task, request: { ...request, trial: -1 } }, { fault: expect.stringMatching(/^request\.trial: /) as string }],
  [
    { ...task, request: { ...request, messages: [{ role: 'user' }] } },
    { fault: expect.stringMatching(/^request\.messages\.0\.content: /) as string },
  ],
])('the job %j is a call, or no call', (data, found) => {
  expect(readTask(data)).toEqual(found);
});

test('a job holds the members that a worker takes, and no others', () => {
  const asked = {
    ...request,
    adapter: 'openai',
    adapterVersion: '1',
    baseUrl: 'https://user:key@host',
    model: 'm',
    messages: [{ role: 'user', content: 'hi', at: 3 }],
    origin: { ...request.origin, trial: 4 },
  } as unknown as CompletionRequest;
  expect(toQueuedRequest(asked)).toEqual(request);
});

test('runs, workers and answers are read, and what is none is not', () => {
  const run = { version: '1', providers: [{ queue: 'q', label: 'l' }] };
  const worker = { version: '1', concurrency: 2, queues: ['q'] };
  expect([readRunInfo(JSON.stringify(run)), readRunInfo('ended'), readRunInfo('{}')]).toEqual([
    run,
    undefined,
    undefined,
  ]);
  expect([readWorkerInfo(JSON.stringify(worker)), readWorkerInfo('[]')]).toEqual([worker, undefined]);
  const failed = { status: 'failed', attempts: 1, failure: { kind: 'timeout', message: 'm' } };
  const answer = { isTimeUp: true, elapsedMs: 0, outcome: failed };
  expect([readAnswer(answer), readAnswer({ ...answer, elapsedMs: -1 }), readAnswer('x')]).toEqual([
    answer,
    undefined,
    undefined,
  ]);
});
