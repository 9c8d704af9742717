import { type Groups, mean, sampleVariance, sharedGroups, sumOfSquares } from './descriptive.ts';
import { tangoInterval } from './proportions.ts';

/** Results in [0, 1] of each case's repeats on both sides, cases in the same order; errored repeats are left out. */
export interface PairedResults {
  readonly baseline: readonly (readonly number[])[];
  readonly candidate: readonly (readonly number[])[];
  /** The sources of the cases. Cases from one template or document count as one cluster. */
  readonly groups?: readonly (string | number | undefined)[];
}

/** A case with results on both sides. */
export interface PairedCase {
  readonly baseline: readonly number[];
  readonly candidate: readonly number[];
  /** Mean of the candidate's repeats − mean of the baseline's. */
  readonly difference: number;
  /** Variance of the difference if both sides were one and the same. */
  readonly noiseVariance: number;
}

/** Pairs the two sides; a case without a result on one of them is counted and left out. */
export function pairCases(results: PairedResults): {
  cases: readonly PairedCase[];
  unpaired: number;
  binary: boolean;
  /** The group of each case; undefined if no two cases share one. */
  groups: Groups | undefined;
} {
  const { baseline, candidate, groups } = results;
  checkLengths(results);
  const cases: PairedCase[] = [];
  const groupOfCases: (string | number | undefined)[] = [];
  let binary = true;
  for (const [index, before] of baseline.entries()) {
    const after = candidate[index] ?? [];
    if (before.length === 0 || after.length === 0) continue;
    for (const side of [before, after]) {
      for (const result of side) {
        checkResult(result, index);
        binary &&= result === 0 || result === 1;
      }
    }
    cases.push({
      baseline: before,
      candidate: after,
      difference: difference(before, after),
      noiseVariance: noiseVariance(before, after),
    });
    groupOfCases.push(groups?.[index]);
  }
  return { cases, unpaired: baseline.length - cases.length, binary, groups: sharedGroups(groupOfCases) };
}

/** Differences below 1e-12 come from summing the same results in another order. */
function difference(before: readonly number[], after: readonly number[]): number {
  const value = mean(after) - mean(before);
  if (Math.abs(value) < 1e-12) return 0;
  return Math.min(1, Math.max(-1, value));
}

function noiseVariance(before: readonly number[], after: readonly number[]): number {
  const count = before.length + after.length;
  const centre = (mean(before) * before.length + mean(after) * after.length) / count;
  let square = 0;
  for (const result of before) square += (result - centre) ** 2;
  for (const result of after) square += (result - centre) ** 2;
  return (square / (count - 1)) * (1 / before.length + 1 / after.length);
}

function checkLengths({ baseline, candidate, groups }: PairedResults): void {
  if (baseline.length !== candidate.length || (groups !== undefined && groups.length !== baseline.length)) {
    const found = groups === undefined ? '' : ` and ${groups.length} groups`;
    throw new RangeError(
      `sides differ in length: ${baseline.length} baseline and ${candidate.length} candidate cases${found}`,
    );
  }
}

function checkResult(result: number, index: number): void {
  // A weighted mean of ones may exceed 1 by a rounding error.
  if (!(result >= -1e-9 && result <= 1 + 1e-9))
    throw new RangeError(`case ${index} has a result outside [0, 1]: ${result}`);
}

/** The difference on exactly these cases, with their repeats as the sample. Without cases its bounds are null. */
export interface SuiteBound {
  /** The number of cases with one repeat that tell as much: n²/Σ 1/min(k). */
  readonly effectiveN: number;
  readonly worse: number;
  readonly better: number;
  readonly delta: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Tango's interval on fractional counts: a case counts with the share of its baseline × candidate pairs that differ. */
export function suiteBound(cases: readonly Pick<PairedCase, 'baseline' | 'candidate'>[], alpha: number): SuiteBound {
  const n = cases.length;
  if (n === 0) return { effectiveN: 0, worse: 0, better: 0, delta: null, low: null, high: null };
  let worse = 0;
  let better = 0;
  let inverse = 0;
  for (const { baseline, candidate } of cases) {
    const drops = pairDrops(baseline, candidate);
    worse += drops.worse;
    better += drops.better;
    inverse += 1 / Math.min(baseline.length, candidate.length);
  }
  const effectiveN = (n * n) / inverse;
  const counts = { worse: (worse / n) * effectiveN, better: (better / n) * effectiveN };
  return { effectiveN, ...counts, ...tangoInterval({ ...counts, n: effectiveN }, alpha) };
}

function pairDrops(baseline: readonly number[], candidate: readonly number[]): { worse: number; better: number } {
  let worse = 0;
  let better = 0;
  for (const before of baseline) {
    for (const after of candidate) {
      if (after < before) worse += before - after;
      else better += after - before;
    }
  }
  const pairs = baseline.length * candidate.length;
  return { worse: worse / pairs, better: better / pairs };
}

/** The components of the variance of paired differences; null if the repeats or cases don't tell. */
export interface VarianceComponents {
  /** Pooled variance of one repeat within its case. */
  readonly sigma2Baseline: number | null;
  readonly sigma2Candidate: number | null;
  readonly varianceOfDifference: number | null;
  /** Variance of the true change between cases, which no number of repeats removes. */
  readonly omega2: number | null;
}

/** Var(d) = ω² + σ_A²/k_A + σ_B²/k_B, by moments. Source: Miller 2024, https://arxiv.org/abs/2411.00640. */
export function varianceComponents(results: PairedResults): VarianceComponents {
  const { cases } = pairCases(results);
  const sigma2Baseline = pooledVariance(cases.map(({ baseline }) => baseline));
  const sigma2Candidate = pooledVariance(cases.map(({ candidate }) => candidate));
  const varianceOfDifference = sampleVariance(cases.map(({ difference }) => difference));
  if (sigma2Baseline === null || sigma2Candidate === null || varianceOfDifference === null) {
    return { sigma2Baseline, sigma2Candidate, varianceOfDifference, omega2: null };
  }
  const noise = mean(
    cases.map(({ baseline, candidate }) => sigma2Baseline / baseline.length + sigma2Candidate / candidate.length),
  );
  return { sigma2Baseline, sigma2Candidate, varianceOfDifference, omega2: Math.max(0, varianceOfDifference - noise) };
}

/** Variance of one repeat within its case, pooled over cases; null if no case has two repeats. */
export function pooledVariance(sides: readonly (readonly number[])[]): number | null {
  let square = 0;
  let degrees = 0;
  for (const results of sides) {
    square += sumOfSquares(results);
    degrees += results.length - 1;
  }
  return degrees > 0 ? square / degrees : null;
}
