import type { LineStart } from '../files/split-lines.ts';
import type { CaseGroup } from './case-checks.ts';
import type { FileFault } from './files.ts';
import type { Located } from './locate.ts';
import type { Problems } from './problems.ts';
import type { ReadRows } from './read-rows.ts';

/**
 * Rows that share what a file of cases says for them all: in memory, as those that stand in a suite, or in a file that is
 * read as often as they are asked for.
 */
export type RowSource = { readonly group?: CaseGroup; readonly file?: CaseFile } & (
  | { readonly rows: readonly Located[] }
  | {
      readonly read: ReadRows;
      /** Told of a fault of the whole file. */
      readonly refuse: (fault: FileFault) => void;
      /** The file, as problems name it. */
      readonly shown: string;
    }
);

/** The file that rows come from. */
export interface CaseFile {
  /** As problems name it. */
  readonly shown: string;
  /** Where the suite names it. */
  readonly namedBy: Located;
  /** False where a pattern brought it. */
  readonly isNamed: boolean;
}

/** A row with the source it is of. */
export interface PlacedRow {
  readonly row: Located;
  readonly source: RowSource;
  /** Of a row of a file, where it begins and what is written there. */
  readonly start?: LineStart;
  readonly text?: string;
}

/** Reports what can't be read as it comes to it. */
export function* rowsOf(source: RowSource, { report }: Problems): Generator<PlacedRow> {
  if ('rows' in source) for (const row of source.rows) yield { row, source };
  else
    for (const { row, start, text } of source.read(report, { refuse: source.refuse }))
      yield { row, source, start, text };
}
