import { describe, expect, test } from 'vitest';
import { fisherExact } from '../../src/stats/exact-tests.ts';

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
});
