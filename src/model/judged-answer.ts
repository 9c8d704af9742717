import type { CallRecord, Cell } from './cell.ts';
import type { Completion, Message, ProviderFailure } from './completion.ts';
import type { Verdict } from './verdict.ts';

/** What checks see: the last answer, with the cost and latency of the whole conversation. */
export interface JudgedAnswer {
  readonly cell: Cell;
  readonly completion: Completion;
  /** Undefined where an answer was not timed. */
  readonly latencyMs: number | undefined;
  readonly costUsd: number | undefined;
  readonly calls: readonly CallRecord[];
  /** What was said between the prompt's messages and this answer. */
  readonly conversation: readonly Message[];
}

export interface JudgedChecks {
  readonly verdicts: readonly Verdict[];
  readonly judgeCostUsd: number | undefined;
  /** Set where a judge's call failed; one that was aborted or out of budget skips the cell instead of erroring it. */
  readonly failure?: ProviderFailure;
}

export type CellDecision =
  | { readonly status: 'decided'; readonly passed: boolean; readonly score: number }
  | { readonly status: 'errored'; readonly reason: string };
