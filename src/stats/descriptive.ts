/** A side is null if it is undefined or unbounded. */
export interface Interval {
  readonly low: number | null;
  readonly high: number | null;
}

/** Many values take less memory in a typed array. */
export type Numbers = readonly number[] | Float64Array;

/** The arithmetic mean; NaN for no values. */
export function mean(values: ArrayLike<number>): number {
  return sum(values) / values.length;
}

export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < values.length; index += 1) total += values[index] ?? Number.NaN;
  return total;
}

/** Sum of squared deviations from the mean, in two passes. */
export function sumOfSquares(values: Numbers): number {
  const centre = mean(values);
  let sum = 0;
  for (const value of values) sum += (value - centre) ** 2;
  return sum;
}

/** Variance with divisor n − 1; null for fewer than two values. */
export function sampleVariance(values: Numbers): number | null {
  return values.length < 2 ? null : sumOfSquares(values) / (values.length - 1);
}

/**
 * Standard error of a mean whose values come in groups: SE² = G/(G−1) Σ_g (Σ_{i∈g}(x_i − x̄))² / n². Null for fewer than two groups.
 * Source: Liang and Zeger 1986, https://doi.org/10.1093/biomet/73.1.13; small-sample factor as in Miller 2024, https://arxiv.org/abs/2411.00640.
 */
export function groupClusteredError(
  values: Numbers,
  groups: readonly (string | number)[],
): { se: number | null; groupCount: number } {
  if (values.length !== groups.length) {
    throw new RangeError(`${values.length} values need as many groups, not ${groups.length}`);
  }
  const centre = mean(values);
  const sums = new Map<string | number, number>();
  for (const [index, value] of values.entries()) {
    const group = groups[index] ?? '';
    sums.set(group, (sums.get(group) ?? 0) + (value - centre));
  }
  const groupCount = sums.size;
  if (groupCount < 2) return { se: null, groupCount };
  let square = 0;
  for (const sum of sums.values()) square += sum * sum;
  return { se: Math.sqrt((groupCount / (groupCount - 1)) * square) / values.length, groupCount };
}

/** Count, mean and spread of values that are not kept. */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** Sum of squared deviations from the mean. */
  readonly squares: number;
}

export const noValues: Moments = { n: 0, mean: 0, squares: 0 };

/** Adds values one at a time. Source: Welford 1962, https://doi.org/10.1080/00401706.1962.10490022. */
export function addValues(moments: Moments, values: Iterable<number>): Moments {
  let { n, mean, squares } = moments;
  for (const value of values) {
    n += 1;
    const deviation = value - mean;
    mean += deviation / n;
    squares += deviation * (value - mean);
  }
  return { n, mean, squares };
}

/**
 * As many values in [0, 1] with the same mean and spread, for tests that take values. They lie between values that are all
 * equal and the widest ones that have this mean: ones, zeros and one value between. Passes and failures come out as they were.
 */
export function representValues({ n, mean, squares }: Moments): readonly number[] {
  const sum = n * mean;
  const ones = Math.min(n, Math.floor(sum + rounding));
  const rest = sum - ones < rounding ? 0 : sum - ones;
  const widest = Array.from({ length: n }, (_, index) => (index < ones ? 1 : index === ones ? rest : 0));
  const most = widest.reduce((total, value) => total + (value - mean) ** 2, 0);
  if (squares >= most - rounding) return widest;
  const share = Math.sqrt(squares / most);
  return widest.map((value) => Math.min(1, Math.max(0, mean + share * (value - mean))));
}

const rounding = 1e-9;

/** The sum of a value of each item; undefined if one is unknown, because a partial sum would read as the whole. */
export function sumKnown<T>(items: readonly T[], valueOf: (item: T) => number | undefined): number | undefined {
  let total: number | undefined = 0;
  for (const item of items) total = addKnown(total, valueOf(item));
  return total;
}

/** The group of each value. */
export type Groups = readonly (string | number)[];

/** Makes a value without a group one of its own. Undefined if no two values share a group: they are then independent. */
export function sharedGroups(groups: readonly (string | number | undefined)[]): Groups | undefined {
  const named = groups.filter((group) => group !== undefined);
  if (new Set(named).size === named.length) return undefined;
  // No group of a suite begins with a control character.
  return groups.map((group, index) => group ?? `\u0000${index}`);
}

/** The ratio of the mean's variance to the variance with independent values; at least 1, even if nothing differs. */
export function designEffect(values: Numbers, groups: Groups): number {
  const { se } = groupClusteredError(values, groups);
  // One group is one observation, however many values it has.
  if (se === null) return values.length;
  const variance = sampleVariance(values);
  return variance === null || variance === 0 ? 1 : Math.max(1, (se * se * values.length) / variance);
}

/** The sum of two amounts; undefined if one is unknown. */
export function addKnown(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

/** The p-quantile by linear interpolation; null for no values. Source: Hyndman and Fan 1996, type 7, https://doi.org/10.1080/00031305.1996.10473566. */
export function quantile(values: readonly number[], p: number): number | null {
  return quantileOfSorted(sortNumbers(values), p);
}

/** Several quantiles of one sample, which is sorted once. */
export function quantiles<const P extends readonly number[]>(
  values: ArrayLike<number>,
  ps: P,
): { readonly [K in keyof P]: number | null } {
  const sorted = sortNumbers(values);
  return ps.map((p) => quantileOfSorted(sorted, p)) as { readonly [K in keyof P]: number | null };
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
