import type { StopReason } from './cell.ts';
import type { DecisionOutcome } from './gate.ts';

/** What a stored run says by its report. */
export interface PageRunVerdict {
  /** `failed`, `passed` and so on, as the reports say it. */
  readonly word: string;
  readonly outcome: DecisionOutcome;
  /** `10 of 42 tickets cases broke with v2`. */
  readonly text: string;
  /** What it was compared with: `baseline`, `run 2026…`, `v1`; empty if with nothing. */
  readonly against: readonly string[];
}

/** A stored run in the list of `llmcheck view`. */
export interface PageRun {
  readonly id: string;
  /** Null if the record can't be read. */
  readonly startedAt: string | null;
  readonly state: 'complete' | 'running' | 'unfinished' | 'unreadable' | StopReason;
  /** What was checked out, as far as the run knew. */
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
