import { mean } from '../stats/means.ts';
import type { PooledCase } from './pool-trials.ts';
import type { StoredTrial } from './stored-trials.ts';

/** What a run of some size takes; null where it is not known. */
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
  // Without a word of how many calls were made, a case of one turn takes one.
  const callsPerTrial = calls.length > 0 ? mean(calls) : cases.some(({ hasTurns }) => hasTurns) ? null : 1;
  const costPerTrial = addKnown(meanCost(trials), meanJudgeCost(trials));
  return (count, repeats) => ({
    cases: count,
    trials: repeats,
    calls: callsPerTrial === null ? null : Math.round(count * repeats * callsPerTrial),
    costUsd: costPerTrial === null ? null : count * repeats * costPerTrial,
  });
}

/** Null where there is no answer, or one without a known price. */
function meanCost(trials: readonly StoredTrial[]): number | null {
  const costs = trials.flatMap(({ costUsd }) => (costUsd === undefined ? [] : [costUsd]));
  const known = costs.filter((cost) => cost !== null);
  return known.length === 0 || known.length < costs.length ? null : mean(known);
}

/** A judge that answered from the cache billed nothing, which says nothing of what it costs. */
function meanJudgeCost(trials: readonly StoredTrial[]): number | null {
  if (trials.every(({ judgeCostUsd }) => judgeCostUsd === undefined || judgeCostUsd === 0)) return 0;
  const fresh = trials.filter(({ cached }) => !cached).map(({ judgeCostUsd }) => judgeCostUsd ?? 0);
  return fresh.length === 0 || trials.some(({ judgeCostUsd }) => judgeCostUsd === null) ? null : mean(fresh);
}

function addKnown(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
