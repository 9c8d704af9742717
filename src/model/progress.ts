import type { Cell, CellKey, CellResult, CellStatus } from './cell.ts';
import type { Complete, ProviderFailure, ToolCall, ToolResult } from './completion.ts';
import type { Endpoint } from './provider.ts';
import type { CellRow } from './record.ts';
import type { ProviderConfig } from './suite.ts';
import type { Verdict } from './verdict.ts';

/** What happens while a run is going on; goes to stderr, never into a report. */
export type ProgressEvent =
  /** Kept are cells that an earlier part of the run finished, which the others are without. */
  | { readonly type: 'planned'; readonly cells: number; readonly suites: number; readonly keptCells?: number }
  | {
      readonly type: 'cell-finished';
      readonly key: CellKey;
      readonly label: string;
      readonly status: CellStatus;
      readonly cached: boolean;
      readonly spentUsd: number | undefined;
      readonly reason?: string;
      /** The row as the record keeps it. */
      readonly row: CellRow;
    }
  | { readonly type: 'provider-stopped'; readonly provider: string; readonly failure: ProviderFailure }
  | { readonly type: 'note'; readonly message: string }
  | { readonly type: 'finished' };

export type OnProgress = (event: ProgressEvent) => void;

/** How a tool call ended: with a result, or so that its cell could not go on. */
export interface TracedOutcome {
  readonly kind: 'result' | 'fails' | 'errored';
  readonly result?: ToolResult;
}

/** Watches a run for a tracing system; absent if tracing is off, so that it costs nothing. */
export interface RunTrace {
  /** Runs a cell within a span of its own. */
  readonly cell: (cell: Cell, run: () => Promise<CellResult>) => Promise<CellResult>;
  /** Puts a span around every request that is really sent. */
  readonly attempts: (config: ProviderConfig, endpoint: Endpoint, next: Complete) => Complete;
  /** The checks of the cell that is running begin now. */
  readonly startChecks: () => void;
  /** A check of the cell that is running is done. */
  readonly verdict: (verdict: Verdict) => void;
  /** Begins the span of a tool call of the cell that is running; the function that it returns ends it. Undefined after a bug. */
  readonly toolCall: (call: ToolCall) => (outcome: TracedOutcome | undefined) => void;
  /** Every result, also of cells that were skipped before they began. */
  readonly result: (result: CellResult) => void;
}
