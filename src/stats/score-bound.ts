import { designEffect, type Groups, type Interval, mean, type Numbers } from './descriptive.ts';
import { normalCritical } from './distributions.ts';

/** The mean of values in [0, 1] with its score interval; null throughout for no values. */
export interface MeanEstimate extends Interval {
  readonly n: number;
  readonly mean: number | null;
}

/** Mean of values in [0, 1], one a case. For 0/1 values without groups the interval is Wilson's. */
export function scoreMeanInterval(values: Numbers, alpha: number, groups?: Groups): MeanEstimate {
  if (values.length === 0) return { n: 0, mean: null, low: null, high: null };
  const z = normalCritical(alpha);
  const effect = groups === undefined ? 1 : designEffect(values, groups);
  const grouped = groupEqual(values);
  const low =
    1 +
    scoreLower(
      mapValues(grouped, (value) => value - 1),
      z,
      effect,
    );
  const high = -scoreLower(
    mapValues(grouped, (value) => -value),
    z,
    effect,
  );
  return { n: values.length, mean: mean(values), low: Math.max(0, low), high: Math.min(1, high) };
}

/** A value and how often it was seen; the weight may be fractional. */
export interface WeightedValue {
  readonly value: number;
  readonly weight: number;
}

/** The upper bound: the lower one seen in a mirror. */
export function scoreUpper(values: readonly WeightedValue[], z: number, designEffect = 1): number {
  return -scoreLower(
    mapValues(values, (value) => -value),
    z,
    designEffect,
  );
}

/**
 * Lower score bound for the mean of a variable on [−1, ∞): the μ at which T(μ) = (D − μ) / sqrt(V(μ)/n) reaches z. V(μ) is
 * the variance of the maximum likelihood distribution with mean μ, which may put weight on an unseen −1. With
 * w_i = 1 / (n (1 + λ(d_i − μ))) that variance is (D − μ)/λ, so T² = n λ (D − μ). With c = z²/n one equation is left: the mean
 * of u²/(1+u) over u = c + λ(d_i − D) equals c. Then L = D − c/λ. The equation is convex in λ, so Newton's steps are safe.
 * λ ≤ (1 + c)/(1 + D) holds the weight of −1 at zero or above; at that limit the rest of the weight is on −1.
 * Source: Owen 1988 (empirical likelihood), https://doi.org/10.1093/biomet/75.2.237, as the analogue of Tango 1998,
 * https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8%3C891::AID-SIM780%3E3.0.CO;2-B, and of Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953.
 */
export function scoreLower(values: readonly WeightedValue[], z: number, designEffect = 1): number {
  let n = 0;
  let sum = 0;
  for (const { value, weight } of values) {
    if (!(value >= -1 - 1e-9)) throw new RangeError(`a score bound takes values of −1 and more, not ${value}`);
    n += weight;
    sum += value * weight;
  }
  if (!(n > 0)) throw new RangeError('a score bound needs at least one value');
  const centre = sum / n;
  if (centre <= -1) return -1;
  const c = (z * z * designEffect) / n;
  if (c === 0) return centre;
  const excess = (lambda: number): Excess => measureExcess(values, { lambda, centre, c, n });
  const limit = (1 + c) / (1 + centre);
  const lambda = excess(limit).value <= 0 ? limit : solveRising(excess, limit, startingPoint(values, centre, c, n));
  return Math.max(-1, centre - c / lambda);
}

/** Equal values once, with their count, in rising order: the sums then do not depend on the order of the cases. */
export function groupEqual(values: ArrayLike<number>): WeightedValue[] {
  const sorted = Float64Array.from(values).sort();
  const groups: { value: number; weight: number }[] = [];
  let last: { value: number; weight: number } | undefined;
  for (const value of sorted) {
    if (last?.value === value) {
      last.weight += 1;
    } else {
      last = { value, weight: 1 };
      groups.push(last);
    }
  }
  return groups;
}

interface Excess {
  readonly value: number;
  readonly slope: number;
}

interface Equation {
  readonly lambda: number;
  readonly centre: number;
  readonly c: number;
  readonly n: number;
}

function measureExcess(values: readonly WeightedValue[], { lambda, centre, c, n }: Equation): Excess {
  let total = 0;
  let slope = 0;
  for (const { value, weight } of values) {
    const deviation = value - centre;
    const u = c + lambda * deviation;
    const inverse = 1 / (1 + u);
    if (!(inverse > 0)) return { value: Number.POSITIVE_INFINITY, slope: Number.POSITIVE_INFINITY };
    total += weight * u * u * inverse;
    slope -= weight * deviation * inverse * inverse;
  }
  return { value: total / n - c, slope: slope / n };
}

/** Exact if the values lie symmetrically close to their mean. */
function startingPoint(values: readonly WeightedValue[], centre: number, c: number, n: number): number {
  let square = 0;
  for (const { value, weight } of values) square += weight * (value - centre) ** 2;
  return ((1 + c) * Math.sqrt(c)) / Math.sqrt(square / n);
}

/** Newton on 1/(1 + excess), which is nearly straight up to the pole, kept inside a shrinking bracket. */
function solveRising(excess: (x: number) => Excess, limit: number, start: number): number {
  let low = 0;
  let high = limit;
  let x = start < limit ? start : limit / 2;
  for (let step = 0; step < 200; step += 1) {
    const { value, slope } = excess(x);
    if (value === 0) return x;
    if (value < 0) low = x;
    else high = x;
    const newton = x - (value * (1 + value)) / slope;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - x) <= 1e-15 * x) return next;
    x = next;
  }
  return x;
}

/** Changes the values and keeps their weights. */
function mapValues(values: readonly WeightedValue[], change: (value: number) => number): WeightedValue[] {
  return values.map(({ value, weight }) => ({ value: change(value), weight }));
}
