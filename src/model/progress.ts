import type { CellKey, CellStatus } from './cell.ts';
import type { ProviderFailure } from './completion.ts';
import type { CellRow } from './record.ts';

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
      /** As the record keeps it. */
      readonly row: CellRow;
    }
  | { readonly type: 'provider-stopped'; readonly provider: string; readonly failure: ProviderFailure }
  | { readonly type: 'note'; readonly message: string }
  | { readonly type: 'finished' };

export type OnProgress = (event: ProgressEvent) => void;
