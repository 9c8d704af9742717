import { designEffect, type Groups, mean } from './descriptive.ts';
import { normalCdf } from './distributions.ts';
import { fisherMidP } from './exact-tests.ts';

/** The standard score of a drop against a pinned reference from which it is called erosion. */
const erosionZ = 2.8;

export interface Erosion {
  /** Mean difference, candidate − reference. */
  readonly delta: number;
  /** Standard score of the mean difference over cases; null if it has no spread or there is one case. */
  readonly z: number | null;
  readonly isEroded: boolean;
}

/**
 * Tests a run against a pinned reference, case by case. A rate eroded if the mean drop exceeds the margin at z ≤ −2.8.
 * That keeps false alarms near 1 in 100 over 100 runs. `differences` are means of trials, candidate − reference, one a
 * case. Cases of one group count as clustered.
 */
export function testErosion(differences: readonly number[], margin: number, groups?: Groups): Erosion {
  const n = differences.length;
  const delta = n === 0 ? 0 : differences.reduce((sum, value) => sum + value, 0) / n;
  // One group is one observation, however many cases it has.
  if (n < 2 || (groups !== undefined && new Set(groups).size < 2)) return { delta, z: null, isEroded: false };
  const variance = differences.reduce((sum, value) => sum + (value - delta) ** 2, 0) / (n - 1);
  // Equal differences differ only by rounding.
  if (variance < 1e-24) return { delta, z: null, isEroded: delta < -margin };
  const z = delta / Math.sqrt((variance / n) * (groups === undefined ? 1 : designEffect(differences, groups)));
  return { delta, z, isEroded: delta < -margin && z <= -erosionZ };
}

export interface Trend {
  /** Kendall's tau-b between time and value, in [-1, 1]; null if all values are equal or there is one. */
  readonly tau: number | null;
  /** One-sided, that values fall; null as above. */
  readonly pFalling: number | null;
  readonly pRising: number | null;
}

/**
 * Mann–Kendall test of a trend in values ordered by time: normal approximation with the tie correction.
 * Source: Mann 1945, https://doi.org/10.2307/1907187; Kendall 1975, Rank Correlation Methods; equals scipy.stats.kendalltau
 * with method="asymptotic".
 */
export function mannKendall(values: readonly number[]): Trend {
  const n = values.length;
  let score = 0;
  for (let later = 1; later < n; later += 1) {
    for (let earlier = 0; earlier < later; earlier += 1) {
      score += Math.sign((values[later] ?? 0) - (values[earlier] ?? 0));
    }
  }
  const ties = new Map<number, number>();
  for (const value of values) ties.set(value, (ties.get(value) ?? 0) + 1);
  let [tiedPairs, correction] = [0, 0];
  for (const size of ties.values()) {
    tiedPairs += (size * (size - 1)) / 2;
    correction += size * (size - 1) * (2 * size + 5);
  }
  const pairs = (n * (n - 1)) / 2;
  const variance = (n * (n - 1) * (2 * n + 5) - correction) / 18;
  if (variance <= 0) return { tau: null, pFalling: null, pRising: null };
  const z = score / Math.sqrt(variance);
  return { tau: score / Math.sqrt(pairs * (pairs - tiedPairs)), pFalling: normalCdf(z), pRising: normalCdf(-z) };
}

/**
 * Estimates without bias the mean chance that two trials of a case disagree, 2p(1 − p). It uses cases with two trials
 * or more; null if there are none.
 */
export function suiteFlakiness(cases: readonly { readonly passes: number; readonly n: number }[]): number | null {
  const known = cases.filter(({ n }) => n > 1).map(({ passes, n }) => (2 * passes * (n - passes)) / (n * (n - 1)));
  return known.length === 0 ? null : mean(known);
}

/** How often two repeats of a case disagreed. */
export interface Disagreements {
  readonly pairs: number;
  readonly disagreements: number;
}

/**
 * Pairs each outcome with its neighbour, none twice. The disagreements of such pairs are independent, and each has the
 * chance 2p(1 − p) of a flake. A lasting change of the pass rate causes at most one.
 */
export function countDisagreements(outcomes: readonly boolean[]): Disagreements {
  let [pairs, disagreements] = [0, 0];
  for (let index = 1; index < outcomes.length; index += 2) {
    pairs += 1;
    if (outcomes[index] !== outcomes[index - 1]) disagreements += 1;
  }
  return { pairs, disagreements };
}

/** Two-sided mid-p that a case flakes as often as before, twice the smaller tail; null if one side has no pair. */
export function flakeChangeP(before: Disagreements, after: Disagreements): number | null {
  if (before.pairs === 0 || after.pairs === 0) return null;
  const lower = fisherMidP({
    baselinePasses: before.disagreements,
    baselineN: before.pairs,
    candidatePasses: after.disagreements,
    candidateN: after.pairs,
  });
  return Math.min(1, 2 * Math.min(lower, 1 - lower));
}
