import { describe, expect, test } from 'vitest';
import {
  clusteredQuantileInterval,
  quantileInterval,
  quantileRatioInterval,
} from '../../scripts/reference-statistics.ts';
import { quantile } from '../../src/stats/descriptive.ts';
import {
  comparePairedCost,
  costRatio,
  hodgesLehmann,
  signedRankCdf,
  wilcoxonSignedRank,
} from '../../src/stats/ranks.ts';
import { createRandom } from '../../src/text/random.ts';
import fc from '../support/property.ts';

const NO_INTERVAL = { low: null, high: null, seLog: null, pIncrease: null };

describe('the cost ratio', () => {
  const baseline = [0.0012, 0.0031, 0.0009, 0.0044, 0.0021];
  const candidate = [0.0014, 0.0033, 0.0012, 0.0046, 0.0026];

  test('is that of the totals, with the standard error of the jackknife', () => {
    const { ratio, seLog } = costRatio(baseline, candidate, 0.05);
    expect(ratio).toBeCloseTo(0.0131 / 0.0117, 12);
    const without = baseline.map((_, left) => {
      const sum = (costs: readonly number[]): number =>
        costs.reduce((s, cost, index) => (index === left ? s : s + cost), 0);
      return Math.log(sum(candidate) / sum(baseline));
    });
    const centre = without.reduce((sum, value) => sum + value, 0) / 5;
    const jackknife = Math.sqrt((4 / 5) * without.reduce((sum, value) => sum + (value - centre) ** 2, 0));
    expect(Math.abs((seLog ?? 0) / jackknife - 1)).toBeLessThan(0.2);
  });

  test('of swapped sides has the complementary p', () => {
    const there = costRatio(baseline, candidate, 0.05);
    expect(there.pIncrease).toBeLessThan(0.05);
    expect(costRatio(candidate, baseline, 0.05).pIncrease).toBeGreaterThan(0.95);
    expect(there.low).toBeLessThan(there.ratio ?? 0);
    expect(there.high).toBeGreaterThan(there.ratio ?? 0);
  });

  test('is undefined for a free or empty baseline', () => {
    expect(costRatio([0, 0], [0.1, 0.2], 0.05)).toEqual({ ratio: null, ...NO_INTERVAL, exact: false });
    expect(costRatio([0, 0], [0, 0], 0.05)).toEqual({ ratio: null, ...NO_INTERVAL, exact: false });
    expect(costRatio([], [], 0.05)).toEqual({ ratio: null, ...NO_INTERVAL, exact: false });
  });

  test('is known without an interval where every case has the same one', () => {
    expect(costRatio([0.1, 0.3], [0.2, 0.6], 0.05)).toEqual({ ratio: 2, ...NO_INTERVAL, exact: true });
    expect(costRatio([0.1, 0.3], [0, 0], 0.05)).toEqual({ ratio: 0, ...NO_INTERVAL, exact: true });
    expect(costRatio([0.1, 0.3, 0.7], [0.11, 0.33, 0.77], 0.05)).toMatchObject({ ...NO_INTERVAL, exact: true });
  });

  test('of a single case has no interval', () => {
    expect(costRatio([0.1], [0.2], 0.05)).toEqual({ ratio: 2, ...NO_INTERVAL, exact: false });
  });

  test('of sides of different length is refused', () => {
    expect(() => costRatio([1], [], 0.05)).toThrow('1 baseline and 0 candidate');
  });
});

describe('paired costs', () => {
  // Costs with a heavy tail: the test over ranks holds its level where an interval of the ratio of totals does not.
  const shareOf = (
    factor: number,
    runs: number,
    isCounted: (before: readonly number[], after: readonly number[]) => boolean,
  ): number => {
    const random = createRandom(3);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const cost = (scale: number) => Math.exp(1.5 * normal()) * scale;
    let count = 0;
    for (let run = 0; run < runs; run += 1) {
      const before = Array.from({ length: 50 }, () => cost(1));
      const after = Array.from({ length: 50 }, () => cost(factor));
      if (isCounted(before, after)) count += 1;
    }
    return count / runs;
  };
  const isRejected = (before: readonly number[], after: readonly number[]) => {
    const { ratio, pIncrease } = comparePairedCost(before, after, 0.1);
    return (ratio ?? 0) > 1.1 && (pIncrease ?? 1) <= 0.025;
  };
  const isWithinByTotals = (before: readonly number[], after: readonly number[]) =>
    (costRatio(before, after, 0.05).high ?? 9) <= 1.1;
  const isWithin = (before: readonly number[], after: readonly number[]) =>
    isWithinByTotals(before, after) && comparePairedCost(before, after, 0.1).pWithin <= 0.025;

  test('fail an unchanged prompt in at most 3 % of runs', () => {
    expect(shareOf(1, 2000, isRejected)).toBeLessThanOrEqual(0.03);
  });

  test('find costs that rose fourfold', () => {
    expect(shareOf(4, 500, isRejected)).toBeGreaterThan(0.95);
  });

  test('are called within the margin in at most 3 % of runs if they rose by it, unlike totals alone', {
    tags: 'slow',
  }, () => {
    expect(shareOf(1.1, 2000, isWithinByTotals)).toBeGreaterThan(0.035);
    expect(shareOf(1.1, 2000, isWithin)).toBeLessThanOrEqual(0.03);
    expect(shareOf(0.3, 500, isWithin)).toBeGreaterThan(0.8);
  });
});

describe('quantiles', () => {
  // Hyndman and Fan 1996, type 7.
  test('are interpolated between order statistics', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4], 0.25)).toBe(1.75);
    expect(quantile([7], 0.95)).toBe(7);
    expect(quantile([1, 2, 3], 0)).toBe(1);
    expect(quantile([1, 2, 3], 1)).toBe(3);
    expect(quantile([], 0.5)).toBeNull();
  });

  test('fall on an order statistic where the position is a whole number in decimals', () => {
    const values = Array.from({ length: 121 }, (_, index) => index * 1.1);
    expect(quantile(values, 0.95)).toBe(values[114]);
  });

  test('refuse what is no number and no probability', () => {
    expect(() => quantile([1, Number.NaN], 0.5)).toThrow('not');
    expect(() => quantile([1], 1.5)).toThrow('1.5');
    expect(() => quantileInterval([1], 0.5, 0)).toThrow('alpha');
    expect(() => clusteredQuantileInterval([[1]], 0.5, 2)).toThrow('alpha');
  });

  test('a median is bounded from six values on', () => {
    expect(quantileInterval([1, 2, 3, 4, 5, 6], 0.5, 0.05)).toMatchObject({ low: 1, high: 6, lowRank: 1, highRank: 6 });
    expect(quantileInterval([1, 2, 3, 4, 5], 0.5, 0.05)).toMatchObject({ low: null, high: null, lowRank: null });
    expect(quantileInterval([], 0.5, 0.05)).toMatchObject({ estimate: null, low: null, high: null });
  });

  test('a 95th percentile has an upper limit from 72 values on', () => {
    const values = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);
    expect(quantileInterval(values(71), 0.95, 0.05).high).toBeNull();
    expect(quantileInterval(values(72), 0.95, 0.05).high).toBe(72);
  });

  test('of resembling repeats have wider bounds than of as many single values', () => {
    const cases = Array.from({ length: 40 }, (_, index) => [100 * index, 100 * index + 1, 100 * index + 2]);
    const clustered = clusteredQuantileInterval(cases, 0.5, 0.05);
    const single = quantileInterval(cases.flat(), 0.5, 0.05);
    expect(clustered.estimate).toBe(single.estimate);
    expect(clustered.low).toBeLessThan(single.low ?? 0);
    expect(clustered.high).toBeGreaterThan(single.high ?? 0);
  });

  test('of balanced clusters keep at least the binomial error', () => {
    const cases = Array.from({ length: 20 }, () => [1, 2, 3, 4]);
    expect(clusteredQuantileInterval(cases, 0.5, 0.05).seShare).toBeCloseTo(Math.sqrt(0.25 / 80), 12);
  });

  test('of a single case have no interval', () => {
    expect(clusteredQuantileInterval([[1, 2, 3]], 0.5, 0.05)).toEqual({
      estimate: 2,
      seShare: null,
      low: null,
      high: null,
      lowRank: null,
      highRank: null,
    });
    expect(clusteredQuantileInterval([], 0.5, 0.05).estimate).toBeNull();
  });

  test('the ratio of two is open where one of them is', () => {
    const baseline = { estimate: 2, low: 1, high: null };
    const candidate = { estimate: 4, low: 3, high: 5 };
    expect(quantileRatioInterval(baseline, candidate)).toMatchObject({ ratio: 2, low: null });
    expect(quantileRatioInterval(baseline, candidate).high).toBeCloseTo(
      2 * Math.exp(Math.hypot(Math.log(1.25), Math.log(2))),
      12,
    );
    expect(quantileRatioInterval({ estimate: 0, low: null, high: null }, candidate)).toEqual({
      ratio: null,
      low: null,
      high: null,
    });
  });
});

describe('signed ranks', () => {
  // Hollander and Wolfe 1999, example 3.1: depression factor before and after a tranquilliser.
  const before = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3];
  const after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
  const drops = before.map((value, index) => value - (after[index] ?? 0));

  test('the published test is met', () => {
    expect(wilcoxonSignedRank(drops)).toEqual({ positiveRankSum: 40, pGreater: 10 / 512 });
  });

  test('the published estimate is met', () => {
    const { estimate, rank } = hodgesLehmann(drops, 0.05);
    expect(estimate).toBeCloseTo(0.46, 10);
    expect(rank).toBe(6);
  });

  test('their distribution counts subsets', () => {
    expect([...signedRankCdf(3)].map((p) => p * 8)).toEqual([1, 2, 3, 5, 6, 7, 8]);
    expect([...signedRankCdf(0)]).toEqual([1]);
    expect(signedRankCdf(50).at(-1)).toBe(1);
    expect(() => signedRankCdf(51)).toThrow(RangeError);
    expect(() => signedRankCdf(1.5)).toThrow(RangeError);
  });

  test('ties, zeros and many values are approximated with both corrections', () => {
    // Ranks 1.5, 1.5, 3, 4: V = 6, mean 5, variance 7.5 − 6/48, so z = 0.5/√7.375.
    expect(wilcoxonSignedRank([1, 1, 2, -3, 0])).toMatchObject({ positiveRankSum: 6 });
    expect(wilcoxonSignedRank([1, 1, 2, -3, 0]).pGreater).toBeCloseTo(0.427, 3);
    const many = Array.from({ length: 60 }, (_, index) => index - 20.5);
    expect(wilcoxonSignedRank(many).pGreater).toBeLessThan(0.01);
  });

  test('nothing but zeros says nothing', () => {
    expect(wilcoxonSignedRank([0, 0])).toEqual({ positiveRankSum: 0, pGreater: null });
  });

  test('fewer than six values have no interval', () => {
    expect(hodgesLehmann([], 0.05)).toEqual({ n: 0, estimate: null, low: null, high: null, rank: null });
    expect(hodgesLehmann([1, 2, 3, 4, 5], 0.05)).toMatchObject({ estimate: 3, low: null, high: null, rank: null });
    expect(hodgesLehmann([1, 2, 3, 4, 5, 6], 0.05)).toMatchObject({ low: 1, high: 6, rank: 1 });
    expect(() => hodgesLehmann([1, Number.NaN], 0.05)).toThrow('not');
  });

  test('the Walsh averages are found to the last bit without building them', () => {
    const value = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.integer({ min: -1e6, max: 1e6 }).map((step) => step / 1e6),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 70 }), (raw) => {
        // Zero has two signs, which sorting tells apart.
        const values = raw.map((one) => one + 0);
        const averages = Float64Array.from(values.flatMap((x, i) => values.slice(i).map((y) => (x + y) / 2))).sort();
        const { rank, low, high, estimate } = hodgesLehmann(values, 0.1);
        const at = (position: number): number => averages[position - 1] ?? Number.NaN;
        const count = averages.length;
        expect(estimate).toBe((at(Math.floor((count + 1) / 2)) + at(Math.floor(count / 2) + 1)) / 2 + 0);
        expect([low, high]).toEqual(rank === null ? [null, null] : [at(rank), at(count + 1 - rank)]);
      }),
    );
  });

  test('a hundred thousand values take no square of memory', { tags: 'slow' }, () => {
    const random = createRandom(5);
    const values = Array.from({ length: 100_000 }, () => random() + random() - 1);
    const { estimate, low, high } = hodgesLehmann(values, 0.05);
    expect(estimate).toBeCloseTo(0, 2);
    expect((high ?? 1) - (low ?? 0)).toBeLessThan(0.01);
  });
});
