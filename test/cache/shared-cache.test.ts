import { getActiveResourcesInfo } from 'node:process';
import { describe, expect, test } from 'vitest';
import { renderEntry } from '../../src/cache/cache-entry.ts';
import { openRedisBackend } from '../../src/cache/redis-backend.ts';
import { openS3Backend } from '../../src/cache/s3-backend.ts';
import {
  ReadOnlyStoreError,
  type SharedBackend,
  SharedCache,
  type SharedCacheOptions,
} from '../../src/cache/shared-cache.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { ask, buildEntry } from './build-entry.ts';

/** A shared cache over a store, whose time limits end as soon as `isTimeUp` says so. */
function open(
  backend: Partial<SharedBackend>,
  isTimeUp: (ms: number) => boolean = () => false,
  more: Partial<SharedCacheOptions> = {},
) {
  const warnings: string[] = [];
  const whole: SharedBackend = {
    read: () => Promise.resolve(undefined),
    write: () => Promise.resolve(),
    count: () => Promise.resolve({ entries: 0, isMore: false }),
    close: () => undefined,
    ...backend,
  };
  const cache = new SharedCache(() => Promise.resolve(whole), {
    address: 'redis://cache',
    timeoutMs: 1000,
    now: () => new Date(0),
    startTimer(ms, fire) {
      if (isTimeUp(ms)) setImmediate(fire);
      return () => undefined;
    },
    onWarning: (message) => warnings.push(message),
    ...more,
  });
  return { cache, warnings };
}

const entries = Array.from({ length: 5 }, (_, index) => buildEntry(ask(`q${index}`), 'a'));

test('a Redis that is gone holds up no end', async () => {
  const timers = () => getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const redis = await startRedisServer();
  const address = { url: new URL(redis.url), prefix: '', timeoutMs: 1000 };
  const backend = openRedisBackend(await import('ioredis'), address);
  expect(await backend.read('a')).toBeUndefined();
  redis.kill();
  await expect(backend.read('a')).rejects.toBeInstanceOf(Error);
  const before = timers();
  backend.close();
  expect(timers()).toBe(before);
});

test('what is waiting is written before the cache is closed', async () => {
  const written: string[] = [];
  const { cache, warnings } = open({
    write: async (key) => {
      await new Promise(setImmediate);
      written.push(key);
    },
  });
  for (const entry of entries) cache.write(entry);
  await cache.close();
  expect([written.length, warnings]).toEqual([5, []]);
});

test('what a slow store has not taken in time is counted in one warning', async () => {
  const { cache, warnings } = open({ write: () => new Promise(() => undefined) }, (ms) => ms === 2000);
  for (let index = 0; index < 4100; index += 1) cache.write(buildEntry(ask(`q${index}`), 'a'));
  await cache.close();
  // 64 are being written, and what the queue of 4000 could not hold is counted with what it holds.
  expect(warnings).toEqual([
    '4036 answers are not in the shared cache redis://cache: it stores them more slowly than they arrive.',
  ]);
});

test('is opened once, and says once that it failed, however many ask at a time', async () => {
  let opened = 0;
  const warnings: string[] = [];
  const stopped: number[] = [];
  const fail = () => Promise.reject(new Error('it is gone'));
  const backend: SharedBackend = { read: fail, write: fail, count: fail, close: () => undefined };
  const cache = new SharedCache(
    () => {
      opened += 1;
      return Promise.resolve(backend);
    },
    {
      address: 'redis://cache',
      timeoutMs: 1000,
      now: () => new Date(0),
      startTimer: (ms) => () => void stopped.push(ms),
      onWarning: (message) => warnings.push(message),
    },
  );
  await Promise.all([cache.read('a'), cache.read('b'), cache.read('c')]);
  // No time limit runs on once its work has ended.
  expect([opened, warnings.length, stopped]).toEqual([1, 1, [1000, 1000, 1000]]);
});

test('no time limit runs on once all is written', async () => {
  const stopped: number[] = [];
  const { cache } = open({ write: () => new Promise(setImmediate) }, undefined, {
    startTimer: (ms) => () => void stopped.push(ms),
  });
  for (const entry of entries.slice(0, 2)) cache.write(entry);
  await cache.close();
  expect(stopped.toSorted((a, b) => a - b)).toEqual([1000, 1000, 2000]);
});

test('a store that fails is not asked again', async () => {
  let asked = 0;
  const { cache, warnings } = open({
    read: () => {
      asked += 1;
      return Promise.reject(new Error('it is gone'));
    },
  });
  expect([await cache.read('a'), await cache.read('b'), asked, warnings.length]).toEqual([undefined, undefined, 1, 1]);
  expect(warnings[0]).toContain('it is gone');
});

test('a store that failed takes nothing more, and no more is said of it', async () => {
  let written = 0;
  const { cache, warnings } = open({
    write: () => {
      written += 1;
      return Promise.reject(new Error('it is full'));
    },
  });
  cache.write(entries[0] ?? buildEntry(ask('q'), 'a'));
  await new Promise(setImmediate);
  for (let index = 0; index < 4100; index += 1) cache.write(buildEntry(ask(`q${index}`), 'a'));
  await cache.close();
  expect([written, warnings]).toEqual([1, [expect.stringContaining('it is full')]]);
});

test('a store that can only be read is read on, and no more is written to it', async () => {
  let written = 0;
  const [entry = buildEntry(ask('q'), 'a')] = entries;
  const { cache, warnings } = open({
    read: () => Promise.resolve(renderEntry(entry)),
    write: () => {
      written += 1;
      return Promise.reject(new ReadOnlyStoreError('HTTP 403 AccessDenied'));
    },
  });
  for (let index = 0; index < 100; index += 1) cache.write(entry);
  await new Promise(setImmediate);
  for (let index = 0; index < 100; index += 1) cache.write(entry);
  expect((await cache.read(entry.key))?.key).toBe(entry.key);
  await cache.close();
  // Those that were under way at once.
  expect([written, warnings]).toEqual([
    64,
    ['The shared cache redis://cache takes no answers (HTTP 403 AccessDenied). The run only reads it.'],
  ]);
});

test('a cache that is closed asks its store nothing more, and waits for nothing where nothing is written', async () => {
  let asked = 0;
  let closed = 0;
  const limits: number[] = [];
  const { cache, warnings } = open(
    {
      read: () => {
        asked += 1;
        return Promise.resolve(undefined);
      },
      close: () => {
        closed += 1;
      },
    },
    (ms) => {
      limits.push(ms);
      return false;
    },
  );
  await cache.read('a');
  await cache.close();
  cache.write(entries[0] ?? buildEntry(ask('q'), 'a'));
  expect([await cache.read('a'), asked, closed, limits, warnings]).toEqual([undefined, 1, 1, [1000], []]);
});

test('a bucket counts its values, and its refusals carry their code', async () => {
  let reply = { status: 200, text: '<Key>a</Key><Key>b</Key><IsTruncated>true</IsTruncated>' };
  const types: (string | undefined)[] = [];
  const backend = openS3Backend({
    transport: {
      send: ({ headers }) => {
        types.push(headers['content-type']);
        return Promise.resolve(reply);
      },
      close: () => undefined,
    },
    endpoint: 'https://s3.example',
    region: 'us-east-1',
    bucket: 'answers',
    prefix: '',
    accessKeyId: 'id',
    secretAccessKey: 'secret',
  });
  expect(await backend.count()).toEqual({ entries: 2, isMore: true });
  reply = { status: 403, text: '<Error><Code>AccessDenied</Code></Error>' };
  await expect(backend.count()).rejects.toThrow('HTTP 403 AccessDenied');
  await expect(backend.write('a', 'b')).rejects.toThrow(new ReadOnlyStoreError('HTTP 403 AccessDenied'));
  await expect(backend.read('a')).rejects.toThrow('HTTP 403 AccessDenied');
  reply = { status: 404, text: '' };
  expect(await backend.read('a')).toBeUndefined();
  await expect(backend.write('a', 'b')).rejects.toThrow(/^HTTP 404$/);
  expect(types.slice(-2)).toEqual([undefined, 'application/json']);
  await expect(backend.write('a', 'b')).rejects.not.toBeInstanceOf(ReadOnlyStoreError);
});

test('a value that can not be used counts as missing, and is reported once', async () => {
  const [entry, other] = [buildEntry(ask('q'), 'a'), buildEntry(ask('other'), 'a')];
  const texts = new Map([
    [`v2:${entry.key}`, 'rubbish'],
    [`v1:${entry.key}`, 'rubbish'],
  ]);
  const damaged = open({ read: (key) => Promise.resolve(texts.get(key)) });
  expect([await damaged.cache.read(entry.key), await damaged.cache.read(entry.key)]).toEqual([undefined, undefined]);
  expect(damaged.warnings).toEqual([
    'A value in the shared cache redis://cache is not a cache entry. Values like it count as missing.',
  ]);
  const foreign = open({ read: () => Promise.resolve(renderEntry(other)) });
  expect(await foreign.cache.read(entry.key)).toBeUndefined();
  expect(foreign.warnings).toEqual([
    'A value in the shared cache redis://cache holds the answer to another request. Values like it count as missing.',
  ]);
  const renamed = open({ read: () => Promise.resolve(renderEntry({ ...other, key: entry.key })) });
  expect(await renamed.cache.read(entry.key)).toBeUndefined();
  expect(renamed.warnings).toEqual(foreign.warnings);
  expect(await open({}).cache.read(entry.key)).toBeUndefined();
});

test('an answer is taken up to its time to live', async () => {
  const entry = buildEntry(ask('q'), 'a', '2026-01-01T00:00:00.000Z');
  const readAt = (iso: string, ttlMs?: number) => {
    const more = { now: () => new Date(iso), ...(ttlMs === undefined ? {} : { ttlMs }) };
    return open({ read: () => Promise.resolve(renderEntry(entry)) }, undefined, more).cache.read(entry.key);
  };
  expect(await readAt('2026-01-01T00:00:01.000Z', 1000)).toMatchObject({ key: entry.key, createdAt: entry.createdAt });
  expect(await readAt('2026-01-01T00:00:01.001Z', 1000)).toBeUndefined();
  expect(await readAt('2036-01-01T00:00:00.000Z')).toMatchObject({ key: entry.key, createdAt: entry.createdAt });
});

test('a store that is too slow is given up, with its time in the warning', async () => {
  const slow = open({ read: () => new Promise(() => undefined) }, (ms) => ms === 1000);
  expect(await slow.cache.read('a')).toBeUndefined();
  slow.cache.write(buildEntry(ask('q'), 'a'));
  await slow.cache.close();
  expect(slow.warnings).toEqual([
    "The shared cache redis://cache can't be used (no answer within 1000 ms). The run continues with the local cache only; answers that are missing there are requested.",
  ]);
});

test('a cache opens nothing before its first request, and stores nothing after it was closed', async () => {
  const log: string[] = [];
  const { cache, warnings } = open({
    write: (key) => Promise.resolve(void log.push(key)),
    close: () => void log.push('close'),
  });
  await cache.close();
  expect(log).toEqual([]);
  const used = open({ write: () => Promise.resolve(void log.push('write')), close: () => void log.push('close') });
  used.cache.write(buildEntry(ask('q'), 'a'));
  await used.cache.close();
  used.cache.write(buildEntry(ask('q'), 'a'));
  expect([log, warnings, used.warnings]).toEqual([['write', 'close'], [], []]);
});

describe('a Redis server', () => {
  /** A client whose commands are answered from this map, and what it was asked. */
  function openRedis(options: object = {}, fault?: Error) {
    const log: unknown[][] = [];
    const values = new Map<string, string>();
    let onError: ((error: Error) => void) | undefined;
    class Redis {
      constructor(given: unknown) {
        log.push(['new', given]);
      }
      on(name: string, listen: (error: Error) => void) {
        log.push(['on', name]);
        onError = listen;
      }
      get(key: string) {
        return fault === undefined ? Promise.resolve(values.get(key) ?? null) : Promise.reject(fault);
      }
      set(...given: string[]) {
        log.push(['set', ...given]);
        if (fault !== undefined) return Promise.reject(fault);
        return Promise.resolve(values.set(given[0] ?? '', given[1] ?? ''));
      }
      scan(...given: unknown[]) {
        log.push(['scan', ...given]);
        const next = Number(given[0]) + 1;
        return Promise.resolve([String(next === 3 ? 0 : next), Array(options === many ? 60_000 : next).fill('key')]);
      }
      disconnect() {
        log.push(['disconnect']);
      }
    }
    const address = { url: new URL('redis://h:1'), prefix: 'p[*]?\\', timeoutMs: 500, ...options } as never;
    return { log, backend: openRedisBackend({ Redis }, address), fail: (error: Error) => onError?.(error) };
  }
  const many = {};

  test('keeps values under its prefix, for as long as they live', async () => {
    const { backend, log } = openRedis();
    expect(log).toEqual([
      [
        'new',
        expect.objectContaining({
          connectTimeout: 500,
          lazyConnect: true,
          maxRetriesPerRequest: 0,
          enableReadyCheck: false,
          retryStrategy: expect.any(Function),
        }),
      ],
      ['on', 'error'],
    ]);
    const [, given] = log[0] ?? [];
    expect((given as { retryStrategy: () => unknown }).retryStrategy()).toBeNull();
    log.length = 0;
    expect(await backend.read('k')).toBeUndefined();
    await backend.write('k', 'v');
    expect(await backend.read('k')).toBe('v');
    expect(log).toEqual([['set', 'p[*]?\\k', 'v']]);
    const brief = openRedis({ ttlMs: 9 });
    await brief.backend.write('k', 'v');
    brief.backend.close();
    expect(brief.log.slice(2)).toEqual([['set', 'p[*]?\\k', 'v', 'PX', 9], ['disconnect']]);
  });

  test('is counted page by page, as far as it makes sense', async () => {
    const { backend, log } = openRedis();
    expect(await backend.count()).toEqual({ entries: 6, isMore: false });
    const pattern = 'p\\[\\*\\]\\?\\\\v*';
    expect(log.slice(2)).toEqual(['0', '1', '2'].map((cursor) => ['scan', cursor, 'MATCH', pattern, 'COUNT', 1000]));
    expect(await openRedis(many).backend.count()).toEqual({ entries: 120_000, isMore: true });
  });

  test('that fails says why the connection was lost, where that is known', async () => {
    const closed = new Error('Connection is closed.');
    const { backend, fail } = openRedis({}, closed);
    await expect(backend.read('k')).rejects.toBe(closed);
    fail(new Error('ECONNREFUSED'));
    await expect(backend.read('k')).rejects.toThrow('ECONNREFUSED');
  });

  test.each([
    ["READONLY You can't write against a read only replica.", true],
    ['NOPERM this user has no permissions to run the set command', true],
    ['OOM command not allowed when used memory is above maxmemory', false],
  ])('that refuses a value with %j can only be read: %j', async (message, is) => {
    const { backend } = openRedis({}, new Error(message));
    const refusal = await backend.write('k', 'v').catch((error: unknown) => error);
    expect([refusal instanceof ReadOnlyStoreError, (refusal as Error).message]).toEqual([is, message]);
  });

  test.each([undefined, null, {}, { Redis: {} }])('is not asked by the module %j', (loaded) => {
    const open = () => openRedisBackend(loaded, { prefix: '', timeoutMs: 1 } as never);
    expect(open).toThrow('the package ioredis does not have the expected interface');
  });
});
