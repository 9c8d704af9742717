import type { ComparedCases, ComparedSide } from '../model/comparison/comparison.ts';
import { countStatus, isJudged, judgedLatencies } from '../model/run/cell.ts';
import type { CaseSummary, RowSummary } from '../model/run/summary.ts';
import { mean, representValues } from '../stats/descriptive.ts';
import type { PairedResults } from '../stats/pairs.ts';
import { isPaired, type PairedCase, validResults } from './pair-cases.ts';

/**
 * The data of the cases that both sides have, for the tests. Arrays have one entry for each case, in the order of ids.
 */
export interface CollectedEvidence {
  readonly results: PairedResults;
  /** Undefined if every score is just 1 for passed or 0 for failed. */
  readonly scores: PairedResults | undefined;
  readonly errors: { readonly baselineErrors: ArrayLike<number>; readonly candidateErrors: ArrayLike<number> };
  /** The trials of the candidate. */
  readonly trials: number;
  /** Costs in USD of cases with an answer on both sides: all answers of the candidate, and as many of the baseline. */
  readonly costs: {
    readonly before: readonly number[];
    readonly after: readonly number[];
    /** True where an answer has no known price. */
    readonly isUnknown: boolean;
  };
  /** The mean number of an agent's steps, for each case that has some on both sides. */
  readonly steps: { readonly before: readonly number[]; readonly after: readonly number[] };
  /** The latencies of judged trials in milliseconds, sorted. */
  readonly latencies: {
    readonly before: Float64Array;
    readonly after: Float64Array;
    /** The number of cases with a latency on both sides. */
    readonly cases: number;
    /** Logarithms of the ratios of those cases' means; empty if latencies are not comparable. */
    readonly logs: readonly number[];
    /** How many cells later the candidate's trials of those cases began than the baseline's, on average. */
    readonly delays: readonly number[];
    /** True where the latency of an answer was not measured. */
    readonly isUnknown: boolean;
  };
}

export interface CollectOptions {
  readonly baseline: ComparedSide;
  readonly candidate: ComparedSide;
  readonly latencyComparable: boolean;
}

export function collectEvidence(cases: ComparedCases, options: CollectOptions): CollectedEvidence {
  const pairs = [...cases.values()].filter(isPaired);
  const costs = { before: [] as number[], after: [] as number[], isUnknown: false };
  const steps = { before: [] as number[], after: [] as number[] };
  const latencies = { before: [] as number[], after: [] as number[] };
  const logs: number[] = [];
  const delays: number[] = [];
  let casesWithLatency = 0;
  for (const pair of pairs) {
    addCosts(pair, options, costs);
    addSteps(pair, steps);
    const before = addLatencies(pair.baseline, latencies.before);
    const after = addLatencies(pair.candidate, latencies.after);
    if (before === 0 || after === 0) continue;
    casesWithLatency += 1;
    if (!options.latencyComparable) continue;
    logs.push(Math.log(after / before));
    delays.push(meanPosition(pair.candidate) - meanPosition(pair.baseline));
  }
  const both = (read: (found: CaseSummary) => readonly number[]): PairedResults => ({
    baseline: pairs.map(({ baseline }) => read(baseline)),
    candidate: pairs.map(({ candidate }) => read(candidate)),
    groups: pairs.map(({ candidate }) => candidate.group),
  });
  const isPassAgain = pairs.every(({ baseline, candidate }) => isScorePass(baseline) && isScorePass(candidate));
  return {
    results: both(validResults),
    scores: isPassAgain ? undefined : both(scoresOf),
    errors: {
      baselineErrors: pairs.map(({ baseline }) => countStatus(baseline.trials, 'errored')),
      candidateErrors: pairs.map(({ candidate }) => countStatus(candidate.trials, 'errored')),
    },
    trials: pairs.reduce((sum, { candidate }) => sum + candidate.trials.length, 0),
    costs,
    steps,
    latencies: {
      before: Float64Array.from(latencies.before).sort(),
      after: Float64Array.from(latencies.after).sort(),
      cases: casesWithLatency,
      logs,
      delays,
      isUnknown: pairs.some(({ baseline, candidate }) => hasUntimed(baseline) || hasUntimed(candidate)),
    },
  };
}

function isScorePass({ trials, pooled }: CaseSummary): boolean {
  // Among values from 0 to 1, only zeros and ones have the widest spread for their mean.
  if (pooled !== undefined) {
    const passRate = (pooled.trials - pooled.failures) / pooled.trials;
    const { n, mean, squares } = pooled.score;
    return Math.abs(mean - passRate) < 1e-9 && Math.abs(squares - n * mean * (1 - mean)) < 1e-9 * n;
  }
  return trials.every(({ status, score }) => score === undefined || score === (status === 'passed' ? 1 : 0));
}

export function scoresOf({ trials, pooled }: CaseSummary): readonly number[] {
  if (pooled !== undefined) return representValues(pooled.score);
  const scores: number[] = [];
  for (const trial of trials) if (isJudged(trial)) scores.push(trial.score ?? 0);
  return scores;
}

function addCosts(
  pair: PairedCase,
  { baseline, candidate }: CollectOptions,
  costs: { readonly before: number[]; readonly after: number[]; isUnknown: boolean },
): void {
  const a = sumCosts(pair.baseline, baseline);
  const b = sumCosts(pair.candidate, candidate);
  if (a === null || b === null) costs.isUnknown = true;
  else if (a !== undefined && b !== undefined) {
    costs.before.push(a.usd * (b.answers / a.answers));
    costs.after.push(b.usd);
  }
}

function addSteps(
  { baseline, candidate }: PairedCase,
  steps: { readonly before: number[]; readonly after: number[] },
): void {
  const [before, after] = [meanSteps(baseline.trials), meanSteps(candidate.trials)];
  if (before === undefined || after === undefined) return;
  steps.before.push(before);
  steps.after.push(after);
}

/** Averages the steps of judged trials; undefined if none is of an agent. */
export function meanSteps(rows: readonly Pick<RowSummary, 'status' | 'steps'>[]): number | undefined {
  const counts = rows.flatMap((row) => (isJudged(row) && row.steps !== undefined ? [row.steps] : []));
  return counts.length === 0 ? undefined : mean(counts);
}

/** Undefined without an answer, null where an answer has no known price. */
function sumCosts(
  { trials, pooled }: CaseSummary,
  { costOf = bookedCost }: ComparedSide,
): { readonly usd: number; readonly answers: number } | null | undefined {
  const [first] = trials;
  if (pooled !== undefined && first !== undefined) {
    if (pooled.answered === 0) return undefined;
    const average = costOf({ ...first, usage: pooled.usage, costUsd: null });
    const answers = Math.max(1, trials.filter(({ answerHash }) => answerHash !== undefined).length);
    return typeof average === 'number' ? { usd: average * answers, answers } : null;
  }
  let usd = 0;
  let answers = 0;
  for (const row of trials) {
    const cost = costOf(row);
    if (cost === null) return null;
    if (cost === undefined) continue;
    usd += cost;
    answers += 1;
  }
  return answers === 0 ? undefined : { usd, answers };
}

function bookedCost({ costUsd }: RowSummary): number | null | undefined {
  return costUsd;
}

/** Adds a case's latencies to those of its side, and returns their mean; 0 where there is none. */
function addLatencies({ trials }: CaseSummary, side: number[]): number {
  const latencies = judgedLatencies(trials);
  side.push(...latencies);
  return latencies.length === 0 ? 0 : latencies.reduce((sum, latencyMs) => sum + latencyMs, 0) / latencies.length;
}

/** NaN where a position is not known. */
function meanPosition({ trials }: CaseSummary): number {
  return mean(trials.filter(isJudged).map(({ position }) => position ?? Number.NaN));
}

function hasUntimed({ trials }: CaseSummary): boolean {
  return trials.some((trial) => isJudged(trial) && trial.latencyMs === undefined);
}
