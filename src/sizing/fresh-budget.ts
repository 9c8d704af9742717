import type { Suite } from '../model/suite/suite.ts';
import { combineBudgets, type FreshBudget } from '../run/asking/asking-budget.ts';
import type { PooledCase, TrialPool } from './pool-trials.ts';

/** The other variants that the same run judges. */
export interface OtherVariants {
  /** Averages that can fail the gate, including this variant's own. */
  readonly averages: number;
  readonly cases: readonly PooledCase[];
  /** The most calls of their planned trials, by suite. */
  readonly calls: ReadonlyMap<Suite, number>;
}

export function findOthers(pool: TrialPool, pools: readonly TrialPool[]): OtherVariants {
  const others = pools.filter((other) => other !== pool);
  return {
    averages: pools.reduce((sum, other) => sum + countAverages(other), 0),
    cases: others.flatMap(({ cases }) => cases),
    calls: countCalls(others),
  };
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

/** The most calls of the planned trials, by suite. */
export function countCalls(pools: readonly Pick<TrialPool, 'suite' | 'cases'>[]): ReadonlyMap<Suite, number> {
  const calls = new Map<Suite, number>();
  for (const { suite, cases } of pools) {
    const planned = cases.reduce((sum, found) => sum + found.plannedTrials * found.callsPerTrial, 0);
    calls.set(suite, (calls.get(suite) ?? 0) + planned);
  }
  return calls;
}

/** What fresh trials may spend in a run of so many planned calls. Recorded answers can't be asked again. */
export function findBudget(planned: ReadonlyMap<Suite, number>): FreshBudget {
  return combineBudgets(
    Array.from(planned, ([{ gate, recordings }, calls]) => ({
      budget: gate.confirm.budget,
      planned: recordings === undefined ? { calls, usd: undefined } : undefined,
    })),
  );
}

/** A variant whose flagged average or case is asked again. */
export interface AskedVariant {
  readonly pool: TrialPool;
  readonly others: OtherVariants;
  readonly callsPerTrial: number;
  /** Divides the number of cases into independent ones. */
  readonly designEffect: number;
}
