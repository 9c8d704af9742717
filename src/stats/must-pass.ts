import { binomialMidP } from './binomial.ts';
import { checkAlpha } from './check-arguments.ts';

/** The chance that a case failing at the given rate fails once in its repeats and once more in its fresh confirmations. */
export function blockProbability(flakeRate: number, repeats: number, confirmations: number): number {
  return anyFailure(flakeRate, repeats) * anyFailure(flakeRate, confirmations);
}

/** One-sided mid-p that the pass rate lies below what is required: P(X < x) + ½ P(X = x) at that rate. Source: Lancaster 1961, https://doi.org/10.1080/01621459.1961.10482105. */
export function belowRequiredRate(passes: number, n: number, required: number): number {
  return binomialMidP(passes, n, required);
}

/** Repeats without a failure that show the required pass rate with confidence 1 − alpha; null where none can. Source: solved from Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404. */
export function cleanRepeatsNeeded(required: number, alpha: number): number | null {
  if (!(required >= 0 && required <= 1)) throw new RangeError(`a pass rate lies in [0, 1], ${required} does not`);
  if (required === 1) return null;
  return required === 0 ? 1 : Math.max(1, Math.ceil(Math.log(alpha) / Math.log(required)));
}

/** The pass rate that k repeats without a failure show: alpha^(1/k). Source: Clopper and Pearson 1934, as above. */
export function cleanRepeatsBound(repeats: number, alpha: number): number {
  return repeats > 0 ? alpha ** (1 / repeats) : 0;
}

/** When a suite's cases are each tested alone. */
export interface BrokenCasePolicy {
  /** Cases judged. */
  readonly n: number;
  readonly alpha: number;
  /** The failure rate a case is granted. */
  readonly toleratedFailureRate?: number;
}

/**
 * Failures in a row, and none but failures, after which a case is called broken: max(3, ⌈ln(alpha/(2n)) / ln(f0)⌉).
 * Bonferroni over the n cases: while each fails at most at the tolerated rate, a false alarm in the suite stays below alpha/2.
 * Source: Dunn 1961, https://doi.org/10.1080/01621459.1961.10482090.
 */
export function brokenCaseFailures({ n, alpha, toleratedFailureRate = 0.2 }: BrokenCasePolicy): number {
  checkAlpha(alpha);
  if (!(toleratedFailureRate > 0 && toleratedFailureRate < 1)) {
    throw new RangeError(`a tolerated failure rate lies between 0 and 1, ${toleratedFailureRate} does not`);
  }
  return Math.max(3, Math.ceil(Math.log(alpha / (2 * Math.max(1, n))) / Math.log(toleratedFailureRate)));
}

function anyFailure(failureRate: number, repeats: number): number {
  return 1 - (1 - failureRate) ** repeats;
}
