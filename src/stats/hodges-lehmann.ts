import type { Interval } from './moments.ts';
import { normalCritical } from './normal.ts';
import { signedRankCdf } from './signed-rank.ts';

/** The pseudo-median of a sample; the rank is that of the Walsh average which bounds it, from each end. */
export interface PseudoMedian extends Interval {
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

/** The largest q with 2 P(T ≤ q − 1) ≤ alpha; 0 where there is none. */
function exactRank(n: number, alpha: number): number {
  const cdf = signedRankCdf(n);
  const beyond = cdf.findIndex((probability) => 2 * probability > alpha);
  return beyond === -1 ? cdf.length : beyond;
}

function approximateRank(n: number, z: number): number {
  return Math.floor((n * (n + 1)) / 4 - z * Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24) + 0.5);
}

/**
 * The Walsh average of a given rank without building all n²/2: a search on the value, each step counting in one walk
 * and moving the bracket to averages that exist, so the answer is one of them to the last bit. Every second step guesses
 * by the counts, which takes a third of the walks of plain bisection; the others keep a bad guess from costing more.
 */
function selectWalsh(sorted: Float64Array, rank: number): number {
  let low = sorted[0] ?? 0;
  let high = sorted.at(-1) ?? 0;
  let [below, upTo] = [0, (sorted.length * (sorted.length + 1)) / 2];
  for (let step = 0; low < high; step += 1) {
    const share = step % 2 === 0 ? (rank - below) / (upTo - below) : 0.5;
    const guess = low + (high - low) * share;
    const split = splitWalsh(sorted, guess >= low && guess < high ? guess : low);
    if (split.count >= rank) {
      high = split.largestBelow;
      upTo = split.count;
    } else {
      low = split.smallestAbove;
      below = split.count;
    }
  }
  return high;
}

/** The Walsh average of a rank, given that of the rank before it. */
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
