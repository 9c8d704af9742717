import type { CellStatus } from '../model/run/cell.ts';
import { binomialTails } from '../stats/distributions.ts';
import { failuresToConfirm, pairsToConfirm } from '../stats/two-sample-evidence.ts';
import { type FreshTrials, maxPairs, type TrialRow, weighCase } from '../verdict/confirm/case-evidence.ts';
import { thresholdOf } from '../verdict/confirm/settle.ts';
import { type AskedVariant, countCalls, findBudget } from './fresh-budget.ts';
import type { PooledCase } from './pool-trials.ts';

/** How a run finds one case that breaks. */
export interface CasePlan {
  /** Fresh trials of the new prompt that confirm a case which always fails now and never failed before. */
  readonly trials: number;
  /** Trials of the accepted prompt beside them; 0 if it can't be asked. */
  readonly acceptedTrials: number;
  /** The most fresh trials of the new prompt. */
  readonly mostTrials: number;
  /** The chance that a case is called broken which failed at one rate and now fails at another. */
  readonly power: (before: number, after: number) => number;
}

/** Cases that flake in every planned trial are flagged as well: the more there are, the stronger the evidence must be. */
export function planSingleCase(
  { pool: { suite, cases, asksAccepted }, others, callsPerTrial }: AskedVariant,
  { trials, baselineTrials, flakeRate }: { trials: number; baselineTrials: number; flakeRate: number },
): CasePlan {
  const byChance = [...cases, ...others.cases].reduce(
    (sum, found) => sum + flakeOf(found, flakeRate) ** found.plannedTrials,
    0,
  );
  const threshold = thresholdOf(
    { level: suite.gate.alpha / 2 },
    { cases: [], casesOfOtherShards: Math.round(1 + byChance) },
  );
  const own = countCalls([{ suite, cases }]).get(suite) ?? 0;
  const { allowed } = findBudget(new Map([...others.calls, [suite, (others.calls.get(suite) ?? 0) + own]]));
  // One trial clears nearly every case that was flagged by chance.
  const affordable = Math.floor(allowed.calls / callsPerTrial - byChance);
  const planned = Math.max(1, Math.round(trials));
  const accepted = Math.max(1, Math.round(baselineTrials));
  const needed = asksAccepted ? pairsToConfirm(threshold) : failuresToConfirm(threshold);
  return {
    trials: needed,
    acceptedTrials: asksAccepted ? needed : 0,
    mostTrials: asksAccepted ? maxPairs : needed,
    power(before, after) {
      // A tie is a failure.
      const wasAccepted = binomialTails(Math.ceil(accepted / 2) - 1, accepted, before).lower;
      return (
        wasAccepted * after ** planned * chanceOfBroken({ before, after }, { asksAccepted, threshold }, affordable)
      );
    },
  };
}

/** The chance that fresh trials call a flagged case broken: over all their outcomes, by the rule of a run. */
function chanceOfBroken(
  { before, after }: { readonly before: number; readonly after: number },
  rule: Parameters<typeof weighCase>[1],
  affordable: number,
): number {
  // What follows depends on the counts alone, and not on the order: a few hundred states instead of 2^15 paths.
  const known = new Map<string, number>();
  const chanceFrom = (fresh: FreshTrials, left: number): number => {
    const counts = [fresh.candidate, fresh.accepted].flatMap((trials) => [trials.length, countFailed(trials)]);
    const key = counts.join(' ');
    const chance = known.get(key) ?? findChance(fresh, left);
    known.set(key, chance);
    return chance;
  };
  const findChance = (fresh: FreshTrials, left: number): number => {
    const { outcome, wanted } = weighCase(fresh, rule);
    if (outcome === 'broken') return 1;
    if (wanted === undefined || left < 1) return 0;
    const { side } = wanted;
    const rate = side === 'candidate' ? after : before;
    const branch = (status: CellStatus, chance: number): number =>
      chance === 0 ? 0 : chance * chanceFrom({ ...fresh, [side]: [...fresh[side], trialOf(status)] }, left - 1);
    return branch('failed', rate) + branch('passed', 1 - rate);
  };
  return chanceFrom({ candidate: [], accepted: [] }, affordable);
}

function countFailed(trials: readonly TrialRow[]): number {
  return trials.filter(({ status }) => status === 'failed').length;
}

function trialOf(status: CellStatus): TrialRow {
  return { status, score: Number(status === 'passed'), costUsd: undefined };
}

/** Chance that a case fails a trial. A case that mostly failed before is a known failure, so its chance is 0. */
function flakeOf({ trials }: PooledCase, flakeRate: number): number {
  if (trials.length === 0) return flakeRate;
  const failures = countFailed(trials);
  return failures * 2 >= trials.length ? 0 : failures / trials.length;
}
