import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { withStorageErrors } from '../lib/storage-error.ts';
import type { RunHeader } from '../model/record.ts';
import { type RowPlace, readRowsAt } from './read-run-record.ts';
import { renderRow } from './row-layout.ts';

/** Replaces a record by one with another header and only the rows at `places`; a kill leaves the old or the new one. */
export function rewriteRunRecord(path: string, header: RunHeader, places: Iterable<RowPlace>): void {
  const temporary = `${path}.${header.id}.tmp`;
  withStorageErrors('Rewriting', path, () => {
    const fd = openSync(temporary, 'w');
    try {
      writeSync(fd, `${JSON.stringify(header)}\n`);
      for (const row of readRowsAt(path, places)) writeSync(fd, `${renderRow(row)}\n`);
      fsyncSync(fd);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  });
}
