import { describe, expect, test } from 'vitest';
import { adjustBenjaminiHochberg, adjustHolm } from '../../src/stats/multiplicity.ts';
import fc from '../support/property.ts';

const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });
const both = [
  ['Holm', adjustHolm],
  ['Benjamini-Hochberg', adjustBenjaminiHochberg],
] as const;

test('worked examples by hand', () => {
  // 5·0.001, 4·0.013, 3·0.02, 2·0.04, 0.3 and 5·0.001, 5/2·0.013, 5/3·0.02, 5/4·0.04, 0.3.
  expect(rounded(adjustHolm([0.001, 0.013, 0.02, 0.04, 0.3]))).toEqual([0.005, 0.052, 0.06, 0.08, 0.3]);
  expect(rounded(adjustBenjaminiHochberg([0.3, 0.04, 0.001, 0.013, 0.02]))).toEqual([
    0.3, 0.05, 0.005, 0.0325, 0.03333,
  ]);
  expect(adjustHolm([0.4, 0.5])).toEqual([0.8, 0.8]);
});

describe.each(both)('%s', (_name, adjust) => {
  test('leaves one p-value and none as they are', () => {
    expect(adjust([0.03])).toEqual([0.03]);
    expect(adjust([])).toEqual([]);
  });

  test('never makes a p-value smaller, nor larger than 1, and keeps their order', () => {
    fc.assert(
      fc.property(pValues, (ps) => {
        const adjusted = adjust(ps);
        for (const [index, p] of ps.entries()) {
          expect(adjusted[index]).toBeGreaterThanOrEqual(p);
          expect(adjusted[index]).toBeLessThanOrEqual(1);
        }
        const inOrder = ps.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
        const adjustedInOrder = inOrder.map(({ index }) => adjusted[index] ?? Number.NaN);
        expect(adjustedInOrder).toEqual(adjustedInOrder.toSorted((a, b) => a - b));
      }),
    );
  });

  test('does not depend on the order of the hypotheses', () => {
    fc.assert(
      fc.property(pValues, (ps) => {
        expect(adjust(ps.toReversed())).toEqual(adjust(ps).toReversed());
      }),
    );
  });

  test('refuses what is no p-value', () => {
    expect(() => adjust([0.1, Number.NaN])).toThrow('NaN');
    expect(() => adjust([-0.1])).toThrow('-0.1');
  });
});

test('Holm lies between no correction and Bonferroni, and above Benjamini-Hochberg', () => {
  fc.assert(
    fc.property(pValues, (ps) => {
      const holm = adjustHolm(ps);
      const bh = adjustBenjaminiHochberg(ps);
      for (const [index, p] of ps.entries()) {
        expect(holm[index]).toBeLessThanOrEqual(Math.min(1, p * ps.length) + 1e-15);
        expect(bh[index]).toBeLessThanOrEqual((holm[index] ?? 0) + 1e-15);
      }
    }),
  );
});

function rounded(values: readonly number[]): number[] {
  return values.map((value) => Math.round(value * 1e5) / 1e5);
}
