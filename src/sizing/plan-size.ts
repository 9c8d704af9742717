import type { Baseline } from '../model/comparison/baseline.ts';
import type { Problem } from '../model/problem.ts';
import { isNoBudget } from '../model/suite/gate-policy.ts';
import { designEffect, mean, sampleVariance, sharedGroups } from '../stats/descriptive.ts';
import { pooledVariance } from '../stats/pairs.ts';
import { flakeRateOf, planSuite, type SuiteDesign } from '../stats/plan-suite.ts';
import { minCasesForMargin } from '../stats/planning.ts';
import { smallestSize } from '../stats/smallest.ts';
import { defaultMaxDrop } from '../verdict/default-margins.ts';
import { type AskedVariant, countCalls, findBudget, findOthers, type OtherVariants } from './fresh-budget.ts';
import { powerOfAverage, smallestDropOfAverage } from './plan-average.ts';
import { planSingleCase } from './plan-single-case.ts';
import {
  countBaselineTrials,
  type PooledCase,
  poolTrials,
  readStoredTrials,
  type StoredTrialsOptions,
  type TrialPool,
} from './pool-trials.ts';
import { priceSize, type RunSize } from './price-size.ts';

export interface PlanSizeOptions extends StoredTrialsOptions {
  /** Drop of the pass rate to plan for. Undefined: the largest drop that each suite's gate tolerates. */
  readonly drop?: number;
  /** Wanted probability of a clear answer. */
  readonly power: number;
}

export interface PlanSizeResult {
  readonly variants: readonly VariantSize[];
  readonly warnings: readonly Problem[];
}

/**
 * The drop that a variant's suite can detect, and the size that detects a given drop. Null if no such number exists.
 */
export interface VariantSize {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  readonly alpha: number;
  readonly power: number;
  readonly drop: number;
  readonly scope: 'population' | 'suite';
  /** True if recorded answers replace calls. */
  readonly isHermetic: boolean;
  readonly cases: number;
  /** Fewest and most trials of a case. */
  readonly trials: { readonly min: number; readonly max: number };
  readonly pilot: Pilot;
  /** Trials per case in the accepted baseline. Null without a baseline; then a run's number is assumed. */
  readonly baselineTrials: number | null;
  /** Number of averages that one run judges over the named suites. This variant's are included. */
  readonly averages: number;
  /**
   * False if the accepted prompt can't be asked again, or nothing can be asked. If the new prompt can be asked, its fresh
   * trials are compared with the accepted ones.
   */
  readonly asksAccepted: boolean;
  /** Null if no two cases share a group. */
  readonly groups: { readonly designEffect: number } | null;
  /** Share of a drop that the suite's judges detect; `shown` is null if no judge is measured. */
  readonly judge: { readonly shown: number | null } | null;
  readonly visibleDrop: number | null;
  readonly excludableDrop: number | null;
  readonly run: RunSize;
  /** The most that fresh trials may spend on what looks worse in a whole run; null if nothing is asked again. */
  readonly confirmation: Pick<RunSize, 'calls' | 'costUsd'> | null;
  /** Null if nothing is asked again. */
  readonly singleCase: SingleCase | null;
  readonly see: Growth;
  readonly exclude: Growth;
}

/** Chances that a run detects a broken case that passed before. */
interface SingleCase {
  /**
   * Fresh trials that confirm a case which never failed before and always fails now. The accepted prompt has 0 if it can't be
   * asked.
   */
  readonly trials: number;
  readonly acceptedTrials: number;
  /** Null if the calls of a trial are unknown. */
  readonly calls: number | null;
  /** The most fresh trials of the new prompt, if other cases fail at times. */
  readonly mostTrials: number;
  /** Chances for a case that now always fails: one that always passed before, and one that failed one time in ten. */
  readonly brokenForGood: number;
  readonly brokenAfterFlaking: number;
  /** Chances for a case that now fails nine times in ten, and for one that fails half of the time. */
  readonly failsMostly: number;
  readonly failsHalf: number;
}

export interface Growth {
  /** More cases at the suite's number of trials. */
  readonly byCases: RunSize | null;
  /** More trials on the suite's cases. */
  readonly byTrials: RunSize | null;
  /** More cases at another number of trials, if that needs fewer cases. */
  readonly byBoth: RunSize | null;
}

/** Computes from stored trials which drop each gated variant can detect, and which suite size detects a given drop. */
export async function planSize(options: PlanSizeOptions): Promise<PlanSizeResult> {
  const { sources, baselines, warnings } = await readStoredTrials(options);
  const pools = poolTrials(options.project.suites, sources);
  const { allowed } = findBudget(countCalls(pools));
  return {
    warnings,
    variants: pools.map((pool) => {
      const baseline = baselines.get(pool.suite.id);
      return planVariant(pool, { baseline, others: findOthers(pool, pools), calls: allowed.calls, options });
    }),
  };
}

interface PlanContext {
  readonly baseline: Baseline | undefined;
  readonly others: OtherVariants;
  /** The most calls that fresh trials of the whole run make. */
  readonly calls: number;
  readonly options: PlanSizeOptions;
}

function planVariant(pool: TrialPool, { baseline, others, calls, options }: PlanContext): VariantSize {
  const { suite, prompt, provider, cases } = pool;
  const { alpha, scope, passRate, confirm } = suite.gate;
  const { power } = options;
  const { maxDrop = defaultMaxDrop } = passRate;
  // No number of cases excludes a drop of 0.
  const drop = options.drop ?? (maxDrop > 0 ? maxDrop : defaultMaxDrop);
  const pilot = describePilot(pool);
  const counts = cases.map(({ plannedTrials }) => plannedTrials);
  const trials = harmonicMean(counts) ?? 1;
  const baselineTrials = harmonicMean([...countBaselineTrials(baseline, pool).values()]);
  const groups = scope === 'suite' ? null : describeGroups(pool);
  const sigma2 = pilot.flakeRate * (1 - pilot.flakeRate);
  const design: SuiteDesign = { cases: cases.length, trials, baselineTrials: baselineTrials ?? trials, sigma2, scope };
  const judge = describeJudge(pool);
  const isHermetic = suite.recordings !== undefined;
  const isAsked = !isHermetic && !isNoBudget(confirm.budget);
  const price = priceSize(cases);
  const variant: AskedVariant = {
    pool,
    others,
    callsPerTrial: meanCalls(cases),
    designEffect: groups?.designEffect ?? 1,
  };
  const planned = createPlanner(
    { variant, design, isAsked, price, power, drop },
    // A judge that is no better than chance shows no drop at all.
    Math.max(0.001, judge?.shown ?? 1),
  );
  const run = price(cases.length, mean(counts));
  return {
    suite: suite.id,
    prompt,
    provider,
    alpha,
    power,
    drop,
    scope,
    isHermetic,
    cases: cases.length,
    trials: { min: Math.min(...counts), max: Math.max(...counts) },
    pilot,
    baselineTrials,
    averages: others.averages,
    asksAccepted: isAsked && pool.asksAccepted,
    groups,
    judge,
    ...planned,
    run,
    confirmation: isAsked
      ? { calls, costUsd: priceCalls(run, calls / (run.cases * run.trials * variant.callsPerTrial)) }
      : null,
    singleCase: isAsked ? describeSingleCase(variant, { design, flakeRate: pilot.flakeRate, run }) : null,
  };
}

interface Planned {
  readonly variant: AskedVariant;
  readonly design: SuiteDesign;
  readonly isAsked: boolean;
  readonly price: ReturnType<typeof priceSize>;
  readonly power: number;
  readonly drop: number;
}

/** Computes the drop that a size detects and excludes, and the size that detects and excludes the wanted drop. */
function createPlanner(
  { variant, design, isAsked, price, power, drop }: Planned,
  /** The share of a drop that verdicts show. */
  shown: number,
): Pick<VariantSize, 'visibleDrop' | 'excludableDrop' | 'see' | 'exclude'> {
  const { pool, others, designEffect: effect } = variant;
  const { alpha } = pool.suite.gate;
  const seen = drop * shown;
  const own = (size: SuiteDesign): SuiteDesign => ({ ...size, cases: Math.floor(size.cases / effect) });
  const plan = (size: SuiteDesign) => planSuite(own(size), seen, { alpha, power });
  // If nothing is asked again, averages are tested at once, and the level is adjusted for all of them.
  const planAtOnce = (size: SuiteDesign) => planSuite(own(size), seen, { alpha: alpha / others.averages, power });
  const isSeen = (size: SuiteDesign) => powerOfAverage(variant, size, seen) >= power;
  const all = (cases: number | null): number | null => (cases === null ? null : Math.ceil(cases * effect));
  const casesToSee = (size: SuiteDesign): number | null =>
    isAsked ? smallestSize(1, maxCases, (cases) => isSeen({ ...size, cases })) : all(planAtOnce(size).see.cases);
  // Few cases say little of inputs like them, however often each is tried.
  const isTooFew = design.scope === 'population' && design.cases / effect < (minCasesForMargin(seen, alpha) ?? 0);
  const trialsToSee = !isAsked
    ? planAtOnce(design).see.trials
    : isTooFew
      ? null
      : smallestSize(1, maxTrials, (trials) => isSeen({ ...design, ...both(trials) }));
  const casesToExclude = (size: SuiteDesign): number | null => all(plan(size).exclude.cases);
  const visible = isAsked ? smallestDropOfAverage(variant, design, power) : planAtOnce(design).visibleDrop;
  const { excludableDrop, exclude } = plan(design);
  const grow = (cases: (size: SuiteDesign) => number | null, trials: number | null): Growth => {
    const more = cases(design);
    // A baseline with equally many trials makes both sides more precise.
    const ways = largerTrials
      .filter((count) => count > design.trials)
      .flatMap((count) => {
        const needed = cases({ ...design, ...both(count) });
        const isFewer = needed !== null && (more === null || needed < more) && needed >= design.cases;
        return isFewer ? [price(needed, count)] : [];
      });
    return {
      byCases: more === null ? null : price(more, mean(pool.cases.map(({ plannedTrials }) => plannedTrials))),
      byTrials: trials === null ? null : price(design.cases, trials),
      byBoth: ways[0] ?? null,
    };
  };
  return {
    visibleDrop: trueDrop(visible, shown),
    excludableDrop: trueDrop(excludableDrop, shown),
    see: grow(casesToSee, trialsToSee),
    exclude: grow(casesToExclude, exclude.trials),
  };
}

const maxCases = 1e6;
const maxTrials = 1000;

/** The true drop if verdicts show `seen` of it. Null if even a drop to 0 would show less. */
function trueDrop(seen: number | null, shown: number): number | null {
  return seen === null || seen >= shown ? null : seen / shown;
}

/** Null if no two cases share a group. */
function describeGroups({ cases }: TrialPool): VariantSize['groups'] {
  const tried = cases.filter(({ trials }) => trials.length > 0);
  if (sharedGroups(cases.map(({ group }) => group)) === undefined) return null;
  const groups = sharedGroups(tried.map(({ group }) => group));
  const rates = tried.map((found) => mean(resultsOf(found)));
  return { designEffect: groups === undefined ? 1 : designEffect(rates, groups) };
}

/** Null if the suite has no judges. */
function describeJudge({ suite, judges }: TrialPool): VariantSize['judge'] {
  if (suite.judges.length === 0) return null;
  const bounds = judges.flatMap(({ measured }) => measured?.youdenLow ?? []);
  return { shown: bounds.length === 0 ? null : Math.max(0, Math.min(...bounds)) };
}

function describeSingleCase(
  variant: AskedVariant,
  { design, flakeRate, run }: { readonly design: SuiteDesign; readonly flakeRate: number; readonly run: RunSize },
): VariantSize['singleCase'] {
  const { trials, baselineTrials } = design;
  const found = planSingleCase(variant, { trials, baselineTrials, flakeRate });
  const { acceptedTrials, mostTrials, power } = found;
  const perTrial = run.calls === null ? null : run.calls / (run.cases * run.trials);
  return {
    trials: found.trials,
    acceptedTrials,
    calls: perTrial === null ? null : Math.ceil((found.trials + acceptedTrials) * perTrial),
    mostTrials,
    brokenForGood: power(0, 1),
    brokenAfterFlaking: power(0.1, 1),
    failsMostly: power(0, 0.9),
    failsHalf: power(0, 0.5),
  };
}

/** The most calls of a trial, on average. */
function meanCalls(cases: readonly PooledCase[]): number {
  const trials = cases.reduce((sum, { plannedTrials }) => sum + plannedTrials, 0);
  return cases.reduce((sum, found) => sum + found.plannedTrials * found.callsPerTrial, 0) / trials;
}

/** The cost of so many times the calls of a run. */
function priceCalls({ costUsd }: RunSize, factor: number): number | null {
  return costUsd === null ? null : costUsd * factor;
}

/** The smallest odd numbers above one, so that there is always a majority. */
const largerTrials = [3, 5];

function both(trials: number): Pick<SuiteDesign, 'trials' | 'baselineTrials'> {
  return { trials, baselineTrials: trials };
}

/** Harmonic mean: the count that gives the mean of variance / count. Null without counts. */
function harmonicMean(counts: readonly number[]): number | null {
  return counts.length === 0 ? null : 1 / mean(counts.map((count) => 1 / count));
}

/** The stored trials that the plan is computed from. */
interface Pilot {
  readonly runs: readonly string[];
  readonly usesBaseline: boolean;
  readonly cases: number;
  readonly trials: number;
  readonly passRate: number | null;
  readonly flakyCases: number;
  /** Flake rate of one trial; `isAssumed` if no case has two trials to estimate it from. */
  readonly flakeRate: number;
  readonly isAssumed: boolean;
  /** Variance of one trial within its case, and of the pass rate between cases. Null if there are too few trials. */
  readonly withinCases: number | null;
  readonly betweenCases: number | null;
}

/** Used if no case has two trials. */
const assumedFlakeRate = 0.05;

/** Describes the stored trials of a version. */
function describePilot({ cases, runIds, usesBaseline }: TrialPool): Pilot {
  const results = cases.map(resultsOf).filter((trials) => trials.length > 0);
  const rates = results.map(mean);
  const withinCases = pooledVariance(results);
  const noise = withinCases === null ? null : withinCases * mean(results.map((trials) => 1 / trials.length));
  const spread = sampleVariance(rates);
  return {
    runs: runIds,
    usesBaseline,
    cases: results.length,
    trials: results.reduce((sum, trials) => sum + trials.length, 0),
    passRate: rates.length === 0 ? null : mean(rates),
    flakyCases: rates.filter((rate) => rate > 0 && rate < 1).length,
    flakeRate: withinCases === null ? assumedFlakeRate : flakeRateOf(withinCases),
    isAssumed: withinCases === null,
    withinCases,
    betweenCases: noise === null || spread === null ? null : Math.max(0, spread - noise),
  };
}

function resultsOf({ trials }: PooledCase): readonly number[] {
  return trials.map(({ status }) => (status === 'passed' ? 1 : 0));
}
