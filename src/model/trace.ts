import type { Cell, CellResult } from './cell.ts';
import type { Complete } from './completion.ts';
import type { Endpoint } from './provider.ts';
import type { ProviderConfig } from './suite.ts';
import type { Verdict } from './verdict.ts';

/** Watches a run for a tracing system; absent where tracing is off, so that it costs nothing. */
export interface RunTrace {
  /** Runs a cell within a span of its own. */
  readonly cell: (cell: Cell, run: () => Promise<CellResult>) => Promise<CellResult>;
  /** Puts a span around every request that is really sent. */
  readonly attempts: (config: ProviderConfig, endpoint: Endpoint, next: Complete) => Complete;
  /** The checks of the cell that is running begin now. */
  readonly startChecks: () => void;
  /** A check of the cell that is running is done. */
  readonly verdict: (verdict: Verdict) => void;
  /** Every result, also of cells that were skipped before they began. */
  readonly result: (result: CellResult) => void;
}
