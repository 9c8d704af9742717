import { describe, expect, test } from 'vitest';
import { createRateBudget, type RateBudget } from '../../src/execute/rate-budget.ts';
import fc from '../support/property.ts';

const minuteMs = 60_000;

function build(limit: number, burst = 0.1, isEstimate = false): RateBudget {
  return createRateBudget({ limit, periodMs: minuteMs, burst, isEstimate });
}

/** Spends as early as the budget allows; the times of the amounts. */
function spendEagerly(budget: RateBudget, amounts: readonly number[], startMs = 0): number[] {
  let nowMs = startMs;
  return amounts.map((amount) => {
    for (let waitMs = budget.waitMs(amount, nowMs); waitMs > 0; waitMs = budget.waitMs(amount, nowMs)) nowMs += waitMs;
    budget.spend(amount, nowMs);
    return nowMs;
  });
}

function ones(count: number): number[] {
  return Array.from({ length: count }, () => 1);
}

describe('createRateBudget', () => {
  test('opens with its burst, then goes steadily', () => {
    const times = spendEagerly(build(60), ones(8));
    expect(times.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(times[6]).toBe(1000);
    expect(times[7]).toBe(2000);
  });

  test('a budget of one a minute lets one through a minute', () => {
    const [first = 0, second = 0, third = 0] = spendEagerly(build(1), ones(3));
    expect(first).toBe(0);
    expect(second).toBeGreaterThanOrEqual(minuteMs);
    expect(third - second).toBeLessThan(minuteMs * 1.02);
  });

  test('no minute sees more than the limit, however eagerly it is spent', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom(0.01, 0.1, 0.5, 1),
        fc.integer({ min: 0, max: 100_000 }),
        (limit, burst, startMs) => {
          const times = spendEagerly(build(limit, burst), ones(2 * limit + 5), startMs);
          const withinMinuteOf = (start: number, index: number) =>
            times.filter((ms, other) => other >= index && ms < start + minuteMs).length;
          expect(Math.max(...times.map(withinMinuteOf))).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('uses nearly all of its limit over a long time', () => {
    for (const burst of [0.01, 0.1, 0.5]) {
      const last = spendEagerly(build(300, burst), ones(3000)).at(-1) ?? 0;
      expect(last / minuteMs).toBeGreaterThan(8.9);
      expect(last / minuteMs).toBeLessThan(10.2);
    }
  });

  test('an amount above the limit goes alone', () => {
    const budget = build(600);
    budget.spend(1, 0);
    expect(budget.waitMs(900, 10)).toBeGreaterThan(minuteMs - 1000);
    expect(build(600).waitMs(900, 0)).toBe(0);
  });

  test('a corrected estimate gives back what was not used', () => {
    const budget = build(600, 0.1, true);
    budget.spend(60, 0);
    expect(budget.waitMs(50, 0)).toBeGreaterThan(4000);
    budget.adjust(-50, 0, 0);
    expect(budget.waitMs(50, 0)).toBe(0);
    expect(budget.used(0)).toBe(10);
  });

  test('what others used counts until the window that the server names ends', () => {
    const budget = build(100, 1);
    budget.spend(1, 0);
    budget.observe({ unit: 'requests', remaining: 0, resetMs: 20_000 }, 1, 0);
    expect(budget.waitMs(1, 0)).toBe(20_000);
    expect(budget.waitMs(1, 20_000)).toBe(0);
  });

  test('what others used fades where the reset only says when a bucket is full again', () => {
    const budget = build(600, 1);
    budget.spend(1, 0);
    budget.observe({ unit: 'requests', remaining: 0, resetMs: 60_000 }, 1, 0);
    expect(budget.waitMs(1, 0)).toBeLessThan(200);
    expect(budget.waitMs(300, 0)).toBeGreaterThan(29_000);
    const later = build(600, 1);
    later.observe({ unit: 'requests', remaining: 300, resetMs: 30_000 }, 1, 0);
    expect(later.waitMs(310, 0)).toBeLessThan(1100);
  });

  test('a report that is older than what was sent since takes nothing away', () => {
    const budget = build(600, 1);
    for (let call = 0; call < 50; call += 1) budget.spend(1, call);
    budget.observe({ unit: 'requests', remaining: 599, resetMs: 59_900 }, 1, 60);
    expect(budget.waitMs(550, 60)).toBe(0);
    expect(budget.waitMs(551, 60)).toBeGreaterThan(0);
  });

  test('the server is believed that it counts fewer tokens than were estimated', () => {
    const budget = build(1000, 1, true);
    budget.spend(900, 0);
    expect(budget.waitMs(400, 10)).toBeGreaterThan(1000);
    budget.observe({ unit: 'tokens', remaining: 950, resetMs: 3000 }, 900, 10);
    expect(budget.used(10)).toBe(900);
    budget.adjust(-850, 0, 10);
    expect(budget.waitMs(400, 10)).toBe(0);
  });

  test('smoothed, it lets no burst go', () => {
    const budget = build(600, 0.5);
    budget.smooth();
    const times = spendEagerly(budget, ones(16));
    expect(times[5]).toBe(0);
    expect(times[15]).toBe(1000);
  });
});
