import { describe, expect, test } from 'vitest';
import { type CaseComparison, compareCases } from '../../src/stats/compare-cases.ts';
import { flakeRateOf, planSuite, type SuiteDesign } from '../../src/stats/plan-suite.ts';
import { createRandom } from '../../src/text/random.ts';
import fc from '../support/property.ts';

const policy = { alpha: 0.05, power: 0.8 };

function designOf(cases: number, trials: number, flakeRate: number, changes: Partial<SuiteDesign> = {}): SuiteDesign {
  const sigma2 = flakeRate * (1 - flakeRate);
  return { cases, trials, baselineTrials: trials, sigma2, scope: 'population', ...changes };
}

/** The share of simulated comparisons in which a claim is made. */
function simulate(
  { cases, trials }: SuiteDesign,
  flakeRate: number,
  drop: number,
  claims: (found: CaseComparison) => boolean,
): number {
  const random = createRandom(7);
  const breakRate = drop / (1 - 2 * flakeRate);
  const draw = (passRate: number) => Array.from({ length: trials }, () => (random() < passRate ? 1 : 0));
  let claimed = 0;
  for (let replicate = 0; replicate < replicates; replicate += 1) {
    const baseline: number[][] = [];
    const candidate: number[][] = [];
    for (let index = 0; index < cases; index += 1) {
      const isBroken = random() < breakRate;
      baseline.push(draw(1 - flakeRate));
      candidate.push(draw(isBroken ? flakeRate : 1 - flakeRate));
    }
    if (claims(compareCases({ baseline, candidate }, { ...policy, margin: 0.05, binary: true }))) claimed += 1;
  }
  return claimed / replicates;
}

const replicates = 600;
const designs = [20, 50, 100].flatMap((cases) =>
  [1, 3].flatMap((trials) => [0, 0.05, 0.2].map((flakeRate): [number, number, number] => [cases, trials, flakeRate])),
);

describe('by simulation of the real comparison', () => {
  test.each(designs)(
    'the visible drop of %i cases × %i at a flake rate of %f is seen as often as wanted',
    (n, k, f) => {
      const design = designOf(n, k, f);
      const { visibleDrop } = planSuite(design, 0.05, policy);
      const power = simulate(
        design,
        f,
        visibleDrop ?? 0,
        ({ pWorse, high }) => (pWorse ?? 1) <= 0.025 && (high ?? 1) < 0,
      );
      expect(power).toBeGreaterThan(0.66);
      expect(power).toBeLessThan(0.94);
    },
  );

  test.each(designs)(
    'the excludable drop of %i cases × %i at a flake rate of %f is excluded as often as wanted',
    (n, k, f) => {
      const design = designOf(n, k, f);
      const { excludableDrop } = planSuite(design, 0.05, policy);
      const power = simulate(design, f, 0, ({ low }) => (low ?? -1) >= -(excludableDrop ?? 0) - 1e-9);
      expect(power).toBeGreaterThan(0.68);
      // Where nothing flakes every unchanged suite has the same bound.
      expect(power).toBeLessThanOrEqual(f === 0 ? 1 : 0.92);
    },
  );
});

describe('growth', () => {
  test('names the cases of the documented table', () => {
    const cases = (f: number, kind: 'see' | 'exclude', drop: number) =>
      [1, 3, 5].map((trials) => planSuite(designOf(20, trials, f), drop, policy)[kind].cases);
    expect(cases(0.05, 'see', 0.1)).toEqual([138, 88, 78]);
    expect(cases(0.05, 'see', 0.05)).toEqual([432, 233, 194]);
    expect(cases(0.05, 'exclude', 0.05)).toEqual([299, 100, 73]);
    expect(cases(0.2, 'exclude', 0.05)).toEqual([1005, 335, 201]);
  });

  test('asks for enough cases that some break at all, however large the drop', () => {
    // Five must change: of 5 all would have to, and at 80 % of the population that happens one time in three.
    expect(planSuite(designOf(20, 1, 0), 0.8, policy).see.cases).toBe(7);
    expect(planSuite(designOf(4, 1, 0), 0.05, policy).visibleDrop).toBeNull();
    expect(planSuite(designOf(20, 1, 0), 0.05, policy).visibleDrop).toBeCloseTo(0.3134, 3);
  });

  test('by trials is none where what is left after all noise is still too much', () => {
    expect(planSuite(designOf(20, 1, 0.05), 0.05, policy)).toMatchObject({
      see: { trials: null },
      exclude: { trials: null },
    });
    expect(planSuite(designOf(200, 1, 0.05), 0.05, policy).see.trials).toBe(5);
    expect(planSuite(designOf(100, 1, 0.05), 0.05, policy).exclude.trials).toBe(3);
  });

  test('on these cases only, trials are a sample like cases', () => {
    const design = designOf(20, 1, 0, { scope: 'suite' });
    const { exclude } = planSuite(design, 0.05, policy);
    expect(exclude).toEqual({ cases: 73, trials: 4 });
    const { excludableDrop } = planSuite({ ...design, trials: 4, baselineTrials: 4 }, 0.05, policy);
    expect(excludableDrop).toBeLessThanOrEqual(0.05);
  });

  test('more of anything never sees or excludes less', () => {
    const size = fc.integer({ min: 5, max: 400 });
    const trials = fc.integer({ min: 1, max: 9 });
    const flakeRate = fc.double({ min: 0, max: 0.4, noNaN: true });
    fc.assert(
      fc.property(size, trials, flakeRate, fc.constantFrom('cases', 'trials'), (n, k, f, more) => {
        const before = planSuite(designOf(n, k, f), 0.05, policy);
        const after = planSuite(more === 'cases' ? designOf(n + 10, k, f) : designOf(n, k + 1, f), 0.05, policy);
        expect(after.visibleDrop ?? 1).toBeLessThanOrEqual((before.visibleDrop ?? 1) + 1e-9);
        expect(after.excludableDrop ?? 1).toBeLessThanOrEqual((before.excludableDrop ?? 1) + 1e-9);
      }),
    );
  });
});

test('the flake rate has the variance of the trials', () => {
  expect(flakeRateOf(0)).toBe(0);
  expect(flakeRateOf(0.05 * 0.95)).toBeCloseTo(0.05, 12);
  // Two trials that always disagree have a sample variance of one half.
  expect(flakeRateOf(0.5)).toBe(0.5);
});

test.each([0, 1, -0.1, Number.NaN])('a drop of %f is refused', (drop) => {
  expect(() => planSuite(designOf(20, 1, 0.05), drop, policy)).toThrow(RangeError);
});

test('no case says nothing of any drop', () => {
  expect(planSuite(designOf(0, 1, 0.05), 0.05, policy)).toMatchObject({ visibleDrop: null, excludableDrop: null });
});
