import { describe, expect, test } from 'vitest';
import { adjustBenjaminiHochberg, adjustHolm, sequentialEvidence } from '../../src/stats/multiplicity.ts';
import { createRandom } from '../../src/text/random.ts';
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

describe('sequential evidence', () => {
  const options = { margin: 0.05, alphaEarly: 0.005 };
  const first = (difference: number, wanted: string): number => {
    const differences: number[] = [];
    while (sequentialEvidence(differences, options).stop !== wanted) differences.push(difference);
    return differences.length;
  };

  test('stops a suite that broke whole after 11 cases and a clean one after 145', () => {
    expect(first(-1, 'regressed')).toBe(11);
    expect(first(0, 'not_regressed')).toBe(145);
  });

  test('starts with none', () => {
    expect(sequentialEvidence([], options)).toEqual({
      logERegressed: 0,
      logENotRegressed: 0,
      largestLogERegressed: 0,
      largestLogENotRegressed: 0,
      stop: 'continue',
    });
  });

  test('does not depend on the order of the cases', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { maxLength: 40 }), (differences) => {
        const there = sequentialEvidence(differences, options);
        const back = sequentialEvidence(differences.toReversed(), options);
        expect(there.logERegressed).toBeCloseTo(back.logERegressed, 9);
        expect(there.logENotRegressed).toBeCloseTo(back.logENotRegressed, 9);
      }),
    );
  });

  test('keeps the largest evidence so far, whatever comes after', () => {
    const kept = (differences: readonly number[], what: 'logERegressed' | 'logENotRegressed') =>
      Math.max(...differences.map((_, last) => sequentialEvidence(differences.slice(0, last + 1), options)[what]), 0);
    const [passes, failures] = [Array.from({ length: 50 }, () => 0), Array.from({ length: 20 }, () => -1)];
    const fixes = failures.map(() => 1);
    for (const differences of [
      [...passes, ...failures],
      [...failures, ...fixes],
    ]) {
      const { largestLogERegressed, largestLogENotRegressed } = sequentialEvidence(differences, options);
      expect(largestLogERegressed).toBe(kept(differences, 'logERegressed'));
      expect(largestLogENotRegressed).toBe(kept(differences, 'logENotRegressed'));
    }
  });

  test('is worth no more than a fair bet where nothing has changed', () => {
    // The mean of E over all equally likely ±1 paths is exactly 1.
    const steps = 10;
    let total = 0;
    for (let path = 0; path < 2 ** steps; path += 1) {
      const differences = Array.from({ length: steps }, (_, step) => ((path >> step) & 1) * 2 - 1);
      total += Math.exp(sequentialEvidence(differences, options).logERegressed) / 2 ** steps;
    }
    expect(total).toBeCloseTo(1, 10);
  });

  test('refutes a true claim seldom, over all looks together', { tags: ['slow'] }, () => {
    const random = createRandom(1);
    const margin = 0.05;
    let refuted = 0;
    const runs = 1000;
    for (let run = 0; run < runs; run += 1) {
      // The drop is the margin: one case in ten breaks, and half as many are fixed.
      const differences = Array.from({ length: 200 }, () => {
        const drawn = random();
        return drawn < 0.1 ? -1 : drawn < 0.15 ? 1 : 0;
      });
      const { largestLogENotRegressed } = sequentialEvidence(differences, { margin, alphaEarly: 0.025 });
      if (largestLogENotRegressed >= -Math.log(0.025)) refuted += 1;
    }
    expect(refuted / runs).toBeLessThanOrEqual(0.025);
  });

  test('takes the largest drop and gain without breaking', () => {
    const { logERegressed, logENotRegressed } = sequentialEvidence([-1, 1], options);
    expect(Number.isFinite(logERegressed) && Number.isFinite(logENotRegressed)).toBe(true);
    expect(() => sequentialEvidence([0], { margin: 1, alphaEarly: 0.005 })).toThrow('margin');
    expect(() => sequentialEvidence([0], { margin: 0.1, alphaEarly: 0 })).toThrow('alpha');
  });
});
