import { describe, expect, test } from 'vitest';
import { scoreDifferenceInterval } from '../../scripts/reference-statistics.ts';
import { normalCritical } from '../../src/stats/distributions.ts';
import { tangoInterval, wilsonInterval } from '../../src/stats/proportions.ts';
import { groupEqual, scoreLower, scoreMeanInterval } from '../../src/stats/score-bound.ts';
import { createRandom } from '../../src/text/random.ts';
import fc from '../support/property.ts';

const Z = normalCritical(0.05);
const third = fc.integer({ min: -3, max: 3 }).map((step) => step / 3);
const differences = fc.array(fc.oneof(third, fc.double({ min: -1, max: 1, noNaN: true })), {
  minLength: 1,
  maxLength: 40,
});

/** The definition taken literally: bisection on μ, and inside it on λ. */
function literalBound(values: readonly number[], z: number): number {
  const n = values.length;
  const centre = values.reduce((sum, value) => sum + value, 0) / n;
  const statistic = (mu: number): number => {
    const limit = 1 / (1 + mu);
    const f = (lambda: number): number =>
      values.reduce((sum, value) => sum + (value - mu) / (1 + lambda * (value - mu)), 0);
    const lambda = !values.includes(-1) && f(limit) >= 0 ? limit : bisect(f, 0, limit);
    const weights = values.map((value) => 1 / (n * (1 + lambda * (value - mu))));
    const unseen = Math.max(0, 1 - weights.reduce((sum, weight) => sum + weight, 0));
    const square = values.reduce((sum, value, index) => sum + (weights[index] ?? 0) * value * value, 0);
    return (centre - mu) / Math.sqrt((square + unseen - mu * mu) / n);
  };
  return bisect((mu) => statistic(mu) - z, -1, centre);
}

function bisect(falling: (x: number) => number, low: number, high: number): number {
  let [from, to] = [low, high];
  for (let step = 0; step < 200; step += 1) {
    const middle = (from + to) / 2;
    if (falling(middle) > 0) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}

describe('the score bound', () => {
  test('is the one of the literal definition', { tags: 'slow' }, () => {
    const random = createRandom(3);
    const pick = (kind: number): number =>
      kind === 0 ? Math.floor(3 * random()) - 1 : kind === 1 ? (Math.floor(7 * random()) - 3) / 3 : -0.4 * random();
    for (let round = 0; round < 60; round += 1) {
      const values = Array.from({ length: 2 + (round % 25) }, () => pick(round % 3));
      if (values.every((value) => value === -1)) continue;
      const z = [1.2816, Z, 2.5758][round % 3] ?? Z;
      expect(scoreLower(groupEqual(values), z)).toBeCloseTo(literalBound(values, z), 11);
    }
  });

  test("is Wilson's for one pass or fail a case", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<number>(0, 1), { minLength: 1, maxLength: 200 }), (values) => {
        const { low, high } = scoreMeanInterval(values, 0.05);
        const wilson = wilsonInterval(
          values.reduce((sum, value) => sum + value, 0),
          values.length,
          0.05,
        );
        expect(low).toBeCloseTo(wilson.low ?? Number.NaN, 12);
        expect(high).toBeCloseTo(wilson.high ?? Number.NaN, 12);
      }),
    );
  });

  test("is Tango's for differences of one pass or fail a side", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(-1, 0, 0, 0, 1), { minLength: 1, maxLength: 100 }), (values) => {
        const count = (wanted: number): number => values.filter((value) => value === wanted).length;
        const tango = tangoInterval({ worse: count(-1), better: count(1), n: values.length }, 0.1);
        expect(scoreDifferenceInterval(values, 0.1).low).toBeCloseTo(tango.low ?? Number.NaN, 13);
        expect(scoreDifferenceInterval(values, 0.1).high).toBeCloseTo(tango.high ?? Number.NaN, 13);
      }),
    );
  });

  test("is the root of Tango's published statistic", () => {
    const { low } = tangoInterval({ worse: 16, better: 6, n: 161 }, 0.05);
    const delta = -(low ?? Number.NaN);
    const a = 2 * 161;
    const b = -16 - 6 + (2 * 161 - 16 + 6) * delta;
    const q = (Math.sqrt(b * b - 4 * a * -6 * delta * (1 - delta)) - b) / (2 * a);
    expect((16 - 6 - 161 * delta) / Math.sqrt(161 * (2 * q + delta * (1 - delta)))).toBeCloseTo(-Z, 9);
  });

  test.each([
    [20, 16.1],
    [50, 7.1],
    [73, 5.0],
    [100, 3.7],
    [200, 1.9],
  ])('%i unchanged cases leave room for a drop of %f points', (n, points) => {
    expect(100 * -scoreLower([{ value: 0, weight: n }], Z)).toBeCloseTo(points, 1);
    expect(scoreLower([{ value: 0, weight: n }], Z)).toBeCloseTo(-(Z * Z) / (n + Z * Z), 13);
  });

  test('lies between −1 and the mean', () => {
    fc.assert(
      fc.property(differences, (values) => {
        const { low, mean, high } = scoreDifferenceInterval(values, 0.05);
        expect(low).toBeGreaterThanOrEqual(-1);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual((mean ?? Number.NaN) + 1e-12);
        expect(high).toBeGreaterThanOrEqual((mean ?? Number.NaN) - 1e-12);
      }),
    );
  });

  test('does not depend on the order of the cases', () => {
    fc.assert(
      fc.property(differences, (values) => {
        expect(scoreLower(groupEqual(values.toReversed()), Z)).toBe(scoreLower(groupEqual(values), Z));
      }),
    );
  });

  test('never falls when a case gets better', () => {
    fc.assert(
      fc.property(differences, fc.double({ min: 0, max: 1, noNaN: true }), (values, gain) => {
        const [first = 0, ...rest] = values;
        const better = [Math.min(1, first + gain), ...rest];
        // Better by more than rounding: the bound may widen with the spread, but not below the old one.
        expect(scoreLower(groupEqual(better), Z)).toBeGreaterThanOrEqual(scoreLower(groupEqual(values), Z) - 1e-12);
      }),
    );
  });

  test('rises with alpha and falls with the design effect', () => {
    fc.assert(
      fc.property(differences, (values) => {
        const grouped = groupEqual(values);
        expect(scoreLower(grouped, 1.2)).toBeGreaterThanOrEqual(scoreLower(grouped, 2.2));
        expect(scoreLower(grouped, Z, 1)).toBeGreaterThanOrEqual(scoreLower(grouped, Z, 3));
      }),
    );
  });

  test('repeats of a clean suite do not narrow it, cases do', () => {
    expect(scoreMeanInterval([1, 1, 1], 0.05).low).toBeCloseTo(3 / (3 + Z * Z), 13);
    expect(scoreMeanInterval([1, 1, 1], 0.05).high).toBe(1);
    expect(scoreMeanInterval([0, 0], 0.05).low).toBe(0);
  });

  test('is −1 where every case broke, and the mean where z is 0', () => {
    expect(scoreLower([{ value: -1, weight: 4 }], Z)).toBe(-1);
    expect(scoreLower([{ value: 0.3, weight: 4 }], 0)).toBeCloseTo(0.3, 15);
  });

  test('has a value for a single case', () => {
    expect(scoreDifferenceInterval([0.25], 0.05).low).toBeCloseTo(-0.741813357028453, 12);
  });

  test('says nothing for no values and refuses what lies below the support', () => {
    expect(scoreMeanInterval([], 0.05)).toEqual({ n: 0, mean: null, low: null, high: null });
    expect(scoreDifferenceInterval([], 0.05)).toEqual({ n: 0, mean: null, low: null, high: null });
    expect(() => scoreLower([], Z)).toThrow('at least one value');
    expect(() => scoreLower([{ value: -1.1, weight: 1 }], Z)).toThrow('-1.1');
    expect(() => scoreMeanInterval([1.2], 0.05)).toThrow(RangeError);
    expect(() => scoreMeanInterval([Number.NaN], 0.05)).toThrow(RangeError);
  });

  test('takes a hundred thousand distinct scores exactly', () => {
    const random = createRandom(9);
    const values = Array.from({ length: 100_000 }, () => 0.4 * (random() - 0.5));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    // So many cases are as good as normal.
    expect(scoreLower(groupEqual(values), Z)).toBeCloseTo(mean - Z * Math.sqrt(square / values.length), 6);
  });
});

test('equal values are grouped with their counts in rising order', () => {
  expect(groupEqual([0.5, -1, 0.5, 0])).toEqual([
    { value: -1, weight: 1 },
    { value: 0, weight: 1 },
    { value: 0.5, weight: 2 },
  ]);
});
