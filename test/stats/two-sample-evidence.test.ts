import { describe, expect, test } from 'vitest';
import { failuresToConfirm, PairedEvidence, pairsToConfirm } from '../../src/stats/two-sample-evidence.ts';
import { createRandom } from '../../src/text/random.ts';
import fc from '../support/property.ts';

interface Pair {
  readonly candidate: boolean;
  readonly accepted: boolean;
}

function weigh(pairs: readonly Pair[]): number {
  const evidence = new PairedEvidence();
  for (const pair of pairs) evidence.add(pair);
  return evidence.value;
}

/** The same from the counts of failures, as likelihoods of both sides. */
function weighSlowly(pairs: readonly Pair[]): number {
  const count = (side: keyof Pair) => pairs.filter((pair) => pair[side]).length;
  const likelihood = (rate: number, failures: number) => rate ** failures * (1 - rate) ** (pairs.length - failures);
  const ratios: number[] = [];
  for (const a of [0.01, 0.05, 0.15, 0.35]) {
    for (const c of [0.5, 0.75, 0.9, 0.99]) {
      const both = (a + c) / 2;
      const of = [count('candidate'), count('accepted')] as const;
      const alternative = likelihood(c, of[0]) * likelihood(a, of[1]);
      ratios.push(alternative / (likelihood(both, of[0]) * likelihood(both, of[1])));
    }
  }
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}

const anyPair = fc.record({ candidate: fc.boolean(), accepted: fc.boolean() });
const anyPairs = fc.array(anyPair, { maxLength: 15 });

describe('the evidence of pairs', () => {
  test('is that of an independent computation, and 1 without a pair', () => {
    expect(weigh([])).toBe(1);
    fc.assert(
      fc.property(anyPairs, (pairs) => {
        expect(weigh(pairs) / weighSlowly(pairs)).toBeCloseTo(1, 9);
      }),
    );
  });

  test('does not depend on the order of the pairs', () => {
    fc.assert(
      fc.property(anyPairs, (pairs) => {
        expect(weigh(pairs.toReversed()) / weigh(pairs)).toBeCloseTo(1, 9);
      }),
    );
  });

  test('grows with a failure of the candidate alone, and shrinks with one of the accepted side alone', () => {
    fc.assert(
      fc.property(fc.nat(12), (count) => {
        const alone = Array.from({ length: count }, () => ({ candidate: true, accepted: false }));
        const before = weigh(alone);
        expect(weigh([...alone, { candidate: true, accepted: false }])).toBeGreaterThan(before);
        expect(weigh([...alone, { candidate: true, accepted: true }])).toBeLessThan(before);
        expect(weigh([...alone, { candidate: false, accepted: true }])).toBeLessThan(before);
      }),
    );
  });

  test.each([0, 0.02, 0.1, 0.3, 0.5, 0.8, 0.97, 1])(
    'has a mean of at most 1 where both sides fail at the rate %f, after any number of pairs',
    (rate) => {
      const chance = (failed: boolean) => (failed ? rate : 1 - rate);
      const meanAfter = (pairs: number, before: readonly Pair[] = []): number =>
        pairs === 0
          ? weigh(before)
          : [true, false]
              .flatMap((candidate) => [true, false].map((accepted) => ({ candidate, accepted })))
              .reduce((sum, pair) => {
                const weight = chance(pair.candidate) * chance(pair.accepted);
                return weight === 0 ? sum : sum + weight * meanAfter(pairs - 1, [...before, pair]);
              }, 0);
      for (const pairs of [1, 2, 4]) expect(meanAfter(pairs)).toBeLessThanOrEqual(1 + 1e-12);
    },
  );

  test.each([0.02, 0.1, 0.3, 0.6, 0.95])(
    'ever reaches 1/x in at most a share of x of the runs in which both sides fail at the rate %f',
    (rate) => {
      const random = createRandom(20_261_203);
      const runs = 1500;
      const most = Array.from({ length: runs }, () => {
        const evidence = new PairedEvidence();
        let largest = 1;
        for (let pair = 0; pair < 30; pair += 1) {
          evidence.add({ candidate: random() < rate, accepted: random() < rate });
          largest = Math.max(largest, evidence.value);
        }
        return largest;
      });
      for (const x of [0.5, 0.2, 0.1, 0.05, 0.025]) {
        expect(most.filter((largest) => largest >= 1 / x).length / runs).toBeLessThanOrEqual(x);
      }
    },
  );
});

describe('what confirms a case', () => {
  test('is the first number of pairs with enough evidence', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e6, noNaN: true }), (threshold) => {
        const pairs = pairsToConfirm(threshold);
        const alone = (count: number) =>
          weighSlowly(Array.from({ length: count }, () => ({ candidate: true, accepted: false })));
        expect(alone(pairs)).toBeGreaterThanOrEqual(threshold * (1 - 1e-9));
        expect(pairs === 0 ? 0 : alone(pairs - 1)).toBeLessThan(threshold);
      }),
    );
  });

  test('is one or two pairs more for ten times as many flagged cases', () => {
    const pairs = [1, 10, 100, 1000].map((flagged) => pairsToConfirm((2 * flagged) / 0.05));
    expect(pairs).toEqual([4, 6, 8, 9]);
  });

  test.each([
    [1, 1],
    [2, 1],
    [40, 6],
    [64, 6],
    [65, 7],
    [400, 9],
  ])('of %d to one is the number of failures that double so far, without an accepted side', (threshold, failures) => {
    expect(failuresToConfirm(threshold)).toBe(failures);
    expect(failures === 1 ? 0 : 2 ** (failures - 1)).toBeLessThan(threshold);
  });
});
