import { describe, expect, test } from 'vitest';
import {
  belowRequiredRate,
  blockProbability,
  caseFlakiness,
  cleanRepeatsBound,
  cleanRepeatsNeeded,
  clusteredMeanInterval,
  flakeDetectionProbability,
  passAtK,
  repeatsToDetectFlake,
  shrinkPassRates,
} from '../../scripts/reference-statistics.ts';
import { groupClusteredError } from '../../src/stats/descriptive.ts';
import fc from '../support/property.ts';

describe('a flaky case', () => {
  test('shows both outcomes', () => {
    expect(caseFlakiness(5, 5)).toEqual({ rate: 1, flaky: false, disagreement: 0 });
    expect(caseFlakiness(3, 5)).toEqual({ rate: 0.6, flaky: true, disagreement: 0.6 });
    expect(caseFlakiness(1, 1)).toEqual({ rate: 1, flaky: false, disagreement: null });
    expect(caseFlakiness(0, 0)).toEqual({ rate: null, flaky: false, disagreement: null });
    expect(() => caseFlakiness(2, 1)).toThrow('2 of 1');
  });

  test('disagrees with itself as often as two of its repeats do', () => {
    const repeats = [1, 1, 0, 1];
    const pairs = repeats.flatMap((a, i) => repeats.slice(i + 1).map((b) => (a === b ? 0 : 1)));
    const share = pairs.reduce<number>((sum, value) => sum + value, 0) / pairs.length;
    expect(caseFlakiness(3, 4).disagreement).toBeCloseTo(share, 14);
  });

  test('is exposed by five repeats one time in four, by 59 nearly always', () => {
    expect(flakeDetectionProbability(0.05, 5)).toBeCloseTo(0.22621875, 12);
    expect(repeatsToDetectFlake(0.05, 0.95)).toBe(59);
    expect(repeatsToDetectFlake(0.5, 0.95)).toBe(6);
    expect(flakeDetectionProbability(0.05, 1)).toBeCloseTo(0, 14);
    expect(flakeDetectionProbability(0.05, 0)).toBe(0);
  });

  test('that never or always fails is exposed by nothing', () => {
    expect(repeatsToDetectFlake(0, 0.95)).toBeNull();
    expect(repeatsToDetectFlake(1, 0.95)).toBeNull();
    expect(repeatsToDetectFlake(0.5, 0)).toBe(2);
    expect(() => repeatsToDetectFlake(2, 0.5)).toThrow(RangeError);
    expect(() => repeatsToDetectFlake(0.5, 2)).toThrow(RangeError);
  });

  test('that is rare is found by the smallest number that does', () => {
    const needed = repeatsToDetectFlake(1e-6, 0.95) ?? 0;
    expect(flakeDetectionProbability(1e-6, needed)).toBeGreaterThanOrEqual(0.95);
    expect(flakeDetectionProbability(1e-6, needed - 1)).toBeLessThan(0.95);
  });
});

describe('pass@k and pass^k', () => {
  test('are the shares of subsets', () => {
    expect(passAtK(7, 10, 3).passAtK).toBeCloseTo(1 - 1 / 120, 14);
    expect(passAtK(7, 10, 3).passHatK).toBeCloseTo(35 / 120, 14);
    expect(passAtK(3, 5, 5)).toEqual({ passAtK: 1, passHatK: 0 });
  });

  test('are never extrapolated', () => {
    expect(passAtK(5, 5, 6)).toEqual({ passAtK: null, passHatK: null });
  });

  test('enclose the pass rate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(50), fc.integer({ min: 1, max: 50 }), (n, raw, rawK) => {
        const passes = raw % (n + 1);
        const { passAtK: any, passHatK: all } = passAtK(passes, n, 1 + (rawK % n));
        expect(all).toBeLessThanOrEqual(passes / n + 1e-12);
        expect(any).toBeGreaterThanOrEqual(passes / n - 1e-12);
      }),
    );
  });
});

describe('shrunk pass rates', () => {
  const cases = [10, 9, 10, 4, 0, 10, 8, 10].map((passes) => ({ passes, n: 10 }));

  test('lie between what was seen and the mean', () => {
    const { mean, rho, posterior } = shrinkPassRates(cases);
    expect(rho).toBeGreaterThan(0);
    expect(rho).toBeLessThan(1);
    for (const [index, { passes, n }] of cases.entries()) {
      const [low, high] = [passes / n, mean ?? Number.NaN].sort((a, b) => a - b);
      expect(posterior?.[index]).toBeGreaterThanOrEqual(low ?? Number.NaN);
      expect(posterior?.[index]).toBeLessThanOrEqual(high ?? Number.NaN);
    }
  });

  test('are all the mean where the cases differ no more than chance', () => {
    expect(shrinkPassRates([5, 5, 6, 4].map((passes) => ({ passes, n: 10 })))).toEqual({
      mean: 0.5,
      rho: 0,
      alpha: null,
      beta: null,
      posterior: [0.5, 0.5, 0.5, 0.5],
    });
  });

  test('are what was seen where cases are all or nothing', () => {
    const { rho, posterior } = shrinkPassRates([
      { passes: 5, n: 5 },
      { passes: 0, n: 5 },
    ]);
    expect({ rho, posterior }).toEqual({ rho: 1, posterior: [1, 0] });
  });

  test('are undefined where all pass, where nothing repeats and where there is nothing', () => {
    const undefinedRates = { rho: null, alpha: null, beta: null, posterior: null };
    expect(
      shrinkPassRates([
        { passes: 5, n: 5 },
        { passes: 5, n: 5 },
      ]),
    ).toEqual({ mean: 1, ...undefinedRates });
    expect(
      shrinkPassRates([
        { passes: 1, n: 1 },
        { passes: 0, n: 1 },
      ]),
    ).toEqual({ mean: 0.5, ...undefinedRates });
    expect(shrinkPassRates([{ passes: 1, n: 2 }])).toEqual({ mean: 0.5, ...undefinedRates });
    expect(shrinkPassRates([])).toEqual({ mean: null, ...undefinedRates });
    expect(() => shrinkPassRates([{ passes: 3, n: 2 }])).toThrow(RangeError);
  });
});

describe('a contract', () => {
  test.each([
    [0.05, 0.014],
    [0.2, 0.176],
    [1, 1],
    [0.5, 0.656],
  ])('failing at %f blocks with probability %f after confirmation', (flakeRate, probability) => {
    expect(blockProbability(flakeRate, 3, 2)).toBeCloseTo(probability, 3);
  });

  test('that passes five times has shown 55 %, and needs 59 for 95 %', () => {
    expect(cleanRepeatsBound(5, 0.05)).toBeCloseTo(0.549, 3);
    expect(cleanRepeatsNeeded(0.95, 0.05)).toBe(59);
    expect(cleanRepeatsBound(59, 0.05)).toBeGreaterThan(0.95);
    expect(cleanRepeatsBound(58, 0.05)).toBeLessThan(0.95);
    expect(cleanRepeatsBound(0, 0.05)).toBe(0);
  });

  test('that must always pass is never shown to', () => {
    expect(cleanRepeatsNeeded(1, 0.05)).toBeNull();
    expect(cleanRepeatsNeeded(0, 0.05)).toBe(1);
    expect(() => cleanRepeatsNeeded(2, 0.05)).toThrow('2');
  });

  test('is below its required rate when too many fail', () => {
    expect(belowRequiredRate(9, 10, 0.95)).toBeCloseTo(0.243700708330469, 12);
    expect(belowRequiredRate(5, 10, 0.95)).toBeLessThan(0.025);
    expect(belowRequiredRate(10, 10, 1)).toBe(0.5);
  });
});

describe('a clustered mean', () => {
  test('has the interval of Student', () => {
    // Student 1908: extra sleep by ten patients, mean 1.58, sd 1.230.
    const sleep = [1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4];
    const { mean, se, df, low, high } = clusteredMeanInterval(sleep, 0.05);
    expect(mean).toBeCloseTo(1.58, 12);
    expect(se).toBeCloseTo(1.23 / Math.sqrt(10), 4);
    expect(df).toBe(9);
    expect([low?.toFixed(4), high?.toFixed(4)]).toEqual(['0.7001', '2.4599']);
  });

  test('of one cluster or none has no interval', () => {
    const none = { se: null, df: null, low: null, high: null };
    expect(clusteredMeanInterval([0.3], 0.05)).toEqual({ n: 1, mean: 0.3, ...none });
    expect(clusteredMeanInterval([], 0.05)).toEqual({ n: 0, mean: null, ...none });
  });

  test('with one value a group has the plain standard error', () => {
    const { se } = clusteredMeanInterval([1, 2, 4], 0.05);
    expect(groupClusteredError([1, 2, 4], ['a', 'b', 'c']).se).toBeCloseTo(se ?? Number.NaN, 14);
  });
});
