import type { CaseStatus } from './cell.ts';
import type { ToolCall } from './completion.ts';

/** What happened to a case between two sides. */
export type CaseChange =
  | 'regressed'
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
  /** Why it failed, where it did. */
  readonly reason?: string;
}
