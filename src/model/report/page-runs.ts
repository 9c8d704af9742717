import type { DecisionOutcome } from '../comparison/gate.ts';
import type { StopReason } from '../run/cell.ts';

/** The verdict of a stored run, as its report states it. */
export interface PageRunVerdict {
  /** `failed`, `passed` and so on, as the reports say it. */
  readonly word: string;
  readonly outcome: DecisionOutcome;
  /** `10 of 42 tickets cases broke with v2`. */
  readonly text: string;
  /** The other sides of its comparisons: `baseline`, `run 2026…`, `v1`; empty if there were none. */
  readonly against: readonly string[];
}

/** A stored run in the list of `llmcheck view`. */
export interface PageRun {
  readonly id: string;
  /** Null if the record can't be read. */
  readonly startedAt: string | null;
  readonly state: 'complete' | 'running' | 'unfinished' | 'unreadable' | StopReason;
  /** The commit, if the run knew it. */
  readonly commit?: string;
  readonly branch?: string;
  readonly pullRequest?: number;
  readonly suites: readonly string[];
  /** Null if the record can't be read, as are the other numbers. */
  readonly planned: number | null;
  readonly passed: number | null;
  readonly failed: number | null;
  readonly errored: number | null;
  readonly skipped: number | null;
  readonly costUsd: number | null;
  readonly bytes: number;
}
