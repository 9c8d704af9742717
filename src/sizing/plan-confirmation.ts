import { type CasePlan, type ConfirmationDesign, planCase } from '../stats/plan-confirmed.ts';
import { flaggedAtP, fullLooks, shortLooks } from '../verdict/confirm/judge-average.ts';
import type { PooledCase, TrialPool } from './pool-trials.ts';

/** Totals of the other variants that the same run judges. */
export interface OtherAverages {
  /** Gated averages, including this variant's own. */
  readonly averages: number;
  /** Cases and planned trials of the other variants. */
  readonly cases: number;
  readonly trials: number;
}

/** Counts the averages of a variant that can fail the gate. */
function countAverages({ suite, cases }: TrialPool): number {
  const { cost, steps } = suite.gate;
  const recalls = Object.values(suite.classes?.recall ?? {}).filter(({ maxDrop }) => maxDrop !== undefined).length;
  const ofClasses = suite.classes === undefined ? 0 : 1 + recalls;
  const slices = new Set(cases.flatMap((found) => found.slices ?? [])).size;
  const hasScores = cases.some(({ trials }) => trials.some(({ score }) => score !== undefined && score % 1 !== 0));
  const ofTotals = [cost, steps].filter((limits) => limits?.maxIncrease !== undefined).length;
  return 1 + slices + ofClasses + (hasScores ? 1 : 0) + ofTotals;
}

export function findOthers(pool: TrialPool, pools: readonly TrialPool[]): OtherAverages {
  const others = pools.filter((other) => other !== pool).flatMap(({ cases }) => cases);
  return {
    averages: pools.reduce((sum, other) => sum + countAverages(other), 0),
    cases: others.length,
    trials: sumOf(others),
  };
}

/** Designs the confirmation of a flagged average for a variant of this size, while others are flagged by chance. */
export function designConfirmation(
  { averages, ...others }: OtherAverages,
  { cases, trials, alpha, budget }: { cases: number; trials: number; alpha: number; budget: number },
): ConfirmationDesign {
  const calls = (cases * trials + others.trials) * budget;
  const cells = cases + flaggedAtP * others.cases;
  const usesPlanned = averages === 1 || 2 * cells > calls;
  const looks = (usesPlanned ? 2 : 4) * cells <= calls ? fullLooks : shortLooks;
  const last = looks.at(-1) ?? { trials: 1, levelShare: 1 };
  const flagged = usesPlanned ? averages : 1 + flaggedAtP * (averages - 1);
  return { level: (last.levelShare * alpha) / 2 / flagged, trials: last.trials, usesPlanned };
}

/** Chances that a run detects one broken case. Cases that flake in every planned trial become suspects too. */
export function planSingleCase(
  { suite, cases, asksAccepted }: TrialPool,
  others: OtherAverages,
  { trials, baselineTrials, flakeRate }: { trials: number; baselineTrials: number; flakeRate: number },
): CasePlan {
  const byChance = cases.reduce((sum, found) => sum + flakeOf(found, flakeRate) ** found.plannedTrials, 0);
  const { alpha, confirm } = suite.gate;
  return planCase({
    trials: Math.max(1, Math.round(trials)),
    baselineTrials: Math.max(1, Math.round(baselineTrials)),
    alpha,
    asksAccepted,
    suspects: Math.round(1 + byChance),
    cases: cases.length + others.cases,
    budget: Math.floor((sumOf(cases) + others.trials) * confirm.budget),
  });
}

/** Chance that a case fails a trial. A case that mostly failed before is a known failure, so its chance is 0. */
function flakeOf({ trials }: PooledCase, flakeRate: number): number {
  const failures = trials.filter(({ status }) => status === 'failed').length;
  if (trials.length === 0) return flakeRate;
  return failures * 2 >= trials.length ? 0 : failures / trials.length;
}

function sumOf(cases: readonly PooledCase[]): number {
  return cases.reduce((sum, { plannedTrials }) => sum + plannedTrials, 0);
}
