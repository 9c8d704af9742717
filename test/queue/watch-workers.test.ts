import { expect, test } from 'vitest';
import { watchWorkers } from '../../src/queue/watch-workers.ts';

const providers = [
  { queue: 'calls-a', label: 'first' },
  { queue: 'calls-b', label: 'second' },
];
const workerOf = (queues: readonly string[], { version = '1.0.0', concurrency = 8 } = {}) =>
  JSON.stringify({ version, concurrency, queues });

/** What a run notes of its workers, and why it stops, as they are at each time. */
function watch(
  ...seen: readonly {
    readonly atMs: number;
    readonly workers?: readonly string[];
    readonly waiting?: readonly string[];
  }[]
) {
  const said: string[] = [];
  const options = { version: '1.0.0', shown: 'redis://host', noteMs: 100, workersMs: 1000 };
  let now = 0;
  const note = watchWorkers({
    ...options,
    onNote: (message) => said.push(`${now}: ${message.replace(/; start some .*(?=\.$)/, '')}`),
    onLost: (message) => said.push(`${now}: lost, ${message}`),
  });
  for (const { atMs, workers = [], waiting = ['calls-a'] } of seen) {
    now = atMs;
    note(workers, providers, new Set(waiting), atMs);
  }
  return said;
}

test('a run notes its workers whenever they change', () => {
  const [one, other] = [workerOf(['calls-a']), workerOf(['calls-a', 'calls-b'], { concurrency: 2 })];
  const seen = [{ workers: [one] }, { workers: [one] }, { workers: [one, other] }, {}, { workers: [one] }];
  expect(watch(...seen.map((at, index) => ({ atMs: index, waiting: [], ...at })))).toEqual([
    '0: 1 worker, 8 calls at once.',
    '2: 2 workers, 10 calls at once.',
    '4: 1 worker, 8 calls at once.',
  ]);
});

test('a run says once that calls wait, and stops when they have waited for too long', () => {
  expect(watch(...[0, 99, 100, 101, 999, 1000].map((atMs) => ({ atMs })))).toEqual([
    '100: No worker takes calls of first: there is none.',
    '1000: lost, no worker took calls of first',
  ]);
  expect(watch({ atMs: 0, waiting: [] }, { atMs: 5000, waiting: [] })).toEqual([]);
});

test('each gap without a worker is counted by itself', () => {
  const workers = [workerOf(['calls-a', 'calls-b'])];
  const gaps = [{ atMs: 0 }, { atMs: 200 }, { atMs: 900, workers }, { atMs: 5000 }, { atMs: 5100 }, { atMs: 5999 }];
  expect(watch(...gaps, { atMs: 6000 })).toEqual([
    '200: No worker takes calls of first: there is none.',
    '900: 1 worker, 8 calls at once.',
    '5100: No worker takes calls of first: there is none.',
    '6000: lost, no worker took calls of first',
  ]);
});

test('what waits and is not served is named, with what is wrong with the workers that there are', () => {
  const late = { atMs: 100, waiting: ['calls-a', 'calls-b'] };
  const saidOf = (...workers: readonly string[]) => watch({ ...late, atMs: 0, workers }, { ...late, workers }).at(-1);
  expect(saidOf('no JSON')).toBe('100: No worker takes calls of first, second: there is none.');
  expect(saidOf(workerOf(['calls-b']))).toBe(
    '100: No worker takes calls of first: there is 1 worker of another checkout, or without a key for it.',
  );
  expect(saidOf(workerOf([], { version: '0.9.0' }), workerOf([]))).toBe(
    '100: No worker takes calls of first, second: there are 2 workers, of llmcheck 0.9.0 while this is 1.0.0.',
  );
});
