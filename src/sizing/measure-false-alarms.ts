import type { Problem } from '../model/problem.ts';
import { mean } from '../stats/descriptive.ts';
import { clusteredRateInterval } from '../stats/proportions.ts';
import {
  countBaselineTrials,
  poolTrials,
  readStoredTrials,
  type StoredTrialsOptions,
  type TrialPool,
} from './pool-trials.ts';
import {
  createSimulation,
  type SimulatedComparison,
  type SimulatedOutcome,
  type SimulatedRun,
} from './simulate-gate.ts';

export interface FalseAlarmOptions extends Omit<StoredTrialsOptions, 'run'> {
  /** Number of simulated runs, each compared with an accepted run of the same version. */
  readonly comparisons: number;
  /** Uniform in [0, 1), seeded: the same seed gives the same report. */
  readonly random: () => number;
}

export interface Calibration {
  readonly variants: readonly VariantCalibration[];
  /** Rates over all variants together, as one run judges them. Null if nothing could be simulated. */
  readonly run: RunCalibration | null;
  /** Variants without a case of two trials: their flaky cases can't be told from broken ones. */
  readonly insufficient: readonly InsufficientVariant[];
  readonly warnings: readonly Problem[];
}

export interface RunCalibration {
  readonly failed: EventRate;
  readonly regressed: EventRate;
  /** Rate of failures by a single case, or by a contract. */
  readonly caseFailed: EventRate;
  /** Rate of runs in which more fails with the accepted prompt too than the gate tolerates. */
  readonly drifted: EventRate;
  readonly inconclusive: EventRate;
  readonly extraCalls: ExtraCalls;
}

/** Fresh trials, as a share of the planned trials. */
interface ExtraCalls {
  readonly average: number;
  readonly most: number;
  /** The two parts of `average`. */
  readonly forAverages: number;
  readonly forCases: number;
}

interface InsufficientVariant {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  /** True if recorded answers replace calls. */
  readonly isHermetic: boolean;
}

/** How often the gate failed a variant that was compared with itself. */
export interface VariantCalibration {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  readonly alpha: number;
  readonly runs: readonly string[];
  readonly usesBaseline: boolean;
  /** Cases that have a stored trial. */
  readonly cases: number;
  readonly suiteCases: number;
  readonly trials: number;
  /** The four outcomes; they add up to 1. */
  readonly passed: EventRate;
  readonly drifted: EventRate;
  readonly inconclusive: EventRate;
  readonly failed: EventRate;
  /** Causes of failures. One comparison can have several. */
  readonly regressed: EventRate;
  readonly caseBroken: EventRate;
  readonly mustPass: EventRate;
  /** Causes of inconclusive comparisons. */
  readonly openAverages: EventRate;
  readonly openCases: EventRate;
  /** Cases called broken, most frequent first. */
  readonly brokenCases: readonly { readonly caseId: string; readonly count: number }[];
}

/** A share of comparisons. The 95 % interval includes the uncertainty of the cases' failure rates. */
export interface EventRate {
  readonly count: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Measures the gate's false alarms by simulating runs of one version. Failure rates are drawn to fit the stored trials.
 */
export async function measureFalseAlarms(options: FalseAlarmOptions): Promise<Calibration> {
  const { project, comparisons, random } = options;
  const { sources, baselines, warnings } = await readStoredTrials(options);
  const pools = poolTrials(project.suites, sources);
  const insufficient = pools
    .filter((pool) => !hasEnough(pool))
    .map(({ suite, prompt, provider }) => ({
      suite: suite.id,
      prompt,
      provider,
      isHermetic: suite.recordings !== undefined,
    }));
  const enough = pools.filter(hasEnough).map((pool) => {
    return { pool, baselineTrials: countBaselineTrials(baselines.get(pool.suite.id), pool) };
  });
  if (enough.length === 0) return { variants: [], run: null, insufficient, warnings };
  const simulation = createSimulation(enough, random);
  const populations = Math.min(maxPopulations, Math.max(2, Math.floor(comparisons / maxPopulations)), comparisons);
  const results = Array.from({ length: populations }, (_, index) => {
    simulation.drawRates();
    return Array.from({ length: sizeOfPart(index, populations, comparisons) }, simulation.simulate);
  });
  const variants = enough.map(({ pool }, index) => {
    const own = results.map((runs) => runs.flatMap((run) => run.comparisons[index] ?? []));
    return describeVariant(pool, own);
  });
  return { variants, run: describeRun(results), insufficient, warnings };
}

/**
 * Number of populations, each with failure rates of its own. Enough to show the spread that the stored trials leave
 * open.
 */
const maxPopulations = 20;

function sizeOfPart(index: number, parts: number, all: number): number {
  return Math.floor(((index + 1) * all) / parts) - Math.floor((index * all) / parts);
}

function hasEnough({ cases }: TrialPool): boolean {
  return cases.some(({ trials }) => trials.length >= 2);
}

function isRegression(codes: SimulatedComparison['codes']): boolean {
  return [...codes].some((code) => code.endsWith('-regressed'));
}

function hasFailedCase({ codes }: SimulatedComparison): boolean {
  return codes.has('case-broken') || codes.has('must-pass');
}

/** Summarizes the runs of each population. */
function describeRun(results: readonly (readonly SimulatedRun[])[]): RunCalibration {
  const rate = (isEvent: (found: SimulatedComparison) => boolean): EventRate =>
    rateOf(results, ({ comparisons }) => comparisons.some(isEvent));
  const rateOfOutcome = (wanted: SimulatedOutcome) => rateOf(results, ({ outcome }) => outcome === wanted);
  const extras = results.flat().map(({ trials: { planned, averages, cases } }) => {
    return { averages: averages / planned, cases: cases / planned };
  });
  const [forAverages, forCases] = [
    mean(extras.map(({ averages }) => averages)),
    mean(extras.map(({ cases }) => cases)),
  ];
  return {
    failed: rateOfOutcome('failed'),
    regressed: rate(({ codes }) => isRegression(codes)),
    caseFailed: rate(hasFailedCase),
    drifted: rateOfOutcome('drifted'),
    inconclusive: rateOfOutcome('inconclusive'),
    extraCalls: {
      average: forAverages + forCases,
      most: extras.reduce((most, { averages, cases }) => Math.max(most, averages + cases), 0),
      forAverages,
      forCases,
    },
  };
}

function describeVariant(pool: TrialPool, results: readonly (readonly SimulatedComparison[])[]): VariantCalibration {
  const { suite, prompt, provider, runIds, usesBaseline, cases } = pool;
  const tried = cases.filter(({ trials }) => trials.length > 0);
  const rate = (isEvent: (found: SimulatedComparison) => boolean): EventRate => rateOf(results, isEvent);
  const rateOfOutcome = (wanted: SimulatedOutcome) => rate(({ outcome }) => outcome === wanted);
  const isOpen = ({ outcome }: SimulatedComparison) => outcome === 'inconclusive';
  return {
    suite: suite.id,
    prompt,
    provider,
    alpha: suite.gate.alpha,
    runs: runIds,
    usesBaseline,
    cases: tried.length,
    suiteCases: cases.length,
    trials: tried.reduce((sum, { trials }) => sum + trials.length, 0),
    passed: rateOfOutcome('passed'),
    drifted: rateOfOutcome('drifted'),
    inconclusive: rateOfOutcome('inconclusive'),
    failed: rateOfOutcome('failed'),
    regressed: rate(({ codes }) => isRegression(codes)),
    caseBroken: rate(({ codes }) => codes.has('case-broken')),
    mustPass: rate(({ codes }) => codes.has('must-pass')),
    openAverages: rate((found) => isOpen(found) && found.isOpen.averages),
    openCases: rate((found) => isOpen(found) && found.isOpen.cases),
    brokenCases: countBroken(results.flat()),
  };
}

function countBroken(results: readonly SimulatedComparison[]): VariantCalibration['brokenCases'] {
  const counts = new Map<string, number>();
  for (const caseId of results.flatMap(({ brokenCases }) => brokenCases)) {
    counts.set(caseId, (counts.get(caseId) ?? 0) + 1);
  }
  return [...counts]
    .map(([caseId, count]) => ({ caseId, count }))
    .sort((a, b) => b.count - a.count || (a.caseId < b.caseId ? -1 : 1));
}

function rateOf<T>(populations: readonly (readonly T[])[], isEvent: (one: T) => boolean): EventRate {
  const clusters = populations.map((ones) => ({ events: ones.filter(isEvent).length, n: ones.length }));
  const count = clusters.reduce((sum, { events }) => sum + events, 0);
  const all = clusters.reduce((sum, { n }) => sum + n, 0);
  const { low, high } = clusteredRateInterval(clusters, intervalAlpha);
  return { count, value: count / all, low: low ?? 0, high: high ?? 1 };
}

const intervalAlpha = 0.05;
