import type { VariantKey } from '../comparison/baseline.ts';
import type {
  CaseChange,
  ComparedClassCell,
  JudgedMargin,
  KeptAnswer,
  MetricComparison,
  SwapReport,
} from '../comparison/comparison.ts';
import type { PromptFindings } from '../comparison/finding.ts';
import type { Certainty, Decision } from '../comparison/gate.ts';
import type { CaseStatus, CellCounts, StopReason } from '../run/cell.ts';
import type { CellRow } from '../run/record.ts';
import type { RateEstimate, VariantSummary } from '../run/summary.ts';
import type { WrittenMessage } from '../suite/recorded-settings.ts';
import type { ErosionFinding, VariantTrend } from './history.ts';

export const reportFormat = 1;

export interface VariantReport
  extends CellCounts,
    VariantKey,
    Pick<
      VariantSummary,
      'passRate' | 'score' | 'costUsd' | 'spentUsd' | 'spentApartUsd' | 'latencyMs' | 'firstTokenMs' | 'replacedBy'
    > {
  readonly model: string;
  /** The part of `skipped` that was not asked, because the run was decided early. */
  readonly notAsked?: number;
  /** The latencies of every timed answer on both sides. Computed on first use. */
  readonly latencies?: () => { readonly candidate: readonly number[]; readonly baseline: readonly number[] };
  /** Cases that failed, without errored ones; absent if there is none. */
  readonly failedCases?: readonly FailedCase[];
  /** Number of cases with a trial that could not be judged; absent if there is none. */
  readonly erroredCases?: number;
  /** The gated slices with a selected case; absent if there is none. */
  readonly slices?: readonly SliceReport[];
  /** Absent if the suite has no classes. */
  readonly classes?: ClassReport;
  readonly comparison?: VariantComparison;
}

interface FailedCase {
  readonly caseId: string;
  readonly mustPass: boolean;
  /** A fresh trial passed. */
  readonly isCleared?: true;
}

/** The pass rate of the cases with one tag. */
interface SliceReport {
  readonly slice: string;
  readonly passRate: RateEstimate;
  /** The limits of the gate. */
  readonly min?: number;
  readonly maxDrop?: number;
}

/** The classification results of a variant. A case with several trials counts in shares. */
export interface ClassReport {
  /** The suite's classes, sorted. */
  readonly names: readonly string[];
  /** The confusion matrix without empty cells, by true class and then by the answer's class. */
  readonly cells: readonly ClassCell[];
  /** The scores of each class that has a judged case. */
  readonly scores: readonly ClassScoreReport[];
  /** Means over these classes. */
  readonly macro: {
    readonly precision: number | null;
    readonly recall: number | null;
    readonly f1: ShareEstimate;
  };
  /** Answers that named no class, most frequent first. */
  readonly others: readonly { readonly found: string | null; readonly answers: number }[];
}

export interface ClassCell {
  readonly truth: string;
  /** Null if the answer names no class of the suite. */
  readonly found: string | null;
  readonly cases: number;
}

export interface ClassScoreReport {
  readonly class: string;
  readonly cases: number;
  readonly recall: ShareEstimate;
  /** Null if no answer was put in this class. */
  readonly precision: ShareEstimate;
  readonly f1: ShareEstimate;
}

export type ShareEstimate = Omit<RateEstimate, 'n'>;

export type PromptText = Omit<WrittenMessage, 'language'>;

export type ComparisonOutcome = 'passed' | 'failed' | 'inconclusive';

/** The pass rate of the compared cases with one tag. */
interface SliceComparison {
  readonly slice: string;
  /** Compared ones. */
  readonly cases: number;
  /** The largest drop that is tolerated. */
  readonly maxDrop: number;
  readonly judgedMargin?: JudgedMargin;
  readonly passRate: MetricComparison;
}

/** The classification results of the compared cases, before and now. */
export interface ClassComparison {
  /** Compared ones. */
  readonly cases: number;
  /** Macro F1. */
  readonly f1: MetricComparison & { readonly maxDrop: number };
  /** The recall of each class, sorted. */
  readonly recall: readonly ClassRecallComparison[];
  /** The confusion matrix of both sides without empty cells. Changed cells come first. */
  readonly cells: readonly ComparedClassCell[];
}

interface ClassRecallComparison extends MetricComparison {
  readonly class: string;
  readonly cases: number;
  /** The largest drop that is tolerated; absent if the gate sets none. */
  readonly maxDrop?: number;
}

/** A difference that the baseline in the change under test already accepts: a case, or a metric in words. */
export type AcceptedDifference = { readonly caseId: string; readonly change: CaseChange } | { readonly metric: string };

export interface VariantComparison {
  readonly outcome: ComparisonOutcome;
  /** How sure it is that nothing got worse. */
  readonly certainty: Certainty;
  readonly against: {
    readonly source: string;
    readonly prompt: string;
    /** An ISO date; absent if it is not known when the baseline was accepted. */
    readonly acceptedAt?: string;
    /** Days from then to the start of the run. */
    readonly ageDays?: number;
  };
  /** True if this change adds the first baseline of the suite. */
  readonly isFirst?: true;
  /** True if both sides ran in this run. A failure on both sides is then not a known failure. */
  readonly isWithinRun?: true;
  readonly passRate: MetricComparison;
  /** The tolerated drop of the pass rate, if judges decide. */
  readonly judgedMargin?: JudgedMargin;
  /** The slices whose drop is limited; absent if there is none. */
  readonly slices?: readonly SliceComparison[];
  /** Absent if the suite has no classes. */
  readonly classes?: ClassComparison;
  readonly score: MetricComparison;
  readonly costUsd: MetricComparison;
  /** Absent if a side has no agents. */
  readonly steps?: MetricComparison;
  readonly latencyMs: MetricComparison;
  readonly cases: {
    readonly regressed: readonly string[];
    /** Cases that also fail with the accepted prompt. */
    readonly drifted: readonly string[];
    readonly fixed: readonly string[];
    readonly stillFailing: readonly string[];
    readonly flaky: readonly string[];
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly redefined: readonly string[];
  };
  /** Number of failures that were neither confirmed nor cleared; absent if there is none. */
  readonly unsettled?: number;
  /** Number of averages that look worse and were neither confirmed nor cleared; absent if there is none. */
  readonly unsettledAverages?: number;
  /** Set if only errored trials make the result inconclusive. */
  readonly isOpenByErrors?: true;
  /** Set if the requests have not changed since the baseline was accepted. */
  readonly isSameRequest?: true;
  /** Set if two stored records are compared. Only a new run can settle such a comparison. */
  readonly isOfRecords?: true;
  /** Set if more than half of the baseline's cases are missing. */
  readonly lostCases?: { readonly lost: number; readonly of: number };
  /** Other differences between the two sides. */
  readonly unmatched: readonly string[];
  /** Next steps that can settle an inconclusive result. */
  readonly advice: readonly string[];
  /** Remarks for the user: flaky must-pass cases, errors, unconfirmed failures. */
  readonly notes: readonly string[];
  readonly accepted: readonly AcceptedDifference[];
  /** Both prompts as templates, if they differ. */
  readonly prompts?: { readonly baseline: readonly PromptText[]; readonly candidate: readonly PromptText[] };
}

/** A case on one variant, with its trials in order; its rows are read on demand. */
export interface CaseReport {
  readonly caseId: string;
  readonly prompt: string;
  readonly provider: string;
  readonly status: CaseStatus;
  readonly observe: boolean;
  readonly mustPass?: true;
  /** The gated slices that it is in; absent if it is in none. */
  readonly slices?: readonly string[];
  /** Its class; absent if the suite has none. */
  readonly class?: string;
  readonly at: {
    readonly file: string;
    readonly line: number;
    readonly column: number;
    /** The address of the line at the tested commit, if it is known. */
    readonly url?: string;
  };
  readonly trials: readonly CellRow[];
  /** Fresh trials of the accepted prompt, beside this one's. */
  readonly acceptedTrials?: readonly CellRow[];
  /** Its change since the baseline, if there is one. */
  readonly change?: CaseChange;
  /** The baseline's answer to the same case. */
  readonly baseline?: KeptAnswer | undefined;
  /** The edit that broke it, if one was searched for (`ci github --blame`). */
  readonly blame?: CaseBlame | undefined;
}

/** The result of a search for the edit that broke a case. */
export interface CaseBlame {
  readonly sentence: string;
  /** The first line that breaks the case. Absent if there is none, or if it is in no current file. */
  readonly at?: { readonly file: string; readonly line: number; readonly column: number };
}

export interface SuiteReport {
  readonly suite: string;
  readonly path: string;
  /** The least pass rate that the suite sets; absent if it sets none. */
  readonly passRateMin?: number;
  readonly variants: readonly VariantReport[];
  /** Cases sorted by case, prompt and provider. They are read from the record on demand, which keeps memory use low. */
  cases(filter?: { readonly statuses: readonly CaseStatus[] }): Iterable<CaseReport>;
}

export interface ReportTotals extends CellCounts {
  /** The part of `skipped` that was not asked, because the run was decided early; absent if it is 0. */
  readonly notAsked?: number;
  /** The mean over the cases of all variants; null if none was judged. */
  readonly passRate: number | null;
  readonly costUsd: number | null;
  readonly spentUsd: number | null;
  readonly spentApartUsd: number | null;
  readonly judgeCostUsd: number | null;
}

/** A finished run as reporters see it. */
export interface Report {
  readonly tool: { readonly name: 'llmcheck'; readonly version: string };
  readonly run: {
    readonly id: string;
    readonly startedAt: string;
    readonly durationMs: number;
    readonly complete: boolean;
    readonly stopReason?: StopReason;
    /** `none` if the user turned comparison off. */
    readonly baseline?: 'none';
    /** The path of the record, relative to the working folder. */
    readonly recordPath?: string;
  };
  readonly decision: Decision;
  readonly exitCode: number;
  readonly totals: ReportTotals;
  readonly suites: readonly SuiteReport[];
  readonly notes: readonly string[];
  /** Contract findings of each prompt with a baseline; absent if no prompt has one. */
  readonly contracts?: readonly PromptFindings[];
  /** Comparisons with pinned references; absent if no variant has one. */
  readonly erosion?: readonly ErosionFinding[];
  /** Possible replacements of providers; absent unless the run compared providers. */
  readonly swaps?: readonly SwapReport[];
  /** The variants over the stored runs up to this one; read on first use. */
  readonly trends?: () => readonly VariantTrend[];
}

/** Style settings of a reporter's output. */
export interface ReportStyle {
  readonly color: boolean;
  /** Columns; 80 if unknown. */
  readonly width: number;
  readonly verbose: boolean;
  readonly quiet: boolean;
  /** The absolute folder that paths are relative to, if the terminal supports links. */
  readonly linksFrom?: string;
  /** The future URL of the run's HTML report. */
  readonly pageUrl?: string;
}

/** The result of publishing a comment or a check. */
export type Published =
  | {
      readonly ok: true;
      readonly how: 'created' | 'updated';
      readonly url?: string;
      /** True if another job of the same run uses the same id. */
      readonly isShared?: boolean;
    }
  | { readonly ok: false; readonly message: string; readonly status?: number };
