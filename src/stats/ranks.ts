import { type Interval, mean } from './descriptive.ts';
import { normalCdf, normalCritical, tCdf, tCritical } from './distributions.ts';

/** One-sided signed-rank test that values lie above 0. */
interface SignedRankTest {
  /** Sum of the ranks of the positive values. */
  readonly positiveRankSum: number;
  /** Null if every value is 0. */
  readonly pGreater: number | null;
}

/** With fewer values the test below can't be significant at 2.5 %. Then each case counts, without a test. */
export const minRankedCases = 6;

/**
 * Zeros are dropped. Exact below 50 values without ties and zeros, else normal with tie and continuity correction.
 * Source: Wilcoxon 1945, https://doi.org/10.2307/3001968; Hollander and Wolfe 1999, 3.1.
 */
export function wilcoxonSignedRank(values: readonly number[]): SignedRankTest {
  const changed = values.filter((value) => value !== 0);
  const n = changed.length;
  if (n === 0) return { positiveRankSum: 0, pGreater: null };
  const { positiveRankSum, tieTerm } = rankMagnitudes(changed);
  if (n < 50 && n === values.length && tieTerm === 0) {
    const cdf = signedRankCdf(n);
    // T is symmetric, so P(T ≥ V) = P(T ≤ n(n+1)/2 − V), which keeps the digits of a small tail.
    return { positiveRankSum, pGreater: cdf[(n * (n + 1)) / 2 - positiveRankSum] ?? 0 };
  }
  const expected = (n * (n + 1)) / 4;
  const deviation = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24 - tieTerm / 48);
  return { positiveRankSum, pGreater: normalCdf(-(positiveRankSum - expected - 0.5) / deviation) };
}

/** Mid-ranks of |x|: the sum over positive x, and Σ(t³ − t) over runs of equal |x|. */
function rankMagnitudes(values: readonly number[]): { positiveRankSum: number; tieTerm: number } {
  const magnitudes = Float64Array.from(values, Math.abs).sort();
  const positives = Float64Array.from(values.filter((value) => value > 0)).sort();
  let positiveRankSum = 0;
  let tieTerm = 0;
  let nextPositive = 0;
  for (let ranked = 0; ranked < magnitudes.length; ) {
    const magnitude = magnitudes[ranked];
    let size = 1;
    while (magnitudes[ranked + size] === magnitude) size += 1;
    let positive = 0;
    while (positives[nextPositive + positive] === magnitude) positive += 1;
    positiveRankSum += positive * (ranked + (size + 1) / 2);
    tieTerm += size ** 3 - size;
    ranked += size;
    nextPositive += positive;
  }
  return { positiveRankSum, tieTerm };
}

/** The pseudo-median of a sample. `rank` is the rank of the bounding Walsh averages, counted from each end. */
interface PseudoMedian extends Interval {
  readonly n: number;
  readonly estimate: number | null;
  readonly rank: number | null;
}

/**
 * Median of the Walsh averages (x_i + x_j)/2, i ≤ j, with the interval of the signed-rank test.
 * Source: Hodges and Lehmann 1963, https://doi.org/10.1214/aoms/1177704172; Hollander and Wolfe 1999, 3.2 and 3.3.
 */
export function hodgesLehmann(values: readonly number[], alpha: number): PseudoMedian {
  const n = values.length;
  const z = normalCritical(alpha);
  if (n === 0) return { n, estimate: null, low: null, high: null, rank: null };
  const sorted = Float64Array.from(values).sort();
  if (Number.isNaN(sorted.at(-1))) throw new RangeError('a pseudo-median takes numbers, and one of the values is not');
  const count = (n * (n + 1)) / 2;
  const [lower, upper] = [Math.floor((count + 1) / 2), Math.floor(count / 2) + 1];
  const middle = selectWalsh(sorted, lower);
  const estimate = lower === upper ? middle : (middle + selectNext(sorted, middle, upper)) / 2;
  const rank = n <= 50 ? exactRank(n, alpha) : approximateRank(n, z);
  if (rank < 1) return { n, estimate, low: null, high: null, rank: null };
  return { n, estimate, low: selectWalsh(sorted, rank), high: selectWalsh(sorted, count + 1 - rank), rank };
}

/** The largest q with 2 P(T ≤ q − 1) ≤ alpha; 0 if there is none. */
function exactRank(n: number, alpha: number): number {
  const cdf = signedRankCdf(n);
  const beyond = cdf.findIndex((probability) => 2 * probability > alpha);
  return beyond === -1 ? cdf.length : beyond;
}

function approximateRank(n: number, z: number): number {
  return Math.floor((n * (n + 1)) / 4 - z * Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24) + 0.5);
}

/**
 * The Walsh average of a given rank without building all n²/2: bisection on the value. Each step counts in one pass and
 * moves the bracket to averages that exist. So the answer is one of them to the last bit.
 */
function selectWalsh(sorted: Float64Array, rank: number): number {
  let low = sorted[0] ?? 0;
  let high = sorted.at(-1) ?? 0;
  while (low < high) {
    const middle = low + (high - low) / 2;
    const split = splitWalsh(sorted, middle < high ? middle : low);
    if (split.count >= rank) high = split.largestBelow;
    else low = split.smallestAbove;
  }
  return high;
}

/** The Walsh average of a rank, given the average of the previous rank. */
function selectNext(sorted: Float64Array, previous: number, rank: number): number {
  const { count, smallestAbove } = splitWalsh(sorted, previous);
  return count >= rank ? previous : smallestAbove;
}

/** Counts the averages at or below a value and finds its two neighbours. */
function splitWalsh(
  sorted: Float64Array,
  value: number,
): { count: number; largestBelow: number; smallestAbove: number } {
  let count = 0;
  let largestBelow = Number.NEGATIVE_INFINITY;
  let smallestAbove = Number.POSITIVE_INFINITY;
  let j = sorted.length - 1;
  for (let i = 0; i < sorted.length; i += 1) {
    const x = sorted[i] ?? 0;
    while (j >= 0 && (x + (sorted[j] ?? 0)) / 2 > value) j -= 1;
    // Partners before i are counted from their own side.
    if (j >= i) {
      count += j - i + 1;
      largestBelow = Math.max(largestBelow, (x + (sorted[j] ?? 0)) / 2);
    }
    const next = Math.max(i, j + 1);
    if (next < sorted.length) smallestAbove = Math.min(smallestAbove, (x + (sorted[next] ?? 0)) / 2);
  }
  return { count, largestBelow, smallestAbove };
}

/**
 * How much longer the later one of two measurements took, as a log ratio. Undefined unless this effect is certain and
 * larger than the difference between the sides. `delays` is above 0 if the second side of a pair was measured later.
 */
export function findOrderEffect(logs: readonly number[], delays: readonly number[], alpha: number): number | undefined {
  const ofLater = logs.flatMap((log, index) => {
    const delay = delays[index] ?? Number.NaN;
    return delay > 0 ? [log] : delay < 0 ? [-log] : [];
  });
  const { estimate, low, high } = hodgesLehmann(ofLater, alpha);
  if (estimate === null || low === null || high === null || (low <= 0 && high >= 0)) return undefined;
  const ofSides = hodgesLehmann(logs, alpha).estimate ?? 0;
  return Math.abs(estimate) > Math.abs(ofSides) ? estimate : undefined;
}

/**
 * P(T ≤ t) for t = 0, 1, … n(n+1)/2, T being the sum of a random subset of the ranks 1 … n.
 * The counts are whole numbers up to 2^n, so they are exact for n ≤ 50. Source: Wilcoxon 1945, https://doi.org/10.2307/3001968.
 */
export function signedRankCdf(n: number): Float64Array {
  if (!(Number.isInteger(n) && n >= 0 && n <= 50))
    throw new RangeError(`exact signed ranks take 0 to 50 values, not ${n}`);
  const size = (n * (n + 1)) / 2 + 1;
  const counts = new Float64Array(size);
  counts[0] = 1;
  for (let rank = 1; rank <= n; rank += 1) {
    for (let total = size - 1; total >= rank; total -= 1) {
      counts[total] = (counts[total] ?? 0) + (counts[total - rank] ?? 0);
    }
  }
  let sum = 0;
  return counts.map((count) => {
    sum += count;
    return sum / 2 ** n;
  });
}

/** A ratio of totals, candidate / baseline; null if it is undefined or leaves nothing to estimate. */
export interface CostRatio {
  readonly ratio: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly seLog: number | null;
  readonly pIncrease: number | null;
  /** Every case has the same ratio: it is known without an interval. */
  readonly exact: boolean;
}

/**
 * Ratio of the totals of paired cases, with a t interval on the log scale. A ratio of totals lets no cheap case dominate.
 * Source: ratio estimation, Cochran 1977, Sampling Techniques, 6.3, https://openlibrary.org/isbn/9780471162407.
 */
export function costRatio(baseline: readonly number[], candidate: readonly number[], alpha: number): CostRatio {
  if (baseline.length !== candidate.length) {
    throw new RangeError(`sides differ in length: ${baseline.length} baseline and ${candidate.length} candidate cases`);
  }
  const n = baseline.length;
  const ratio = mean(candidate) / mean(baseline);
  const unknown = { low: null, high: null, seLog: null, pIncrease: null };
  if (!Number.isFinite(ratio)) return { ratio: null, ...unknown, exact: false };
  let square = 0;
  for (const [index, cost] of candidate.entries()) square += (cost - ratio * (baseline[index] ?? 0)) ** 2;
  const seLog = Math.sqrt(square / (n - 1) / n) / mean(candidate);
  // Proportional costs leave rounding errors only; all-free candidates leave 0/0.
  const exact = n > 1 && !(seLog > 1e-13);
  if (n < 2 || exact) return { ratio, ...unknown, exact };
  const reach = tCritical(alpha, n - 1) * seLog;
  const pIncrease = tCdf(-Math.log(ratio) / seLog, n - 1);
  return { ratio, low: ratio * Math.exp(-reach), high: ratio * Math.exp(reach), seLog, pIncrease, exact };
}

interface PairedCost {
  /** Total of the candidate / total of the baseline; null if the baseline cost nothing. */
  readonly ratio: number | null;
  /** One-sided, that costs rose: the signed rank test on log ratios; null if no case has changed. */
  readonly pIncrease: number | null;
  /** One-sided p that costs rose by less than the margin: the same test, on log ratios minus the log margin. */
  readonly pWithin: number;
  /** True if every case rose beyond the margin. */
  readonly everyCaseRose: boolean;
  /** True if no case rose beyond the margin. */
  readonly noCaseRose: boolean;
  readonly n: number;
}

/**
 * Costs of paired cases: the ratio of totals says how much, the signed rank test on per-case log ratios whether. A few
 * expensive cases can't fail a gate by themselves. Source: Wilcoxon 1945, https://doi.org/10.2307/3001968.
 */
export function comparePairedCost(
  baseline: readonly number[],
  candidate: readonly number[],
  margin: number,
): PairedCost {
  if (baseline.length !== candidate.length) {
    throw new RangeError(`sides differ in length: ${baseline.length} baseline and ${candidate.length} candidate cases`);
  }
  const logs: number[] = [];
  let [before, after, rose] = [0, 0, 0];
  for (const [index, cost] of candidate.entries()) {
    const other = baseline[index] ?? 0;
    before += other;
    after += cost;
    if (cost > other * (1 + margin)) rose += 1;
    // A rise from nothing to something is the largest.
    logs.push(cost === other ? 0 : Math.log(cost / other));
  }
  return {
    ratio: before === 0 ? null : after / before,
    pIncrease: wilcoxonSignedRank(logs).pGreater,
    pWithin: wilcoxonSignedRank(logs.map((log) => withoutRounding(Math.log1p(margin) - log))).pGreater ?? 1,
    everyCaseRose: candidate.length > 0 && rose === candidate.length,
    noCaseRose: rose === 0,
    n: candidate.length,
  };
}

/** A case that rose by exactly the margin differs from it only by rounding. */
function withoutRounding(difference: number): number {
  return Math.abs(difference) < 1e-12 ? 0 : difference;
}
