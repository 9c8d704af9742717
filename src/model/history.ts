import type { VariantKey } from './baseline.ts';
import type { CaseStatus, CellCounts } from './cell.ts';
import type { RunProvenance } from './record.ts';
import type { VariantSummary } from './summary.ts';

/** Grows when a field changes meaning or a new one is required; new optional fields do not count. */
export const historyFormat = 1;

/** How suites, their variants and their cases did over stored runs. Lists of points go from the oldest run to the latest. */
export interface History {
  readonly format: typeof historyFormat;
  readonly runs: readonly HistoryRun[];
  readonly suites: readonly SuiteHistory[];
  /** Records that could not be read, and why. */
  readonly damaged: readonly { readonly run: string; readonly message: string }[];
}

interface HistoryRun {
  readonly id: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Of llmcheck. */
  readonly version: string;
  /** False if it was stopped or killed, or if its record lacks rows. */
  readonly complete: boolean;
}

export interface HistoryPoint
  extends Omit<CellCounts, 'observed' | 'confirmations'>,
    Pick<VariantSummary, 'passRate' | 'costUsd' | 'latencyMs'> {
  /** Id of the run. */
  readonly run: string;
  /** The chance that two trials of a case in this run disagree, averaged over cases; null for single trials. */
  readonly flakeRate: number | null;
  /** True if prompt, model, parameters or cases are others than in the point before: no line joins the two. */
  readonly redefined: boolean;
}

export interface VariantHistory extends VariantKey {
  readonly model: string;
  readonly points: readonly HistoryPoint[];
  readonly trend: RateTrend;
}

/**
 * Whether the pass rate rises or falls with time (Mann and Kendall). Only runs with the present cases and checks count.
 * Runs without a new answer are no new evidence. Neither they nor runs in which cells have no verdict count.
 */
export interface RateTrend {
  /** Runs that count. */
  readonly runs: number;
  /** Id of the first of them; absent if there is none. */
  readonly since?: string;
  /** Null if no trend is shown. */
  readonly direction: 'falls' | 'rises' | null;
  /** One-sided, of the direction that the runs take; null if they are too few or all alike. */
  readonly p: number | null;
  /** Kendall's tau-b. */
  readonly tau: number | null;
  /** Means over the first and the last third of the runs. */
  readonly from: number | null;
  readonly to: number | null;
  readonly message: string;
}

export interface CaseHistory extends VariantKey {
  readonly caseId: string;
  /** The status in the latest run that has it. */
  readonly status: CaseStatus;
  readonly points: readonly CasePoint[];
  readonly flakes: FlakeHistory;
}

export interface CasePoint {
  readonly run: string;
  /** Trials with a verdict, and those of them that passed. */
  readonly judged: number;
  readonly passed: number;
  /** True if the case, its prompt or its model is another than in the point before. */
  readonly redefined: boolean;
}

/** Since the case, its prompt and its model are what they are now; cached answers are no new evidence and not counted. */
export interface FlakeHistory {
  /** Share of pairs of neighbouring outcomes that disagree; null if there is no pair. */
  readonly rate: number | null;
  readonly pairs: number;
  /** The runs since then, half of them by default, compared with those before; present if both have a pair. */
  readonly change?: {
    /** Id of the first run after the cut. */
    readonly since: string;
    readonly before: { readonly pairs: number; readonly disagreements: number };
    readonly after: { readonly pairs: number; readonly disagreements: number };
    readonly p: number;
    /** Over all cases that were tested; at most 0.05 of those named are expected to be named wrongly. */
    readonly adjustedP: number;
    readonly isNamed: boolean;
  };
}

export interface SuiteHistory {
  readonly suite: string;
  readonly path: string;
  /** Over all variants that are not replaced; a case counts once in each run. */
  readonly points: readonly HistoryPoint[];
  readonly variants: readonly VariantHistory[];
  readonly cases: readonly CaseHistory[];
  /** Runs with a filter, shard or sample: their cases count, their rates would not compare. */
  readonly partialRuns: number;
}

/** One variant of a suite over stored runs, the oldest first. */
export interface VariantTrend extends VariantKey {
  readonly suite: string;
  readonly points: readonly TrendPoint[];
}

/** The figures of a variant in one run. */
export interface TrendPoint extends Pick<VariantSummary, 'passRate' | 'costUsd' | 'latencyMs'> {
  readonly runId: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** True if a filter, a stop or errors left cells out: its rate covers other cases than that of a whole run. */
  readonly isPartial: boolean;
}

/** A variant of a run beside its pinned reference. */
export interface ErosionFinding extends VariantKey {
  readonly kind: 'erosion';
  readonly suite: string;
  /** `eroded`: below the reference by more than the margin, beyond chance. `silent`: the reference can't be compared with. */
  readonly outcome: 'held' | 'eroded' | 'silent';
  /** What was read, in words. */
  readonly source: string;
  /** ISO 8601: runs that began later are those since the pin. */
  readonly until: string;
  /** Cases with the same content and checks on both sides, and a verdict on both. */
  readonly cases: number;
  /** Cases of the reference. */
  readonly of: number;
  readonly passRate: {
    readonly reference: number | null;
    readonly candidate: number | null;
    readonly delta: number | null;
  };
  /** The tolerated drop. */
  readonly margin: number;
  /** Standard score of the difference over cases; null if it has no spread. */
  readonly z: number | null;
  readonly message: string;
  /** Stored runs since the pin, the oldest first, this run last; only if it is eroded. */
  readonly since: readonly RunSincePin[];
}

export interface RunSincePin extends RunProvenance {
  readonly run: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly passRate: number | null;
}
