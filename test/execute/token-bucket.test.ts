import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTokenBucket } from '../../src/execute/token-bucket.ts';

/** Takes as early as the bucket allows; the times of the first `count` takes. */
function takeEagerly(perMinute: number, amounts: readonly number[]): number[] {
  const bucket = createTokenBucket(perMinute);
  let nowMs = 0;
  return amounts.map((amount) => {
    for (let waitMs = bucket.take(amount, nowMs); waitMs > 0; waitMs = bucket.take(amount, nowMs)) nowMs += waitMs;
    return nowMs;
  });
}

describe('createTokenBucket', () => {
  test('opens with a tenth of the minute, then goes steadily', () => {
    const times = takeEagerly(
      60,
      Array.from({ length: 8 }, () => 1),
    );
    expect(times.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(times[6]).toBeGreaterThan(1000);
    expect(times[6]).toBeLessThan(1200);
  });

  test('a budget of one a minute lets one through a minute', () => {
    expect(takeEagerly(1, [1, 1, 1]).map((ms) => Math.round(ms / 1000))).toEqual([0, 60, 120]);
  });

  test('no minute sees more takes than the budget, however eagerly they come', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), (perMinute) => {
        const times = takeEagerly(
          perMinute,
          Array.from({ length: 2 * perMinute + 5 }, () => 1),
        );
        const inMinuteOf = (start: number, index: number) =>
          times.filter((ms, other) => other >= index && ms < start + 60_000).length;
        expect(Math.max(...times.map(inMinuteOf))).toBeLessThanOrEqual(perMinute);
      }),
      { numRuns: 40 },
    );
  });

  test('uses nearly all of its budget over a long time', () => {
    const last =
      takeEagerly(
        300,
        Array.from({ length: 3000 }, () => 1),
      ).at(-1) ?? 0;
    expect(last / 60_000).toBeGreaterThan(9.9);
    expect(last / 60_000).toBeLessThan(11.2);
  });

  test('an amount above its capacity is let through when it is full, and paid back before the next', () => {
    const bucket = createTokenBucket(600);
    expect(bucket.take(300, 0)).toBe(0);
    const waitMs = bucket.take(1, 0);
    expect(waitMs).toBeGreaterThan(24_000);
    expect(bucket.take(1, waitMs)).toBe(0);
  });

  test('a corrected estimate gives back what was not used, up to a full bucket', () => {
    const bucket = createTokenBucket(600);
    expect(bucket.take(60, 0)).toBe(0);
    expect(bucket.take(10, 0)).toBeGreaterThan(0);
    bucket.adjust(-50);
    expect(bucket.take(50, 0)).toBe(0);
    bucket.adjust(-10_000);
    expect(bucket.take(60, 1)).toBe(0);
    expect(bucket.take(10, 1)).toBeGreaterThan(0);
  });
});
