import type { Problem } from '../model/problem.ts';
import type { Project } from '../model/suite.ts';
import { wilsonInterval } from '../stats/proportions.ts';
import { poolTrials, type TrialPool } from './pool-trials.ts';
import { createSimulation, type SimulatedComparison, sideSize } from './simulate-gate.ts';
import { readStoredTrials } from './stored-trials.ts';

export interface CalibrateOptions {
  readonly project: Project;
  readonly cwd: string;
  /** Comparisons of the same version with itself. */
  readonly comparisons: number;
  /** Uniform in [0, 1), seeded: the same seed gives the same report. */
  readonly random: () => number;
}

export interface Calibration {
  readonly variants: readonly VariantCalibration[];
  /** Over all variants together, as one run judges them. Null where none could be split. */
  readonly run: { readonly regressed: EventRate; readonly failed: EventRate } | null;
  /** Variants without a case of two trials. */
  readonly unsplit: readonly UnsplitVariant[];
  readonly warnings: readonly Problem[];
}

export interface UnsplitVariant {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  /** True where recorded answers take the place of calls. */
  readonly isHermetic: boolean;
}

/** How often the gate failed a version that was compared with itself. */
export interface VariantCalibration {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  readonly alpha: number;
  readonly runs: readonly string[];
  readonly usesBaseline: boolean;
  /** Cases that could be split, of those that the suite has. */
  readonly cases: number;
  readonly suiteCases: number;
  readonly trials: number;
  readonly trialsPerSide: { readonly min: number; readonly max: number };
  /** What the outcomes add up to: passed + inconclusive + failed. */
  readonly passed: EventRate;
  readonly inconclusive: EventRate;
  readonly failed: EventRate;
  /** Why it failed; a comparison may do so for several reasons. */
  readonly regressed: EventRate;
  readonly caseBroken: EventRate;
  readonly mustPass: EventRate;
  /** The cases that were called broken, the most frequent first. */
  readonly brokenCases: readonly { readonly caseId: string; readonly count: number }[];
}

/** A share of comparisons with its Wilson interval. */
export interface EventRate {
  readonly count: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Measures the gate's false alarms: each comparison splits the stored trials of one version into two random halves. */
export async function calibrate(options: CalibrateOptions): Promise<Calibration> {
  const { project, comparisons, random } = options;
  const { sources, warnings } = await readStoredTrials(options);
  const pools = poolTrials(project.suites, sources);
  const unsplit = pools
    .filter((pool) => !canSplit(pool))
    .map(({ suite, prompt, provider }) => ({
      suite: suite.id,
      prompt,
      provider,
      isHermetic: suite.recordings !== undefined,
    }));
  const split = pools.filter(canSplit);
  if (split.length === 0) return { variants: [], run: null, unsplit, warnings };
  const simulation = createSimulation(split, random);
  const tallies = split.map(newTally);
  const any = { regressed: 0, failed: 0 };
  for (let comparison = 0; comparison < comparisons; comparison += 1) {
    const results = simulation.simulate();
    for (const [index, tally] of tallies.entries()) count(tally, results[index]);
    if (results.some(({ codes }) => isRegression(codes))) any.regressed += 1;
    if (results.some(({ outcome }) => outcome === 'failed')) any.failed += 1;
  }
  const rate = (found: number): EventRate => rateOf(found, comparisons);
  return {
    variants: split.map((pool, index) => describe(pool, tallies[index] ?? newTally(), rate)),
    run: { regressed: rate(any.regressed), failed: rate(any.failed) },
    unsplit,
    warnings,
  };
}

function canSplit({ cases }: TrialPool): boolean {
  return cases.some(({ trials }) => trials.length >= 2);
}

interface Tally {
  passed: number;
  inconclusive: number;
  failed: number;
  regressed: number;
  caseBroken: number;
  mustPass: number;
  readonly brokenCases: Map<string, number>;
}

function newTally(): Tally {
  return {
    passed: 0,
    inconclusive: 0,
    failed: 0,
    regressed: 0,
    caseBroken: 0,
    mustPass: 0,
    brokenCases: new Map(),
  };
}

function count(tally: Tally, result: SimulatedComparison | undefined): void {
  if (result === undefined) return;
  const { outcome, codes, brokenCases } = result;
  tally[outcome] += 1;
  if (isRegression(codes)) tally.regressed += 1;
  if (codes.has('case-broken')) tally.caseBroken += 1;
  if (codes.has('must-pass')) tally.mustPass += 1;
  for (const caseId of brokenCases) tally.brokenCases.set(caseId, (tally.brokenCases.get(caseId) ?? 0) + 1);
}

function isRegression(codes: SimulatedComparison['codes']): boolean {
  return [...codes].some((code) => code.endsWith('-regressed'));
}

function describe(pool: TrialPool, tally: Tally, rate: (found: number) => EventRate): VariantCalibration {
  const { suite, prompt, provider, runIds, usesBaseline, cases } = pool;
  const split = cases.filter(({ trials }) => trials.length >= 2);
  const sizes = split.map(sideSize);
  return {
    suite: suite.id,
    prompt,
    provider,
    alpha: suite.gate.alpha,
    runs: runIds,
    usesBaseline,
    cases: split.length,
    suiteCases: cases.length,
    trials: split.reduce((sum, { trials }) => sum + trials.length, 0),
    trialsPerSide: { min: Math.min(...sizes), max: Math.max(...sizes) },
    passed: rate(tally.passed),
    inconclusive: rate(tally.inconclusive),
    failed: rate(tally.failed),
    regressed: rate(tally.regressed),
    caseBroken: rate(tally.caseBroken),
    mustPass: rate(tally.mustPass),
    brokenCases: [...tally.brokenCases]
      .map(([caseId, found]) => ({ caseId, count: found }))
      .sort((a, b) => b.count - a.count || (a.caseId < b.caseId ? -1 : 1)),
  };
}

function rateOf(found: number, comparisons: number): EventRate {
  const { low, high } = wilsonInterval(found, comparisons, intervalAlpha);
  return { count: found, value: found / comparisons, low: low ?? 0, high: high ?? 1 };
}

const intervalAlpha = 0.05;
