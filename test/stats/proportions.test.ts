import { describe, expect, test } from 'vitest';
import { mcnemarTwoSided, newcombePairedInterval } from '../../scripts/reference-statistics.ts';
import { fisherExact, fisherMidP, hypergeometricProbability, mcnemarTest } from '../../src/stats/exact-tests.ts';
import {
  clopperPearsonInterval,
  compareUnpaired,
  newcombeUnpairedInterval,
  tangoInterval,
  wilsonInterval,
} from '../../src/stats/proportions.ts';
import fc from '../support/property.ts';

/** As papers print it. */
function printed(
  { low, high }: { low: number | null; high: number | null },
  digits = 4,
): [string | undefined, string | undefined] {
  return [low?.toFixed(digits), high?.toFixed(digits)];
}

describe('one proportion', () => {
  // Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I.
  test.each([
    [81, 263, ['0.2553', '0.3662'], ['0.2527', '0.3676']],
    [15, 148, ['0.0624', '0.1605'], ['0.0578', '0.1617']],
    [0, 20, ['0.0000', '0.1611'], ['0.0000', '0.1684']],
    [1, 29, ['0.0061', '0.1718'], ['0.0009', '0.1776']],
  ])('%i of %i has the published Wilson and Clopper-Pearson intervals', (successes, n, wilson, exact) => {
    expect(printed(wilsonInterval(successes, n, 0.05))).toEqual(wilson);
    expect(printed(clopperPearsonInterval(successes, n, 0.05))).toEqual(exact);
  });

  test('no trials leave no interval', () => {
    expect(wilsonInterval(0, 0, 0.05)).toEqual({ low: null, high: null });
    expect(clopperPearsonInterval(0, 0, 0.05)).toEqual({ low: null, high: null });
  });

  test('the ends are exact', () => {
    expect(wilsonInterval(0, 7, 0.05).low).toBe(0);
    expect(wilsonInterval(7, 7, 0.05).high).toBe(1);
    expect(clopperPearsonInterval(0, 7, 0.05).low).toBe(0);
    expect(clopperPearsonInterval(7, 7, 0.05).high).toBe(1);
  });

  test('what is no proportion and what is no alpha are refused', () => {
    expect(() => wilsonInterval(3, 2, 0.05)).toThrow('3 of 2');
    expect(() => clopperPearsonInterval(-1, 2, 0.05)).toThrow(RangeError);
    expect(() => wilsonInterval(1, 2, 1)).toThrow('alpha');
    expect(() => clopperPearsonInterval(1, 2, Number.NaN)).toThrow('alpha');
  });

  test('the exact interval holds the observed share', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(500), (n, raw) => {
        const successes = raw % (n + 1);
        const { low, high } = clopperPearsonInterval(successes, n, 0.05);
        expect(low ?? 1).toBeLessThanOrEqual(successes / n);
        expect(high ?? 0).toBeGreaterThanOrEqual(successes / n);
      }),
      { numRuns: 50 },
    );
  });
});

describe('two independent proportions', () => {
  // Newcombe, Interval estimation for the difference between independent proportions, 1998, table II, method 10.
  test.each([
    [56, 70, 48, 80, ['0.0524', '0.3339']],
    [9, 10, 3, 10, ['0.1705', '0.8090']],
    [6, 7, 2, 7, ['0.0582', '0.8062']],
    [5, 56, 0, 29, ['-0.0381', '0.1926']],
    [0, 10, 0, 20, ['-0.1611', '0.2775']],
    [10, 10, 0, 20, ['0.6791', '1.0000']],
  ])('%i/%i against %i/%i has the published interval', (successes1, n1, successes2, n2, published) => {
    expect(printed(newcombeUnpairedInterval({ successes1, n1, successes2, n2 }, 0.05))).toEqual(published);
  });

  test('an empty side leaves nothing', () => {
    const nothing = { delta: null, low: null, high: null };
    expect(newcombeUnpairedInterval({ successes1: 0, n1: 0, successes2: 1, n2: 2 }, 0.05)).toEqual(nothing);
    expect(newcombePairedInterval({ both: 0, only1: 0, only2: 0, neither: 0 }, 0.05)).toEqual(nothing);
  });
});

describe('paired proportions', () => {
  // Fagerland, Lydersen and Laake, Recommended tests and confidence intervals for paired binomial proportions, 2014.
  test('the published intervals for airway hyper-responsiveness (Bentur 2009) are met', () => {
    const newcombe = newcombePairedInterval({ both: 1, only1: 1, only2: 7, neither: 12 }, 0.05);
    expect(printed(tangoInterval({ worse: 7, better: 1, n: 21 }, 0.05), 3)).toEqual(['-0.517', '-0.026']);
    expect(printed(newcombe, 3)).toEqual(['-0.507', '-0.026']);
  });

  test('the published intervals for complete response (Cavo 2012) are met', () => {
    expect(printed(tangoInterval({ worse: 16, better: 6, n: 161 }, 0.05))).toEqual(['-0.1240', '-0.0054']);
    expect(printed(newcombePairedInterval({ both: 59, only1: 6, only2: 16, neither: 80 }, 0.05))).toEqual([
      '-0.1186',
      '-0.0046',
    ]);
  });

  test('a table without discordance or without margins still has an interval', () => {
    expect(newcombePairedInterval({ both: 5, only1: 0, only2: 0, neither: 0 }, 0.05).delta).toBe(0);
    expect(tangoInterval({ worse: 4, better: 0, n: 4 }, 0.05).low).toBe(-1);
    expect(tangoInterval({ worse: 0, better: 0, n: 0 }, 0.05)).toEqual({ delta: null, low: null, high: null });
  });

  test('a negative correlation is not corrected', () => {
    const { low, high } = newcombePairedInterval({ both: 0, only1: 5, only2: 5, neither: 0 }, 0.05);
    expect(low).toBeLessThan(-0.4);
    expect(high).toBeGreaterThan(0.4);
  });

  test('more changed pairs than pairs are refused', () => {
    expect(() => tangoInterval({ worse: 3, better: 3, n: 5 }, 0.05)).toThrow('do not fit');
  });

  test('swapping the sides mirrors the interval', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(20), fc.nat(50), (worse, better, same) => {
        const n = worse + better + same;
        fc.pre(n > 0);
        const there = tangoInterval({ worse, better, n }, 0.05);
        const back = tangoInterval({ worse: better, better: worse, n }, 0.05);
        expect(there.low).toBeCloseTo(-(back.high ?? 0), 12);
        expect(there.high).toBeCloseTo(-(back.low ?? 0), 12);
      }),
    );
  });
});

describe('McNemar', () => {
  // Fagerland, Lydersen and Laake, The McNemar test for binary matched-pairs data, 2013.
  test('the published p-values are met', () => {
    const bentur = mcnemarTwoSided(7, 1);
    expect(bentur.exact).toBeCloseTo(0.0703, 4);
    expect(bentur.midP).toBeCloseTo(0.0391, 4);
    const cavo = mcnemarTwoSided(16, 6);
    expect(cavo.exact).toBeCloseTo(0.0525, 4);
    expect(cavo.midP).toBeCloseTo(0.0347, 4);
  });

  test('nothing changed is no evidence either way', () => {
    expect(mcnemarTwoSided(0, 0)).toEqual({ exact: 1, midP: 0.5 });
    expect(mcnemarTest(0, 0)).toEqual({ pWorse: 0.5, pBetter: 0.5 });
  });

  test('worse and better always add up to one', () => {
    fc.assert(
      fc.property(fc.nat(30_000), fc.nat(30_000), (worse, better) => {
        const { pWorse, pBetter } = mcnemarTest(worse, better);
        expect(pWorse + pBetter).toBeCloseTo(1, 9);
        expect(mcnemarTest(better, worse).pWorse).toBeCloseTo(pBetter, 9);
      }),
    );
  });
});

describe('Fisher', () => {
  // Fisher, The Design of Experiments, 1935: eight cups, three of four guessed right.
  test('the lady tasting tea has her probabilities', () => {
    const urn = { drawn: 4, white: 4, total: 8 };
    expect([0, 1, 2, 3, 4].map((x) => Math.round(70 * hypergeometricProbability(x, urn)))).toEqual([1, 16, 36, 16, 1]);
    expect(fisherMidP({ baselinePasses: 3, baselineN: 4, candidatePasses: 1, candidateN: 4 })).toBeCloseTo(
      (1 + 16 / 2) / 70,
      14,
    );
  });

  test.each([
    [1, 0.25],
    [3, 0.025],
    [4, 1 / 140],
    [5, 1 / 504],
  ])('%i repeats against as many reach no p below %f', (k, smallest) => {
    expect(fisherMidP({ baselinePasses: k, baselineN: k, candidatePasses: 0, candidateN: k })).toBeCloseTo(
      smallest,
      13,
    );
  });

  test('one side without repeats says nothing', () => {
    expect(fisherMidP({ baselinePasses: 3, baselineN: 3, candidatePasses: 0, candidateN: 0 })).toBe(0.5);
    expect(fisherMidP({ baselinePasses: 0, baselineN: 0, candidatePasses: 0, candidateN: 0 })).toBe(0.5);
  });

  test('what are no counts are refused', () => {
    expect(() => fisherMidP({ baselinePasses: 4, baselineN: 3, candidatePasses: 0, candidateN: 1 })).toThrow(
      RangeError,
    );
    expect(() => fisherMidP({ baselinePasses: 0.5, baselineN: 3, candidatePasses: 0, candidateN: 1 })).toThrow(
      RangeError,
    );
  });

  test('the two directions add up to one', () => {
    const side = fc.tuple(fc.nat(40), fc.nat(40));
    fc.assert(
      fc.property(side, side, ([pass1, fail1], [pass2, fail2]) => {
        const first = { passes: pass1, n: pass1 + fail1 };
        const second = { passes: pass2, n: pass2 + fail2 };
        const p = (a: typeof first, b: typeof first): number =>
          fisherMidP({ baselinePasses: a.passes, baselineN: a.n, candidatePasses: b.passes, candidateN: b.n });
        expect(p(first, second) + p(second, first)).toBeCloseTo(1, 10);
      }),
    );
  });
});

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

test.each([
  { candidateFailures: 3, candidateTrials: 2, acceptedFailures: 0, acceptedTrials: 2 },
  { candidateFailures: 0, candidateTrials: 2, acceptedFailures: 3, acceptedTrials: 2 },
  { candidateFailures: 0.5, candidateTrials: 2, acceptedFailures: 0, acceptedTrials: 2 },
  { candidateFailures: 0, candidateTrials: 2, acceptedFailures: -1, acceptedTrials: 2 },
])('%j are no counts of failures', (counts) => {
  expect(() => fisherExact(counts)).toThrow(RangeError);
});
