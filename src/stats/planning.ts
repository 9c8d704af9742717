import type { CompareOptions } from './compare-cases.ts';
import { designEffect, type Groups, mean } from './descriptive.ts';
import { normalCritical, normalQuantile } from './distributions.ts';
import { type PairedCase, type PairedResults, pairCases, suiteBound, varianceComponents } from './pairs.ts';

/** Two-sided alpha and the wanted chance of a clear answer. */
export interface PlanPolicy {
  readonly alpha: number;
  readonly power: number;
}

/** Cases that detect a mean difference `delta` of the given variance; null for no difference. Source: Miller 2024, as above. */
export function casesNeeded(delta: number, variance: number, policy: PlanPolicy): number | null {
  return delta === 0 ? null : Math.ceil((plannedZ(policy) ** 2 * variance) / (delta * delta));
}

/** The fewest unchanged cases whose bound z²/(n + z²) is within the margin; null for a margin of 0. Source: solved from Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953. */
export function minCasesForMargin(margin: number, alpha: number): number | null {
  if (!(margin > 0)) return null;
  const z = normalCritical(alpha);
  return Math.max(1, Math.ceil((z * z * (1 - margin)) / margin));
}

/** The number of cases that exclude a drop beyond the margin if nothing has changed. */
export function casesToExcludeMargin(margin: number, variance: number, policy: PlanPolicy): number | null {
  const clean = minCasesForMargin(margin, policy.alpha);
  const noisy = casesNeeded(margin, variance, policy);
  return clean === null || noisy === null ? null : Math.max(clean, noisy);
}

/** The variances that repeats reduce (`sigma2`), and the one that they cannot (`omega2`). */
export interface RepeatPlan {
  readonly n: number;
  readonly delta: number;
  readonly omega2: number;
  readonly sigma2Baseline: number;
  readonly sigma2Candidate: number;
}

/** Repeats a side that let n cases detect `delta`; null if no number of repeats can and cases must be added. Source: Miller 2024, as above. */
export function repeatsNeeded(plan: RepeatPlan, policy: PlanPolicy): number | null {
  const room = (plan.n * plan.delta * plan.delta) / plannedZ(policy) ** 2 - plan.omega2;
  return room > 0 ? Math.max(1, Math.ceil((plan.sigma2Baseline + plan.sigma2Candidate) / room)) : null;
}

/** Variance components to plan with before there are any results: flaky passes, and a drop made of cases that break whole. */
export function assumedComponents(
  flakeRate: number,
  delta: number,
): { sigma2Baseline: number; sigma2Candidate: number; omega2: number } {
  const sigma2 = flakeRate * (1 - flakeRate);
  const size = Math.abs(delta);
  return {
    sigma2Baseline: sigma2,
    sigma2Candidate: sigma2,
    omega2: Math.max(0, size * (1 - 2 * flakeRate) - size * size),
  };
}

/** The sum of the two quantiles that a design must put between its effect and its noise. */
export function plannedZ({ alpha, power }: PlanPolicy): number {
  if (!(power > 0 && power < 1)) throw new RangeError(`power lies between 0 and 1, ${power} does not`);
  return normalCritical(alpha) + normalQuantile(power);
}

export interface SampleSizeOptions extends CompareOptions {
  /** The wanted chance of a clear answer; 0.8 if undefined. */
  readonly power?: number;
  /** The value to use if the results show no spread. */
  readonly flakeRate?: number;
}

/** The sample sizes that exclude a drop beyond the margin if nothing has changed. Null if no number is enough. */
export interface SampleSize {
  /** Cases in all, at the repeats of these results. */
  readonly cases: number | null;
  /** Repeats a side, on these cases. */
  readonly repeats: number | null;
}

/** Plans from the spread that an inconclusive comparison has shown. Single repeats show no noise apart from change, so all spread is taken as noise. */
export function sampleSizeToSettle(results: PairedResults, options: SampleSizeOptions): SampleSize {
  const { cases, groups } = pairCases(results);
  const policy = { alpha: options.alpha, power: options.power ?? 0.8 };
  const repeats = cases.length === 0 ? 1 : mean(cases.map(fewerRepeats));
  if (options.scope === 'suite' && cases.length > 0) return settleSuite(cases, repeats, options, policy);
  const parts = planningComponents(results, repeats, options);
  if (groups !== undefined) return settleGroups(cases, groups, parts.variance, { ...policy, margin: options.margin });
  const minimum = minCasesForMargin(options.margin, options.alpha);
  const needed = casesToExcludeMargin(options.margin, parts.variance, policy);
  const more = repeatsNeeded({ n: cases.length, delta: options.margin, ...parts }, policy);
  return {
    cases: needed === null ? null : Math.max(needed, cases.length + 1),
    repeats:
      more === null || minimum === null || cases.length < minimum ? null : Math.max(more, Math.floor(repeats) + 1),
  };
}

interface PlanningComponents {
  readonly variance: number;
  readonly omega2: number;
  readonly sigma2Baseline: number;
  readonly sigma2Candidate: number;
}

function planningComponents(results: PairedResults, repeats: number, options: SampleSizeOptions): PlanningComponents {
  const { sigma2Baseline, sigma2Candidate, varianceOfDifference, omega2 } = varianceComponents(results);
  if (varianceOfDifference === null) {
    const assumed = assumedComponents(options.flakeRate ?? 0.05, 0);
    return { ...assumed, variance: (assumed.sigma2Baseline + assumed.sigma2Candidate) / repeats };
  }
  if (sigma2Baseline === null || sigma2Candidate === null || omega2 === null) {
    const half = (varianceOfDifference * repeats) / 2;
    return { variance: varianceOfDifference, omega2: 0, sigma2Baseline: half, sigma2Candidate: half };
  }
  return { variance: varianceOfDifference, omega2, sigma2Baseline, sigma2Candidate };
}

/**
 * Plans more cases of similar groups, because repeats show nothing about other groups. One group does not show how
 * groups differ.
 */
function settleGroups(
  cases: readonly PairedCase[],
  groups: Groups,
  variance: number,
  { margin, ...policy }: { alpha: number; power: number; margin: number },
): SampleSize {
  if (new Set(groups).size < 2) return { cases: null, repeats: null };
  const effect = designEffect(
    cases.map(({ difference }) => difference),
    groups,
  );
  const needed = casesToExcludeMargin(margin, variance * effect, policy);
  return { cases: needed === null ? null : Math.max(needed, cases.length + 1), repeats: null };
}

/** Plans in the scope of the suite. Repeats are the sample there, so more cases or more repeats both help. */
function settleSuite(
  cases: readonly PairedCase[],
  repeats: number,
  { alpha, margin }: CompareOptions,
  policy: { alpha: number; power: number },
): SampleSize {
  const { effectiveN, worse, better } = suiteBound(cases, alpha);
  const variance = (worse + better) / effectiveN - ((better - worse) / effectiveN) ** 2;
  const needed = casesToExcludeMargin(margin, variance, policy);
  if (needed === null) return { cases: null, repeats: null };
  return {
    cases: Math.max(Math.ceil(needed / repeats), cases.length + 1),
    repeats: Math.max(Math.ceil(needed / cases.length), Math.floor(repeats) + 1),
  };
}

function fewerRepeats({ baseline, candidate }: PairedCase): number {
  return Math.min(baseline.length, candidate.length);
}
