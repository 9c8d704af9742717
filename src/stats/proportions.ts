import { designEffect, type Groups, type Interval, sampleVariance } from './descriptive.ts';
import { betaQuantile, checkAlpha, checkCounts, normalCritical } from './distributions.ts';
import { scoreLower, scoreUpper } from './score-bound.ts';

/** Score interval of a proportion, without continuity correction; null for no trials. Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953. */
export function wilsonInterval(successes: number, n: number, alpha: number): Interval {
  checkCounts(successes, n);
  if (n === 0) return { low: null, high: null };
  return scoreInterval(successes, n, alpha);
}

/** Wilson's formula, also for an effective number of trials that is not a whole number. */
function scoreInterval(successes: number, n: number, alpha: number): Interval {
  const z = normalCritical(alpha);
  const failures = n - successes;
  const centre = successes + (z * z) / 2;
  const spread = z * Math.sqrt((successes * failures) / n + (z * z) / 4);
  const size = n + z * z;
  return {
    low: successes === 0 ? 0 : (centre - spread) / size,
    high: failures === 0 ? 1 : (centre + spread) / size,
  };
}

/** Events among the observations of one cluster. */
export interface ClusterCount {
  readonly events: number;
  readonly n: number;
}

/**
 * The interval of the rate of one cluster, of which the clusters here are equally likely versions: Wilson's formula
 * with an effective number of observations. The variance between clusters is estimated by moments. One standard error
 * is added to it, because some 20 clusters with rare events say little about it. Source: Kish 1965, Survey Sampling,
 * section 8.2; Kleinman 1973, https://doi.org/10.1080/01621459.1973.10481332.
 */
export function clusteredRateInterval(clusters: readonly ClusterCount[], alpha: number): Interval {
  const events = clusters.reduce((sum, cluster) => sum + cluster.events, 0);
  const n = clusters.reduce((sum, cluster) => sum + cluster.n, 0);
  if (n === 0) return { low: null, high: null };
  // Half an event more and half a one fewer, so that a rate of 0 has a variance too.
  const rate = (events + 0.5) / (n + 1);
  const noise = (rate * (1 - rate) * clusters.length) / n;
  const spread = sampleVariance(clusters.map((cluster) => cluster.events / cluster.n));
  const ratio = Math.max(1, (spread ?? 0) / noise);
  const between = ratio - 1 + ratio * Math.sqrt(2 / Math.max(1, clusters.length - 1));
  const effective = n / (1 + clusters.length * between);
  return scoreInterval((events * effective) / n, effective, alpha);
}

/** Exact equal-tailed interval of a proportion; null for no trials. Source: Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404. */
export function clopperPearsonInterval(successes: number, n: number, alpha: number): Interval {
  checkCounts(successes, n);
  checkAlpha(alpha);
  if (n === 0) return { low: null, high: null };
  const failures = n - successes;
  return {
    low: successes === 0 ? 0 : betaQuantile(alpha / 2, successes, failures + 1),
    // The mirrored quantile keeps alpha/2 exact.
    high: failures === 0 ? 1 : 1 - betaQuantile(alpha / 2, failures, successes + 1),
  };
}

/** A difference of two proportions with its interval; null if nothing can be said. */
export interface DifferenceEstimate {
  readonly delta: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

const unknownDifference: DifferenceEstimate = { delta: null, low: null, high: null };

/** Pairs by outcome: `worse` went from pass to fail, `better` from fail to pass, out of `n`. Counts may be fractional. */
export interface PairedCounts {
  readonly worse: number;
  readonly better: number;
  readonly n: number;
}

/** Score interval of a paired difference (better − worse)/n. Source: Tango 1998, https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8%3C891::AID-SIM780%3E3.0.CO;2-B. */
export function tangoInterval({ worse, better, n }: PairedCounts, alpha: number): DifferenceEstimate {
  // Fractional counts may exceed n by a rounding error.
  if (!(worse >= 0 && better >= 0 && worse + better <= n * (1 + 1e-12))) {
    throw new RangeError(`${worse} worse and ${better} better do not fit into ${n} pairs`);
  }
  if (n === 0) return unknownDifference;
  const z = normalCritical(alpha);
  const outcomes = [
    { value: -1, weight: worse },
    { value: 0, weight: Math.max(0, n - worse - better) },
    { value: 1, weight: better },
  ].filter(({ weight }) => weight > 0);
  return { delta: (better - worse) / n, low: scoreLower(outcomes, z), high: scoreUpper(outcomes, z) };
}

/** Successes out of n on two independent sides. */
export interface IndependentCounts {
  readonly successes1: number;
  readonly n1: number;
  readonly successes2: number;
  readonly n2: number;
}

/** Square-and-add interval of p1 − p2 from two Wilson intervals. Source: Newcombe 1998, method 10, https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8%3C873::AID-SIM779%3E3.0.CO;2-I. */
export function newcombeUnpairedInterval(counts: IndependentCounts, alpha: number): DifferenceEstimate {
  const { successes1, n1, successes2, n2 } = counts;
  const first = wilsonInterval(successes1, n1, alpha);
  const second = wilsonInterval(successes2, n2, alpha);
  if (first.low === null || first.high === null || second.low === null || second.high === null)
    return unknownDifference;
  const [p1, p2] = [successes1 / n1, successes2 / n2];
  const delta = p1 - p2;
  return {
    delta,
    low: delta - squareAndAdd(p1 - first.low, second.high - p2),
    high: delta + squareAndAdd(first.high - p1, p2 - second.low),
  };
}

function squareAndAdd(a: number, b: number): number {
  return Math.sqrt(a * a + b * b);
}

/** Two rates that share no case; null if a side has none. */
export interface UnpairedComparison {
  readonly baseline: number | null;
  readonly candidate: number | null;
  readonly delta: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** One-sided, for a change to the worse: the smallest alpha/2 whose interval ends below 0. */
  readonly pWorse: number | null;
}

/**
 * The difference of pass rates, candidate − baseline, of two separate samples of case means in [0, 1].
 * Source: Newcombe 1998, method 10; p by inverting its interval.
 */
export function compareUnpaired(
  baseline: readonly number[],
  candidate: readonly number[],
  alpha: number,
  groups: { readonly baseline?: Groups | undefined; readonly candidate?: Groups | undefined } = {},
): UnpairedComparison {
  // A side without differences shows no spread of its groups, so the larger of both sides is used.
  const effect = Math.max(effectOf(baseline, groups.baseline), effectOf(candidate, groups.candidate));
  const before = countIndependent(baseline, groups.baseline === undefined ? 1 : effect);
  const after = countIndependent(candidate, groups.candidate === undefined ? 1 : effect);
  const counts = { successes1: after.successes, n1: after.n, successes2: before.successes, n2: before.n };
  if (counts.n1 === 0 || counts.n2 === 0) {
    return { baseline: null, candidate: null, delta: null, low: null, high: null, pWorse: null };
  }
  const { delta, low, high } = newcombeUnpairedInterval(counts, alpha);
  const highAt = (halfAlpha: number) => newcombeUnpairedInterval(counts, 2 * halfAlpha).high ?? 1;
  return {
    baseline: total(baseline) / baseline.length,
    candidate: total(candidate) / candidate.length,
    delta,
    low,
    high,
    // If the rate has not fallen, not even the narrowest interval ends below 0.
    pWorse: delta !== null && delta < 0 ? invert(highAt) : 0.5,
  };
}

function effectOf(means: readonly number[], groups: Groups | undefined): number {
  return groups === undefined ? 1 : designEffect(means, groups);
}

/** The independent cases that a sample amounts to; at least one. */
function countIndependent(
  means: readonly number[],
  effect: number,
): { readonly successes: number; readonly n: number } {
  const size = Math.min(effect, Math.max(1, means.length));
  return { successes: total(means) / size, n: means.length / size };
}

/** Bisection on a logarithmic scale; the bound falls as alpha grows. */
function invert(highAt: (halfAlpha: number) => number): number {
  let [low, high] = [smallestP, 0.5];
  if (highAt(low) < 0) return low;
  for (let step = 0; step < 100 && high / low > 1 + 1e-12; step += 1) {
    const middle = Math.sqrt(low * high);
    if (highAt(middle) < 0) high = middle;
    else low = middle;
  }
  return high;
}

const smallestP = 1e-12;

/** Means of ones may exceed 1 by a rounding error. */
function total(means: readonly number[]): number {
  const sum = means.reduce((all, mean) => all + mean, 0);
  return Math.min(means.length, Math.max(0, sum));
}
