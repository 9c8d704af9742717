import { defaultMaxDrop } from '../compare/gate/judge-metrics.ts';
import type { Baseline } from '../model/baseline.ts';
import type { Problem } from '../model/problem.ts';
import type { Project } from '../model/suite.ts';
import { mean, sampleVariance } from '../stats/means.ts';
import { pooledVariance } from '../stats/pairs.ts';
import { flakeRateOf, planSuite, type SuiteDesign } from '../stats/plan-suite.ts';
import { type PooledCase, poolTrials, type TrialPool } from './pool-trials.ts';
import { readStoredTrials, type StoredTrial } from './stored-trials.ts';

export interface PlanSizeOptions {
  readonly project: Project;
  readonly cwd: string;
  /** The drop of the pass rate to plan for; undefined: the largest that each suite's gate tolerates. */
  readonly drop?: number;
  /** The wanted chance of a clear answer. */
  readonly power: number;
  /** Plan from this run alone. */
  readonly run?: string;
}

export interface PlanSizeResult {
  readonly variants: readonly VariantSize[];
  readonly warnings: readonly Problem[];
}

/** Which drop one variant's suite can see, and which size would see a given drop. Null where no such number exists. */
export interface VariantSize {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  readonly alpha: number;
  readonly power: number;
  readonly drop: number;
  readonly scope: 'population' | 'suite';
  /** True where recorded answers take the place of calls. */
  readonly isHermetic: boolean;
  readonly cases: number;
  /** The fewest and the most of a case. */
  readonly trials: { readonly min: number; readonly max: number };
  readonly pilot: Pilot;
  /** Of the accepted baseline; null where there is none and it is taken to have as many as a run. */
  readonly baselineTrials: number | null;
  readonly visibleDrop: number | null;
  readonly excludableDrop: number | null;
  readonly run: RunSize;
  readonly see: Growth;
  readonly exclude: Growth;
}

export interface Growth {
  /** More cases at the suite's trials. */
  readonly byCases: RunSize | null;
  /** More trials on the suite's cases. */
  readonly byTrials: RunSize | null;
  /** More cases at another number of trials, where that takes fewer of them. */
  readonly byBoth: RunSize | null;
}

/** Says from stored trials what drop each gated variant can see, and how large its suite must be for a given one. */
export async function planSize(options: PlanSizeOptions): Promise<PlanSizeResult> {
  const { sources, baselines, warnings } = await readStoredTrials(options);
  const pools = poolTrials(options.project.suites, sources);
  return { warnings, variants: pools.map((pool) => planVariant(pool, baselines.get(pool.suite.id), options)) };
}

function planVariant(
  pool: TrialPool,
  baseline: Baseline | undefined,
  { power, drop: wanted }: PlanSizeOptions,
): VariantSize {
  const { suite, prompt, provider, cases } = pool;
  const { alpha, scope, passRate } = suite.gate;
  const { maxDrop = defaultMaxDrop } = passRate;
  // No number of cases excludes a drop of nothing at all.
  const drop = wanted ?? (maxDrop > 0 ? maxDrop : defaultMaxDrop);
  const pilot = describePilot(pool);
  const counts = cases.map(({ plannedTrials }) => plannedTrials);
  const trials = harmonicMean(counts) ?? 1;
  const baselineTrials = baseline === undefined ? null : countBaselineTrials(baseline, pool);
  const sigma2 = pilot.flakeRate * (1 - pilot.flakeRate);
  const design: SuiteDesign = { cases: cases.length, trials, baselineTrials: baselineTrials ?? trials, sigma2, scope };
  const policy = { alpha, power };
  const plan = planSuite(design, drop, policy);
  // A baseline that is accepted with as many trials makes both sides more precise.
  const others = largerTrials.filter((count) => count > trials).map((count) => ({ ...design, ...both(count) }));
  const price = priceSize(cases);
  const grow = (kind: 'see' | 'exclude'): Growth => {
    const { cases: more, trials: repeats } = plan[kind];
    const both = others.flatMap((other) => {
      const needed = planSuite(other, drop, policy)[kind].cases;
      return needed === null || (more !== null && needed >= more) || needed < cases.length
        ? []
        : [price(needed, other.trials)];
    });
    return {
      byCases: more === null ? null : price(more, mean(counts)),
      byTrials: repeats === null ? null : price(cases.length, repeats),
      byBoth: both[0] ?? null,
    };
  };
  return {
    suite: suite.id,
    prompt,
    provider,
    alpha,
    power,
    drop,
    scope,
    isHermetic: suite.recordings !== undefined,
    cases: cases.length,
    trials: { min: Math.min(...counts), max: Math.max(...counts) },
    pilot,
    baselineTrials,
    visibleDrop: plan.visibleDrop,
    excludableDrop: plan.excludableDrop,
    run: price(cases.length, mean(counts)),
    see: grow('see'),
    exclude: grow('exclude'),
  };
}

/** The smallest odd numbers above one, so that there is always a majority. */
const largerTrials = [3, 5];

function both(trials: number): Pick<SuiteDesign, 'trials' | 'baselineTrials'> {
  return { trials, baselineTrials: trials };
}

/** The baseline's trials per case, over the cases that are unchanged. */
function countBaselineTrials(baseline: Baseline, { prompt, provider, replaces, cases }: TrialPool): number | null {
  const ofProvider = baseline.variants.filter((variant) => variant.provider === provider);
  const source = [prompt, replaces].find((id) => ofProvider.some((variant) => variant.prompt === id));
  const stamps = new Map(cases.map(({ caseId, stamp }) => [caseId, stamp]));
  if (source === undefined) return null;
  const counts: number[] = [];
  for (const { caseId, stamp, trials } of baseline.casesOf({ prompt: source, provider }).values()) {
    if (stamps.get(caseId) !== stamp) continue;
    const judged = trials.filter(({ status }) => status === 'passed' || status === 'failed').length;
    if (judged > 0) counts.push(judged);
  }
  return harmonicMean(counts);
}

/** What a variance divided by the count averages to; null for no counts. */
function harmonicMean(counts: readonly number[]): number | null {
  return counts.length === 0 ? null : 1 / mean(counts.map((count) => 1 / count));
}

/** The stored trials that the numbers are planned from. */
export interface Pilot {
  readonly runs: readonly string[];
  readonly usesBaseline: boolean;
  readonly cases: number;
  readonly trials: number;
  readonly passRate: number | null;
  readonly flakyCases: number;
  /** Of one trial; `isAssumed` where no case has two trials to tell it from. */
  readonly flakeRate: number;
  readonly isAssumed: boolean;
  /** Variance of one trial within its case, and of the pass rate between cases; null where the trials don't tell. */
  readonly withinCases: number | null;
  readonly betweenCases: number | null;
}

/** Used where no case has two trials. */
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

/** What a run of some size takes; null where it is not known. */
export interface RunSize {
  readonly cases: number;
  readonly trials: number;
  readonly calls: number | null;
  readonly costUsd: number | null;
}

/** Prices runs of any size by the mean of the stored trials. */
function priceSize(cases: readonly PooledCase[]): (cases: number, trials: number) => RunSize {
  const trials = cases.flatMap((found) => found.trials);
  const calls = trials.flatMap((trial) => trial.calls ?? []);
  // If the number of calls was not stored, a case of one turn takes one.
  const callsPerTrial = calls.length > 0 ? mean(calls) : cases.some(({ hasTurns }) => hasTurns) ? null : 1;
  const costPerTrial = addKnown(meanCost(trials), meanJudgeCost(trials));
  return (count, repeats) => ({
    cases: count,
    trials: repeats,
    calls: callsPerTrial === null ? null : Math.round(count * repeats * callsPerTrial),
    costUsd: costPerTrial === null ? null : count * repeats * costPerTrial,
  });
}

/** Null where there is no answer, or one without a known price. */
function meanCost(trials: readonly StoredTrial[]): number | null {
  const costs = trials.flatMap(({ costUsd }) => (costUsd === undefined ? [] : [costUsd]));
  const known = costs.filter((cost) => cost !== null);
  return known.length === 0 || known.length < costs.length ? null : mean(known);
}

/** A judge that answered from the cache billed nothing, which says nothing of what it costs. */
function meanJudgeCost(trials: readonly StoredTrial[]): number | null {
  if (trials.every(({ judgeCostUsd }) => judgeCostUsd === undefined || judgeCostUsd === 0)) return 0;
  const fresh = trials.filter(({ cached }) => !cached).map(({ judgeCostUsd }) => judgeCostUsd ?? 0);
  return fresh.length === 0 || trials.some(({ judgeCostUsd }) => judgeCostUsd === null) ? null : mean(fresh);
}

function addKnown(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
