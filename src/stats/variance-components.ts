import { mean, sampleVariance, sumOfSquares } from './moments.ts';
import { type PairedResults, pairCases } from './pair-cases.ts';

/** What the spread of paired differences is made of; null where the repeats or cases don't tell. */
export interface VarianceComponents {
  /** Pooled variance of one repeat within its case. */
  readonly sigma2Baseline: number | null;
  readonly sigma2Candidate: number | null;
  readonly varianceOfDifference: number | null;
  /** Variance of the true change from case to case: what no number of repeats removes. */
  readonly omega2: number | null;
}

/** Var(d) = ω² + σ_A²/k_A + σ_B²/k_B, by moments. Source: Miller 2024, https://arxiv.org/abs/2411.00640. */
export function varianceComponents(results: PairedResults): VarianceComponents {
  const { cases } = pairCases(results);
  const sigma2Baseline = pooledVariance(cases.map(({ baseline }) => baseline));
  const sigma2Candidate = pooledVariance(cases.map(({ candidate }) => candidate));
  const varianceOfDifference = sampleVariance(cases.map(({ difference }) => difference));
  if (sigma2Baseline === null || sigma2Candidate === null || varianceOfDifference === null) {
    return { sigma2Baseline, sigma2Candidate, varianceOfDifference, omega2: null };
  }
  const noise = mean(
    cases.map(({ baseline, candidate }) => sigma2Baseline / baseline.length + sigma2Candidate / candidate.length),
  );
  return { sigma2Baseline, sigma2Candidate, varianceOfDifference, omega2: Math.max(0, varianceOfDifference - noise) };
}

/** Variance of one repeat within its case, pooled over cases; null where no case has two repeats. */
export function pooledVariance(sides: readonly (readonly number[])[]): number | null {
  let square = 0;
  let degrees = 0;
  for (const results of sides) {
    square += sumOfSquares(results);
    degrees += results.length - 1;
  }
  return degrees > 0 ? square / degrees : null;
}
