import type { JsonValue } from '../../json/json.ts';
import type { CaseStatus } from '../run/cell.ts';
import type { AgentStep, ToolCall } from '../run/completion.ts';
import type { RecordedVariant } from '../run/record.ts';
import type { CaseSummary, RowSummary } from '../run/summary.ts';
import type { RecordedCheck } from '../run/verdict.ts';

/** The change of a case between two sides. */
export type CaseChange =
  | 'regressed'
  /** It also fails with the accepted prompt, so the model or the data changed. */
  | 'drifted'
  | 'fixed'
  | 'stillFailing'
  | 'stillPassing'
  | 'flaky'
  | 'added'
  | 'removed'
  | 'redefined'
  /** A side has no verdict on it, because of errors or skips. */
  | 'unjudged';

/** An answer with its case's status, for reports. */
export interface KeptAnswer {
  readonly status: CaseStatus;
  readonly output?: string;
  readonly toolCalls?: readonly ToolCall[];
  /** The steps of an agent. */
  readonly trajectory?: readonly AgentStep[];
  readonly state?: JsonValue;
  /** Why it failed, if it failed. */
  readonly reason?: string;
}

/** One side of a comparison: the cases of a variant in a record or baseline. */
export interface ComparedSide {
  /** The source in words: `evals/triage.baseline.jsonl`, `run 20261124-…`, `git:main`. */
  readonly source: string;
  /**
   * `run`: a variant of this run. `rerun`: the accepted prompt, asked again in this run. `stored`: a baseline or
   * another run.
   */
  readonly kind: 'run' | 'rerun' | 'stored';
  /** The ISO date of acceptance, and the days from then to the compared run. */
  readonly accepting?: { readonly acceptedAt: string; readonly ageDays: number };
  readonly recorded: RecordedVariant;
  readonly cases: ReadonlyMap<string, CaseSummary>;
  /** The accepted cases, if `cases` ran in this run. Only accepted cases can be known failures. */
  readonly accepted?: ReadonlyMap<string, CaseSummary>;
  /** Model snapshots as the API answered them. */
  readonly models: readonly string[];
  /**
   * Prices an answer with the same price table for both sides. Returns null if no price is known. Without this
   * function, the recorded cost counts.
   */
  readonly costOf?: (row: RowSummary) => number | null | undefined;
  /** The checks of a trial. */
  readonly checksOf: (row: RowSummary) => readonly RecordedCheck[];
  /** The answer of a case's first judged trial, for reports; undefined if it was not kept. */
  readonly answerOf: (caseId: string) => KeptAnswer | undefined;
}

export interface ComparedCase {
  readonly caseId: string;
  readonly change: CaseChange;
  readonly baseline: CaseSummary | undefined;
  readonly candidate: CaseSummary | undefined;
  /** True if most baseline trials passed and every candidate trial failed. */
  readonly suspect: boolean;
  /** True if the case was accepted with other checks, so that it counts only for the rates. */
  readonly rejudged: boolean;
  /** Set if it breaks an output contract that changed after it was accepted. */
  readonly breaksContract?: true;
}

/** The cases of two sides by id, sorted. */
export type ComparedCases = ReadonlyMap<string, ComparedCase>;

/** One metric compared with its baseline; null if it can't be computed. */
export interface MetricComparison {
  readonly baseline: number | null;
  readonly candidate: number | null;
  /** Absolute for rates, a ratio minus 1 for cost and latency. */
  readonly delta: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** One-sided, for a change to the worse. */
  readonly p: number | null;
}

/** A metric's difference with its evidence, as stats/ gave it. */
export interface MetricEvidence extends MetricComparison {
  readonly n: number;
  /** For costs and steps: the one-sided p, over cases, that they rose by less than the margin. */
  readonly pWithin?: number;
  /** For costs and steps with too few cases for a test: whether each case rose beyond the margin. */
  readonly everyCaseRose?: boolean;
  /** The lower bound if every error counts against the candidate. Present if there were errors. */
  readonly worstLow?: number | null;
  /**
   * True if no case is on both sides. The sides are then two independent samples, which can show a drop but not exclude
   * one.
   */
  readonly isUnpaired?: true;
}

/** Two sides of one variant, compared case by case. */
export interface ComparedVariant {
  readonly baseline: ComparedSide;
  readonly candidate: ComparedSide;
  readonly cases: ComparedCases;
  /**
   * The number of groups of the compared cases. Present if cases share a group and the gate is about other inputs too.
   */
  readonly groups?: number;
  readonly passRate: MetricEvidence;
  /** The tolerated drop of the pass rate, if judges decide. */
  readonly judgedMargin?: JudgedMargin;
  /** The slices with a limited drop and a case in the candidate, by name; absent if there is none. */
  readonly slices?: ReadonlyMap<string, ComparedSlice>;
  /** Absent if the suite has no classes. */
  readonly classes?: ComparedClasses;
  /** Undefined if every score is 1 for a pass and 0 for a failure. */
  readonly score?: MetricEvidence;
  readonly costUsd: MetricEvidence;
  /** The mean number of an agent's answers over cases; absent if a side has no agents. */
  readonly steps?: MetricEvidence;
  readonly latencyMs: MetricEvidence;
  /** True if both sides ran in this invocation, so that latencies may be compared. */
  readonly latencyComparable: boolean;
  /** How much longer the second answer to a case took. Set only if this exceeds the difference between the sides. */
  readonly laterLatency?: number;
  /** Errored trials of each side among the paired cases. */
  readonly errors: { readonly baseline: number; readonly candidate: number; readonly share: number };
  /** Number of the candidate's answers that came without a call and are the baseline's own answers. */
  readonly sameAnswers: number;
  /** Number of all answers of the candidate. */
  readonly answers: number;
  readonly unmatched: readonly string[];
  readonly planning: PlanningAdvice;
  /** The planning advice for the score, if there is one. */
  readonly scorePlanning?: PlanningAdvice;
  /** True if an answer of a paired case has no known cost on a side. */
  readonly isCostUnknown?: boolean;
  /** True if latencies may be compared, but a paired case has an answer without a measured latency. */
  readonly isLatencyUnknown?: boolean;
}

/** The classification results of the compared cases on both sides. */
export interface ComparedClasses {
  /** Number of compared cases with a class on both sides. */
  readonly cases: number;
  /** Macro F1. */
  readonly f1: { readonly evidence: MetricEvidence; readonly maxDrop: number };
  /** The recall of each class that has a compared case, sorted. */
  readonly recall: ReadonlyMap<string, ComparedRecall>;
  /** The confusion matrix of both sides without empty cells. Changed cells come first. */
  readonly cells: readonly ComparedClassCell[];
  /** Number of compared cases whose answers name other classes than before. */
  readonly changed: number;
  /** Number of cases whose true class changed since acceptance. They are not compared. */
  readonly relabelled: number;
  /** Number of cases for which the baseline has neither class nor answer. */
  readonly unclassified: number;
  /** Classes that lost all their cases. */
  readonly vanished: readonly { readonly name: string; readonly cases: number }[];
}

export interface ComparedRecall {
  readonly evidence: MetricEvidence;
  readonly maxDrop: number;
  /** True if the gate sets the largest drop. */
  readonly isLimited: boolean;
  readonly planning: PlanningAdvice;
}

/** The number of cases with one true class and one found class. A case with several trials counts in shares. */
export interface ComparedClassCell {
  readonly truth: string;
  /** Null if the answer names no class of the suite. */
  readonly found: string | null;
  readonly baseline: number;
  readonly candidate: number;
  /** Some cases that show this mistake more often than before. */
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

/**
 * The tolerated drop of the pass rate in a judge's verdicts. It is smaller than the gate's, because an imperfect judge
 * shows only a part of a true drop.
 */
export interface JudgedMargin {
  /** The limit of the gate on a true drop. */
  readonly maxDrop: number;
  /** The drop in verdicts that corresponds to it. */
  readonly margin: number;
  /** The share of failed trials on both sides that only judges failed; 1 if none failed. */
  readonly judged: number;
  /** The least accurate of the judges that were measured; absent if none was. */
  readonly least?: { readonly judge: string; readonly labels: number; readonly youdenLow: number };
  /** Judges that were not measured on their present labels. */
  readonly unmeasured: readonly string[];
}

/** The sample sizes that would exclude a drop beyond the margin if nothing has changed. Null if no number is enough. */
export interface PlanningAdvice {
  readonly cases: number | null;
  /** Trials a side, on these cases. */
  readonly repeats: number | null;
}

/**
 * The verdict on a candidate. `holds`: these cases show no drop. `better`: also, significantly more cases pass.
 * `partial`: some cases were not compared. `undecided`: a possible drop is neither confirmed nor cleared.
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
  /** Cases with a confirmed failure. */
  readonly broken: readonly string[];
  readonly passRate: MetricComparison;
  /**
   * For `holds` and `better`: the largest drop that could go unnoticed, as a fraction. Null if any could; absent if
   * none could.
   */
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
  /** Mean cost of a judged cell over all suites, in USD; null if an answer has no known price. */
  readonly cellCostUsd: number | null;
  /** Over the compared cases of all suites. */
  readonly costUsd: MetricComparison;
  readonly latencyMs: MetricComparison;
}

/** A provider and its possible replacements. */
export interface SwapReport {
  readonly provider: string;
  readonly rows: readonly SwapRow[];
  /** The candidates in the order in which they were named. */
  readonly candidates: readonly SwapCandidate[];
  /** The cheapest candidates that hold everywhere; several if they cost the same. */
  readonly cheapest: readonly string[];
  /** The result of the run in a sentence. */
  readonly conclusion: string;
}
