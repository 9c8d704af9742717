import { mean } from '../stats/descriptive.ts';
import { meanCost } from '../verdict/gate/flag-averages.ts';
import type { PooledCase, StoredTrial } from './pool-trials.ts';

/** Calls and cost of a run of this size; null if unknown. */
export interface RunSize {
  readonly cases: number;
  readonly trials: number;
  readonly calls: number | null;
  readonly costUsd: number | null;
}

/** Prices runs of any size by the mean of the stored trials. */
export function priceSize(cases: readonly PooledCase[]): (cases: number, trials: number) => RunSize {
  const trials = cases.flatMap((found) => found.trials);
  const calls = trials.flatMap((trial) => trial.calls ?? []);
  // If the number of calls was not stored, a case of one turn takes one.
  const callsPerTrial = calls.length > 0 ? mean(calls) : cases.some(({ hasTurns }) => hasTurns) ? null : 1;
  const [cost, judgeCost] = [meanCost(trials) ?? null, meanJudgeCost(trials)];
  const costPerTrial = cost === null || judgeCost === null ? null : cost + judgeCost;
  return (count, repeats) => ({
    cases: count,
    trials: repeats,
    calls: callsPerTrial === null ? null : Math.round(count * repeats * callsPerTrial),
    costUsd: costPerTrial === null ? null : count * repeats * costPerTrial,
  });
}

/** Mean cost of judges per trial. Cached verdicts are left out: they billed nothing. */
function meanJudgeCost(trials: readonly StoredTrial[]): number | null {
  if (trials.every(({ judgeCostUsd }) => judgeCostUsd === undefined || judgeCostUsd === 0)) return 0;
  const fresh = trials.filter(({ cached }) => !cached).map(({ judgeCostUsd }) => judgeCostUsd ?? 0);
  return fresh.length === 0 || trials.some(({ judgeCostUsd }) => judgeCostUsd === null) ? null : mean(fresh);
}
