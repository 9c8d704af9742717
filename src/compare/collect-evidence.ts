import type { ComparedCases, ComparedSide } from '../model/comparison.ts';
import type { CaseSummary, RowSummary } from '../model/summary.ts';
import type { PairedResults } from '../stats/pair-cases.ts';
import { erroredTrials, validResults } from './classify-case.ts';
import { isPaired, type PairedCase } from './pair-sides.ts';

/** What the tests need of the cases that both sides have alike; arrays have an entry a case, in the order of their ids. */
export interface CollectedEvidence {
  readonly results: PairedResults;
  /** Undefined where every score is its pass or fail again. */
  readonly scores: PairedResults | undefined;
  readonly errors: { readonly baselineErrors: readonly number[]; readonly candidateErrors: readonly number[] };
  /** Of the candidate. */
  readonly trials: number;
  /** USD, means of the cases that have an answer on both sides. */
  readonly costs: {
    readonly before: readonly number[];
    readonly after: readonly number[];
    /** True where an answer has no known price. */
    readonly isUnknown: boolean;
  };
  /** Milliseconds, of every trial that has one; the logs are those of the ratios of the cases' means. */
  readonly latencies: {
    readonly before: readonly number[];
    readonly after: readonly number[];
    readonly logs: readonly number[];
  };
  /**
   * "40 of 40: nothing new was measured": answers that came from the cache and are those of the baseline. Of two versions
   * of one run that ask the same, whichever asks second gets the answer of the first.
   */
  readonly answers: { readonly same: number; readonly compared: number };
}

export interface CollectOptions {
  readonly baseline: ComparedSide;
  readonly candidate: ComparedSide;
  readonly isWithinRun: boolean;
}

/** Looks at every case once: its rows are made for it, and gone behind it. */
export function collectEvidence(cases: ComparedCases, options: CollectOptions): CollectedEvidence {
  const [results, errors] = [createResults(), { baselineErrors: [] as number[], candidateErrors: [] as number[] }];
  const costs = { before: [] as number[], after: [] as number[], isUnknown: false };
  const latencies = { before: [] as number[], after: [] as number[], logs: [] as number[] };
  const answers = { same: 0, compared: 0 };
  let isPassAgain = true;
  let trials = 0;
  for (const pair of cases) {
    if (!isPaired(pair)) continue;
    const { baseline, candidate } = pair;
    results.baseline.push(validResults(baseline));
    results.candidate.push(validResults(candidate));
    errors.baselineErrors.push(erroredTrials(baseline));
    errors.candidateErrors.push(erroredTrials(candidate));
    trials += candidate.trials.length;
    isPassAgain &&= isScorePass(baseline) && isScorePass(candidate);
    addCosts(pair, options, costs);
    const a = addLatencies(baseline, latencies.before);
    const b = addLatencies(candidate, latencies.after);
    if (a > 0 && b > 0) latencies.logs.push(Math.log(b / a));
    countSameAnswers(pair, options.isWithinRun, answers);
  }
  return {
    results,
    scores: isPassAgain ? undefined : collectScores(cases),
    errors,
    trials,
    costs,
    latencies,
    answers,
  };
}

function createResults() {
  return { baseline: [] as (readonly number[])[], candidate: [] as (readonly number[])[] };
}

function isScorePass({ trials }: CaseSummary): boolean {
  return trials.every(({ status, score }) => score === undefined || score === (status === 'passed' ? 1 : 0));
}

/** Few suites have scores of their own, so those are looked at apart. */
function collectScores(cases: ComparedCases): PairedResults {
  const results = createResults();
  for (const pair of cases) {
    if (!isPaired(pair)) continue;
    results.baseline.push(scoresOf(pair.baseline));
    results.candidate.push(scoresOf(pair.candidate));
  }
  return results;
}

function scoresOf({ trials }: CaseSummary): readonly number[] {
  const scores: number[] = [];
  for (const { status, score } of trials) if (status === 'passed' || status === 'failed') scores.push(score ?? 0);
  return scores;
}

function addCosts(
  pair: PairedCase,
  { baseline, candidate }: CollectOptions,
  costs: { readonly before: number[]; readonly after: number[]; isUnknown: boolean },
): void {
  const a = meanCost(pair.baseline, baseline);
  const b = meanCost(pair.candidate, candidate);
  if (a === null || b === null) costs.isUnknown = true;
  else if (a !== undefined && b !== undefined) {
    costs.before.push(a);
    costs.after.push(b);
  }
}

/** Undefined without an answer, null where an answer has no known price. */
function meanCost({ trials }: CaseSummary, { costOf = bookedCost }: ComparedSide): number | null | undefined {
  let total = 0;
  let answers = 0;
  for (const row of trials) {
    const cost = costOf(row);
    if (cost === null) return null;
    if (cost === undefined) continue;
    total += cost;
    answers += 1;
  }
  return answers === 0 ? undefined : total / answers;
}

function bookedCost({ costUsd }: RowSummary): number | null | undefined {
  return costUsd;
}

/** Adds a case's latencies to those of its side, and returns their mean; 0 where there is none. */
function addLatencies({ trials }: CaseSummary, side: number[]): number {
  let total = 0;
  let count = 0;
  for (const { latencyMs } of trials) {
    if (latencyMs === undefined) continue;
    side.push(latencyMs);
    total += latencyMs;
    count += 1;
  }
  return count === 0 ? 0 : total / count;
}

function countSameAnswers(
  { baseline, candidate }: PairedCase,
  isWithinRun: boolean,
  counts: { same: number; compared: number },
): void {
  const others = baseline.trials;
  for (const [index, trial] of candidate.trials.entries()) {
    const other = others[index];
    const hash = trial.answerHash;
    const otherHash = other?.answerHash;
    if (other === undefined || hash === undefined || otherHash === undefined) continue;
    counts.compared += 1;
    const isShared = trial.cached || (isWithinRun && other.cached);
    if (isShared && hash === otherHash) counts.same += 1;
  }
}
