import { binomialTails, normalCdf, normalQuantile } from '../stats/distributions.ts';
import { flakeRateOf, minChangedCases, type SuiteDesign } from '../stats/plan-suite.ts';
import { smallestBetween } from '../stats/smallest.ts';
import { flaggedAtP, looks } from '../verdict/confirm/average-looks.ts';
import { type AskedVariant, findBudget } from './fresh-budget.ts';

/**
 * The chance that a fall of the pass rate is flagged by the planned trials, and confirmed by fresh ones. Each case fails more
 * often by the drop. A drop that is made of cases which break for good is found by these cases.
 */
export function powerOfAverage(variant: AskedVariant, size: SuiteDesign, drop: number): number {
  const look = findLastLook(variant, size);
  if (look === undefined) return 0;
  const { cases } = look;
  const { trials, baselineTrials } = size;
  const before = flakeRateOf(size.sigma2);
  const after = Math.min(1, before + drop);
  const accepted = before * (1 - before);
  const candidate = after * (1 - after);
  // Accepted trials that are not asked again are a side of both tests.
  const { asksAccepted } = variant.pool;
  const shared = asksAccepted ? 0 : accepted / baselineTrials / cases;
  const flag: Test = {
    own: candidate / trials / cases + (asksAccepted ? accepted / baselineTrials / cases : 0),
    level: flaggedAtP,
  };
  const confirm: Test = {
    own: candidate / look.trials / cases + (asksAccepted ? accepted / look.trials / cases : 0),
    level: look.level,
  };
  let power = 0;
  for (let step = 0; step < quadratureSteps; step += 1) {
    const by = drop + Math.sqrt(shared) * normalQuantile((step + 0.5) / quadratureSteps);
    power += chanceBeyond(by, shared, flag) * chanceBeyond(by, shared, confirm);
  }
  // Few cases are a stricter limit than the variance: enough of them must change at all.
  const changes = 1 - (1 - drop) ** look.trials;
  const enough = binomialTails(minChangedCases(2 * look.level) - 1, cases, changes).upper;
  return Math.min(enough, power / quadratureSteps);
}

/** The smallest drop that is flagged and confirmed with the wanted power; null if none is. */
export function smallestDropOfAverage(variant: AskedVariant, size: SuiteDesign, power: number): number | null {
  const isSeen = (drop: number): boolean => powerOfAverage(variant, size, drop) >= power;
  const steps = 200;
  const first = Array.from({ length: steps - 1 }, (_, step) => (step + 1) / steps).find(isSeen);
  return first === undefined ? null : smallestBetween(first - 1 / steps, first, 20, isSeen);
}

const quadratureSteps = 64;

interface Test {
  /** The variance that the other test does not share. */
  readonly own: number;
  /** One-sided. */
  readonly level: number;
}

/** The chance that a test is significant if the shared side makes the drop look like `by`. */
function chanceBeyond(by: number, shared: number, { own, level }: Test): number {
  const beyond = by + normalQuantile(level) * Math.sqrt(shared + own);
  return own === 0 ? Number(beyond >= 0) : normalCdf(beyond / Math.sqrt(own));
}

interface LastLook {
  /** Independent cases, and fresh trials of each on each side that is asked. */
  readonly cases: number;
  readonly trials: number;
  /** One-sided. */
  readonly level: number;
}

/**
 * The last look that the budget pays for, while other averages are flagged by chance. The earlier looks are left out: they
 * confirm and clear about alike. Undefined if the budget pays for no pair.
 */
function findLastLook(
  { pool, others, callsPerTrial, designEffect }: AskedVariant,
  { cases, trials }: SuiteDesign,
): LastLook | undefined {
  const { suite, asksAccepted } = pool;
  const planned = cases * trials;
  const calls = (others.calls.get(suite) ?? 0) + planned * callsPerTrial;
  const { allowed } = findBudget(new Map([...others.calls, [suite, calls]]));
  const affordable = Math.floor(allowed.calls / (callsPerTrial * (asksAccepted ? 2 : 1)));
  const pairs = Math.min(affordable, Math.ceil((looks.at(-1)?.share ?? 1) * planned));
  const spend = looks.find(({ share }) => pairs <= Math.ceil(share * planned))?.spend;
  const asked = Math.min(cases, pairs);
  const independent = Math.floor(asked / designEffect);
  if (independent < 1 || spend === undefined) return undefined;
  const flagged = 1 + flaggedAtP * (others.averages - 1);
  return { cases: independent, trials: pairs / asked, level: (spend * suite.gate.alpha) / 2 / flagged };
}
