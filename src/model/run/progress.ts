import type { Endpoint } from '../suite/provider.ts';
import type { ProviderConfig } from '../suite/suite.ts';
import type { Cell, CellKey, CellResult, CellStatus } from './cell.ts';
import type { Complete, ProviderFailure, ToolCall, ToolResult } from './completion.ts';
import type { CellRow } from './record.ts';
import type { Verdict } from './verdict.ts';

/** An event during a run. Events are printed to stderr and are not part of a report. */
export type ProgressEvent =
  /** `keptCells` were finished by an earlier part of the run. `cells` does not include them. */
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
  /** A call waits to be sent again. Both events of a wait have the same object. */
  | { readonly type: 'wait-started' | 'wait-ended'; readonly wait: RetryWait }
  | { readonly type: 'note'; readonly message: string }
  | { readonly type: 'finished' };

/** A call that waits to be sent again. */
export interface RetryWait {
  /** The host that failed or refused the call; the provider's id if it has none. */
  readonly host: string;
  readonly waitMs: number;
  /** The status, or the kind of the failure. */
  readonly reason: string;
}

export type OnProgress = (event: ProgressEvent) => void;

/** The outcome of a tool call: a result, or a failure that ended its cell. */
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
  /**
   * Begins the span of a tool call in the running cell. The returned function ends the span; its outcome is undefined
   * after a bug.
   */
  readonly toolCall: (call: ToolCall) => (outcome: TracedOutcome | undefined) => void;
  /** Receives every result, including results of cells that were skipped before they began. */
  readonly result: (result: CellResult) => void;
}
