import { defaultMaxDrop } from '../compare/gate/judge-metrics.ts';
import type { Baseline } from '../model/baseline.ts';
import type { Problem } from '../model/problem.ts';
import type { Project } from '../model/suite.ts';
import { mean } from '../stats/means.ts';
import { planSuite, type SuiteDesign } from '../stats/plan-suite.ts';
import { describePilot, type Pilot } from './describe-pilot.ts';
import { poolTrials, type TrialPool } from './pool-trials.ts';
import { priceSize, type RunSize } from './price-size.ts';
import { readStoredTrials } from './stored-trials.ts';

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

/** What one variant's suite can say, and what would say more; null: no number of that kind does it. */
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
  // Whoever accepts a baseline of as many trials gains on both sides.
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

/** The smallest odd numbers, of which a majority can be had. */
const largerTrials = [3, 5];

function both(trials: number): Pick<SuiteDesign, 'trials' | 'baselineTrials'> {
  return { trials, baselineTrials: trials };
}

/** Trials a case that the baseline holds of the cases as they are now. */
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
