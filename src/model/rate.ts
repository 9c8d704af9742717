/** A point and its interval, as fractions; null where there is nothing to estimate or a side is unbounded. */
export interface RateEstimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Cases behind it. */
  readonly n: number;
}
