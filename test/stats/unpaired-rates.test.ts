import { describe, expect, test } from 'vitest';
import { compareUnpaired } from '../../src/stats/proportions.ts';
import fc from '../support/property.ts';

const rate = (passed: number, n: number): number[] => Array.from({ length: n }, (_, index) => (index < passed ? 1 : 0));

describe('two samples without a common case', () => {
  test('have the interval of Newcombe 1998: 56 of 70 against 48 of 80', () => {
    const { baseline, candidate, delta, low, high } = compareUnpaired(rate(48, 80), rate(56, 70), 0.05);
    expect([baseline, candidate]).toEqual([0.6, 0.8]);
    expect(delta).toBeCloseTo(0.2, 12);
    expect([low, high].map((bound) => bound?.toFixed(4))).toEqual(['0.0524', '0.3339']);
  });

  test('without a case on a side have nothing to say', () => {
    const nothing = { baseline: null, candidate: null, delta: null, low: null, high: null, pWorse: null };
    expect(compareUnpaired([], [1], 0.05)).toEqual(nothing);
    expect(compareUnpaired([1], [], 0.05)).toEqual(nothing);
  });

  test('that differ beyond every doubt have a p, and it is not 0', () => {
    expect(compareUnpaired(rate(1000, 1000), rate(0, 1000), 0.05).pWorse).toBe(1e-12);
  });

  test('have a p that says what the interval says, at any alpha', () => {
    const side = fc.array(fc.constantFrom(0, 0.5, 1), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(side, side, fc.double({ min: 0.001, max: 0.5, noNaN: true }), (before, after, alpha) => {
        const { delta, high, pWorse } = compareUnpaired(before, after, alpha);
        if (delta === null || high === null || pWorse === null) throw new Error('both sides have cases');
        fc.pre(Math.abs(pWorse - alpha / 2) > 1e-9);
        expect(pWorse < alpha / 2).toBe(high < 0);
        expect(pWorse).toBeLessThanOrEqual(0.5);
      }),
    );
  });
});
