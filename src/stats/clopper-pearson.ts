import { checkAlpha, checkCounts } from './check-arguments.ts';
import { betaQuantile } from './incomplete-beta.ts';
import type { Interval } from './moments.ts';

/** Exact equal-tailed interval of a proportion; null for no trials. Source: Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404. */
export function clopperPearsonInterval(successes: number, n: number, alpha: number): Interval {
  checkCounts(successes, n);
  checkAlpha(alpha);
  if (n === 0) return { low: null, high: null };
  const failures = n - successes;
  return {
    low: successes === 0 ? 0 : betaQuantile(alpha / 2, successes, failures + 1),
    // The mirrored quantile keeps alpha/2 exact.
    high: failures === 0 ? 1 : 1 - betaQuantile(alpha / 2, failures, successes + 1),
  };
}
