import type { VariantKey } from '../comparison/baseline.ts';
import type { CaseStatus, CellCounts } from '../run/cell.ts';
import type { RunProvenance } from '../run/record.ts';
import type { VariantSummary } from '../run/summary.ts';

/** Grows when a field changes meaning or a new one is required; new optional fields do not count. */
export const historyFormat = 1;

/** Results of suites, variants and cases over stored runs. Lists of points start with the oldest run. */
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
  /** The version of llmcheck. */
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
  /** True if prompt, model, parameters or cases differ from the previous point. A chart does not connect the two. */
  readonly redefined: boolean;
}

export interface VariantHistory extends VariantKey {
  readonly model: string;
  readonly points: readonly HistoryPoint[];
  readonly trend: RateTrend;
}

/**
 * Whether the pass rate rises or falls with time (Mann and Kendall). Only runs with the present cases and checks count.
 * A run counts only if it has a new answer and all its cells have a verdict.
 */
export interface RateTrend {
  /** Number of runs that count. */
  readonly runs: number;
  /** Id of the first run that counts; absent if there is none. */
  readonly since?: string;
  /** Null if there is no significant trend. */
  readonly direction: 'falls' | 'rises' | null;
  /** One-sided, for the direction of the runs; null if the runs are too few or all equal. */
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
  /** The status in the latest run with this case. */
  readonly status: CaseStatus;
  readonly points: readonly CasePoint[];
  readonly flakes: FlakeHistory;
}

export interface CasePoint {
  readonly run: string;
  /** Trials with a verdict. `passed` is the number of them that passed. */
  readonly judged: number;
  readonly passed: number;
  /** True if the case, its prompt or its model differs from the previous point. */
  readonly redefined: boolean;
}

/**
 * How often a case's outcome changes. Counts runs with the present case, prompt and model. Cached answers do not count.
 */
export interface FlakeHistory {
  /** Share of pairs of neighbouring outcomes that disagree; null if there is no pair. */
  readonly rate: number | null;
  readonly pairs: number;
  /** The later runs compared with the earlier ones. By default each part is one half. Present if both have a pair. */
  readonly change?: {
    /** Id of the first run after the cut. */
    readonly since: string;
    readonly before: { readonly pairs: number; readonly disagreements: number };
    readonly after: { readonly pairs: number; readonly disagreements: number };
    readonly p: number;
    /** Adjusted over all tested cases. At most 5 % of the reported cases are expected to be false. */
    readonly adjustedP: number;
    readonly isNamed: boolean;
  };
}

export interface SuiteHistory {
  readonly suite: string;
  readonly path: string;
  /** Points over all variants that are not replaced. A case counts once in each run. */
  readonly points: readonly HistoryPoint[];
  readonly variants: readonly VariantHistory[];
  readonly cases: readonly CaseHistory[];
  /** Number of runs with a filter, shard or sample. Their cases count, but their rates are not comparable. */
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
  /** True if a filter, a stop or errors left cells out, so that the rate covers fewer cases. */
  readonly isPartial: boolean;
}

/** A variant of a run beside its pinned reference. */
export interface ErosionFinding extends VariantKey {
  readonly kind: 'erosion';
  readonly suite: string;
  /** `eroded`: significantly below the reference, by more than the margin. `silent`: no comparison is possible. */
  readonly outcome: 'held' | 'eroded' | 'silent';
  /** The reference in words. */
  readonly source: string;
  /** ISO 8601. Runs that began later count as runs since the pin. */
  readonly until: string;
  /** Number of cases with the same content and checks, and a verdict, on both sides. */
  readonly cases: number;
  /** Number of cases in the reference. */
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
  /** Stored runs since the pin, oldest first, this run last. Only filled if the outcome is `eroded`. */
  readonly since: readonly RunSincePin[];
}

export interface RunSincePin extends RunProvenance {
  readonly run: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly passRate: number | null;
}
