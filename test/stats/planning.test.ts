import { describe, expect, test } from 'vitest';
import { casesNeededSingle, minDetectableEffect } from '../../scripts/reference-statistics.ts';
import { compareCases } from '../../src/stats/compare-cases.ts';
import { varianceComponents } from '../../src/stats/pairs.ts';
import {
  assumedComponents,
  casesNeeded,
  casesToExcludeMargin,
  minCasesForMargin,
  repeatsNeeded,
  sampleSizeToSettle,
} from '../../src/stats/planning.ts';

const POLICY = { alpha: 0.05, power: 0.8 };

function variance(flakeRate: number, delta: number, repeats: number): number {
  const { omega2, sigma2Baseline, sigma2Candidate } = assumedComponents(flakeRate, delta);
  return omega2 + (sigma2Baseline + sigma2Candidate) / repeats;
}

describe('cases', () => {
  test.each([
    [0, [71, 71, 71], [150, 150, 150], [73, 73, 73]],
    [0.05, [138, 88, 78], [432, 233, 194], [299, 100, 73]],
    [0.2, [291, 123, 90], [1091, 422, 288], [1005, 335, 201]],
  ])('at a flake rate of %f are those of the documented table', (flakeRate, ten, five, certify) => {
    const repeats = [1, 3, 5];
    expect(repeats.map((k) => casesNeeded(0.1, variance(flakeRate, 0.1, k), POLICY))).toEqual(ten);
    expect(repeats.map((k) => casesNeeded(0.05, variance(flakeRate, 0.05, k), POLICY))).toEqual(five);
    expect(repeats.map((k) => casesToExcludeMargin(0.05, variance(flakeRate, 0, k), POLICY))).toEqual(certify);
  });

  test.each([
    [0.1, 35],
    [0.05, 73],
    [0.02, 189],
    [0.01, 381],
  ])('a margin of %f needs %i clean ones, and one fewer does not do', (margin, n) => {
    expect(minCasesForMargin(margin, 0.05)).toBe(n);
    const unchanged = (count: number): number[][] => Array.from({ length: count }, () => [1]);
    const verdict = (count: number): string =>
      compareCases({ baseline: unchanged(count), candidate: unchanged(count) }, { alpha: 0.05, margin }).verdict;
    expect([verdict(n - 1), verdict(n)]).toEqual(['inconclusive', 'not_regressed']);
  });

  test('no margin and no difference need more than any number', () => {
    expect(minCasesForMargin(0, 0.05)).toBeNull();
    expect(casesNeeded(0, 0.1, POLICY)).toBeNull();
    expect(casesToExcludeMargin(0, 0.1, POLICY)).toBeNull();
    expect(casesNeededSingle(0, 0.1, POLICY)).toBeNull();
  });

  test('fewer changed cases than the difference is impossible', () => {
    expect(casesNeededSingle(0.1, 0.05, POLICY)).toBeNull();
    expect(casesNeededSingle(0.05, 0.05, POLICY)).toBe(155);
  });

  test('what n cases detect is what needs n cases', () => {
    const effect = minDetectableEffect(100, 0.1, POLICY) ?? 0;
    expect(casesNeeded(effect * (1 + 1e-9), 0.1, POLICY)).toBe(100);
    expect(minDetectableEffect(0, 0.1, POLICY)).toBeNull();
  });

  test('a power that is not a probability is refused', () => {
    expect(() => casesNeeded(0.1, 0.1, { alpha: 0.05, power: 1 })).toThrow('power');
  });
});

describe('repeats', () => {
  const plan = { n: 100, delta: 0.05, omega2: 0.005, sigma2Baseline: 0.0475, sigma2Candidate: 0.0475 };

  test('reduce the noise within cases', () => {
    expect(repeatsNeeded(plan, POLICY)).toBe(4);
    expect(repeatsNeeded({ ...plan, sigma2Baseline: 0, sigma2Candidate: 0 }, POLICY)).toBe(1);
  });

  test('cannot reduce true change', () => {
    expect(repeatsNeeded({ ...plan, omega2: 0.04 }, POLICY)).toBeNull();
  });
});

describe('variance components', () => {
  test('noise alone leaves no true change', () => {
    const results = {
      baseline: [
        [1, 0],
        [0, 1],
        [1, 1],
      ],
      candidate: [
        [0, 1],
        [1, 0],
        [1, 1],
      ],
    };
    expect(varianceComponents(results)).toEqual({
      sigma2Baseline: 1 / 3,
      sigma2Candidate: 1 / 3,
      varianceOfDifference: 0,
      omega2: 0,
    });
  });

  test('steady cases that change have nothing but true change', () => {
    const results = {
      baseline: [
        [1, 1],
        [1, 1],
      ],
      candidate: [
        [0, 0],
        [1, 1],
      ],
    };
    expect(varianceComponents(results)).toEqual({
      sigma2Baseline: 0,
      sigma2Candidate: 0,
      varianceOfDifference: 0.5,
      omega2: 0.5,
    });
  });

  test('single repeats and single cases do not tell', () => {
    expect(varianceComponents({ baseline: [[1], [1]], candidate: [[0], [1]] })).toEqual({
      sigma2Baseline: null,
      sigma2Candidate: null,
      varianceOfDifference: 0.5,
      omega2: null,
    });
    expect(varianceComponents({ baseline: [[1, 0]], candidate: [[0, 1]] }).varianceOfDifference).toBeNull();
  });
});

describe('what would settle a comparison', () => {
  const options = { alpha: 0.05, margin: 0.05 };
  const same = (n: number, results: number[]): number[][] => Array.from({ length: n }, () => results);

  test('a clean suite that is too small needs cases, not repeats', () => {
    expect(sampleSizeToSettle({ baseline: same(20, [1, 1, 1]), candidate: same(20, [1, 1, 1]) }, options)).toEqual({
      cases: 73,
      repeats: null,
    });
  });

  test('within the suite repeats will do', () => {
    const results = { baseline: same(20, [1]), candidate: same(20, [1]) };
    expect(sampleSizeToSettle(results, { ...options, scope: 'suite' })).toEqual({ cases: 73, repeats: 4 });
    expect(sampleSizeToSettle(results, { ...options, margin: 0, scope: 'suite' })).toEqual({
      cases: null,
      repeats: null,
    });
  });

  test('more repeats are more than there are, on the side that has fewer', () => {
    const results = { baseline: same(200, [1, 1, 1, 1, 0, 1]), candidate: same(200, [1, 1, 1, 1, 1, 0, 1]) };
    expect(sampleSizeToSettle(results, { ...options, margin: 0.2 })).toEqual({ cases: 201, repeats: 7 });
    const none = { baseline: [], candidate: [] };
    expect(sampleSizeToSettle(none, options)).toMatchObject({ cases: expect.any(Number), repeats: null });
  });

  test('spread of single repeats is taken as noise', () => {
    // Five of a hundred cases changed either way: Var(d) = 10/99.
    const results = {
      baseline: [...same(5, [1]), ...same(5, [0]), ...same(90, [1])],
      candidate: [...same(5, [0]), ...same(5, [1]), ...same(90, [1])],
    };
    expect(sampleSizeToSettle(results, options)).toEqual({ cases: 318, repeats: 4 });
  });

  test('true change in whole cases is not for repeats to settle', () => {
    const results = {
      baseline: [...same(10, [1, 1, 1]), ...same(10, [0, 0, 0]), ...same(80, [1, 1, 1])],
      candidate: [...same(10, [0, 0, 0]), ...same(10, [1, 1, 1]), ...same(80, [1, 1, 1])],
    };
    expect(sampleSizeToSettle(results, options)).toMatchObject({ repeats: null });
    expect(sampleSizeToSettle(results, options).cases).toBeGreaterThan(600);
  });

  test('without results the assumed flake rate is planned with', () => {
    expect(sampleSizeToSettle({ baseline: [], candidate: [] }, options)).toEqual({ cases: 299, repeats: null });
    expect(sampleSizeToSettle({ baseline: [], candidate: [] }, { ...options, flakeRate: 0.2 }).cases).toBe(1005);
  });

  test('the advice asks for more than there is', () => {
    const results = { baseline: same(300, [1, 1]), candidate: same(300, [1, 1]) };
    expect(sampleSizeToSettle(results, options)).toEqual({ cases: 301, repeats: 3 });
  });
});
