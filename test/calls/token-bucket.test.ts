import { describe, expect, test } from 'vitest';
import { AccountRates, type OwnRates, ProviderRates, TokenBucket } from '../../src/calls/token-bucket.ts';
import type { LimitReport } from '../../src/model/run/completion.ts';
import { completed } from '../support/build-case.ts';
import fc from '../support/property.ts';

const minuteMs = 60_000;
const request = { input: 0, output: 0 };

/** Sends calls as early as they may go; the times at which they went. */
function sendEagerly(rates: ProviderRates, calls: number, tokens = 0, startMs = 0): number[] {
  const estimate = { input: tokens, output: 0 };
  let nowMs = startMs;
  return Array.from({ length: calls }, () => {
    for (let waitMs = rates.waitMs(estimate, nowMs); waitMs > 0; waitMs = rates.waitMs(estimate, nowMs))
      nowMs += waitMs;
    rates.take(estimate);
    return nowMs;
  });
}

function open(own: OwnRates = {}): ProviderRates {
  return new ProviderRates(own, new AccountRates());
}

function tell(rates: ProviderRates, report: LimitReport, nowMs = 0): void {
  rates.settle(request, { ...completed(), limits: [report] }, nowMs);
}

describe('TokenBucket', () => {
  test('gives what it holds at once, and then what it gets', () => {
    const bucket = new TokenBucket(3, 0.001);
    expect(bucket.waitMs(3, 0)).toBe(0);
    bucket.take(3);
    expect(bucket.waitMs(1, 0)).toBe(1000);
    expect(bucket.waitMs(2, 500)).toBe(1500);
    expect(bucket.waitMs(1, 1000)).toBe(0);
  });

  test('never holds more than its capacity', () => {
    const bucket = new TokenBucket(2, 1);
    bucket.waitMs(1, 1_000_000);
    bucket.add(100);
    bucket.take(2);
    expect(bucket.waitMs(1, 1_000_000)).toBe(1);
  });

  test('lets more than it holds go when it is full, and makes up for it', () => {
    const bucket = new TokenBucket(10, 0.01);
    expect(bucket.waitMs(50, 0)).toBe(0);
    bucket.take(50);
    expect(bucket.waitMs(1, 0)).toBe(4100);
  });

  test('never lets a call wait for a limit without a time', () => {
    const bucket = new TokenBucket(10, 100 / 0);
    for (const nowMs of [5, 5, 6]) {
      expect(bucket.waitMs(1, nowMs)).toBe(0);
      bucket.take(1);
    }
  });
});

describe('limits by hand', () => {
  test('let no minute see more than the limit, however eagerly they are used', { tags: ['slow'] }, () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 100_000 }), (rpm, startMs) => {
        const times = sendEagerly(open({ rpm }), 2 * rpm + 5, 0, startMs);
        const within = times.map((start, first) => times.filter((ms, i) => i >= first && ms < start + minuteMs).length);
        expect(Math.max(...within)).toBeLessThanOrEqual(rpm);
      }),
      { numRuns: 60 },
    );
  });

  test.each([1, 7, 60, 600])('use nine tenths of %i a minute over a long time', (rpm) => {
    const last = sendEagerly(open({ rpm }), rpm * 10).at(-1) ?? 0;
    expect(last / minuteMs).toBeLessThan(11.2);
  });

  test('let a request go that is larger than the limit of tokens', () => {
    const [first, second = 0] = sendEagerly(open({ tpm: 600 }), 2, 900);
    expect(first).toBe(0);
    expect(second).toBeGreaterThan(minuteMs);
  });

  test('hold for all providers of the account; a smaller one holds in addition', () => {
    const account = new AccountRates();
    const prompts = new ProviderRates({ rpm: 100 }, account);
    const judge = new ProviderRates({}, account);
    const small = new ProviderRates({ rpm: 20 }, account);
    expect(sendEagerly(small, 3).filter((ms) => ms === 0)).toHaveLength(2);
    expect(sendEagerly(judge, 20).filter((ms) => ms === 0).length).toBeLessThan(10);
    expect(prompts.waitMs(request, 0)).toBeGreaterThan(0);
  });
});

describe('limits that the server tells', () => {
  test('let half of themselves go at once, the rest evenly', () => {
    const rates = open();
    tell(rates, { unit: 'requests', limit: 60, remaining: 59 });
    const times = sendEagerly(rates, 32);
    expect(times[29]).toBe(0);
    expect(times[30]).toBe(1000);
    expect(times[31]).toBe(2000);
  });

  test('are counted over the period that the server names', () => {
    const rates = open();
    tell(rates, { unit: 'requests', limit: 10, remaining: 9, periodMs: 1000 });
    expect(sendEagerly(rates, 6)[5]).toBe(100);
  });

  test('give back what an estimate of tokens was too high', () => {
    const rates = open();
    tell(rates, { unit: 'tokens', limit: 200, remaining: 200 });
    const estimate = { input: 50, output: 50 };
    rates.take(estimate);
    expect(rates.waitMs(estimate, 0)).toBeGreaterThan(25_000);
    rates.settle(estimate, completed({ usage: { inputTokens: 10, outputTokens: 10 } }), 0);
    expect(rates.waitMs(estimate, 0)).toBe(6000);
  });

  test('count input and output tokens apart', () => {
    for (const [unit, estimate, other] of [
      ['inputTokens', { input: 90, output: 0 }, { input: 0, output: 90 }],
      ['outputTokens', { input: 0, output: 90 }, { input: 90, output: 0 }],
    ] as const) {
      const rates = open();
      tell(rates, { unit, limit: 200, remaining: 200 });
      rates.take(other);
      expect(rates.waitMs(estimate, 0)).toBe(0);
      rates.take(estimate);
      expect([rates.waitMs(other, 0), rates.waitMs(estimate, 0)]).toEqual([0, 24_000]);
    }
  });

  test('leave to others with the same key what they have used', () => {
    const rates = open();
    tell(rates, { unit: 'requests', limit: 600, remaining: 0 });
    expect(rates.waitMs(request, 0)).toBe(100);
  });

  test.each<[Partial<LimitReport>, number]>([
    [{ periodMs: 86_400_000, resetMs: 7000 }, 7000],
    [{ periodMs: 86_400_000, resetMs: 3_600_000 }, 60_000],
    // Without a period, the time until it is whole again tells it from one of a minute.
    [{ resetMs: 3_600_000 }, 60_000],
  ])('hold everything back, at most a minute, once nothing of a day is left: %j', (report, waitMs) => {
    const rates = open();
    tell(rates, { unit: 'requests', limit: 50, remaining: 20, ...report });
    expect(sendEagerly(rates, 40).at(-1)).toBe(0);
    tell(rates, { unit: 'requests', limit: 50, remaining: 0, ...report });
    expect(rates.waitMs(request, 0)).toBe(waitMs);
  });
});
