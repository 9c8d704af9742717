import { describe, expect, test } from 'vitest';
import {
  belowRequiredRate,
  blockProbability,
  caseFlakiness,
  cleanRepeatsBound,
  cleanRepeatsNeeded,
  clusteredMeanInterval,
  flakeDetectionProbability,
  passAtK,
  repeatsToDetectFlake,
  shrinkPassRates,
} from '../../scripts/reference-statistics.ts';
import { brokenCaseFailures, confirmationP, fisherExact, trialsToConfirm } from '../../src/stats/exact-tests.ts';
import { groupClusteredError } from '../../src/stats/means.ts';
import { sequentialEvidence } from '../../src/stats/multiplicity.ts';
import { countDisagreements, flakeChangeP, suiteFlakiness } from '../../src/stats/trend.ts';
import { createRandom } from '../../src/text/random.ts';
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

describe('a flaky case', () => {
  test('shows both outcomes', () => {
    expect(caseFlakiness(5, 5)).toEqual({ rate: 1, flaky: false, disagreement: 0 });
    expect(caseFlakiness(3, 5)).toEqual({ rate: 0.6, flaky: true, disagreement: 0.6 });
    expect(caseFlakiness(1, 1)).toEqual({ rate: 1, flaky: false, disagreement: null });
    expect(caseFlakiness(0, 0)).toEqual({ rate: null, flaky: false, disagreement: null });
    expect(() => caseFlakiness(2, 1)).toThrow('2 of 1');
  });

  test('disagrees with itself as often as two of its repeats do', () => {
    const repeats = [1, 1, 0, 1];
    const pairs = repeats.flatMap((a, i) => repeats.slice(i + 1).map((b) => (a === b ? 0 : 1)));
    const share = pairs.reduce<number>((sum, value) => sum + value, 0) / pairs.length;
    expect(caseFlakiness(3, 4).disagreement).toBeCloseTo(share, 14);
  });

  test('counts in the suite only where it was repeated', () => {
    expect(
      suiteFlakiness([
        { passes: 1, n: 2 },
        { passes: 2, n: 2 },
        { passes: 1, n: 1 },
      ]),
    ).toBe(0.5);
    expect(suiteFlakiness([{ passes: 1, n: 1 }])).toBeNull();
  });

  test('is exposed by five repeats one time in four, by 59 nearly always', () => {
    expect(flakeDetectionProbability(0.05, 5)).toBeCloseTo(0.22621875, 12);
    expect(repeatsToDetectFlake(0.05, 0.95)).toBe(59);
    expect(repeatsToDetectFlake(0.5, 0.95)).toBe(6);
    expect(flakeDetectionProbability(0.05, 1)).toBeCloseTo(0, 14);
    expect(flakeDetectionProbability(0.05, 0)).toBe(0);
  });

  test('that never or always fails is exposed by nothing', () => {
    expect(repeatsToDetectFlake(0, 0.95)).toBeNull();
    expect(repeatsToDetectFlake(1, 0.95)).toBeNull();
    expect(repeatsToDetectFlake(0.5, 0)).toBe(2);
    expect(() => repeatsToDetectFlake(2, 0.5)).toThrow(RangeError);
    expect(() => repeatsToDetectFlake(0.5, 2)).toThrow(RangeError);
  });

  test('that is rare is found by the smallest number that does', () => {
    const needed = repeatsToDetectFlake(1e-6, 0.95) ?? 0;
    expect(flakeDetectionProbability(1e-6, needed)).toBeGreaterThanOrEqual(0.95);
    expect(flakeDetectionProbability(1e-6, needed - 1)).toBeLessThan(0.95);
  });
});

describe('pass@k and pass^k', () => {
  test('are the shares of subsets', () => {
    expect(passAtK(7, 10, 3).passAtK).toBeCloseTo(1 - 1 / 120, 14);
    expect(passAtK(7, 10, 3).passHatK).toBeCloseTo(35 / 120, 14);
    expect(passAtK(3, 5, 5)).toEqual({ passAtK: 1, passHatK: 0 });
  });

  test('are never extrapolated', () => {
    expect(passAtK(5, 5, 6)).toEqual({ passAtK: null, passHatK: null });
  });

  test('enclose the pass rate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(50), fc.integer({ min: 1, max: 50 }), (n, raw, rawK) => {
        const passes = raw % (n + 1);
        const { passAtK: any, passHatK: all } = passAtK(passes, n, 1 + (rawK % n));
        expect(all).toBeLessThanOrEqual(passes / n + 1e-12);
        expect(any).toBeGreaterThanOrEqual(passes / n - 1e-12);
      }),
    );
  });
});

describe('shrunk pass rates', () => {
  const cases = [10, 9, 10, 4, 0, 10, 8, 10].map((passes) => ({ passes, n: 10 }));

  test('lie between what was seen and the mean', () => {
    const { mean, rho, posterior } = shrinkPassRates(cases);
    expect(rho).toBeGreaterThan(0);
    expect(rho).toBeLessThan(1);
    for (const [index, { passes, n }] of cases.entries()) {
      const [low, high] = [passes / n, mean ?? Number.NaN].sort((a, b) => a - b);
      expect(posterior?.[index]).toBeGreaterThanOrEqual(low ?? Number.NaN);
      expect(posterior?.[index]).toBeLessThanOrEqual(high ?? Number.NaN);
    }
  });

  test('are all the mean where the cases differ no more than chance', () => {
    expect(shrinkPassRates([5, 5, 6, 4].map((passes) => ({ passes, n: 10 })))).toEqual({
      mean: 0.5,
      rho: 0,
      alpha: null,
      beta: null,
      posterior: [0.5, 0.5, 0.5, 0.5],
    });
  });

  test('are what was seen where cases are all or nothing', () => {
    const { rho, posterior } = shrinkPassRates([
      { passes: 5, n: 5 },
      { passes: 0, n: 5 },
    ]);
    expect({ rho, posterior }).toEqual({ rho: 1, posterior: [1, 0] });
  });

  test('are undefined where all pass, where nothing repeats and where there is nothing', () => {
    const undefinedRates = { rho: null, alpha: null, beta: null, posterior: null };
    expect(
      shrinkPassRates([
        { passes: 5, n: 5 },
        { passes: 5, n: 5 },
      ]),
    ).toEqual({ mean: 1, ...undefinedRates });
    expect(
      shrinkPassRates([
        { passes: 1, n: 1 },
        { passes: 0, n: 1 },
      ]),
    ).toEqual({ mean: 0.5, ...undefinedRates });
    expect(shrinkPassRates([{ passes: 1, n: 2 }])).toEqual({ mean: 0.5, ...undefinedRates });
    expect(shrinkPassRates([])).toEqual({ mean: null, ...undefinedRates });
    expect(() => shrinkPassRates([{ passes: 3, n: 2 }])).toThrow(RangeError);
  });
});

describe('a contract', () => {
  test.each([
    [0.05, 0.014],
    [0.2, 0.176],
    [1, 1],
    [0.5, 0.656],
  ])('failing at %f blocks with probability %f after confirmation', (flakeRate, probability) => {
    expect(blockProbability(flakeRate, 3, 2)).toBeCloseTo(probability, 3);
  });

  test('that passes five times has shown 55 %, and needs 59 for 95 %', () => {
    expect(cleanRepeatsBound(5, 0.05)).toBeCloseTo(0.549, 3);
    expect(cleanRepeatsNeeded(0.95, 0.05)).toBe(59);
    expect(cleanRepeatsBound(59, 0.05)).toBeGreaterThan(0.95);
    expect(cleanRepeatsBound(58, 0.05)).toBeLessThan(0.95);
    expect(cleanRepeatsBound(0, 0.05)).toBe(0);
  });

  test('that must always pass is never shown to', () => {
    expect(cleanRepeatsNeeded(1, 0.05)).toBeNull();
    expect(cleanRepeatsNeeded(0, 0.05)).toBe(1);
    expect(() => cleanRepeatsNeeded(2, 0.05)).toThrow('2');
  });

  test('is below its required rate when too many fail', () => {
    expect(belowRequiredRate(9, 10, 0.95)).toBeCloseTo(0.243700708330469, 12);
    expect(belowRequiredRate(5, 10, 0.95)).toBeLessThan(0.025);
    expect(belowRequiredRate(10, 10, 1)).toBe(0.5);
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

  test('refutes a true claim seldom, over all looks together', () => {
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

describe('a clustered mean', () => {
  test('has the interval of Student', () => {
    // Student 1908: extra sleep by ten patients, mean 1.58, sd 1.230.
    const sleep = [1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4];
    const { mean, se, df, low, high } = clusteredMeanInterval(sleep, 0.05);
    expect(mean).toBeCloseTo(1.58, 12);
    expect(se).toBeCloseTo(1.23 / Math.sqrt(10), 4);
    expect(df).toBe(9);
    expect([low?.toFixed(4), high?.toFixed(4)]).toEqual(['0.7001', '2.4599']);
  });

  test('of one cluster or none has no interval', () => {
    const none = { se: null, df: null, low: null, high: null };
    expect(clusteredMeanInterval([0.3], 0.05)).toEqual({ n: 1, mean: 0.3, ...none });
    expect(clusteredMeanInterval([], 0.05)).toEqual({ n: 0, mean: null, ...none });
  });

  test('with one value a group has the plain standard error', () => {
    const { se } = clusteredMeanInterval([1, 2, 4], 0.05);
    expect(groupClusteredError([1, 2, 4], ['a', 'b', 'c']).se).toBeCloseTo(se ?? Number.NaN, 14);
  });

  test('needs two groups and a group for each value', () => {
    expect(groupClusteredError([1, 2], ['a', 'a'])).toEqual({ se: null, groupCount: 1 });
    expect(() => groupClusteredError([1, 2], ['a'])).toThrow('as many groups');
  });
});

const outcomes = (text: string): readonly boolean[] => text.split('').map((mark) => mark === '+');

describe('disagreements', () => {
  test.each([
    ['', 0, 0],
    ['+', 0, 0],
    ['++++', 2, 0],
    ['+-+-+-', 3, 3],
    ['++--', 2, 0],
    // A lasting change makes one at most.
    ['+++---', 3, 1],
    ['+-+', 1, 1],
  ])('%s: %i pairs, %i disagree', (text, pairs, disagreements) => {
    expect(countDisagreements(outcomes(text))).toEqual({ pairs, disagreements });
  });
});

describe('the test', () => {
  test('is 1 where both sides are alike, and symmetric', () => {
    expect(flakeChangeP({ pairs: 10, disagreements: 0 }, { pairs: 10, disagreements: 0 })).toBe(1);
    const [a, b] = [
      { pairs: 12, disagreements: 1 },
      { pairs: 8, disagreements: 6 },
    ];
    expect(flakeChangeP(a, b)).toBeCloseTo(flakeChangeP(b, a) ?? 2, 12);
  });

  test('agrees with the hypergeometric by hand: 0 of 5 and 5 of 5', () => {
    // P(X = 5) = 1/C(10, 5) = 1/252, its mid-p half of that, two-sided twice that.
    expect(flakeChangeP({ pairs: 5, disagreements: 0 }, { pairs: 5, disagreements: 5 })).toBeCloseTo(1 / 252, 12);
  });

  test('says nothing without a pair on each side', () => {
    expect(flakeChangeP({ pairs: 0, disagreements: 0 }, { pairs: 5, disagreements: 1 })).toBeNull();
  });

  test('names hardly more than its level where nothing changed', () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const draw = () => countDisagreements(Array.from({ length: 40 }, () => random() < 0.7));
    const named = Array.from({ length: 2000 }, () => flakeChangeP(draw(), draw()) ?? 1).filter((p) => p <= 0.05);
    expect(named.length / 2000).toBeLessThan(0.065);
    expect(named.length).toBeGreaterThan(0);
  });
});
