import { mean, sampleVariance } from '../stats/means.ts';
import { pooledVariance } from '../stats/pairs.ts';
import { flakeRateOf } from '../stats/plan-suite.ts';
import type { PooledCase, TrialPool } from './pool-trials.ts';

/** What the numbers are planned from. */
export interface Pilot {
  readonly runs: readonly string[];
  readonly usesBaseline: boolean;
  readonly cases: number;
  readonly trials: number;
  readonly passRate: number | null;
  readonly flakyCases: number;
  /** Of one trial; `isAssumed` where no case has two trials to tell it from. */
  readonly flakeRate: number;
  readonly isAssumed: boolean;
  /** Variance of one trial within its case, and of the pass rate between cases; null where the trials don't tell. */
  readonly withinCases: number | null;
  readonly betweenCases: number | null;
}

/** Taken where no case has been tried twice. */
const assumedFlakeRate = 0.05;

/** What the stored trials of a version show of its cases. */
export function describePilot({ cases, runIds, usesBaseline }: TrialPool): Pilot {
  const results = cases.map(resultsOf).filter((trials) => trials.length > 0);
  const rates = results.map(mean);
  const withinCases = pooledVariance(results);
  const noise = withinCases === null ? null : withinCases * mean(results.map((trials) => 1 / trials.length));
  const spread = sampleVariance(rates);
  return {
    runs: runIds,
    usesBaseline,
    cases: results.length,
    trials: results.reduce((sum, trials) => sum + trials.length, 0),
    passRate: rates.length === 0 ? null : mean(rates),
    flakyCases: rates.filter((rate) => rate > 0 && rate < 1).length,
    flakeRate: withinCases === null ? assumedFlakeRate : flakeRateOf(withinCases),
    isAssumed: withinCases === null,
    withinCases,
    betweenCases: noise === null || spread === null ? null : Math.max(0, spread - noise),
  };
}

function resultsOf({ trials }: PooledCase): readonly number[] {
  return trials.map(({ status }) => (status === 'passed' ? 1 : 0));
}
