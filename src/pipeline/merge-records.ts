import { UserError } from '../errors.ts';
import type { Problem } from '../model/problem.ts';
import { findMergeFaults, mergeEnds, mergeHeaders } from '../record/merge-headers.ts';
import { cellKeyText, type RowPlace, readRowHeads, readRowsAt } from '../stores/read-run-record.ts';
import { createUnderFreeId, refuseStorageErrors } from './create-record.ts';
import { findStoredRun, runsFolder } from './stored-runs.ts';

export interface MergeOptions {
  /** Record files or run ids. */
  readonly shards: readonly string[];
  readonly root: string;
  readonly cwd: string;
  readonly now: () => Date;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Makes one record of those of all shards of a run, beside the other runs; gives its path. Refuses what is missing, foreign or double. Throws a `StorageError`. */
export function mergeRecords({ shards, root, cwd, now, random }: MergeOptions): string {
  const records = shards.map((name) => {
    const { path } = findStoredRun({ root }, name, cwd);
    const cells: { readonly key: string; readonly index: number }[] = [];
    const record = readRowHeads(path, (row, index) => cells.push({ key: cellKeyText(row), index }));
    // Of a cell that ran again the last row counts.
    const last = new Map(cells.map(({ key, index }) => [key, index]));
    return { ...record, name, last };
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
    for (const { path, places, last } of records) {
      const kept = [...last.values()]
        .toSorted((a, b) => a - b)
        .flatMap((index): RowPlace[] => [places.at(index) ?? []].flat());
      for (const row of readRowsAt(path, kept)) writer.append(row);
    }
    writer.append(mergeEnds(records));
  }
}

function findDoubles(
  records: readonly { readonly name: string; readonly last: ReadonlyMap<string, number> }[],
): readonly string[] {
  const owners = new Map<string, string>();
  const faults: string[] = [];
  for (const { name, last } of records) {
    for (const key of last.keys()) {
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, name);
      else if (faults.length < 3) faults.push(`${owner} and ${name} both hold the cell ${describeKey(key)}`);
    }
  }
  return faults;
}

function describeKey(key: string): string {
  return key.replaceAll('\u0000', ' · ');
}

function toProblem(message: string): Problem {
  return { code: 'record', severity: 'error', message, hint: 'name the record of each shard of one run once' };
}
