import type { RowSummary } from '../model/run/summary.ts';
import { drawRate, fitFailureRates } from '../stats/beta-binomial.ts';
import type { PooledCase, TrialPool } from './pool-trials.ts';

/** A case that answers like its stored trials. */
export interface SimulatedCase {
  readonly found: PooledCase;
  readonly baselineTrials: number;
  /** Draws trials of the case at its current failure rate. */
  readonly draw: (count: number) => readonly RowSummary[];
}

/**
 * The cases of a pool that have a stored trial. One case has too few trials for a rate, so each rate is drawn from a
 * distribution fitted to all cases.
 */
export function createCases(
  pool: TrialPool,
  baselineTrials: ReadonlyMap<string, number>,
  random: () => number,
): { readonly list: readonly SimulatedCase[]; readonly drawRates: () => void } {
  const tried = triedCases(pool);
  const counts = tried.map(({ trials }) => ({
    failures: trials.filter(({ status }) => status === 'failed').length,
    n: trials.length,
  }));
  const drawSpread = fitFailureRates(counts);
  const rates = counts.map(({ failures, n }) => failures / n);
  const all = tried.flatMap(({ trials }) => trials);
  const list = tried.map((found, index): SimulatedCase => {
    const rows = { passed: rowsOf(found, 'passed', all), failed: rowsOf(found, 'failed', all) };
    const drawOne = (): readonly RowSummary[] => {
      const stored = random() < (rates[index] ?? 0) ? rows.failed : rows.passed;
      const row = stored[Math.floor(random() * stored.length)];
      return row === undefined ? [] : [row];
    };
    return {
      found,
      baselineTrials: baselineTrials.get(found.caseId) ?? found.plannedTrials,
      draw: (count) => Array.from({ length: count }, drawOne).flat(),
    };
  });
  return {
    list,
    drawRates() {
      const spread = drawSpread(random);
      for (const [index, count] of counts.entries()) rates[index] = drawRate(count, spread, random);
    },
  };
}

export function triedCases({ cases }: TrialPool): readonly PooledCase[] {
  return cases.filter(({ trials }) => trials.length > 0);
}

type Judged = 'passed' | 'failed';

/** The case's own rows with this status. If it has none, its first row with the scores of other cases' rows. */
function rowsOf({ trials }: PooledCase, status: Judged, all: readonly RowSummary[]): readonly RowSummary[] {
  const own = trials.filter((row) => row.status === status);
  const [first] = trials;
  if (own.length > 0 || first === undefined) return own.map(bare);
  const scores = all.filter((row) => row.status === status).map(({ score }) => score);
  if (scores.length === 0) scores.push(status === 'passed' ? 1 : 0);
  return scores.map((score) => ({ ...bare(first), status, score }));
}

/** Drops latencies, which are not comparable and slow to compare, and `pooled`, since each draw is one trial. */
function bare({ pooled: _pooled, ...row }: RowSummary): RowSummary {
  return { ...row, latencyMs: undefined };
}
