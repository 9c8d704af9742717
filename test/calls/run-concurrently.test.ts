import { expect, test } from 'vitest';
import { runConcurrently } from '../../src/calls/run-concurrently.ts';
import { createManualClock } from '../support/manual-clock.ts';

const never = new AbortController().signal;

/** A step that takes 10 ms, `count` times in all, and how many of them were at work at once. */
function createWork(count: number) {
  const clock = createManualClock();
  const seen = { begun: 0, ended: 0, now: 0, most: 0 };
  const step = async (): Promise<boolean> => {
    if (seen.begun >= count) return false;
    seen.begun += 1;
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    await clock.wait(10, never);
    seen.now -= 1;
    seen.ended += 1;
    return true;
  };
  return { clock, seen, step };
}

test('as many work as are allowed, and every step is made once', async () => {
  const { clock, seen, step } = createWork(50);
  await clock.runUntil(runConcurrently(step, () => 7));
  expect(seen).toMatchObject({ begun: 50, ended: 50, most: 7 });
  expect(clock.now()).toBe(80);
});

test('one works where none is allowed, so that it comes to an end', async () => {
  const { clock, seen, step } = createWork(3);
  await clock.runUntil(runConcurrently(step, () => 0));
  expect(seen).toMatchObject({ ended: 3, most: 1 });
});

test('more join as soon as more are allowed', async () => {
  const { clock, seen, step } = createWork(60);
  await clock.runUntil(runConcurrently(step, () => (seen.ended >= 10 ? 20 : 2)));
  expect(seen).toMatchObject({ ended: 60, most: 20 });
});

test('a bug ends all, once what is in work has ended', async () => {
  const { clock, seen, step } = createWork(50);
  const failing = async (): Promise<boolean> => {
    if (seen.begun === 5) throw new TypeError('a bug');
    return step();
  };
  await expect(clock.runUntil(runConcurrently(failing, () => 5))).rejects.toThrow('a bug');
  expect(seen).toMatchObject({ begun: 5, ended: 5 });
});

test('a million may be allowed', async () => {
  let begun = 0;
  const step = async (): Promise<boolean> => {
    begun += 1;
    await Promise.resolve();
    return begun < 100;
  };
  await runConcurrently(step, () => 1_000_000);
  expect(begun).toBeGreaterThanOrEqual(100);
});
