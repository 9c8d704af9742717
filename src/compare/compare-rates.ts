import type { MetricEvidence, PlanningAdvice } from '../model/comparison.ts';
import { type CaseComparison, compareWorstCase, type ErroredResults } from '../stats/compare-cases.ts';
import { mean } from '../stats/means.ts';
import type { PairedResults } from '../stats/pairs.ts';
import { sampleSizeToSettle } from '../stats/planning.ts';

export interface RatePolicy {
  readonly alpha: number;
  readonly margin: number;
  readonly scope: 'population' | 'suite';
  /** Whether results are pass (1) or fail (0); undefined: seen from the results. */
  readonly binary?: boolean;
}

export interface ComparedRate {
  readonly evidence: MetricEvidence;
  readonly planning: PlanningAdvice;
}

/** The means of two sides over their common cases. Errors cannot help the candidate. */
export function compareRates(results: ErroredResults, policy: RatePolicy): ComparedRate {
  const { observed, worst } = compareWorstCase(results, policy);
  return {
    evidence: { ...rateEvidence(results, observed), ...(hasAny(results) ? { worstLow: worst.low } : {}) },
    planning: planOn(results, worst.low, policy),
  };
}

function hasAny({
  baselineErrors,
  candidateErrors,
}: Pick<ErroredResults, 'baselineErrors' | 'candidateErrors'>): boolean {
  return sum(baselineErrors) + sum(candidateErrors) > 0;
}

function rateEvidence(results: PairedResults, comparison: CaseComparison): MetricEvidence {
  return {
    baseline: meanOfCases(results.baseline, results.candidate),
    candidate: meanOfCases(results.candidate, results.baseline),
    delta: comparison.delta,
    low: comparison.low,
    high: comparison.high,
    p: comparison.pWorse,
    n: comparison.n,
  };
}

/** Over the cases of which the other side has a result too. */
function meanOfCases(side: readonly (readonly number[])[], other: readonly (readonly number[])[]): number | null {
  let total = 0;
  let cases = 0;
  for (let index = 0; index < side.length; index += 1) {
    const values = side[index] ?? [];
    if (values.length === 0 || other[index]?.length === 0) continue;
    total += mean(values);
    cases += 1;
  }
  return cases === 0 ? null : total / cases;
}

/** What would settle a comparison that leaves a drop beyond the margin possible. */
function planOn(results: PairedResults, low: number | null, policy: RatePolicy): PlanningAdvice {
  const isSettled = low !== null && low >= -policy.margin;
  return isSettled ? { cases: null, repeats: null } : sampleSizeToSettle(results, policy);
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < values.length; index += 1) total += values[index] ?? 0;
  return total;
}
