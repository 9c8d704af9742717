import { groupClusteredError, type Interval, mean, quantile, sampleVariance } from '../src/stats/descriptive.ts';
import {
  binomialMidP,
  binomialProbability,
  binomialTails,
  checkAlpha,
  checkCounts,
  checkProbability,
  normalCritical,
  normalQuantile,
  tCritical,
} from '../src/stats/distributions.ts';
import { mcnemarTest } from '../src/stats/exact-tests.ts';
import { type PlanPolicy, plannedZ } from '../src/stats/planning.ts';
import { type DifferenceEstimate, wilsonInterval } from '../src/stats/proportions.ts';
import { groupEqual, type MeanEstimate, scoreLower, scoreUpper } from '../src/stats/score-bound.ts';

// The methods of the reference files that llmcheck itself does not use.

/** A mean over clusters with its t interval; null where fewer than two clusters leave nothing to estimate. */
interface ClusteredMean extends Interval {
  readonly n: number;
  readonly mean: number | null;
  readonly se: number | null;
  readonly df: number | null;
}

/** Mean of one value a cluster with Student's interval, not clipped. Source: Miller 2024, https://arxiv.org/abs/2411.00640. */
export function clusteredMeanInterval(clusterMeans: readonly number[], alpha: number): ClusteredMean {
  const n = clusterMeans.length;
  const centre = n === 0 ? null : mean(clusterMeans);
  const variance = sampleVariance(clusterMeans);
  if (centre === null || variance === null) return { n, mean: centre, se: null, df: null, low: null, high: null };
  const se = Math.sqrt(variance / n);
  const reach = tCritical(alpha, n - 1) * se;
  return { n, mean: centre, se, df: n - 1, low: centre - reach, high: centre + reach };
}

/** Mean of differences in [−1, 1]. For differences in {−1, 0, 1} the interval is Tango's. */
export function scoreDifferenceInterval(differences: readonly number[], alpha: number): MeanEstimate {
  if (differences.length === 0) return { n: 0, mean: null, low: null, high: null };
  const z = normalCritical(alpha);
  const grouped = groupEqual(differences);
  return {
    n: differences.length,
    mean: mean(differences),
    low: scoreLower(grouped, z),
    high: scoreUpper(grouped, z),
  };
}

/** A paired fourfold table by which of the two sides succeeded. */
interface PairedTable {
  readonly both: number;
  readonly only1: number;
  readonly only2: number;
  readonly neither: number;
}

/** Square-and-add interval of p1 − p2 with the pairs' correlation. Source: Newcombe 1998, method 10 for paired data, https://doi.org/10.1002/(SICI)1097-0258(19981130)17:22%3C2635::AID-SIM954%3E3.0.CO;2-C. */
export function newcombePairedInterval(table: PairedTable, alpha: number): DifferenceEstimate {
  const { both, only1, only2, neither } = table;
  const n = both + only1 + only2 + neither;
  const phi = correctedPhi(table);
  const first = wilsonArms(both + only1, n, alpha);
  const second = wilsonArms(both + only2, n, alpha);
  if (first === undefined || second === undefined) return { delta: null, low: null, high: null };
  const reach = (a: number, b: number) => Math.sqrt(Math.max(0, a * a - 2 * phi * a * b + b * b));
  const delta = first.point - second.point;
  return {
    delta,
    low: delta - reach(first.below, second.above),
    high: delta + reach(first.above, second.below),
  };
}

function wilsonArms(successes: number, n: number, alpha: number) {
  const { low, high } = wilsonInterval(successes, n, alpha);
  if (low === null || high === null) return undefined;
  const point = successes / n;
  return { point, below: point - low, above: high - point };
}

/** Newcombe's continuity-corrected phi: a positive correlation is taken n/2 smaller, at most down to 0. */
function correctedPhi({ both, only1, only2, neither }: PairedTable): number {
  const n = both + only1 + only2 + neither;
  const margins = (both + only1) * (only2 + neither) * (both + only2) * (only1 + neither);
  if (margins === 0) return 0;
  const product = both * neither - only1 * only2;
  return (product > 0 ? Math.max(0, product - n / 2) : product) / Math.sqrt(margins);
}

/** A quantile with the order statistics that bound it; ranks count from 1 and are null where that side is unbounded. */
interface QuantileEstimate extends Interval {
  readonly estimate: number | null;
  readonly lowRank: number | null;
  readonly highRank: number | null;
}

/** Distribution-free interval of a quantile from order statistics. Source: Conover 1999, Practical Nonparametric Statistics, 3.2; David and Nagaraja 2003, 7.1, https://doi.org/10.1002/0471722162. */
export function quantileInterval(values: readonly number[], p: number, alpha: number): QuantileEstimate {
  checkAlpha(alpha);
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  const estimate = quantile(sorted, p);
  if (n === 0) return { estimate, low: null, high: null, lowRank: null, highRank: null };
  const ranks = { low: binomialQuantile(alpha / 2, n, p), high: binomialQuantile(1 - alpha / 2, n, p) + 1 };
  return { estimate, ...boundsAtRanks(sorted, ranks) };
}

interface ClusteredQuantileEstimate extends QuantileEstimate {
  /** Standard error of the share of values at or below the quantile. */
  readonly seShare: number | null;
}

/** The same where each case has several values, which resemble each other. Source: Woodruff 1952, https://doi.org/10.1080/01621459.1952.10483443. */
export function clusteredQuantileInterval(
  cases: readonly (readonly number[])[],
  p: number,
  alpha: number,
): ClusteredQuantileEstimate {
  checkAlpha(alpha);
  const sorted = cases.flat().sort((a, b) => a - b);
  const estimate = quantile(sorted, p);
  const groups = cases.flatMap((values, index) => values.map(() => index));
  const below = cases.flatMap((values) => values.map((value) => (estimate !== null && value <= estimate ? 1 : 0)));
  const { se, groupCount } = groupClusteredError(below, groups);
  if (se === null) return { estimate, seShare: null, low: null, high: null, lowRank: null, highRank: null };
  const n = sorted.length;
  const seShare = Math.max(se, Math.sqrt((p * (1 - p)) / n));
  const reach = tCritical(alpha, groupCount - 1) * seShare;
  const ranks = { low: Math.floor(n * (p - reach)), high: Math.ceil(n * (p + reach)) };
  return { estimate, seShare, ...boundsAtRanks(sorted, ranks) };
}

function boundsAtRanks(
  sorted: readonly number[],
  ranks: { low: number; high: number },
): Omit<QuantileEstimate, 'estimate'> {
  const low = sorted[ranks.low - 1] ?? null;
  const high = sorted[ranks.high - 1] ?? null;
  return {
    low,
    high,
    lowRank: low === null ? null : ranks.low,
    highRank: high === null ? null : ranks.high,
  };
}

/** The smallest x with P(X ≤ x) ≥ q. */
export function binomialQuantile(q: number, n: number, p: number): number {
  checkProbability(q);
  // A hair below q, so that a cumulative probability equal to q in decimals is not missed by its last bit.
  const target = q * (1 - 64 * Number.EPSILON);
  let low = -1;
  let high = n;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (binomialTails(middle, n, p).lower >= target) high = middle;
    else low = middle;
  }
  return high;
}

/** Estimate and interval of a positive quantity. */
interface PositiveEstimate extends Interval {
  readonly estimate: number | null;
}

/** Ratio candidate / baseline; open on a side where either interval is open there. */
interface RatioEstimate extends Interval {
  readonly ratio: number | null;
}

/**
 * Interval of a ratio from two intervals, by square-and-add on the log scale; the sides are taken as independent.
 * Source: Zou and Donner 2008 (MOVER), https://doi.org/10.1002/sim.3095.
 */
export function quantileRatioInterval(baseline: PositiveEstimate, candidate: PositiveEstimate): RatioEstimate {
  const before = logOf(baseline.estimate);
  const after = logOf(candidate.estimate);
  if (before === null || after === null) return { ratio: null, low: null, high: null };
  const delta = after - before;
  const arm = (bound1: number | null, point1: number, bound2: number | null, point2: number): number | null => {
    const log1 = logOf(bound1);
    const log2 = logOf(bound2);
    return log1 === null || log2 === null ? null : Math.hypot(log1 - point1, log2 - point2);
  };
  const down = arm(candidate.low, after, baseline.high, before);
  const up = arm(candidate.high, after, baseline.low, before);
  return {
    ratio: Math.exp(delta),
    low: down === null ? null : Math.exp(delta - down),
    high: up === null ? null : Math.exp(delta + up),
  };
}

function logOf(value: number | null): number | null {
  return value !== null && value > 0 ? Math.log(value) : null;
}

/** The smallest mean difference that n cases detect; null for no cases. Source: Miller 2024, https://arxiv.org/abs/2411.00640. */
export function minDetectableEffect(n: number, variance: number, policy: PlanPolicy): number | null {
  return n > 0 ? plannedZ(policy) * Math.sqrt(variance / n) : null;
}

/**
 * Cases with one pass/fail result a side that detect `delta` when the share `discordance` of them changes; null where fewer change
 * than the difference needs. Source: Connor 1987, https://doi.org/10.2307/2531961.
 */
export function casesNeededSingle(delta: number, discordance: number, { alpha, power }: PlanPolicy): number | null {
  if (delta === 0 || discordance < Math.abs(delta)) return null;
  const spread =
    normalCritical(alpha) * Math.sqrt(discordance) +
    normalQuantile(power) * Math.sqrt(Math.max(0, discordance - delta * delta));
  return Math.ceil((spread * spread) / (delta * delta));
}

/** The chance that a case failing at the given rate fails once in its repeats and once more in its fresh confirmations. */
export function blockProbability(flakeRate: number, repeats: number, confirmations: number): number {
  return anyFailure(flakeRate, repeats) * anyFailure(flakeRate, confirmations);
}

/** One-sided mid-p that the pass rate lies below what is required: P(X < x) + ½ P(X = x) at that rate. Source: Lancaster 1961, https://doi.org/10.1080/01621459.1961.10482105. */
export function belowRequiredRate(passes: number, n: number, required: number): number {
  return binomialMidP(passes, n, required);
}

/** Repeats without a failure that show the required pass rate with confidence 1 − alpha; null where none can. Source: solved from Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404. */
export function cleanRepeatsNeeded(required: number, alpha: number): number | null {
  if (!(required >= 0 && required <= 1)) throw new RangeError(`a pass rate lies in [0, 1], ${required} does not`);
  if (required === 1) return null;
  return required === 0 ? 1 : Math.max(1, Math.ceil(Math.log(alpha) / Math.log(required)));
}

/** The pass rate that k repeats without a failure show: alpha^(1/k). Source: Clopper and Pearson 1934, as above. */
export function cleanRepeatsBound(repeats: number, alpha: number): number {
  return repeats > 0 ? alpha ** (1 / repeats) : 0;
}

function anyFailure(failureRate: number, repeats: number): number {
  return 1 - (1 - failureRate) ** repeats;
}

/** How a case behaves over its repeats within one version. */
interface CaseFlakiness {
  readonly rate: number | null;
  readonly flaky: boolean;
  /** Unbiased estimate of the chance that two repeats disagree, 2p(1 − p); null for fewer than two repeats. */
  readonly disagreement: number | null;
}

/** Flaky: both outcomes were seen. */
export function caseFlakiness(passes: number, n: number): CaseFlakiness {
  checkCounts(passes, n);
  return {
    rate: n === 0 ? null : passes / n,
    flaky: passes > 0 && passes < n,
    disagreement: n < 2 ? null : (2 * passes * (n - passes)) / (n * (n - 1)),
  };
}

/**
 * The chance that at least one (pass@k) and that all (pass^k) of k repeats pass, without bias; null for k > n, never extrapolated.
 * Source: Chen 2021, https://arxiv.org/abs/2107.03374; Yao 2024 (τ-bench), https://arxiv.org/abs/2406.12045.
 */
export function passAtK(passes: number, n: number, k: number): { passAtK: number | null; passHatK: number | null } {
  checkCounts(passes, n);
  if (k > n) return { passAtK: null, passHatK: null };
  return { passAtK: 1 - shareOfSubsets(n - passes, n, k), passHatK: shareOfSubsets(passes, n, k) };
}

/** The chance that k repeats show both outcomes of a case that fails at the given rate: 1 − (1−f)^k − f^k. */
export function flakeDetectionProbability(flakeRate: number, repeats: number): number {
  checkProbability(flakeRate);
  if (repeats < 1) return 0;
  // expm1 keeps the digits for rare flakes.
  const seen = -Math.expm1(repeats * Math.log1p(-flakeRate)) - flakeRate ** repeats;
  return Math.max(0, seen);
}

/** The fewest repeats that expose a flake with the given probability; null where none can. */
export function repeatsToDetectFlake(flakeRate: number, probability: number): number | null {
  checkProbability(probability);
  const detects = (repeats: number): boolean => flakeDetectionProbability(flakeRate, repeats) >= probability;
  let high = 2;
  while (!detects(high)) {
    high *= 2;
    if (high > Number.MAX_SAFE_INTEGER) return null;
  }
  let low = 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (detects(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Pass rates of many cases, each drawn towards their mean by as much as its few repeats are noise; null where undefined. */
interface ShrunkRates {
  readonly mean: number | null;
  /** Share of the spread that is real difference between cases. */
  readonly rho: number | null;
  readonly alpha: number | null;
  readonly beta: number | null;
  readonly posterior: readonly number[] | null;
}

/** Beta-Binomial by moments. Source: Kleinman 1973, https://doi.org/10.1080/01621459.1973.10481332. */
export function shrinkPassRates(cases: readonly { readonly passes: number; readonly n: number }[]): ShrunkRates {
  for (const { passes, n } of cases) checkCounts(passes, n);
  const seen = cases.filter(({ n }) => n > 0);
  const rates = seen.map(({ passes, n }) => passes / n);
  const centre = seen.length === 0 ? null : mean(rates);
  const variance = sampleVariance(rates);
  const noise = mean(seen.map(({ n }) => 1 / n));
  const binomial = centre === null ? 0 : centre * (1 - centre);
  if (centre === null || variance === null || binomial === 0 || noise === 1) {
    return { mean: centre, rho: null, alpha: null, beta: null, posterior: null };
  }
  const rho = Math.min(1, Math.max(0, (variance / binomial - noise) / (1 - noise)));
  if (rho === 0) return { mean: centre, rho, alpha: null, beta: null, posterior: seen.map(() => centre) };
  const weight = 1 / rho - 1;
  const alpha = centre * weight;
  const posterior = seen.map(({ passes, n }) => (passes + alpha) / (n + weight));
  return { mean: centre, rho, alpha, beta: weight - alpha, posterior };
}

/** C(part, k)/C(n, k): the share of k-subsets that lie within the part. */
function shareOfSubsets(part: number, n: number, k: number): number {
  let share = 1;
  for (let i = 0; i < k && share > 0; i += 1) share *= Math.max(0, part - i) / (n - i);
  return share;
}

/** Recall of one class with its interval: a binomial over the answers of that class. Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953. */
export function recallInterval(right: number, support: number, alpha: number) {
  return { recall: support === 0 ? null : right / support, ...wilsonInterval(right, support, alpha) };
}

/**
 * McNemar's test of two sides, exact and mid-p: where as many turned worse as better, both tails hold the outcome itself.
 * Source: Fagerland, Lydersen and Laake 2013, equation 6, https://doi.org/10.1186/1471-2288-13-91.
 */
export function mcnemarTwoSided(worse: number, better: number): { readonly exact: number; readonly midP: number } {
  const changed = worse + better;
  const { pWorse, pBetter } = mcnemarTest(worse, better);
  return {
    exact: Math.min(1, 2 * binomialTails(Math.min(worse, better), changed, 0.5).lower),
    midP: worse === better ? 1 - binomialProbability(worse, changed, 0.5) / 2 : 2 * Math.min(pWorse, pBetter),
  };
}
