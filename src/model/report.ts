import type { VariantKey } from './baseline.ts';
import type { CaseStatus, CellCounts, StopReason } from './cell.ts';
import type {
  CaseChange,
  ComparedClassCell,
  JudgedMargin,
  KeptAnswer,
  MetricComparison,
  SwapReport,
} from './comparison.ts';
import type { PromptFindings } from './finding.ts';
import type { Certainty, Decision } from './gate.ts';
import type { ErosionFinding, VariantTrend } from './history.ts';
import type { CellRow } from './record.ts';
import type { WrittenMessage } from './suite.ts';
import type { RateEstimate, VariantSummary } from './summary.ts';

export const reportFormat = 1;

export interface VariantReport
  extends CellCounts,
    VariantKey,
    Pick<
      VariantSummary,
      'passRate' | 'score' | 'costUsd' | 'spentUsd' | 'spentApartUsd' | 'latencyMs' | 'firstTokenMs' | 'replacedBy'
    > {
  readonly model: string;
  /** The part of `skipped` that was not asked, since the run was decided early. */
  readonly notAsked?: number;
  /** The latencies of every timed answer, and of what it is compared with. Computed on first use. */
  readonly latencies?: () => { readonly candidate: readonly number[]; readonly baseline: readonly number[] };
  /** Cases that did not pass, errors aside; absent if none did not. */
  readonly failedCases?: readonly FailedCase[];
  /** Cases of which a trial could not be judged; absent if there is none. */
  readonly erroredCases?: number;
  /** The gated slices of which a case was selected; absent if there is none. */
  readonly slices?: readonly SliceReport[];
  /** Absent if the suite has no classes. */
  readonly classes?: ClassReport;
  readonly comparison?: VariantComparison;
}

interface FailedCase {
  readonly caseId: string;
  readonly mustPass: boolean;
  /** A confirmation trial passed. */
  readonly isCleared?: true;
}

/** The pass rate of the cases with one tag. */
interface SliceReport {
  readonly slice: string;
  readonly passRate: RateEstimate;
  /** The limits, as the gate sets them. */
  readonly min?: number;
  readonly maxDrop?: number;
}

/** What the answers of a variant were classified as. A case with several trials counts in shares. */
export interface ClassReport {
  /** The suite's classes, sorted. */
  readonly names: readonly string[];
  /** The confusion matrix without its empty cells, by the class of the case and then by that of the answer. */
  readonly cells: readonly ClassCell[];
  /** The scores of each class that has a judged case. */
  readonly scores: readonly ClassScoreReport[];
  /** Means over these classes. */
  readonly macro: {
    readonly precision: number | null;
    readonly recall: number | null;
    readonly f1: ShareEstimate;
  };
  /** What answers of none of the classes said, the most frequent first. */
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

/** What the answers to the compared cases were classified as, before and now. */
export interface ClassComparison {
  /** Compared ones. */
  readonly cases: number;
  /** Macro F1. */
  readonly f1: MetricComparison & { readonly maxDrop: number };
  /** The recall of each class, sorted. */
  readonly recall: readonly ClassRecallComparison[];
  /** The confusion matrix of both sides without its empty cells, those that moved first. */
  readonly cells: readonly ComparedClassCell[];
}

interface ClassRecallComparison extends MetricComparison {
  readonly class: string;
  readonly cases: number;
  /** The largest drop that is tolerated; absent if the gate sets none. */
  readonly maxDrop?: number;
}

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
  /** True if the target never had a baseline, and this change adds it. */
  readonly isFirst?: true;
  /** True if the other side ran in this run too: what fails on both sides is no known failure then. */
  readonly isWithinRun?: true;
  readonly passRate: MetricComparison;
  /** The tolerated drop of the pass rate where judges decide. */
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
    /** They fail with the accepted prompt too. */
    readonly drifted: readonly string[];
    readonly fixed: readonly string[];
    readonly stillFailing: readonly string[];
    readonly flaky: readonly string[];
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly redefined: readonly string[];
  };
  /** Failures that were neither confirmed nor cleared; absent if there is none. */
  readonly unsettled?: number;
  /** Set if nothing looks worse, and errored trials alone leave it inconclusive. */
  readonly isOpenByErrors?: true;
  /** Set if nothing that is sent has changed since it was accepted. */
  readonly isSameRequest?: true;
  /** Set if two stored records are compared: a run has to compare them to settle it. */
  readonly isOfRecords?: true;
  /** Set if more than half of the baseline's cases are missing. */
  readonly lostCases?: { readonly lost: number; readonly of: number };
  /** What differs besides what is compared. */
  readonly unmatched: readonly string[];
  /** What would settle an inconclusive result. */
  readonly advice: readonly string[];
  /** Visible remarks: flaky must-pass cases, errors, what was not confirmed. */
  readonly notes: readonly string[];
  /** Differences that this change brings its own accepted baseline for. */
  readonly accepted: readonly string[];
  /** Where the prompt is another: both as templates. */
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
    /** The address of the line at the tested commit, where it is known. */
    readonly url?: string;
  };
  readonly trials: readonly CellRow[];
  /** Confirmation trials of the accepted prompt, beside this one's. */
  readonly acceptedTrials?: readonly CellRow[];
  /** What became of it since the baseline, where there is one. */
  readonly change?: CaseChange;
  /** The baseline's answer to the same case. */
  readonly baseline?: KeptAnswer | undefined;
  /** The part of the change that breaks it, where that was searched for (`ci github --blame`). */
  readonly blame?: CaseBlame | undefined;
}

/** What a search for the edit that broke a case has shown. */
export interface CaseBlame {
  readonly sentence: string;
  /** The first line that breaks the case; absent if none does, or it is in no file of today. */
  readonly at?: { readonly file: string; readonly line: number; readonly column: number };
}

export interface SuiteReport {
  readonly suite: string;
  readonly path: string;
  /** The least pass rate that the suite sets; absent if it sets none. */
  readonly passRateMin?: number;
  readonly variants: readonly VariantReport[];
  /** Cases sorted by case, prompt, provider; read from the record on demand, so that size doesn't matter. */
  cases(filter?: { readonly statuses: readonly CaseStatus[] }): Iterable<CaseReport>;
}

export interface ReportTotals extends CellCounts {
  /** The part of `skipped` that was not asked, since the run was decided early; absent if it is 0. */
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
    /** `none` where the run was to be compared with nothing. */
    readonly baseline?: 'none';
    /** Where the record lies, relative to the working folder. */
    readonly recordPath?: string;
  };
  readonly decision: Decision;
  readonly exitCode: number;
  readonly totals: ReportTotals;
  readonly suites: readonly SuiteReport[];
  readonly notes: readonly string[];
  /** What became of the contracts of prompts that have a baseline; absent if none has. */
  readonly contracts?: readonly PromptFindings[];
  /** The variants that have a pinned reference, beside it; absent if none has. */
  readonly erosion?: readonly ErosionFinding[];
  /** What can take the place of providers; absent if the run was not about that. */
  readonly swaps?: readonly SwapReport[];
  /** The variants over the stored runs up to this one; read on first use. */
  readonly trends?: () => readonly VariantTrend[];
}

/** How a reporter may write. */
export interface ReportStyle {
  readonly color: boolean;
  /** Columns; 80 where unknown. */
  readonly width: number;
  readonly verbose: boolean;
  readonly quiet: boolean;
  /** The folder that paths are relative to, absolute, where the terminal can follow links. */
  readonly linksFrom?: string;
  /** The address at which the HTML report of the run will be. */
  readonly pageUrl?: string;
}

/** What became of a comment or a check that was to be published. */
export type Published =
  | {
      readonly ok: true;
      readonly how: 'created' | 'updated';
      readonly url?: string;
      /** True if another job of the same run uses the same id. */
      readonly isShared?: boolean;
    }
  | { readonly ok: false; readonly message: string; readonly status?: number };
