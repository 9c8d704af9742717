import { StorageError } from '../files/storage-error.ts';
import { withRefusal } from '../model/errors.ts';
import type { RunHeader } from '../model/record.ts';
import type { RunPorts } from '../plan/run-options.ts';
import { newRunId } from '../record/list-runs.ts';
import { createRunRecord, type RunRecordWriter } from '../record/write-run-record.ts';

/** Runs that start in the same second and draw the same bytes are rare, not impossible. */
export function createUnderFreeId(
  folder: string,
  header: Omit<RunHeader, 'id'>,
  ports: Pick<RunPorts, 'now' | 'random'>,
): { readonly id: string; readonly writer: RunRecordWriter } {
  for (let draws = 1; ; draws += 1) {
    const id = newRunId(ports.now(), randomBytes(ports.random, 3));
    try {
      return { id, writer: createRunRecord(folder, { ...header, id }) };
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'EEXIST' || draws >= maxIdDraws) throw error;
    }
  }
}

const maxIdDraws = 100;

function randomBytes(random: () => number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => Math.floor(random() * 256));
}

/** A record that can't be opened is found before the first call, where the user can still mend it. */
export function refuseStorageErrors<T>(open: () => T): T {
  return withRefusal(open, 'make room or make the folder writable: a run without a record could not be reported');
}
