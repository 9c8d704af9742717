/** A side is null where it is undefined or unbounded. */
export interface Interval {
  readonly low: number | null;
  readonly high: number | null;
}

/** The arithmetic mean; NaN for no values. */
export function mean(values: ArrayLike<number>): number {
  const { length } = values;
  let sum = 0;
  for (let index = 0; index < length; index += 1) sum += values[index] ?? Number.NaN;
  return sum / length;
}

/** Sum of squared deviations from the mean, in two passes. */
export function sumOfSquares(values: readonly number[]): number {
  const centre = mean(values);
  let sum = 0;
  for (const value of values) sum += (value - centre) ** 2;
  return sum;
}

/** Variance with divisor n − 1; null for fewer than two values. */
export function sampleVariance(values: readonly number[]): number | null {
  return values.length < 2 ? null : sumOfSquares(values) / (values.length - 1);
}
