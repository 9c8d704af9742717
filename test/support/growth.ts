import { createContext, Script } from 'node:vm';
import { threadMs } from './thread-time.ts';

const times = 8;

/** What noise may add. One input of eight times the size takes linear work as long as eight inputs, and quadratic work 8 times that. */
const mostGrowth = 3;

/** Quadratic work on a hundred thousand characters takes longer than this on any machine, so shorter work needs no comparison. */
const shortMs = 25;

/** Over so long a time noise is an average, so the first comparison counts. */
const longMs = 2000;

/**
 * Tells whether the time of some work grows in proportion to its input: compares one input of eight times that size with
 * eight of that size. The machine's speed affects both, so it has no influence. The large input comes first: it compiles
 * the code. The least of three times has the least of what other work of the machine adds.
 */
export async function growsLinearly(work: (size: number) => unknown, size: number): Promise<boolean> {
  let [large, small] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < 3; round += 1) {
    large = Math.min(large, await timeOf(() => work(size * times)));
    if (large < shortMs) return true;
    const repeat = async () => {
      for (let count = 0; count < times; count += 1) await work(size);
    };
    small = Math.min(small, await timeOf(repeat));
    if (large <= small * mostGrowth) return true;
    if (large > longMs) return false;
  }
  return false;
}

async function timeOf(work: () => unknown): Promise<number> {
  const beforeMs = threadMs();
  await work();
  return threadMs() - beforeMs;
}

const callWork = new Script('work()');

/** Runs work that must end, and fails where it does not: no timer of the test runner can fire while a thread is busy. */
export function mustEnd<T>(work: () => T, timeoutMs = 30_000): T {
  return callWork.runInContext(createContext({ work }), { timeout: timeoutMs }) as T;
}
