import { checkAlpha } from './check-arguments.ts';
import type { Interval } from './moments.ts';
import { normalCritical } from './normal.ts';

export interface CorrelationEstimate extends Interval {
  /** In [-1, 1]; null where one side is the same throughout. */
  readonly rho: number | null;
  readonly n: number;
}

/**
 * Spearman's rank correlation with midranks for ties (Spearman 1904, https://doi.org/10.2307/1412159), and its interval by
 * Fisher's z with the standard error of Bonett and Wright 2000, https://doi.org/10.1007/BF02294183; null for 3 pairs or less.
 */
export function rankCorrelation(pairs: readonly (readonly [number, number])[], alpha: number): CorrelationEstimate {
  checkAlpha(alpha);
  const n = pairs.length;
  const [a, b] = [rank(pairs.map(([x]) => x)), rank(pairs.map(([, y]) => y))];
  // Midranks keep the mean of the ranks.
  const middle = (n + 1) / 2;
  let [both, squareA, squareB] = [0, 0, 0];
  for (const [index, x] of a.entries()) {
    const y = (b[index] ?? 0) - middle;
    both += (x - middle) * y;
    squareA += (x - middle) ** 2;
    squareB += y ** 2;
  }
  if (squareA === 0 || squareB === 0) return { rho: null, n, low: null, high: null };
  const rho = Math.max(-1, Math.min(1, both / Math.sqrt(squareA * squareB)));
  if (n <= 3) return { rho, n, low: null, high: null };
  const half = normalCritical(alpha) * Math.sqrt((1 + rho ** 2 / 2) / (n - 3));
  const z = Math.atanh(rho);
  return { rho, n, low: Math.tanh(z - half), high: Math.tanh(z + half) };
}

/** Ranks from 1; equal values share the mean of theirs. */
function rank(values: readonly number[]): readonly number[] {
  const order = values.map((value, index) => ({ value, index })).sort((x, y) => x.value - y.value);
  const ranks = values.map(() => 0);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && order[end]?.value === order[start]?.value) end += 1;
    for (const { index } of order.slice(start, end)) ranks[index] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}
