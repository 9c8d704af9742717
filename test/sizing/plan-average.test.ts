import { expect, test } from 'vitest';
import { defaultGate } from '../../src/model/suite/gate-policy.ts';
import { findOthers } from '../../src/sizing/fresh-budget.ts';
import { powerOfAverage, smallestDropOfAverage } from '../../src/sizing/plan-average.ts';
import { planSingleCase } from '../../src/sizing/plan-single-case.ts';
import type { PooledCase, TrialPool } from '../../src/sizing/pool-trials.ts';
import { compareCases } from '../../src/stats/compare-cases.ts';
import { createRandom } from '../../src/text/random.ts';
import { flaggedAtP, type LookedCase, lookAtAverage } from '../../src/verdict/confirm/average-looks.ts';
import { type TrialRow, weighCase } from '../../src/verdict/confirm/case-evidence.ts';

const flake = 0.05;
const policy = { alpha: 0.05, margin: 0.05, scope: 'population', binary: true } as const;

function variantOf(cases: number, trials: number, asksAccepted: boolean, budget = defaultGate.confirm.budget) {
  const suite = { id: 's', gate: { ...defaultGate, confirm: { cases: 10, budget } } };
  const pooled = Array.from({ length: cases }, () => ({ plannedTrials: trials, callsPerTrial: 1, trials: [] }));
  const pool = { suite, cases: pooled as readonly unknown[] as readonly PooledCase[], asksAccepted };
  const whole = pool as unknown as TrialPool;
  return { pool: whole, others: findOthers(whole, [whole]), callsPerTrial: 1, designEffect: 1 };
}

function sizeOf(cases: number, trials: number) {
  return { cases, trials, baselineTrials: trials, sigma2: flake * (1 - flake), scope: 'population' as const };
}

/** How often a run flags and confirms the drop: its own tests and looks, over drawn trials. */
function simulate(cases: number, trials: number, { drop, asksAccepted }: { drop: number; asksAccepted: boolean }) {
  const random = createRandom(11);
  const draw = (count: number, rate: number): readonly TrialRow[] =>
    Array.from({ length: count }, () => {
      const isFailed = random() < rate;
      return { status: isFailed ? 'failed' : 'passed', score: Number(!isFailed), costUsd: undefined };
    });
  const values = (rows: readonly TrialRow[]) => rows.map(({ score }) => score ?? 0);
  const planned = cases * trials;
  const calls = Math.max(2 * planned, 200);
  const pairs = Math.min(Math.floor(calls / (asksAccepted ? 2 : 1)), 2 * planned);
  const runs = 200;
  let found = 0;
  for (let run = 0; run < runs; run += 1) {
    const accepted = Array.from({ length: cases }, () => draw(trials, flake));
    const candidate = Array.from({ length: cases }, () => draw(trials, flake + drop));
    const stored = { baseline: accepted.map(values), candidate: candidate.map(values) };
    const { pWorse } = compareCases(stored, policy);
    if (pWorse === null || pWorse > flaggedAtP) continue;
    const test = (looked: readonly LookedCase[]) =>
      compareCases(
        {
          baseline: looked.map((one) =>
            asksAccepted ? values(one.accepted) : values(accepted[Number(one.caseId)] ?? []),
          ),
          candidate: looked.map((one) => values(one.candidate)),
        },
        policy,
      ).pWorse;
    const ofCases = Array.from({ length: cases }, (_, index) => {
      const count = Math.floor(pairs / cases) + Number(index < pairs % cases);
      const fresh = { candidate: draw(count, flake + drop), accepted: asksAccepted ? draw(count, flake) : [] };
      return { id: String(index), caseId: String(index), fresh };
    });
    const average = { id: 'a', cases: ofCases, plannedTrials: planned, p: pWorse, level: 0.025, asksAccepted, test };
    if (lookAtAverage(average, 1).kind === 'confirmed') found += 1;
  }
  return found / runs;
}

test.each([
  [50, 1, 0.2, true],
  [20, 3, 0.2, true],
  [20, 3, 0.15, true],
  [200, 1, 0.1, true],
  [50, 1, 0.2, false],
])(
  '%i cases × %i, a drop of %f: planned as the looks of a run find it',
  { tags: ['slow'] },
  (cases, trials, drop, asksAccepted) => {
    const planned = powerOfAverage(variantOf(cases, trials, asksAccepted), sizeOf(cases, trials), drop);
    expect(Math.abs(planned - simulate(cases, trials, { drop, asksAccepted }))).toBeLessThan(0.1);
  },
);

test('a budget that pays for fewer pairs, or for none, shows less', () => {
  const powerWith = (budget: typeof defaultGate.confirm.budget) =>
    powerOfAverage(variantOf(50, 1, true, budget), sizeOf(50, 1), 0.2);
  expect(powerWith({ share: 4 })).toBe(powerWith(defaultGate.confirm.budget));
  expect(powerWith({ share: 1 })).toBeLessThan(powerWith({ share: 2 }));
  expect([powerWith({ calls: 1 }), powerWith({ share: 0 })]).toEqual([0, 0]);
  expect(smallestDropOfAverage(variantOf(50, 1, true, { calls: 1 }), sizeOf(50, 1), 0.8)).toBeNull();
});

test('the smallest drop has the wanted power', () => {
  const drop = smallestDropOfAverage(variantOf(50, 1, true), sizeOf(50, 1), 0.8) ?? 0;
  expect(powerOfAverage(variantOf(50, 1, true), sizeOf(50, 1), drop)).toBeCloseTo(0.8, 3);
});

test.each([
  [0.1, 1, true],
  [0.05, 0.9, true],
  [0, 0.9, false],
])(
  'a case that failed at %f and now fails at %f is found as often as the rule of a run says',
  (before, after, asks) => {
    const plan = planSingleCase(variantOf(20, 1, asks), { trials: 1, baselineTrials: 1, flakeRate: 0 });
    const random = createRandom(3);
    const rows = (rate: number) =>
      Array.from({ length: 15 }, (): TrialRow => {
        return { status: random() < rate ? 'failed' : 'passed', score: undefined, costUsd: undefined };
      });
    const runs = 3000;
    let found = 0;
    for (let run = 0; run < runs; run += 1) {
      if (random() < before || random() >= after) continue;
      const fresh = { candidate: rows(after), accepted: rows(before) };
      if (weighCase(fresh, { asksAccepted: asks, threshold: 40 }).outcome === 'broken') found += 1;
    }
    expect(Math.abs(plan.power(before, after) - found / runs)).toBeLessThan(0.03);
  },
);
