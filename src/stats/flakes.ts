import { checkCounts, checkProbability } from './distributions.ts';
import { fisherMidP } from './exact-tests.ts';
import { mean, sampleVariance } from './means.ts';

/** How a case behaves over its repeats within one version. */
export interface CaseFlakiness {
  readonly rate: number | null;
  readonly flaky: boolean;
  /** Unbiased estimate of the chance that two repeats disagree, 2p(1 − p); null for fewer than two repeats. */
  readonly disagreement: number | null;
}

/** Flaky: both outcomes were seen. */
export function caseFlakiness(passes: number, n: number): CaseFlakiness {
  checkCounts(passes, n);
  return {
    rate: n === 0 ? null : passes / n,
    flaky: passes > 0 && passes < n,
    disagreement: n < 2 ? null : (2 * passes * (n - passes)) / (n * (n - 1)),
  };
}

/** The mean disagreement over cases with two repeats or more; null where there are none. */
export function suiteFlakiness(cases: readonly { readonly passes: number; readonly n: number }[]): number | null {
  const known = cases.flatMap(({ passes, n }) => caseFlakiness(passes, n).disagreement ?? []);
  return known.length === 0 ? null : mean(known);
}

/**
 * The chance that at least one (pass@k) and that all (pass^k) of k repeats pass, without bias; null for k > n, never extrapolated.
 * Source: Chen 2021, https://arxiv.org/abs/2107.03374; Yao 2024 (τ-bench), https://arxiv.org/abs/2406.12045.
 */
export function passAtK(passes: number, n: number, k: number): { passAtK: number | null; passHatK: number | null } {
  checkCounts(passes, n);
  if (k > n) return { passAtK: null, passHatK: null };
  return { passAtK: 1 - shareOfSubsets(n - passes, n, k), passHatK: shareOfSubsets(passes, n, k) };
}

/** The chance that k repeats show both outcomes of a case that fails at the given rate: 1 − (1−f)^k − f^k. */
export function flakeDetectionProbability(flakeRate: number, repeats: number): number {
  checkProbability(flakeRate);
  if (repeats < 1) return 0;
  // expm1 keeps the digits for rare flakes.
  const seen = -Math.expm1(repeats * Math.log1p(-flakeRate)) - flakeRate ** repeats;
  return Math.max(0, seen);
}

/** The fewest repeats that expose a flake with the given probability; null where none can. */
export function repeatsToDetectFlake(flakeRate: number, probability: number): number | null {
  checkProbability(probability);
  const detects = (repeats: number): boolean => flakeDetectionProbability(flakeRate, repeats) >= probability;
  let high = 2;
  while (!detects(high)) {
    high *= 2;
    if (high > Number.MAX_SAFE_INTEGER) return null;
  }
  let low = 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (detects(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Pass rates of many cases, each drawn towards their mean by as much as its few repeats are noise; null where undefined. */
export interface ShrunkRates {
  readonly mean: number | null;
  /** Share of the spread that is real difference between cases. */
  readonly rho: number | null;
  readonly alpha: number | null;
  readonly beta: number | null;
  readonly posterior: readonly number[] | null;
}

/** Beta-Binomial by moments. Source: Kleinman 1973, https://doi.org/10.1080/01621459.1973.10481332. */
export function shrinkPassRates(cases: readonly { readonly passes: number; readonly n: number }[]): ShrunkRates {
  for (const { passes, n } of cases) checkCounts(passes, n);
  const seen = cases.filter(({ n }) => n > 0);
  const rates = seen.map(({ passes, n }) => passes / n);
  const centre = seen.length === 0 ? null : mean(rates);
  const variance = sampleVariance(rates);
  const noise = mean(seen.map(({ n }) => 1 / n));
  const binomial = centre === null ? 0 : centre * (1 - centre);
  if (centre === null || variance === null || binomial === 0 || noise === 1) {
    return { mean: centre, rho: null, alpha: null, beta: null, posterior: null };
  }
  const rho = Math.min(1, Math.max(0, (variance / binomial - noise) / (1 - noise)));
  if (rho === 0) return { mean: centre, rho, alpha: null, beta: null, posterior: seen.map(() => centre) };
  const weight = 1 / rho - 1;
  const alpha = centre * weight;
  const posterior = seen.map(({ passes, n }) => (passes + alpha) / (n + weight));
  return { mean: centre, rho, alpha, beta: weight - alpha, posterior };
}

/** C(part, k)/C(n, k): the share of k-subsets that lie within the part. */
function shareOfSubsets(part: number, n: number, k: number): number {
  let share = 1;
  for (let i = 0; i < k && share > 0; i += 1) share *= Math.max(0, part - i) / (n - i);
  return share;
}

/** How often two repeats of a case disagreed. */
export interface Disagreements {
  readonly pairs: number;
  readonly disagreements: number;
}

/**
 * Pairs each outcome with its neighbour, none twice: the disagreements of such pairs are independent, each with the chance
 * 2p(1 − p) of a flake, and a lasting change of the pass rate makes at most one of them.
 */
export function countDisagreements(outcomes: readonly boolean[]): Disagreements {
  let [pairs, disagreements] = [0, 0];
  for (let index = 1; index < outcomes.length; index += 2) {
    pairs += 1;
    if (outcomes[index] !== outcomes[index - 1]) disagreements += 1;
  }
  return { pairs, disagreements };
}

/** Two-sided mid-p that a case flakes as often as before, twice the smaller tail; null where one side has no pair. */
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
