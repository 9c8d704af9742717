import { designEffect, type Groups, groupClusteredError } from './descriptive.ts';
import { normalCdf, normalCritical, tCdf, tCritical } from './distributions.ts';
import { mcnemarTest } from './exact-tests.ts';
import { type PairedCase, type PairedResults, pairCases, suiteBound } from './pairs.ts';
import { groupEqual, scoreLower, scoreUpper, type WeightedValue } from './score-bound.ts';

export interface CompareOptions extends TestPolicy {
  /** `population`: inputs like these; `suite`: these cases only. */
  readonly scope?: 'population' | 'suite';
  /** True if each result is pass (1) or fail (0). If undefined, the results tell. */
  readonly binary?: boolean;
}

/** The difference of means, candidate − baseline, over cases with results on both sides; null if there are none. */
export interface CaseComparison {
  readonly n: number;
  /** Cases without a result on one of the sides. */
  readonly unpaired: number;
  readonly changed: number;
  readonly delta: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly pWorse: number | null;
  readonly pBetter: number | null;
  /** The verdict by the unadjusted p. For an adjusted one, call `decideVerdict` again. */
  readonly verdict: TestVerdict;
}

/**
 * Compares two versions case by case: the case is the unit of evidence, its repeats are averaged.
 * The mean of paired differences follows Miller 2024, https://arxiv.org/abs/2411.00640; the lower bound is the score bound.
 */
export function compareCases(results: PairedResults, options: CompareOptions): CaseComparison {
  const { cases, unpaired, binary, groups } = pairCases(results);
  if (cases.length === 0) {
    return {
      n: 0,
      unpaired,
      changed: 0,
      delta: null,
      low: null,
      high: null,
      pWorse: null,
      pBetter: null,
      verdict: 'inconclusive',
    };
  }
  // For these cases only, the trials are the sample, and they are independent.
  const clusters = options.scope === 'suite' ? undefined : groups;
  const sample = describeSample(cases, clusters);
  const isSingle = (options.binary ?? binary) && clusters === undefined && cases.every(isSingleTrial);
  const bounds = isSingle ? compareSingle(sample.grouped, options.alpha) : compareRepeated(sample, options.alpha);
  const low = options.scope === 'suite' ? (suiteBound(cases, options.alpha).low ?? bounds.low) : bounds.low;
  const evidence = { ...bounds, low };
  return {
    n: sample.n,
    unpaired,
    changed: sample.changed,
    delta: sample.delta,
    ...evidence,
    verdict: decideVerdict(evidence, options),
  };
}

interface Bounds {
  readonly low: number;
  readonly high: number;
  readonly pWorse: number;
  readonly pBetter: number;
}

interface Sample {
  readonly n: number;
  readonly delta: number;
  readonly changed: number;
  readonly grouped: readonly WeightedValue[];
  /** Standard error of delta from the spread of the cases; null for a single case or group. */
  readonly se: number | null;
  readonly df: number;
  /** How much more the groups spread than independent cases would. */
  readonly designEffect: number;
  /** Standard error of delta from the noise within cases only. */
  readonly withinSe: number;
}

function describeSample(cases: readonly PairedCase[], groups: Groups | undefined): Sample {
  const n = cases.length;
  const differences = cases.map(({ difference }) => difference);
  const grouped = groupEqual(differences);
  let sum = 0;
  for (const { value, weight } of grouped) sum += value * weight;
  const delta = sum / n;
  let square = 0;
  let changed = 0;
  for (const { value, weight } of grouped) {
    square += weight * (value - delta) ** 2;
    if (value !== 0) changed += weight;
  }
  let noise = 0;
  for (const { noiseVariance } of cases) noise += noiseVariance;
  const plainSe = n < 2 ? null : Math.sqrt(square / (n - 1) / n);
  return { n, delta, changed, grouped, ...clusterError(differences, groups, plainSe), withinSe: Math.sqrt(noise) / n };
}

function clusterError(
  differences: readonly number[],
  groups: Groups | undefined,
  plainSe: number | null,
): Pick<Sample, 'se' | 'df' | 'designEffect'> {
  if (groups === undefined) return { se: plainSe, df: differences.length - 1, designEffect: 1 };
  const { se, groupCount } = groupClusteredError(differences, groups);
  return { se, df: groupCount - 1, designEffect: designEffect(differences, groups) };
}

/** One pass/fail result a side: McNemar's mid-p and Tango's interval. */
function compareSingle(grouped: readonly WeightedValue[], alpha: number): Bounds {
  const z = normalCritical(alpha);
  const count = (wanted: number): number => grouped.find(({ value }) => value === wanted)?.weight ?? 0;
  const { pWorse, pBetter } = mcnemarTest(count(-1), count(1));
  return { low: scoreLower(grouped, z), high: scoreUpper(grouped, z), pWorse, pBetter };
}

/** For repeats and scores: the largest of three p-values. Each prevents one source of false alarms. */
function compareRepeated(sample: Sample, alpha: number): Bounds {
  const z = normalCritical(alpha);
  const { delta, changed, grouped, se, df, designEffect, withinSe } = sample;
  const low = scoreLower(grouped, z, designEffect);
  if (changed === 0) return { low, high: scoreUpper(grouped, z, designEffect), pWorse: 0.5, pBetter: 0.5 };
  if (se === null) return { low, high: 1, pWorse: 1, pBetter: 1 };
  const reach = Math.max(tCritical(alpha, df) * se, z * withinSe);
  const pOfDrop = (direction: number): number =>
    Math.max(
      // Cases that flip both ways after a harmless rewording.
      tCdf(standardise(direction * delta, se), df),
      // A baseline with fewer repeats than the candidate: n·delta has the variance of the within-case permutations.
      normalCdf(standardise(direction * delta, withinSe)),
      // Fewer changed cases than a unanimous sign test would need.
      2 ** -(changed + 1),
    );
  return { low, high: Math.min(1, delta + reach), pWorse: pOfDrop(1), pBetter: pOfDrop(-1) };
}

/** A difference without any spread is certain. */
function standardise(difference: number, se: number): number {
  if (difference === 0) return 0;
  return se === 0 ? Math.sign(difference) * Number.POSITIVE_INFINITY : difference / se;
}

function isSingleTrial({ baseline, candidate }: PairedCase): boolean {
  return baseline.length === 1 && candidate.length === 1;
}

/** Results beside the number of errored repeats of each case. */
export interface ErroredResults extends PairedResults {
  readonly baselineErrors: ArrayLike<number>;
  readonly candidateErrors: ArrayLike<number>;
}

export interface WorstCaseComparison {
  readonly observed: CaseComparison;
  /** As if each errored candidate repeat had failed and each errored baseline repeat passed. */
  readonly worst: CaseComparison;
  readonly verdict: TestVerdict;
}

/**
 * Compares as observed, and with every error counted against the candidate. The second result must also exclude a drop
 * for `not_regressed`.
 */
export function compareWorstCase(results: ErroredResults, options: CompareOptions): WorstCaseComparison {
  const observed = compareCases(results, options);
  const baseline = fillErrors(results.baseline, results.baselineErrors, 1);
  const candidate = fillErrors(results.candidate, results.candidateErrors, 0);
  const hasErrors = baseline !== results.baseline || candidate !== results.candidate;
  const worst = hasErrors ? compareCases({ ...results, baseline, candidate }, options) : observed;
  return { observed, worst, verdict: decideVerdict({ ...observed, worstLow: worst.low }, options) };
}

/** Adds a result for each errored trial. */
export function fillErrors(
  sides: readonly (readonly number[])[],
  errors: ArrayLike<number>,
  result: 0 | 1,
): readonly (readonly number[])[] {
  if (errors.length !== sides.length) {
    throw new RangeError(`${sides.length} cases need as many error counts, not ${errors.length}`);
  }
  if (Array.from(errors).every((count) => count === 0)) return sides;
  return sides.map((side, index) => {
    const errored = errors[index] ?? 0;
    return errored === 0 ? side : [...side, ...Array.from({ length: errored }, () => result)];
  });
}

/** The result of a test: no drop beyond the margin, a drop, or neither. */
export type TestVerdict = 'not_regressed' | 'regressed' | 'inconclusive';

/** One-sided bounds and p of a difference, candidate − baseline; null if there was nothing to compare. */
export interface DifferenceEvidence {
  readonly low: number | null;
  readonly high: number | null;
  /** Adjusted for multiplicity by the caller if several metrics are tested. */
  readonly pWorse: number | null;
  /** The lower bound with every errored result counted against the candidate. */
  readonly worstLow?: number | null;
}

/** The largest tolerated drop and the two-sided alpha. */
export interface TestPolicy {
  readonly alpha: number;
  readonly margin: number;
}

/**
 * Tests two claims, each at one-sided alpha/2: "not worse than the margin", then "worse". So a significant drop that is
 * certainly within the margin is no regression.
 * Source: non-inferiority by confidence bound, Blackwelder 1982, https://doi.org/10.1016/0197-2456(82)90024-1.
 */
export function decideVerdict(evidence: DifferenceEvidence, { alpha, margin }: TestPolicy): TestVerdict {
  const { low, high, pWorse, worstLow } = evidence;
  if (low !== null && low >= -margin) {
    return (worstLow ?? 0) < -margin ? 'inconclusive' : 'not_regressed';
  }
  if (pWorse !== null && high !== null && pWorse <= alpha / 2 && high < 0) return 'regressed';
  return 'inconclusive';
}

/** Bounds and p of a ratio, candidate / baseline, for metrics that should be low. */
export interface RatioEvidence {
  readonly low: number | null;
  readonly high: number | null;
  readonly pIncrease: number | null;
}

/** Decides like `decideVerdict`, for ratios of cost and latency. A `margin` of 0.1 tolerates +10 %. */
export function decideRatioVerdict(evidence: RatioEvidence, { alpha, margin }: TestPolicy): TestVerdict {
  const { low, high, pIncrease } = evidence;
  if (high !== null && high <= 1 + margin) return 'not_regressed';
  if (pIncrease !== null && low !== null && pIncrease <= alpha / 2 && low > 1) return 'regressed';
  return 'inconclusive';
}
