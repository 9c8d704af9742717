import { describe, expect, test } from 'vitest';
import {
  compareCases,
  compareWorstCase,
  decideRatioVerdict,
  decideVerdict,
  type TestVerdict,
} from '../../src/stats/compare-cases.ts';
import { mcnemarTest } from '../../src/stats/exact-tests.ts';
import { pairCases, suiteBound } from '../../src/stats/pairs.ts';
import { tangoInterval } from '../../src/stats/proportions.ts';
import { createRandom } from '../../src/text/random.ts';
import fc from '../support/property.ts';

const POLICY = { alpha: 0.05, margin: 0.05 };

interface Block {
  readonly times: number;
  readonly baseline: readonly number[];
  readonly candidate: readonly number[];
}

function suite(...blocks: readonly Block[]): { baseline: (readonly number[])[]; candidate: (readonly number[])[] } {
  const cases = blocks.flatMap((block) => Array.from({ length: block.times }, () => block));
  return { baseline: cases.map(({ baseline }) => baseline), candidate: cases.map(({ candidate }) => candidate) };
}

function clean(times: number, repeats = 1): Block {
  return { times, baseline: Array(repeats).fill(1), candidate: Array(repeats).fill(1) };
}

function broke(times: number, repeats = 1): Block {
  return { times, baseline: Array(repeats).fill(1), candidate: Array(repeats).fill(0) };
}

describe('one result a side', () => {
  test("has Tango's interval and McNemar's mid-p", () => {
    const results = suite(clean(80), broke(10), { times: 3, baseline: [0], candidate: [1] });
    const comparison = compareCases(results, POLICY);
    const tango = tangoInterval({ worse: 10, better: 3, n: 93 }, 0.05);
    expect(comparison).toMatchObject({ n: 93, changed: 13, unpaired: 0, ...mcnemarP(10, 3) });
    expect(comparison.delta).toBeCloseTo(tango.delta ?? Number.NaN, 14);
    expect(comparison.low).toBeCloseTo(tango.low ?? Number.NaN, 14);
    expect(comparison.high).toBeCloseTo(tango.high ?? Number.NaN, 14);
  });

  test('73 unchanged cases certify 5 points and 72 do not', () => {
    expect(compareCases(suite(clean(72)), POLICY).verdict).toBe('inconclusive');
    expect(compareCases(suite(clean(73)), POLICY).verdict).toBe('not_regressed');
  });

  test('five broken cases of fifty are a regression and four are not yet', () => {
    expect(compareCases(suite(clean(46), broke(4)), POLICY)).toMatchObject({ pWorse: 1 / 32, verdict: 'inconclusive' });
    expect(compareCases(suite(clean(45), broke(5)), POLICY)).toMatchObject({ pWorse: 1 / 64, verdict: 'regressed' });
  });

  test('a wider alpha decides sooner', () => {
    expect(compareCases(suite(clean(46), broke(4)), { alpha: 0.1, margin: 0.05 }).verdict).toBe('regressed');
  });

  test('a suite that broke whole is at the end of the scale', () => {
    expect(compareCases(suite(broke(30)), POLICY)).toMatchObject({ delta: -1, low: -1, verdict: 'regressed' });
  });

  test('a drop that is certain but within the margin is not a regression', () => {
    const comparison = compareCases(suite(clean(980), broke(20)), POLICY);
    expect(comparison.pWorse).toBeLessThan(0.025);
    expect(comparison.high).toBeLessThan(0);
    expect(comparison.verdict).toBe('not_regressed');
  });

  test('scores of 0 and 1 are compared as scores on request', () => {
    const results = suite(clean(45), broke(5));
    expect(compareCases(results, POLICY).high).not.toBe(compareCases(results, { ...POLICY, binary: false }).high);
  });
});

describe('repeats and scores', () => {
  test('cases that flip both ways are not a regression', () => {
    const results = suite(clean(30, 3), broke(4, 3), { times: 3, baseline: [0, 0, 0], candidate: [1, 1, 1] });
    expect(compareCases(results, POLICY)).toMatchObject({ changed: 7, verdict: 'inconclusive' });
    expect(compareCases(results, POLICY).pWorse).toBeGreaterThan(0.3);
  });

  test('fewer than five changed cases are never significant at 5 %', () => {
    const comparison = compareCases(suite(clean(200, 5), broke(4, 5)), { alpha: 0.05, margin: 0.01 });
    expect(comparison.pWorse).toBe(1 / 32);
    expect(comparison.verdict).toBe('inconclusive');
  });

  test('without a change the interval is symmetric and p is one half', () => {
    const comparison = compareCases(suite(clean(20, 3)), POLICY);
    expect(comparison).toMatchObject({ changed: 0, pWorse: 0.5, pBetter: 0.5 });
    expect(comparison.high).toBeCloseTo(-(comparison.low ?? 0), 14);
  });

  test('a single changed case says nothing above', () => {
    expect(compareCases(suite(broke(1, 3)), POLICY)).toMatchObject({ n: 1, low: -1, high: 1, pWorse: 1, pBetter: 1 });
  });

  test('the same drop in every case is decided by the noise within cases', () => {
    const comparison = compareCases(suite({ times: 80, baseline: [0.75], candidate: [0.5] }), POLICY);
    expect(comparison.verdict).toBe('regressed');
    // S² = 0.03125 of two results, v = 2 S² = 0.0625, SE = 0.25/√80.
    expect(comparison.high).toBeCloseTo(-0.25 + (1.959963984540054 * 0.25) / Math.sqrt(80), 12);
    const better = compareCases(suite({ times: 80, baseline: [0.5], candidate: [0.75] }), POLICY);
    expect(better).toMatchObject({ pWorse: 1, verdict: 'not_regressed' });
    expect(better.pBetter).toBeLessThan(1e-6);
  });

  test('sums that differ in the last bit are no change', () => {
    const results = { baseline: [[0.1, 0.2, 0.3]], candidate: [[0.3, 0.2, 0.1]] };
    expect(compareCases(results, POLICY)).toMatchObject({ changed: 0, delta: 0 });
  });

  test('swapping the sides swaps the p-values', () => {
    const repeats = fc.array(fc.constantFrom(0, 1, 1, 0.5), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(repeats, repeats), { minLength: 2, maxLength: 30 }), (cases) => {
        const baseline = cases.map(([before]) => before);
        const candidate = cases.map(([, after]) => after);
        const there = compareCases({ baseline, candidate }, { ...POLICY, binary: false });
        const back = compareCases({ baseline: candidate, candidate: baseline }, { ...POLICY, binary: false });
        expect(there.pWorse).toBeCloseTo(back.pBetter ?? Number.NaN, 10);
        expect(there.delta).toBeCloseTo(-(back.delta ?? Number.NaN), 12);
        expect(there.low).toBeLessThanOrEqual((there.delta ?? Number.NaN) + 1e-12);
        expect(there.high).toBeGreaterThanOrEqual((there.delta ?? Number.NaN) - 1e-12);
      }),
    );
  });
});

describe('groups', () => {
  const results = suite(clean(60), broke(12));

  test('cases that break together in one group are weaker evidence than cases that break alone', () => {
    const together = Array.from({ length: 72 }, (_, index) => (index < 60 ? index % 11 : 11));
    const apart = Array.from({ length: 72 }, (_, index) => index);
    const clustered = compareCases({ ...results, groups: together }, POLICY);
    const independent = compareCases({ ...results, groups: apart }, POLICY);
    expect(clustered.pWorse).toBeGreaterThan(0.1);
    expect(independent.pWorse).toBeLessThan(0.001);
    expect(clustered.low).toBeLessThan(independent.low ?? -1);
  });

  test('groups of one case each are no groups', () => {
    const alone = results.baseline.map((_, index) => index);
    const grouped = compareCases({ ...results, groups: alone }, POLICY);
    expect(grouped).toEqual(compareCases(results, POLICY));
  });

  test('a single group is one observation', () => {
    const comparison = compareCases({ ...results, groups: results.baseline.map(() => 'template') }, POLICY);
    expect(comparison).toMatchObject({ high: 1, pWorse: 1, verdict: 'inconclusive' });
  });
});

describe('missing results', () => {
  test('no case at all is inconclusive', () => {
    expect(compareCases({ baseline: [], candidate: [] }, POLICY)).toEqual({
      n: 0,
      unpaired: 0,
      changed: 0,
      delta: null,
      low: null,
      high: null,
      pWorse: null,
      pBetter: null,
      verdict: 'inconclusive',
    });
  });

  test('a case without a result on one side is unpaired', () => {
    const results = { baseline: [[1], [], [1]], candidate: [[1], [1], []] };
    expect(compareCases(results, POLICY)).toMatchObject({ n: 1, unpaired: 2 });
  });

  test('what does not fit is refused by name', () => {
    expect(() => pairCases({ baseline: [[1]], candidate: [] })).toThrow('1 baseline and 0 candidate');
    expect(() => pairCases({ baseline: [[1]], candidate: [[1]], groups: [] })).toThrow('0 groups');
    expect(() => pairCases({ baseline: [[1]], candidate: [[Number.NaN]] })).toThrow('case 0');
    expect(() => pairCases({ baseline: [[2]], candidate: [[1]] })).toThrow('outside [0, 1]: 2');
    expect(() => compareCases(suite(clean(2)), { alpha: 0, margin: 0.05 })).toThrow('alpha');
  });

  test('a weighted mean that exceeds 1 by rounding is taken', () => {
    expect(compareCases({ baseline: [[1 + 1e-15]], candidate: [[0]] }, POLICY)).toMatchObject({ delta: -1, low: -1 });
  });
});

describe('errors', () => {
  const results = suite(
    clean(85, 3),
    { times: 10, baseline: [1, 1, 1], candidate: [1, 1] },
    { times: 5, baseline: [1, 1], candidate: [1, 1, 1] },
  );
  const none = results.baseline.map(() => 0);

  test('errors that could hide a drop make it inconclusive', () => {
    const candidateErrors = results.candidate.map(({ length }) => 3 - length);
    const baselineErrors = results.baseline.map(({ length }) => 3 - length);
    const { observed, worst, verdict } = compareWorstCase({ ...results, baselineErrors, candidateErrors }, POLICY);
    expect(observed.verdict).toBe('not_regressed');
    expect(worst.delta).toBeCloseTo(-10 / 300, 12);
    expect(verdict).toBe('inconclusive');
  });

  test('without errors the two agree', () => {
    const { observed, worst, verdict } = compareWorstCase(
      { ...results, baselineErrors: none, candidateErrors: none },
      POLICY,
    );
    expect(worst).toEqual(observed);
    expect(verdict).toBe(observed.verdict);
  });

  test('a case that only errored counts as failed in the worst case', () => {
    const lost = { baseline: [[1], [1]], candidate: [[1], []] };
    const { observed, worst } = compareWorstCase({ ...lost, baselineErrors: [0, 0], candidateErrors: [0, 2] }, POLICY);
    expect(observed).toMatchObject({ n: 1, unpaired: 1 });
    expect(worst).toMatchObject({ n: 2, delta: -0.5 });
  });

  test('errors never turn into a regression', () => {
    const few = suite(clean(10));
    const candidateErrors = few.candidate.map(() => 5);
    const { verdict } = compareWorstCase(
      { ...few, baselineErrors: few.baseline.map(() => 0), candidateErrors },
      POLICY,
    );
    expect(verdict).toBe('inconclusive');
  });

  test('error counts for other cases are refused', () => {
    expect(() => compareWorstCase({ ...results, baselineErrors: none, candidateErrors: [] }, POLICY)).toThrow(
      'error counts',
    );
  });
});

describe('the scope of the suite', () => {
  test('twenty clean cases with five repeats certify 3.7 points', () => {
    const comparison = compareCases(suite(clean(20, 5)), { ...POLICY, scope: 'suite' });
    expect(comparison.low).toBeCloseTo(-0.037, 3);
    expect(comparison.verdict).toBe('not_regressed');
    expect(compareCases(suite(clean(20, 5)), POLICY).verdict).toBe('inconclusive');
  });

  test('replaces the lower bound alone', () => {
    const results = suite(clean(18, 5), { times: 2, baseline: [1, 1, 1, 1, 1], candidate: [1, 0, 1, 0, 1] });
    const population = compareCases(results, POLICY);
    const { low: _, ...rest } = compareCases(results, { ...POLICY, scope: 'suite' });
    expect(population).toMatchObject({ ...rest, verdict: population.verdict });
  });

  test('counts the share of repeat pairs that differ', () => {
    const bound = suiteBound([{ baseline: [1, 1], candidate: [1, 0] }], 0.05);
    expect(bound).toMatchObject({ effectiveN: 2, worse: 1, better: 0, delta: -0.5 });
    expect(suiteBound([], 0.05)).toMatchObject({ effectiveN: 0, delta: null, low: null, high: null });
  });

  test('is the population with one result a side', () => {
    const results = suite(clean(40), broke(3), { times: 2, baseline: [0], candidate: [1] });
    expect(compareCases(results, { ...POLICY, scope: 'suite' }).low).toBeCloseTo(
      compareCases(results, POLICY).low ?? Number.NaN,
      13,
    );
  });
});

describe('the verdict', () => {
  test.each([
    [{ low: -0.04, high: 0.02, pWorse: 0.5 }, 'not_regressed'],
    [{ low: -0.05, high: 0.02, pWorse: 0.5 }, 'not_regressed'],
    [{ low: -0.04, high: -0.01, pWorse: 0.001 }, 'not_regressed'],
    [{ low: -0.2, high: -0.01, pWorse: 0.025 }, 'regressed'],
    [{ low: -0.2, high: -0.01, pWorse: 0.026 }, 'inconclusive'],
    [{ low: -0.2, high: 0, pWorse: 0.001 }, 'inconclusive'],
    [{ low: -0.04, high: 0.02, pWorse: 0.5, worstLow: -0.06 }, 'inconclusive'],
    [{ low: -0.2, high: -0.01, pWorse: 0.01, worstLow: -0.3 }, 'regressed'],
    [{ low: null, high: null, pWorse: null }, 'inconclusive'],
  ] as const)('of %o is %s', (evidence, verdict) => {
    expect(decideVerdict(evidence, POLICY)).toBe(verdict);
  });

  test.each([
    [{ low: 0.95, high: 1.09, pIncrease: 0.4 }, 'not_regressed'],
    [{ low: 1.02, high: 1.3, pIncrease: 0.01 }, 'regressed'],
    [{ low: 1.02, high: null, pIncrease: 0.01 }, 'regressed'],
    [{ low: 1.02, high: 1.3, pIncrease: 0.03 }, 'inconclusive'],
    [{ low: null, high: null, pIncrease: null }, 'inconclusive'],
  ] as const)('of the ratio %o is %s', (evidence, verdict) => {
    expect(decideRatioVerdict(evidence, { alpha: 0.05, margin: 0.1 })).toBe(verdict);
  });
});

describe('simulated', () => {
  // 4,000 runs have a standard error of 0.25 points at 2.5 %; the seed is fixed, so this can't flicker.
  test('harmless changes and drops of the margin are misjudged as seldom as promised', { tags: 'slow' }, () => {
    const harmless = simulate({ n: 100, repeats: 3, flakeRate: 0.05, drop: 0 });
    expect(harmless.regressed).toBeLessThan(0.03);
    expect(harmless.not_regressed).toBeGreaterThan(0.7);
    const harmful = simulate({ n: 100, repeats: 3, flakeRate: 0.05, drop: 0.05 });
    expect(harmful.not_regressed).toBeLessThan(0.035);
    expect(harmful.regressed).toBeGreaterThan(0.35);
  });
});

function simulate(cell: { n: number; repeats: number; flakeRate: number; drop: number }): Record<TestVerdict, number> {
  const random = createRandom(2024);
  const runs = 4000;
  const share = { regressed: 0, not_regressed: 0, inconclusive: 0 };
  const draw = (rate: number): number[] => Array.from({ length: cell.repeats }, () => (random() < rate ? 1 : 0));
  for (let run = 0; run < runs; run += 1) {
    const baseline: number[][] = [];
    const candidate: number[][] = [];
    for (let index = 0; index < cell.n; index += 1) {
      const passes = random() < 0.9;
      const breaks = passes && random() < cell.drop / (0.9 * (1 - 2 * cell.flakeRate));
      baseline.push(draw(passes ? 1 - cell.flakeRate : cell.flakeRate));
      candidate.push(draw(passes && !breaks ? 1 - cell.flakeRate : cell.flakeRate));
    }
    const { verdict } = compareCases({ baseline, candidate }, POLICY);
    share[verdict] += 1 / runs;
  }
  return share;
}

function mcnemarP(worse: number, better: number): { pWorse: number; pBetter: number } {
  const { pWorse, pBetter } = mcnemarTest(worse, better);
  return { pWorse, pBetter };
}
