import { binomialTails, normalCritical, normalQuantile } from './distributions.ts';
import {
  assumedComponents,
  casesNeeded,
  casesToExcludeMargin,
  minCasesForMargin,
  type PlanPolicy,
  plannedZ,
  repeatsNeeded,
} from './planning.ts';
import { scoreLower } from './score-bound.ts';
import { smallestBetween, smallestSize } from './smallest.ts';

/** A suite as far as planning needs it. */
export interface SuiteDesign {
  readonly cases: number;
  /** Trials per case; the harmonic mean if they differ. */
  readonly trials: number;
  readonly baselineTrials: number;
  /** Variance of one trial within its case. */
  readonly sigma2: number;
  /** `population`: inputs like these; `suite`: these cases only. */
  readonly scope: 'population' | 'suite';
}

/**
 * The drops of the pass rate that a suite can detect, and the sizes that would detect more. Null if no number is
 * enough.
 */
export interface SuitePlan {
  /** The smallest drop that is found with the wanted power. */
  readonly visibleDrop: number | null;
  /** The smallest drop that is excluded with the wanted power if nothing has changed. */
  readonly excludableDrop: number | null;
  readonly see: PlannedGrowth;
  readonly exclude: PlannedGrowth;
}

/** Two alternative ways to grow: more cases, or more trials. */
interface PlannedGrowth {
  /** Cases in all, at the suite's trials. */
  readonly cases: number | null;
  /** Trials a side, on the suite's cases. */
  readonly trials: number | null;
}

/**
 * Plans for a drop that is made of cases that break whole, as most do: Var(d) = Δ(1 − 2f) − Δ² + σ²/k_A + σ²/k_B.
 * Source: Miller 2024, https://arxiv.org/abs/2411.00640.
 */
export function planSuite(design: SuiteDesign, drop: number, policy: PlanPolicy): SuitePlan {
  if (!(drop > 0 && drop < 1)) throw new RangeError(`a drop to plan for lies between 0 and 1, ${drop} does not`);
  return {
    visibleDrop: smallestVisibleDrop(design, policy),
    excludableDrop: smallestExcludableDrop(design, policy),
    see: { cases: casesToSee(design, drop, policy), trials: trialsToSee(design, drop, policy) },
    exclude: { cases: casesToExclude(design, drop, policy), trials: trialsToExclude(design, drop, policy) },
  };
}

/** The flake rate f whose variance f(1 − f) equals the variance of the trials. */
export function flakeRateOf(sigma2: number): number {
  return (1 - Math.sqrt(1 - 4 * Math.min(sigma2, 0.25))) / 2;
}

function smallestVisibleDrop(design: SuiteDesign, policy: PlanPolicy): number | null {
  const { cases } = design;
  if (cases < minChangedCases(policy.alpha)) return null;
  const z2 = plannedZ(policy) ** 2;
  const whole = 1 - 2 * flakeRateOf(design.sigma2);
  const noise = noiseOf(design);
  // The root of Δ² n = z² (Δ(1 − 2f) − Δ² + noise); beyond 1 − 2f only the noise is left.
  const half = (z2 * whole) / 2;
  const root = (half + Math.sqrt(half * half + (cases + z2) * z2 * noise)) / (cases + z2);
  const drop = root <= whole ? root : Math.max(whole, Math.sqrt((z2 * noise) / cases));
  const visible = Math.max(drop, smallestShareThatChangesEnough(cases, policy));
  return visible < 1 ? visible : null;
}

/** The score bound of a suite in which nothing changed, at the mean that chance reaches with the wanted power. */
function smallestExcludableDrop(design: SuiteDesign, { alpha, power }: PlanPolicy): number | null {
  const { n, variance, step } = sampleOf(design);
  if (n === 0) return null;
  const unlucky = normalQuantile(power) * Math.sqrt(variance / n);
  const share = variance / (step * step);
  const shift = Math.min(unlucky / step, share) / 2;
  const values = [
    { value: -step, weight: n * (share / 2 + shift) },
    { value: 0, weight: n * (1 - share) },
    { value: step, weight: n * (share / 2 - shift) },
  ];
  const drop = -scoreLower(
    values.filter(({ weight }) => weight > 0),
    normalCritical(alpha),
  );
  return drop < 1 ? drop : null;
}

function casesToSee(design: SuiteDesign, drop: number, policy: PlanPolicy): number | null {
  const { omega2 } = assumedComponents(flakeRateOf(design.sigma2), drop);
  const needed = casesNeeded(drop, omega2 + noiseOf(design), policy);
  return needed === null ? null : Math.max(needed, casesThatChangeEnough(drop, policy));
}

function trialsToSee(design: SuiteDesign, drop: number, policy: PlanPolicy): number | null {
  const { cases, sigma2 } = design;
  if (cases < casesThatChangeEnough(drop, policy)) return null;
  const { omega2 } = assumedComponents(flakeRateOf(sigma2), drop);
  return repeatsNeeded({ n: cases, delta: drop, omega2, sigma2Baseline: sigma2, sigma2Candidate: sigma2 }, policy);
}

function casesToExclude(design: SuiteDesign, drop: number, policy: PlanPolicy): number | null {
  const { n, variance } = sampleOf(design);
  const needed = casesToExcludeMargin(drop, variance, policy);
  return needed === null || design.cases === 0 ? needed : Math.ceil((needed * design.cases) / n);
}

function trialsToExclude(design: SuiteDesign, drop: number, policy: PlanPolicy): number | null {
  const { cases, sigma2, scope } = design;
  if (cases === 0) return null;
  if (scope === 'suite') {
    const needed = casesToExcludeMargin(drop, 2 * sigma2, policy);
    return needed === null ? null : Math.ceil(needed / cases);
  }
  const minimum = minCasesForMargin(drop, policy.alpha);
  if (minimum === null || cases < minimum) return null;
  return repeatsNeeded({ n: cases, delta: drop, omega2: 0, sigma2Baseline: sigma2, sigma2Candidate: sigma2 }, policy);
}

/**
 * The sample of the lower bound: cases or, in the scope of the suite, their pairs of trials. It also says how far one
 * flake moves one of them.
 */
function sampleOf(design: SuiteDesign): { n: number; variance: number; step: number } {
  const { cases, trials, baselineTrials, sigma2, scope } = design;
  if (scope === 'suite') return { n: cases * Math.min(trials, baselineTrials), variance: 2 * sigma2, step: 1 };
  const variance = noiseOf(design);
  return { n: cases, variance, step: Math.max(1 / Math.min(trials, baselineTrials), Math.sqrt(variance)) };
}

function noiseOf({ sigma2, trials, baselineTrials }: SuiteDesign): number {
  return sigma2 / trials + sigma2 / baselineTrials;
}

/** Cases that must have changed, all for the worse, before a test can call it a regression: 2^−(m+1) ≤ alpha/2. */
export function minChangedCases(alpha: number): number {
  return Math.max(1, Math.ceil(Math.log2(2 / alpha)) - 1);
}

/** Few cases are a stricter limit than the variance: enough of them must break at all. */
function changesEnough(cases: number, share: number, { alpha, power }: PlanPolicy): boolean {
  return binomialTails(minChangedCases(alpha) - 1, cases, share).upper >= power;
}

function smallestShareThatChangesEnough(cases: number, policy: PlanPolicy): number {
  return smallestBetween(0, 1, 50, (share) => changesEnough(cases, share, policy));
}

function casesThatChangeEnough(drop: number, policy: PlanPolicy): number {
  const most = Number.POSITIVE_INFINITY;
  return smallestSize(1, most, (cases) => changesEnough(cases, drop, policy)) ?? most;
}
