import { binomialQuantile, checkAlpha, tCritical } from './distributions.ts';
import { groupClusteredError, type Interval } from './means.ts';

/** A quantile with the order statistics that bound it; ranks count from 1 and are null where that side is unbounded. */
export interface QuantileEstimate extends Interval {
  readonly estimate: number | null;
  readonly lowRank: number | null;
  readonly highRank: number | null;
}

/** The p-quantile by linear interpolation; null for no values. Source: Hyndman and Fan 1996, type 7, https://doi.org/10.1080/00031305.1996.10473566. */
export function quantile(values: readonly number[], p: number): number | null {
  return quantileOfSorted(sortNumbers(values), p);
}

/** The same for several p of one sample, which is sorted once. */
export function quantiles<const P extends readonly number[]>(
  values: ArrayLike<number>,
  ps: P,
): { readonly [K in keyof P]: number | null } {
  const sorted = sortNumbers(values);
  return ps.map((p) => quantileOfSorted(sorted, p)) as { readonly [K in keyof P]: number | null };
}

/** Distribution-free interval of a quantile from order statistics. Source: Conover 1999, Practical Nonparametric Statistics, 3.2; David and Nagaraja 2003, 7.1, https://doi.org/10.1002/0471722162. */
export function quantileInterval(values: readonly number[], p: number, alpha: number): QuantileEstimate {
  checkAlpha(alpha);
  const sorted = sortNumbers(values);
  const n = sorted.length;
  const estimate = quantileOfSorted(sorted, p);
  if (n === 0) return { estimate, low: null, high: null, lowRank: null, highRank: null };
  const ranks = { low: binomialQuantile(alpha / 2, n, p), high: binomialQuantile(1 - alpha / 2, n, p) + 1 };
  return { estimate, ...boundsAtRanks(sorted, ranks) };
}

export interface ClusteredQuantileEstimate extends QuantileEstimate {
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
  const sorted = sortNumbers(cases.flat());
  const estimate = quantileOfSorted(sorted, p);
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

function boundsAtRanks(sorted: Float64Array, ranks: { low: number; high: number }): Omit<QuantileEstimate, 'estimate'> {
  const low = sorted[ranks.low - 1] ?? null;
  const high = sorted[ranks.high - 1] ?? null;
  return {
    low,
    high,
    lowRank: low === null ? null : ranks.low,
    highRank: high === null ? null : ranks.high,
  };
}

/** The p-quantile of numbers that are sorted already; null for no values. */
export function quantileOfSorted(sorted: Float64Array, p: number): number | null {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a quantile lies in [0, 1], ${p} does not`);
  const position = (sorted.length - 1) * p;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) return null;
  return below + (position - Math.floor(position)) * (above - below);
}

function sortNumbers(values: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(values).sort();
  // NaN sorts last.
  if (Number.isNaN(sorted.at(-1) ?? 0)) throw new RangeError('a quantile takes numbers, and one of the values is not');
  return sorted;
}
