import { describe, expect, test } from 'vitest';
import { brokenCaseFailures, confirmationP, fisherExact, trialsToConfirm } from '../../src/stats/exact-tests.ts';
import fc from '../support/property.ts';

describe('failures of two sides', () => {
  const p = (candidate: readonly [number, number], accepted: readonly [number, number]) =>
    fisherExact({
      candidateFailures: candidate[0],
      candidateTrials: candidate[1],
      acceptedFailures: accepted[0],
      acceptedTrials: accepted[1],
    });

  test('are compared by the exact test', () => {
    // The lady tasting tea, Fisher 1935: three of four cups named rightly are 17 in 70.
    expect(p([3, 4], [1, 4])).toBeCloseTo(17 / 70, 12);
    expect(p([4, 4], [0, 4])).toBeCloseTo(1 / 70, 12);
    expect(p([5, 5], [1, 5])).toBeCloseTo(6 / 252, 12);
    // All trials of one side against a part of the other's.
    expect(p([5, 5], [0, 3])).toBeCloseTo(1 / 56, 12);
    expect([p([0, 5], [0, 5]), p([0, 5], [5, 5]), p([2, 2], [2, 2]), p([3, 3], [0, 0])]).toEqual([1, 1, 1, 1]);
    expect(() => p([6, 5], [0, 5])).toThrow('between 0 and the number of trials');
  });

  test('need so many trials that one failure of the accepted prompt is let through', () => {
    const trials = [1, 5, 20, 80].map((suspects) => trialsToConfirm(0.025 / suspects));
    expect(trials).toEqual([5, 7, 8, 9]);
    for (const [index, suspects] of [1, 5, 20, 80].entries()) {
      const count = trials[index] ?? 0;
      expect(confirmationP(count, 1)).toBeLessThanOrEqual(0.025 / suspects);
      expect(confirmationP(count - 1, 1)).toBeGreaterThan(0.025 / suspects);
    }
    expect(trialsToConfirm(0.9)).toBe(3);
    expect(() => trialsToConfirm(0)).toThrow('between 0 and 1');
  });
});

describe('a broken case', () => {
  test.each([
    [1, 3],
    [20, 5],
    [100, 6],
    [500, 7],
  ])('among %i cases is named after %i failures', (n, failures) => {
    expect(brokenCaseFailures({ n, alpha: 0.05 })).toBe(failures);
  });

  test('is a false alarm in the suite with probability alpha/2 at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.double({ min: 0.01, max: 0.9, noNaN: true }), (n, rate) => {
        const failures = brokenCaseFailures({ n, alpha: 0.05, toleratedFailureRate: rate });
        expect(n * rate ** failures).toBeLessThanOrEqual(0.025 * (1 + 1e-9));
      }),
    );
  });

  test('needs a rate between none and all', () => {
    expect(brokenCaseFailures({ n: 0, alpha: 0.05 })).toBe(3);
    expect(brokenCaseFailures({ n: 1, alpha: 0.5 })).toBe(3);
    expect(() => brokenCaseFailures({ n: 5, alpha: 0.05, toleratedFailureRate: 1 })).toThrow('tolerated');
    expect(() => brokenCaseFailures({ n: 5, alpha: 0 })).toThrow('alpha');
  });
});
