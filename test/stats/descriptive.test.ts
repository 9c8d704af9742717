import { describe, expect, test } from 'vitest';
import {
  addValues,
  groupClusteredError,
  mean,
  noValues,
  representValues,
  sumOfSquares,
} from '../../src/stats/descriptive.ts';
import fc from '../support/property.ts';

const values = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 });

describe('moments', () => {
  test('of values that come in two parts are those of all', () => {
    fc.assert(
      fc.property(values, values, (first, second) => {
        const all = addValues(addValues(noValues, first), second);
        expect(all.n).toBe(first.length + second.length);
        expect(all.mean).toBeCloseTo(mean([...first, ...second]), 10);
        expect(all.squares).toBeCloseTo(sumOfSquares([...first, ...second]), 10);
      }),
    );
  });

  test('are represented by values from 0 to 1 with the same mean and spread', () => {
    fc.assert(
      fc.property(values, (given) => {
        const moments = addValues(noValues, given);
        const shown = representValues(moments);
        expect(shown).toHaveLength(given.length);
        expect(shown.every((value) => value >= 0 && value <= 1)).toBe(true);
        expect(mean(shown)).toBeCloseTo(moments.mean, 8);
        expect(sumOfSquares(shown)).toBeCloseTo(moments.squares, 6);
      }),
    );
  });

  test('of passes and failures are represented by these', () => {
    fc.assert(
      fc.property(fc.nat({ max: 30 }), fc.nat({ max: 30 }), (passes, failures) => {
        const given = [...Array.from({ length: passes }, () => 1), ...Array.from({ length: failures }, () => 0)];
        expect(representValues(addValues(noValues, given))).toEqual(given);
      }),
    );
  });

  test('of nothing are represented by nothing', () => {
    expect(representValues(noValues)).toEqual([]);
  });
});

test('a clustered error needs two groups and a group for each value', () => {
  expect(groupClusteredError([1, 2], ['a', 'a'])).toEqual({ se: null, groupCount: 1 });
  expect(() => groupClusteredError([1, 2], ['a'])).toThrow('as many groups');
});
