import { describe, expect, test } from 'vitest';
import { drawRate, fitFailureRates, type RateSpread } from '../../src/stats/beta-binomial.ts';
import { mean, sampleVariance } from '../../src/stats/descriptive.ts';
import { clusteredRateInterval, wilsonInterval } from '../../src/stats/proportions.ts';
import { createRandom } from '../../src/text/random.ts';

const draws = <T>(count: number, draw: () => T): readonly T[] => Array.from({ length: count }, draw);
const meanOf = ({ alpha, beta }: RateSpread): number => alpha / (alpha + beta);

describe('fitFailureRates', () => {
  test('finds the mean and the spread that the cases have', { tags: 'slow' }, () => {
    const random = createRandom(3);
    const truth = { alpha: 1, beta: 9 };
    const cases = draws(400, () => {
      const rate = drawRate({ failures: 0, n: 0 }, truth, random);
      return { failures: draws(6, () => random() < rate).filter(Boolean).length, n: 6 };
    });
    const spreads = draws(200, () => fitFailureRates(cases)(random)).slice(0, 200);
    expect(mean(spreads.map(meanOf))).toBeCloseTo(0.1, 1);
    expect(mean(spreads.map(({ alpha, beta }) => 1 / (1 + alpha + beta)))).toBeCloseTo(1 / 11, 1);
  });

  test('leaves open what a few trials without a failure leave open', () => {
    const random = createRandom(3);
    const draw = fitFailureRates(draws(10, () => ({ failures: 0, n: 3 })));
    const means = draws(400, () => meanOf(draw(random)));
    expect(mean(means)).toBeGreaterThan(0.005);
    expect(mean(means)).toBeLessThan(0.1);
  });

  test('tells cases that always fail from cases that sometimes do', () => {
    const random = createRandom(3);
    const broken = fitFailureRates([
      ...draws(16, () => ({ failures: 0, n: 6 })),
      ...draws(4, () => ({ failures: 6, n: 6 })),
    ]);
    const flaky = fitFailureRates(draws(20, () => ({ failures: 1, n: 6 })));
    const correlationOf = ({ alpha, beta }: RateSpread): number => 1 / (1 + alpha + beta);
    expect(mean(draws(200, () => correlationOf(broken(random))))).toBeGreaterThan(0.8);
    expect(mean(draws(200, () => correlationOf(flaky(random))))).toBeLessThan(0.1);
  });
});

test.each([
  [
    { failures: 0, n: 6 },
    { alpha: 0.05, beta: 0.45 },
  ],
  [
    { failures: 3, n: 6 },
    { alpha: 2, beta: 5 },
  ],
  [
    { failures: 0, n: 0 },
    { alpha: 0.001, beta: 0.002 },
  ],
])('drawRate: %j under %j has the mean and the variance of its Beta distribution', (counts, spread) => {
  const random = createRandom(5);
  const [a, b] = [spread.alpha + counts.failures, spread.beta + counts.n - counts.failures];
  const rates = draws(20_000, () => drawRate(counts, spread, random));
  expect(rates.every((rate) => rate >= 0 && rate <= 1)).toBe(true);
  expect(mean(rates)).toBeCloseTo(a / (a + b), 2);
  expect(sampleVariance(rates)).toBeCloseTo((a * b) / ((a + b) ** 2 * (a + b + 1)), 2);
});

describe('clusteredRateInterval', () => {
  test('is wider than that of independent observations, the more so the more the clusters differ', () => {
    const alike = draws(20, () => ({ events: 5, n: 100 }));
    const apart = alike.map((_, index) => ({ events: index < 10 ? 0 : 10, n: 100 }));
    const width = ({ low, high }: { low: number | null; high: number | null }): number => (high ?? 1) - (low ?? 0);
    const [independent, first, second] = [
      wilsonInterval(100, 2000, 0.05),
      clusteredRateInterval(alike, 0.05),
      clusteredRateInterval(apart, 0.05),
    ].map(width);
    expect(first).toBeGreaterThan(independent ?? 0);
    expect(second).toBeGreaterThan(2 * (first ?? 0));
  });

  test('of no events ends above 0; of no observation it is unknown', () => {
    const { low, high } = clusteredRateInterval(
      draws(20, () => ({ events: 0, n: 100 })),
      0.05,
    );
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(0.005);
    expect(high).toBeLessThan(0.025);
    expect(clusteredRateInterval([], 0.05)).toEqual({ low: null, high: null });
  });
});
