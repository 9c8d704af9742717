import type {
  ComparedCase,
  ComparedSide,
  ComparedVariant,
  MetricEvidence,
  PlanningAdvice,
} from '../model/comparison.ts';
import type { GatePolicy } from '../model/suite.ts';
import type { CaseSummary, RowSummary } from '../model/summary.ts';
import type { CaseComparison } from '../stats/compare-cases.ts';
import { compareWorstCase, type ErroredResults } from '../stats/compare-worst-case.ts';
import { type CostRatio, costRatio } from '../stats/cost-ratio.ts';
import { hodgesLehmann } from '../stats/hodges-lehmann.ts';
import { mean } from '../stats/moments.ts';
import type { PairedResults } from '../stats/pair-cases.ts';
import { quantile } from '../stats/quantiles.ts';
import { sampleSizeToSettle } from '../stats/sample-size.ts';
import { compareUnpaired } from '../stats/unpaired-rates.ts';
import { wilcoxonSignedRank } from '../stats/wilcoxon.ts';
import { erroredTrials, validResults } from './classify-case.ts';
import { findResidue } from './find-residue.ts';
import { isPaired, type PairedCase, type PairOptions, pairSides } from './pair-sides.ts';

export interface CompareVariantsOptions extends PairOptions {
  readonly gate: GatePolicy;
  /** The largest tolerated drop of the pass rate. */
  readonly margin: number;
  /** The same of the score; as the pass rate's where undefined. */
  readonly scoreMargin?: number;
  /** True where both sides ran in this invocation. */
  readonly latencyComparable: boolean;
  /** True where the sides are two versions of one run, so that either may have the other's answer. */
  readonly isWithinRun?: boolean;
}

/** Compares two sides by case identity and content stamp; position never enters. */
export function compareVariants(
  baseline: ComparedSide,
  candidate: ComparedSide,
  options: CompareVariantsOptions,
): ComparedVariant {
  const cases = pairSides(baseline, candidate, options);
  const paired = cases.filter(isPaired);
  const { alpha, scope } = options.gate;
  const policy = { alpha, margin: options.margin, scope };
  const results = {
    baseline: paired.map((pair) => validResults(pair.baseline)),
    candidate: paired.map((pair) => validResults(pair.candidate)),
  };
  const errors = {
    baselineErrors: paired.map((pair) => erroredTrials(pair.baseline)),
    candidateErrors: paired.map((pair) => erroredTrials(pair.candidate)),
  };
  const baselineErrored = sum(errors.baselineErrors);
  const candidateErrored = sum(errors.candidateErrors);
  const comparison = compareWorstCase({ ...results, ...errors }, { ...policy, binary: true });
  const answers = countSameAnswers(paired, options.isWithinRun === true);
  const costs = compareCosts(paired, { baseline, candidate, alpha });
  const score = compareScores(paired, errors, { ...policy, margin: options.scoreMargin ?? options.margin });
  return {
    baseline,
    candidate,
    cases,
    passRate:
      paired.length === 0 && options.isWhole
        ? compareSeparately(cases, alpha)
        : {
            ...rateEvidence(results, comparison.observed),
            ...(hasAny(errors) ? { worstLow: comparison.worst.low } : {}),
          },
    ...(score === undefined ? {} : { score: score.evidence, scorePlanning: score.planning }),
    costUsd: costs.evidence,
    isCostUnknown: costs.isUnknown,
    latencyMs: compareLatencies(paired, alpha, options.latencyComparable),
    latencyComparable: options.latencyComparable,
    errors: {
      baseline: baselineErrored,
      candidate: candidateErrored,
      share: shareOf(candidateErrored, sum(paired.map((pair) => pair.candidate.trials.length))),
    },
    sameAnswers: answers.same,
    comparedAnswers: answers.compared,
    residue: findResidue(baseline, candidate),
    planning: planOn(results, comparison.worst.low, policy),
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

/** Without a common case the rates of the two sides are all there is. */
function compareSeparately(cases: readonly ComparedCase[], alpha: number): MetricEvidence {
  const means = (side: 'baseline' | 'candidate') =>
    cases.flatMap((found) => {
      const results = found[side] === undefined ? [] : validResults(found[side]);
      return results.length === 0 ? [] : [mean(results)];
    });
  const { pWorse, ...difference } = compareUnpaired(means('baseline'), means('candidate'), alpha);
  return difference.delta === null ? nothing : { ...difference, p: pWorse, n: 0, isUnpaired: true };
}

/** Over the cases that the other side has a result of too. */
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

function compareScores(
  paired: readonly PairedCase[],
  errors: Pick<ErroredResults, 'baselineErrors' | 'candidateErrors'>,
  policy: { alpha: number; margin: number; scope: 'population' | 'suite' },
): { readonly evidence: MetricEvidence; readonly planning: PlanningAdvice } | undefined {
  const isPassAgain = ({ trials }: CaseSummary) =>
    trials.every(({ status, score }) => score === undefined || score === (status === 'passed' ? 1 : 0));
  if (paired.every(({ baseline, candidate }) => isPassAgain(baseline) && isPassAgain(candidate))) return undefined;
  const scoresOf = (found: CaseSummary) =>
    found.trials.flatMap(({ status, score }) => (status === 'passed' || status === 'failed' ? [score ?? 0] : []));
  const results = {
    baseline: paired.map((pair) => scoresOf(pair.baseline)),
    candidate: paired.map((pair) => scoresOf(pair.candidate)),
  };
  const { observed, worst } = compareWorstCase({ ...results, ...errors }, policy);
  return {
    evidence: { ...rateEvidence(results, observed), ...(hasAny(errors) ? { worstLow: worst.low } : {}) },
    planning: planOn(results, worst.low, policy),
  };
}

/** What would settle a comparison that leaves a drop beyond the margin possible; nothing would add to another. */
function planOn(
  results: PairedResults,
  low: number | null,
  policy: { alpha: number; margin: number; scope: 'population' | 'suite' },
): PlanningAdvice {
  const isSettled = low !== null && low >= -policy.margin;
  return isSettled ? { cases: null, repeats: null } : sampleSizeToSettle(results, policy);
}

function compareCosts(
  paired: readonly PairedCase[],
  { baseline, candidate, alpha }: { baseline: ComparedSide; candidate: ComparedSide; alpha: number },
): { readonly evidence: MetricEvidence; readonly isUnknown: boolean } {
  const before: number[] = [];
  const after: number[] = [];
  let isUnknown = false;
  for (const pair of paired) {
    const a = meanCost(pair.baseline, baseline);
    const b = meanCost(pair.candidate, candidate);
    if (a === null || b === null) isUnknown = true;
    else if (a !== undefined && b !== undefined) {
      before.push(a);
      after.push(b);
    }
  }
  if (isUnknown || before.length === 0) return { evidence: nothing, isUnknown };
  const isFree = before.every((cost) => cost === 0) && after.every((cost) => cost === 0);
  const { ratio, low, high, pIncrease, exact } = isFree ? unchangedCost : costRatio(before, after, alpha);
  // The same ratio in every case leaves nothing to estimate: the change is certain.
  const certain = exact && ratio !== null;
  const evidence = {
    baseline: sum(before),
    candidate: sum(after),
    delta: toChange(ratio),
    low: toChange(certain ? ratio : low),
    high: toChange(certain ? ratio : high),
    p: certain ? (ratio > 1 ? 0 : 1) : pIncrease,
    n: before.length,
  };
  return { evidence, isUnknown };
}

/** Nothing against nothing is no ratio, and no change either. */
const unchangedCost: CostRatio = { ratio: 1, low: null, high: null, seLog: null, pIncrease: null, exact: true };

/** Undefined without an answer, null where an answer has no known price. */
function meanCost({ trials }: CaseSummary, { costOf = bookedCost }: ComparedSide): number | null | undefined {
  let total = 0;
  let answers = 0;
  for (const row of trials) {
    const cost = costOf(row);
    if (cost === null) return null;
    if (cost === undefined) continue;
    total += cost;
    answers += 1;
  }
  return answers === 0 ? undefined : total / answers;
}

function bookedCost({ costUsd }: RowSummary): number | null | undefined {
  return costUsd;
}

/** Case by case only where both sides ran in this invocation: another day's load is no change of the prompt. */
function compareLatencies(paired: readonly PairedCase[], alpha: number, isComparable: boolean): MetricEvidence {
  const logs: number[] = [];
  const before: number[] = [];
  const after: number[] = [];
  for (const pair of paired) {
    const a = addLatencies(pair.baseline, before);
    const b = addLatencies(pair.candidate, after);
    if (a > 0 && b > 0) logs.push(Math.log(b / a));
  }
  if (logs.length === 0) return nothing;
  const sides = { baseline: quantile(before, 0.5), candidate: quantile(after, 0.5) };
  if (!isComparable) return { ...nothing, ...sides };
  const { estimate, low, high } = hodgesLehmann(logs, alpha);
  return {
    baseline: sides.baseline,
    candidate: sides.candidate,
    delta: toChange(expOrNull(estimate)),
    low: toChange(expOrNull(low)),
    high: toChange(expOrNull(high)),
    p: wilcoxonSignedRank(logs).pGreater,
    n: logs.length,
  };
}

/** Adds a case's latencies to those of its side, and returns their mean; 0 where there is none. */
function addLatencies({ trials }: CaseSummary, side: number[]): number {
  let total = 0;
  let count = 0;
  for (const { latencyMs } of trials) {
    if (latencyMs === undefined) continue;
    side.push(latencyMs);
    total += latencyMs;
    count += 1;
  }
  return count === 0 ? 0 : total / count;
}

/**
 * "40 of 40: nothing new was measured": answers that came from the cache and are those of the baseline. Of two versions
 * of one run that ask the same, whichever asks second gets the answer of the first.
 */
function countSameAnswers(paired: readonly PairedCase[], isWithinRun: boolean): { same: number; compared: number } {
  let [same, compared] = [0, 0];
  for (const { baseline, candidate } of paired) {
    for (const [index, trial] of candidate.trials.entries()) {
      const other = baseline.trials[index];
      const hash = trial.answerHash;
      const otherHash = other?.answerHash;
      if (other === undefined || hash === undefined || otherHash === undefined) continue;
      compared += 1;
      const isShared = trial.cached || (isWithinRun && other.cached);
      if (isShared && hash === otherHash) same += 1;
    }
  }
  return { same, compared };
}

const nothing: MetricEvidence = { baseline: null, candidate: null, delta: null, low: null, high: null, p: null, n: 0 };

function toChange(ratio: number | null): number | null {
  return ratio === null ? null : ratio - 1;
}

function expOrNull(value: number | null): number | null {
  return value === null ? null : Math.exp(value);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
