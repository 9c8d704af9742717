import { describe, expect, test } from 'vitest';
import { describeBelow, percent } from '../../src/verdict/gate/wording.ts';
import fc from '../support/property.ts';

describe('a percentage in a sentence', () => {
  test.each([
    [0.9, '90 %'],
    [2 / 3, '66.7 %'],
    [0.9999, '99.9 %'],
    [0.0001, '0.1 %'],
    [0, '0 %'],
    [1, '100 %'],
  ])('of %d is %s', (fraction, text) => {
    expect(percent(fraction)).toBe(text);
  });

  test('is rounded like those of the tables, and what is below a limit never reads like it', () => {
    expect(describeBelow(0.989, 0.99)).toBe('98.9 % is below 99 %');
    expect(describeBelow(2 / 3, 0.667)).toBe('66.67 % is below 66.7 %');
    expect(describeBelow(0.999999, 1)).toBe('99.9 % is below 100 %');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99_999 }), fc.integer({ min: 1, max: 100_000 }), (passed, n) => {
        const rate = Math.min(passed, n - 1) / n;
        const [value, limit] = describeBelow(rate, (Math.min(passed, n - 1) + 1) / n).split(' is below ');
        expect(Number.parseFloat(value ?? '')).toBeLessThan(Number.parseFloat(limit ?? ''));
      }),
    );
  });
});
