import { NumberList } from '../lib/number-list.ts';
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
  readonly errors: { readonly baselineErrors: ArrayLike<number>; readonly candidateErrors: ArrayLike<number> };
  /** Of the candidate. */
  readonly trials: number;
  /** USD, of each case that has an answer on both sides: all of the candidate's answers, and as many on the baseline. */
  readonly costs: {
    readonly before: readonly number[];
    readonly after: readonly number[];
    /** True where an answer has no known price. */
    readonly isUnknown: boolean;
  };
  /** Milliseconds, of every trial that has one, sorted. */
  readonly latencies: {
    readonly before: Float64Array;
    readonly after: Float64Array;
    /** Cases that have some on both sides. */
    readonly cases: number;
    /** Of the ratios of those cases' means; empty where latencies are not comparable. */
    readonly logs: readonly number[];
    /** True where nobody measured an answer. */
    readonly isUnknown: boolean;
  };
}

export interface CollectOptions {
  readonly baseline: ComparedSide;
  readonly candidate: ComparedSide;
  readonly latencyComparable: boolean;
}

/** Looks at every case once: its rows are made for it, and gone behind it. */
export function collectEvidence(cases: ComparedCases, options: CollectOptions): CollectedEvidence {
  const results = new ResultColumns(cases.length);
  const errors = { baseline: new ErrorCounts(cases.length), candidate: new ErrorCounts(cases.length) };
  // Outside of the heap, since they would be among the largest things in it.
  const costs = { before: [] as number[], after: [] as number[], isUnknown: false };
  const latencies = { before: new NumberList(Float64Array), after: new NumberList(Float64Array) };
  const logs: number[] = [];
  let casesWithLatency = 0;
  let isUntimed = false;
  let isPassAgain = true;
  let trials = 0;
  for (const pair of cases) {
    if (!isPaired(pair)) continue;
    const { baseline, candidate } = pair;
    errors.baseline.set(results.length, erroredTrials(baseline));
    errors.candidate.set(results.length, erroredTrials(candidate));
    results.add(validResults(baseline), validResults(candidate));
    trials += candidate.trials.length;
    isPassAgain &&= isScorePass(baseline) && isScorePass(candidate);
    addCosts(pair, options, costs);
    const a = addLatencies(baseline, latencies.before);
    const b = addLatencies(candidate, latencies.after);
    isUntimed ||= hasUntimed(baseline) || hasUntimed(candidate);
    if (a > 0 && b > 0) {
      casesWithLatency += 1;
      if (options.latencyComparable) logs.push(Math.log(b / a));
    }
  }
  return {
    results: results.finish(),
    scores: isPassAgain ? undefined : collectScores(cases),
    errors: {
      baselineErrors: errors.baseline.first(results.length),
      candidateErrors: errors.candidate.first(results.length),
    },
    trials,
    costs,
    latencies: {
      before: latencies.before.join().sort(),
      after: latencies.after.join().sort(),
      cases: casesWithLatency,
      logs,
      isUnknown: isUntimed,
    },
  };
}

/** Errored trials of cases: hardly any has one, and none takes a byte. */
class ErrorCounts {
  readonly #maxCases: number;
  #counts: Uint32Array | undefined;

  constructor(maxCases: number) {
    this.#maxCases = maxCases;
  }

  set(index: number, count: number): void {
    if (count === 0) return;
    this.#counts ??= new Uint32Array(this.#maxCases);
    this.#counts[index] = count;
  }

  first(cases: number): ArrayLike<number> {
    return this.#counts?.subarray(0, cases) ?? new Uint8Array(cases);
  }
}

/** With room for so many cases: an array that grows is copied a dozen times, and the copies are as large. */
class ResultColumns {
  readonly #baseline: (readonly number[])[];
  readonly #candidate: (readonly number[])[];
  #length = 0;

  constructor(maxCases: number) {
    const none: readonly number[] = [];
    this.#baseline = Array.from({ length: maxCases }, () => none);
    this.#candidate = Array.from({ length: maxCases }, () => none);
  }

  get length(): number {
    return this.#length;
  }

  add(baseline: readonly number[], candidate: readonly number[]): void {
    this.#baseline[this.#length] = baseline;
    this.#candidate[this.#length] = candidate;
    this.#length += 1;
  }

  finish(): PairedResults {
    this.#baseline.length = this.#length;
    this.#candidate.length = this.#length;
    return { baseline: this.#baseline, candidate: this.#candidate };
  }
}

function isScorePass({ trials }: CaseSummary): boolean {
  return trials.every(({ status, score }) => score === undefined || score === (status === 'passed' ? 1 : 0));
}

/** Few suites have scores of their own, so those are looked at apart. */
function collectScores(cases: ComparedCases): PairedResults {
  const results = new ResultColumns(cases.length);
  for (const pair of cases) if (isPaired(pair)) results.add(scoresOf(pair.baseline), scoresOf(pair.candidate));
  return results.finish();
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
  const a = sumCosts(pair.baseline, baseline);
  const b = sumCosts(pair.candidate, candidate);
  if (a === null || b === null) costs.isUnknown = true;
  else if (a !== undefined && b !== undefined) {
    costs.before.push(a.usd * (b.answers / a.answers));
    costs.after.push(b.usd);
  }
}

interface SideCosts {
  readonly usd: number;
  readonly answers: number;
}

/** Undefined without an answer, null where an answer has no known price. */
function sumCosts({ trials }: CaseSummary, { costOf = bookedCost }: ComparedSide): SideCosts | null | undefined {
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
function addLatencies({ trials }: CaseSummary, side: NumberList): number {
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

function hasUntimed({ trials }: CaseSummary): boolean {
  return trials.some(
    ({ status, latencyMs }) => (status === 'passed' || status === 'failed') && latencyMs === undefined,
  );
}
