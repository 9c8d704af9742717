import type { JsonValue } from '../json/json.ts';
import type { CaseStatus } from './cell.ts';
import type { AgentStep, ToolCall } from './completion.ts';
import type { RecordedCheck, RecordedVariant } from './record.ts';
import type { CaseSummary, RowSummary } from './summary.ts';

/** What happened to a case between two sides. */
export type CaseChange =
  | 'regressed'
  /** It fails with the accepted prompt too: the model or the data changed. */
  | 'drifted'
  | 'fixed'
  | 'stillFailing'
  | 'stillPassing'
  | 'flaky'
  | 'added'
  | 'removed'
  | 'redefined'
  /** A side has no verdict on it, for errors or skips. */
  | 'unjudged';

/** An answer beside its case's status, as a report shows it. */
export interface KeptAnswer {
  readonly status: CaseStatus;
  readonly output?: string;
  readonly toolCalls?: readonly ToolCall[];
  /** The steps of an agent. */
  readonly trajectory?: readonly AgentStep[];
  readonly state?: JsonValue;
  /** Why it failed, where it did. */
  readonly reason?: string;
}

/** One side of a comparison: a variant's cases as some record or baseline holds them. */
export interface ComparedSide {
  /** Where it came from, in words: `evals/triage.baseline.jsonl`, `run 20261124-…`, `git:main`. */
  readonly source: string;
  /** `run`: a variant of the run itself. `rerun`: the accepted prompt, asked again in it. `stored`: a baseline or another run. */
  readonly kind: 'run' | 'rerun' | 'stored';
  /** When it was accepted, as an ISO date, and how many days before the run that is compared with it. */
  readonly accepting?: { readonly acceptedAt: string; readonly ageDays: number };
  readonly recorded: RecordedVariant;
  readonly cases: ReadonlyMap<string, CaseSummary>;
  /** What was accepted, where `cases` ran in this run: only accepted cases can be known failures. */
  readonly accepted?: ReadonlyMap<string, CaseSummary>;
  /** Model snapshots as the API answered them. */
  readonly models: readonly string[];
  /**
   * Prices an answer by the price table of both sides; if absent, the recorded cost counts. Null if no price is known.
   */
  readonly costOf?: (row: RowSummary) => number | null | undefined;
  /** The checks of a trial. */
  readonly checksOf: (row: RowSummary) => readonly RecordedCheck[];
  /** The answer of a case's first judged trial, for people to look at; undefined if it was not kept. */
  readonly answerOf: (caseId: string) => KeptAnswer | undefined;
}

export interface ComparedCase {
  readonly caseId: string;
  readonly change: CaseChange;
  readonly baseline: CaseSummary | undefined;
  readonly candidate: CaseSummary | undefined;
  /** Passed on the baseline by majority and failed in every candidate trial. */
  readonly suspect: boolean;
  /** It was accepted under other checks than those that both sides are judged by here: it counts only for the rates. */
  readonly rejudged: boolean;
  /** Set if it breaks an output contract that changed after it was accepted. */
  readonly breaksContract?: true;
}

/** The cases of two sides by id, sorted. */
export type ComparedCases = ReadonlyMap<string, ComparedCase>;

/** One metric beside its baseline; null if it can't be said. */
export interface MetricComparison {
  readonly baseline: number | null;
  readonly candidate: number | null;
  /** Absolute for rates, a ratio minus 1 for cost and latency. */
  readonly delta: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** One-sided, of being worse. */
  readonly p: number | null;
}

/** A metric's difference with its evidence, as stats/ gave it. */
export interface MetricEvidence extends MetricComparison {
  readonly n: number;
  /** For costs and steps: the one-sided p, over cases, that they rose by less than the margin. */
  readonly pWithin?: number;
  /** For costs and steps with too few cases for a test: whether each case rose beyond the margin. */
  readonly everyCaseRose?: boolean;
  /** The lower bound with every error counted against the candidate, if there were any. */
  readonly worstLow?: number | null;
  /**
   * True if no case is on both sides. Two separate samples are then compared, which can show a drop but can't exclude
   * one.
   */
  readonly isUnpaired?: true;
}

/** Two sides of one variant, compared case by case. */
export interface ComparedVariant {
  readonly baseline: ComparedSide;
  readonly candidate: ComparedSide;
  readonly cases: ComparedCases;
  /** How many groups the compared cases come from, where some share one and other inputs are in question. */
  readonly groups?: number;
  readonly passRate: MetricEvidence;
  /** The tolerated drop of the pass rate where judges decide. */
  readonly judgedMargin?: JudgedMargin;
  /** The slices whose drop is limited and of which the candidate has a case, by name; absent if there is none. */
  readonly slices?: ReadonlyMap<string, ComparedSlice>;
  /** Absent if the suite has no classes. */
  readonly classes?: ComparedClasses;
  /** Undefined if every score is its pass or fail again. */
  readonly score?: MetricEvidence;
  readonly costUsd: MetricEvidence;
  /** The mean over cases of the answers that an agent gives; absent if a side has no agents. */
  readonly steps?: MetricEvidence;
  readonly latencyMs: MetricEvidence;
  /** True if both sides ran in this invocation, so that latencies may be compared. */
  readonly latencyComparable: boolean;
  /** How much longer the later answer to a case took. Only set if that exceeds the difference between the sides. */
  readonly laterLatency?: number;
  /** Errored trials of each side among the paired cases. */
  readonly errors: { readonly baseline: number; readonly candidate: number; readonly share: number };
  /** Answers of the candidate that came without a call and are the very ones the baseline holds. */
  readonly sameAnswers: number;
  /** All answers of the candidate. */
  readonly answers: number;
  readonly unmatched: readonly string[];
  readonly planning: PlanningAdvice;
  /** The same for the score, if there is one. */
  readonly scorePlanning?: PlanningAdvice;
  /** True if an answer of a paired case has no known cost on a side. */
  readonly isCostUnknown?: boolean;
  /** True if latencies may be compared and that of an answer of a paired case was not measured. */
  readonly isLatencyUnknown?: boolean;
}

/** What the answers to the compared cases were classified as, on both sides. */
export interface ComparedClasses {
  /** Compared cases of which both sides have a class. */
  readonly cases: number;
  /** Macro F1. */
  readonly f1: { readonly evidence: MetricEvidence; readonly maxDrop: number };
  /** The recall of each class that has a compared case, sorted. */
  readonly recall: ReadonlyMap<string, ComparedRecall>;
  /** The confusion matrix of both sides without its empty cells, those that moved first. */
  readonly cells: readonly ComparedClassCell[];
  /** Compared cases whose answers name other classes than before. */
  readonly changed: number;
  /** Cases that are of another class than when they were accepted: they are not compared. */
  readonly relabelled: number;
  /** Cases of which the baseline holds no class and no answer. */
  readonly unclassified: number;
  /** Classes of which every case was removed. */
  readonly vanished: readonly { readonly name: string; readonly cases: number }[];
}

export interface ComparedRecall {
  readonly evidence: MetricEvidence;
  readonly maxDrop: number;
  /** True if the gate sets the largest drop. */
  readonly isLimited: boolean;
  readonly planning: PlanningAdvice;
}

/** How many cases of a class were found to be of another one. A case with several trials counts in shares. */
export interface ComparedClassCell {
  readonly truth: string;
  /** Null if the answer names no class of the suite. */
  readonly found: string | null;
  readonly baseline: number;
  readonly candidate: number;
  /** Some of the cases that are wrong in this way more often than before. */
  readonly entered: readonly string[];
}

/** The pass rate of the compared cases with one tag. */
export interface ComparedSlice {
  readonly passRate: MetricEvidence;
  /** The largest drop that is tolerated, as the gate sets it. */
  readonly maxDrop: number;
  readonly judgedMargin?: JudgedMargin;
  readonly planning: PlanningAdvice;
}

/** The tolerated drop of the pass rate in a judge's verdicts. They show only a part of a true drop. */
export interface JudgedMargin {
  /** The limit of the gate on a true drop. */
  readonly maxDrop: number;
  /** The drop of the verdicts that stands for it. */
  readonly margin: number;
  /** The share of failed trials on both sides that only judges failed; 1 if none failed. */
  readonly judged: number;
  /** The least accurate of the judges that were measured; absent if none was. */
  readonly least?: { readonly judge: string; readonly labels: number; readonly youdenLow: number };
  /** Judges that were not measured on their present labels. */
  readonly unmeasured: readonly string[];
}

/** What would exclude a drop beyond the margin if nothing has changed; null if no number of that kind would. */
export interface PlanningAdvice {
  readonly cases: number | null;
  /** Trials a side, on these cases. */
  readonly repeats: number | null;
}

/**
 * What a run says of a candidate. `holds`: nothing got worse that these cases can show. `better`: and more cases pass than
 * chance explains. `partial`: cases were not compared. `undecided`: something looks worse, and is neither confirmed nor cleared.
 */
export type SwapVerdict = 'better' | 'holds' | 'undecided' | 'partial' | 'worse';

/** One candidate in one suite, on one prompt version. */
export interface SwapRow {
  readonly candidate: string;
  readonly suite: string;
  readonly prompt: string;
  readonly verdict: SwapVerdict;
  /** Why it does not hold, one sentence each. */
  readonly reasons: readonly string[];
  /** Compared ones. */
  readonly cases: number;
  /** Cases that a confirmed failure is about. */
  readonly broken: readonly string[];
  readonly passRate: MetricComparison;
  /** Of `holds` and `better`: the drop that could go unnoticed, as a fraction; null if any could; absent if none could. */
  readonly unseen?: number | null;
  readonly costUsd: MetricComparison;
  readonly latencyMs: MetricComparison;
}

/** One candidate over all suites. */
export interface SwapCandidate {
  readonly candidate: string;
  readonly model: string;
  /** The worst of its rows. */
  readonly verdict: SwapVerdict;
  /** USD of a judged cell, on average over all suites; null if an answer has no known price. */
  readonly cellCostUsd: number | null;
  /** Over the compared cases of all suites. */
  readonly costUsd: MetricComparison;
  readonly latencyMs: MetricComparison;
}

/** A provider, and what could take its place. */
export interface SwapReport {
  readonly provider: string;
  readonly rows: readonly SwapRow[];
  /** The candidates in the order in which they were named. */
  readonly candidates: readonly SwapCandidate[];
  /** The cheapest candidates that hold everywhere; more than one where they cost the same. */
  readonly cheapest: readonly string[];
  /** What the run says, in a sentence. */
  readonly conclusion: string;
}
