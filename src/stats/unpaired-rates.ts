import { newcombeUnpairedInterval } from './proportion-difference.ts';

/** Two rates that share no case; null where a side has none. */
export interface UnpairedComparison {
  readonly baseline: number | null;
  readonly candidate: number | null;
  readonly delta: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** One-sided, of being worse: the smallest alpha/2 whose interval ends below 0. */
  readonly pWorse: number | null;
}

/**
 * The difference of pass rates, candidate − baseline, of two separate samples of case means in [0, 1].
 * Source: Newcombe 1998, method 10, as in proportion-difference.ts; p by inverting its interval.
 */
export function compareUnpaired(
  baseline: readonly number[],
  candidate: readonly number[],
  alpha: number,
): UnpairedComparison {
  const counts = {
    successes1: total(candidate),
    n1: candidate.length,
    successes2: total(baseline),
    n2: baseline.length,
  };
  if (counts.n1 === 0 || counts.n2 === 0) {
    return { baseline: null, candidate: null, delta: null, low: null, high: null, pWorse: null };
  }
  const { delta, low, high } = newcombeUnpairedInterval(counts, alpha);
  const highAt = (halfAlpha: number) => newcombeUnpairedInterval(counts, 2 * halfAlpha).high ?? 1;
  return {
    baseline: counts.successes2 / counts.n2,
    candidate: counts.successes1 / counts.n1,
    delta,
    low,
    high,
    // Where the rate has not fallen, not even the narrowest interval ends below 0.
    pWorse: delta !== null && delta < 0 ? invert(highAt) : 0.5,
  };
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
