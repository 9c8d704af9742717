import { normalCritical, normalQuantile } from './normal.ts';

/** Two-sided alpha and the wanted chance of a clear answer. */
export interface PlanPolicy {
  readonly alpha: number;
  readonly power: number;
}

/** The smallest mean difference that n cases detect; null for no cases. Source: Miller 2024, https://arxiv.org/abs/2411.00640. */
export function minDetectableEffect(n: number, variance: number, policy: PlanPolicy): number | null {
  return n > 0 ? plannedZ(policy) * Math.sqrt(variance / n) : null;
}

/** Cases that detect a mean difference `delta` of the given variance; null for no difference. Source: Miller 2024, as above. */
export function casesNeeded(delta: number, variance: number, policy: PlanPolicy): number | null {
  return delta === 0 ? null : Math.ceil((plannedZ(policy) ** 2 * variance) / (delta * delta));
}

/**
 * Cases with one pass/fail result a side that detect `delta` when the share `discordance` of them changes; null where fewer change
 * than the difference needs. Source: Connor 1987, https://doi.org/10.2307/2531961.
 */
export function casesNeededSingle(delta: number, discordance: number, { alpha, power }: PlanPolicy): number | null {
  if (delta === 0 || discordance < Math.abs(delta)) return null;
  const spread =
    normalCritical(alpha) * Math.sqrt(discordance) +
    normalQuantile(power) * Math.sqrt(Math.max(0, discordance - delta * delta));
  return Math.ceil((spread * spread) / (delta * delta));
}

/** The fewest unchanged cases whose bound z²/(n + z²) is within the margin; null for a margin of 0. Source: solved from Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953. */
export function minCasesForMargin(margin: number, alpha: number): number | null {
  if (!(margin > 0)) return null;
  const z = normalCritical(alpha);
  return Math.max(1, Math.ceil((z * z * (1 - margin)) / margin));
}

/** Cases that show a drop beyond the margin excluded where nothing has changed. */
export function casesToExcludeMargin(margin: number, variance: number, policy: PlanPolicy): number | null {
  const clean = minCasesForMargin(margin, policy.alpha);
  const noisy = casesNeeded(margin, variance, policy);
  return clean === null || noisy === null ? null : Math.max(clean, noisy);
}

/** What repeats can and can't reduce. */
export interface RepeatPlan {
  readonly n: number;
  readonly delta: number;
  readonly omega2: number;
  readonly sigma2Baseline: number;
  readonly sigma2Candidate: number;
}

/** Repeats a side that let n cases detect `delta`; null where no number of repeats can and cases must be added. Source: Miller 2024, as above. */
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
