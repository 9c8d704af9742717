import type { CellKey } from '../model/cell.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { findStoredRun, runsFolder } from '../project/stored-runs.ts';
import { findMergeFaults, mergeEnds, mergeHeaders } from '../record/merge-headers.ts';
import { type RowPlace, readRowsAt } from '../record/read-rows.ts';
import { cellKeyText, visitRowHeads } from '../record/read-run-record.ts';
import { createUnderFreeId, refuseStorageErrors } from './open-record.ts';

export interface MergeOptions {
  /** Record files or run ids. */
  readonly shards: readonly string[];
  readonly root: string;
  readonly cwd: string;
  readonly now: () => Date;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * Writes one record from those of all shards of a run, beside the other runs, and returns its path. Throws a `UserError` for
 * shards that are missing, of another run, or given twice, and a `StorageError`.
 */
export function mergeRecords({ shards, root, cwd, now, random }: MergeOptions): string {
  const records = shards.map((name) => {
    const { path } = findStoredRun({ root }, name, cwd);
    // If a cell ran again, its last row counts.
    const cells = new Map<string, RecordedCell>();
    const record = visitRowHeads(path, (row, index) => cells.set(cellKeyText(row), { label: labelOf(row), index }));
    return { ...record, name, cells };
  });
  const faults = [...findMergeFaults(records), ...(records.length === 0 ? [] : findDoubles(records))];
  if (faults.length > 0) throw new UserError(faults.map(toProblem));
  const { writer } = refuseStorageErrors(() =>
    createUnderFreeId(runsFolder({ root }), mergeHeaders(records), { now, random }),
  );
  try {
    writeRows();
  } catch (error) {
    // Half of it would look like the record of a run that was interrupted.
    writer.discard();
    throw error;
  }
  writer.close();
  return writer.path;

  function writeRows(): void {
    for (const { path, places, cells } of records) {
      const kept = [...cells.values()].flatMap(({ index }): RowPlace | [] => places.at(index) ?? []);
      for (const row of readRowsAt(path, kept)) writer.append(row);
    }
    writer.append(mergeEnds(records));
  }
}

interface RecordedCell {
  readonly label: string;
  /** Of its last row. */
  readonly index: number;
}

function findDoubles(
  records: readonly { readonly name: string; readonly cells: ReadonlyMap<string, RecordedCell> }[],
): readonly string[] {
  const owners = new Map<string, string>();
  const faults: string[] = [];
  for (const { name, cells } of records) {
    for (const [key, { label }] of cells) {
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, name);
      else if (faults.length < maxDoubles) faults.push(`${owner} and ${name} both hold ${label}`);
    }
  }
  return faults;
}

const maxDoubles = 3;

function labelOf({ suite, caseId, prompt, provider, trial }: CellKey): string {
  return `trial ${trial + 1} of ${suite}/${caseId} (${prompt} × ${provider})`;
}

function toProblem(message: string): Problem {
  return { code: 'record', severity: 'error', message, hint: 'name the record of each shard of one run once' };
}
