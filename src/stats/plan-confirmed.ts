import { binomialTails, normalCdf, normalQuantile } from './distributions.ts';
import { brokenCaseFailures, confirmationP, tinyBudget, trialsToConfirm } from './exact-tests.ts';
import { flakeRateOf, minChangedCases, type SuiteDesign } from './plan-suite.ts';
import { smallestBetween } from './smallest.ts';

/** How confirmation trials confirm a drop of an average that stored trials have flagged. */
export interface ConfirmationDesign {
  /** One-sided, of the last look. */
  readonly level: number;
  /** Confirmation trials of a case and side at the last look. */
  readonly trials: number;
  /** True if the run's planned trials are the candidate's side. */
  readonly usesPlanned: boolean;
}

/** Stored trials flag an average at this one-sided level. */
const flagLevel = 0.1;

/**
 * The chance that a drop is flagged by stored trials and confirmed by fresh ones. Both tests use the same cases, so
 * they share the random drop of these cases. The earlier looks are left out: they confirm and clear about alike.
 */
export function confirmedPower(design: SuiteDesign, drop: number, confirmation: ConfirmationDesign): number {
  const { cases, trials, baselineTrials, sigma2 } = design;
  if (cases <= 0) return 0;
  const omega2 = Math.max(0, drop * (1 - 2 * flakeRateOf(sigma2)) - drop * drop);
  const fresh = sigma2 / confirmation.trials;
  const [candidate, freshCandidate] = [sigma2 / trials, confirmation.usesPlanned ? 0 : fresh];
  const shared = Math.sqrt((omega2 + (confirmation.usesPlanned ? candidate : 0)) / cases);
  const flag = {
    own: Math.sqrt((sigma2 / baselineTrials + (confirmation.usesPlanned ? 0 : candidate)) / cases),
    critical: -normalQuantile(flagLevel),
  };
  const confirm = { own: Math.sqrt((fresh + freshCandidate) / cases), critical: -normalQuantile(confirmation.level) };
  let power = 0;
  for (let step = 0; step < quadratureSteps; step += 1) {
    const by = drop + shared * normalQuantile((step + 0.5) / quadratureSteps);
    power += chanceBeyond(by, shared, flag) * chanceBeyond(by, shared, confirm);
  }
  const enough = binomialTails(minChangedCases(2 * confirmation.level) - 1, Math.floor(cases), drop).upper;
  return Math.min(enough, power / quadratureSteps);
}

const quadratureSteps = 64;

/** The chance that a test is significant if the drop of these cases is `by`. */
function chanceBeyond(by: number, shared: number, { own, critical }: { own: number; critical: number }): number {
  const beyond = by - critical * Math.hypot(shared, own);
  return own === 0 ? Number(beyond >= 0) : normalCdf(beyond / own);
}

/** How a single case is found that fails more often than before. */
export interface CaseDesign {
  /** Planned trials of the run, and of the baseline. */
  readonly trials: number;
  readonly baselineTrials: number;
  readonly alpha: number;
  /** Cases that are expected to look broken, this one included. */
  readonly suspects: number;
  /** Cases of the invocation. */
  readonly cases: number;
  /** Confirmation trials that the invocation can make. */
  readonly budget: number;
  readonly asksAccepted: boolean;
}

export interface CasePlan {
  /** Confirmation trials of the candidate. */
  readonly trials: number;
  /**
   * Trials of the accepted prompt: the same number, one if the budget is too small for both, 0 if it can't be asked.
   */
  readonly acceptedTrials: number;
  /** The chance that a case is called broken which failed at one rate and now fails at another. */
  readonly power: (before: number, after: number) => number;
}

/** The rule for single cases: it passed in most accepted trials, fails in every trial now and in every one that confirms. */
export function planCase(design: CaseDesign): CasePlan {
  const { trials, baselineTrials, alpha, suspects, cases, budget, asksAccepted } = design;
  const level = alpha / 2 / suspects;
  const both = trialsToConfirm(level);
  const isAffordable = asksAccepted && 2 * both - 1 + suspects - 1 <= budget;
  const needed = brokenCaseFailures({ n: cases, alpha });
  const share = Math.max(1, Math.floor(budget / suspects));
  const failures = budget < tinyBudget ? Math.min(needed, trials + share) : needed;
  const retrials = isAffordable ? both : Math.max(1, failures - trials);
  // A tie is a failure.
  const fewest = Math.ceil(baselineTrials / 2) - 1;
  return {
    trials: retrials,
    acceptedTrials: isAffordable ? both : Number(asksAccepted),
    power(before, after) {
      const passed = binomialTails(fewest, baselineTrials, before).lower;
      const isClear = isAffordable
        ? binomialTails(mostFailures(both, level), both, before).lower
        : 1 - (asksAccepted ? before : 0);
      return passed * after ** (trials + retrials) * isClear;
    },
  };
}

/** Failures of the accepted prompt with which the candidate's failures are still significantly more. */
export function mostFailures(trials: number, level: number): number {
  let most = 0;
  while (most < trials && confirmationP(trials, most + 1) <= level) most += 1;
  return most;
}

/** The smallest drop that is flagged and confirmed with the wanted power; null if none is. */
export function smallestConfirmedDrop(
  design: SuiteDesign,
  confirmation: ConfirmationDesign,
  power: number,
): number | null {
  const isSeen = (drop: number): boolean => confirmedPower(design, drop, confirmation) >= power;
  const steps = 200;
  const first = Array.from({ length: steps - 1 }, (_, step) => (step + 1) / steps).find(isSeen);
  if (first === undefined) return null;
  return smallestBetween(first - 1 / steps, first, 20, isSeen);
}
