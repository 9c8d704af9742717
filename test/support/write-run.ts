import type { CellRow, EndRow, RunHeader } from '../../src/model/run/record.ts';
import { runsFolder } from '../../src/project/stored-runs.ts';
import { createRunRecord } from '../../src/record/write-run-record.ts';

/** Writes a run where `run` stores it; without an end it is as one that was killed. */
export function writeStoredRun(root: string, header: RunHeader, rows: readonly CellRow[], end?: EndRow): string {
  const writer = createRunRecord(runsFolder({ root }), header);
  for (const row of rows) writer.append(row);
  if (end !== undefined) writer.append(end);
  writer.close();
  return writer.path;
}
