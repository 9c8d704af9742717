import { expect, test } from 'vitest';
import { openS3Backend } from '../../src/cache/s3-backend.ts';
import { type SharedBackend, SharedCache } from '../../src/cache/shared-cache.ts';
import { ask, buildEntry } from './build-entry.ts';

/** A shared cache over a store, whose time limits end as soon as `isTimeUp` says so. */
function open(backend: Partial<SharedBackend>, isTimeUp: (ms: number) => boolean = () => false) {
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
  });
  return { cache, warnings };
}

const entries = Array.from({ length: 5 }, (_, index) => buildEntry(ask(`q${index}`), 'a'));

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
    timeoutMs: 1000,
  });
  expect(await backend.count()).toEqual({ entries: 2, isMore: true });
  reply = { status: 403, text: '<Error><Code>AccessDenied</Code></Error>' };
  await expect(backend.count()).rejects.toThrow('HTTP 403 AccessDenied');
  await expect(backend.write('a', 'b')).rejects.toThrow('HTTP 403 AccessDenied');
  await expect(backend.read('a')).rejects.toThrow('HTTP 403 AccessDenied');
  reply = { status: 404, text: '' };
  expect(await backend.read('a')).toBeUndefined();
  await expect(backend.write('a', 'b')).rejects.toThrow(/^HTTP 404$/);
  expect(types.slice(-2)).toEqual([undefined, 'application/json']);
});
