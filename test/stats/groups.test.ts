import { describe, expect, test } from 'vitest';
import { compareCases } from '../../src/stats/compare-cases.ts';
import { designEffect, mean, sharedGroups } from '../../src/stats/descriptive.ts';
import { pairCases } from '../../src/stats/pairs.ts';
import { sampleSizeToSettle } from '../../src/stats/planning.ts';
import { compareUnpaired } from '../../src/stats/proportions.ts';
import { scoreMeanInterval } from '../../src/stats/score-bound.ts';
import fc from '../support/property.ts';

const policy = { alpha: 0.05, margin: 0.05 };

describe('sharedGroups', () => {
  test('is undefined where every case is its own group', () => {
    expect(sharedGroups([])).toBeUndefined();
    expect(sharedGroups([undefined, undefined])).toBeUndefined();
    expect(sharedGroups(['a', undefined, 'b'])).toBeUndefined();
  });

  test('gives a case without a group one of its own', () => {
    const groups = sharedGroups(['a', undefined, 'a', undefined]) ?? [];
    expect([groups[0], groups[2], new Set(groups).size]).toEqual(['a', 'a', 3]);
  });
});

test('pairs keep their own groups beside a case that has no pair', () => {
  const results = { baseline: [[], [1], [1], [0]], candidate: [[1], [1], [0], [0]] };
  expect(pairCases({ ...results, groups: ['x', 'y', 'y', 'z'] })).toMatchObject({
    unpaired: 1,
    groups: ['y', 'y', 'z'],
  });
  expect(pairCases({ ...results, groups: ['x', 'x', 'y', 'z'] }).groups).toBeUndefined();
});

test('the mean of values in groups is less certain than that of single ones, on both sides', () => {
  const values = [0.2, 0.3, 0.8, 0.9];
  const [alone, grouped] = [undefined, ['a', 'a', 'b', 'b']].map((groups) => scoreMeanInterval(values, 0.05, groups));
  expect(grouped?.mean).toBe(alone?.mean);
  expect(Number(grouped?.low)).toBeLessThan(Number(alone?.low) - 0.05);
  expect(Number(grouped?.high)).toBeGreaterThan(Number(alone?.high) + 0.05);
});

test('a rate that has not fallen is no worse at any level', () => {
  const rates = (candidate: readonly number[]) => compareUnpaired([1, 0, 1, 0], candidate, 0.05).pWorse;
  expect([rates([1, 0, 1, 0]), rates([1, 1, 1, 0])]).toEqual([0.5, 0.5]);
  expect(rates([0, 0, 1, 0])).toBeLessThan(0.5);
});

describe('designEffect', () => {
  test('is the size of groups that agree, times G/(G−1) over n/(n−1)', () => {
    expect(designEffect([0, 0, 1, 1], ['a', 'a', 'b', 'b'])).toBeCloseTo(2 * (2 / 1) * (3 / 4), 12);
  });

  test('is 1 where groups spread less than cases do, and where nothing differs', () => {
    expect(designEffect([0, 1, 0, 1], ['a', 'a', 'b', 'b'])).toBe(1);
    expect(designEffect([1, 1, 1, 1], ['a', 'a', 'b', 'b'])).toBe(1);
  });

  test('of one group makes all its values one observation', () => {
    expect(designEffect([0, 1, 1, 1], ['a', 'a', 'a', 'a'])).toBe(4);
  });
});

const trials = fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 3 });
const pairs = fc.array(fc.tuple(trials, trials), { minLength: 1, maxLength: 40 });

test('a group of its own for each case changes no number', () => {
  fc.assert(
    fc.property(pairs, (cases) => {
      const results = { baseline: cases.map(([before]) => before), candidate: cases.map(([, after]) => after) };
      const groups = cases.map((_, index) => `case-${index}`);
      expect(compareCases({ ...results, groups }, policy)).toEqual(compareCases(results, policy));
    }),
  );
});

test('groups change no number in a comparison of these cases alone', () => {
  fc.assert(
    fc.property(pairs, (cases) => {
      const results = { baseline: cases.map(([before]) => before), candidate: cases.map(([, after]) => after) };
      const groups = cases.map((_, index) => index % 3);
      const suite = { ...policy, scope: 'suite' as const };
      expect(compareCases({ ...results, groups }, suite)).toEqual(compareCases(results, suite));
    }),
  );
});

test('groups never narrow the lower bound of a comparison or the interval of a rate', () => {
  fc.assert(
    fc.property(pairs, fc.integer({ min: 1, max: 6 }), (cases, groupCount) => {
      const results = { baseline: cases.map(([before]) => before), candidate: cases.map(([, after]) => after) };
      const groups = cases.map((_, index) => index % groupCount);
      const clustered = compareCases({ ...results, groups }, policy);
      expect(clustered.low).toBeLessThanOrEqual((compareCases(results, policy).low ?? -1) + 1e-9);
      const rates = results.candidate.map((side) => mean(side));
      const [narrow, wide] = [scoreMeanInterval(rates, 0.05), scoreMeanInterval(rates, 0.05, groups)];
      expect(wide.low).toBeLessThanOrEqual((narrow.low ?? 0) + 1e-9);
      expect(wide.high).toBeGreaterThanOrEqual((narrow.high ?? 1) - 1e-9);
    }),
  );
});

test('two separate samples in groups weigh as their independent cases', () => {
  const results = (failing: number) => Array.from({ length: 40 }, (_, index): number => (index < failing ? 0 : 1));
  const groups = results(0).map((_, index) => Math.floor(index / 10));
  const plain = compareUnpaired(results(0), results(10), 0.05);
  const grouped = compareUnpaired(results(0), results(10), 0.05, { baseline: groups, candidate: groups });
  expect(plain.high).toBeLessThan(0);
  expect(grouped).toMatchObject({ baseline: 1, candidate: 0.75 });
  expect(grouped.delta).toBeCloseTo(-0.25, 12);
  expect(grouped.high).toBeGreaterThan(0);
});

test('advice counts groups: more cases than independent ones, no repeats, and no number for one group', () => {
  const results = {
    baseline: Array.from({ length: 40 }, () => [1]),
    candidate: Array.from({ length: 40 }, (_, index) => [index < 10 ? 0 : 1]),
  };
  const plain = sampleSizeToSettle(results, policy);
  const groups = results.baseline.map((_, index) => Math.floor(index / 10));
  const grouped = sampleSizeToSettle({ ...results, groups }, policy);
  expect(grouped.cases).toBeGreaterThan(5 * (plain.cases ?? 0));
  expect(grouped.repeats).toBeNull();
  const one = results.baseline.map(() => 'all');
  expect(sampleSizeToSettle({ ...results, groups: one }, policy)).toEqual({ cases: null, repeats: null });
});
