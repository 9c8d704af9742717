import type { CompareOptions } from './compare-cases.ts';
import { mean } from './moments.ts';
import { type PairedCase, type PairedResults, pairCases } from './pair-cases.ts';
import { assumedComponents, casesToExcludeMargin, minCasesForMargin, repeatsNeeded } from './planning.ts';
import { suiteBound } from './suite-bound.ts';
import { varianceComponents } from './variance-components.ts';

export interface SampleSizeOptions extends CompareOptions {
  /** The wanted chance of a clear answer; 0.8 where undefined. */
  readonly power?: number;
  /** Taken where the results show no spread to plan with. */
  readonly flakeRate?: number;
}

/** What would exclude a drop beyond the margin if nothing has changed; null where no number of that kind would. */
export interface SampleSize {
  /** Cases in all, at the repeats of these results. */
  readonly cases: number | null;
  /** Repeats a side, on these cases. */
  readonly repeats: number | null;
}

/** Plans from the spread that an inconclusive comparison has shown. Single repeats show no noise apart from change, so all spread is taken as noise. */
export function sampleSizeToSettle(results: PairedResults, options: SampleSizeOptions): SampleSize {
  const { cases } = pairCases(results);
  const policy = { alpha: options.alpha, power: options.power ?? 0.8 };
  const repeats = cases.length === 0 ? 1 : mean(cases.map(fewerRepeats));
  if (options.scope === 'suite' && cases.length > 0) return settleSuite(cases, repeats, options, policy);
  const parts = planningComponents(results, repeats, options);
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

/** In the scope of the suite repeats are the sample, so either kind of growth will do. */
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
