import { storageProblem, UserError } from '../errors.ts';
import { StorageError } from '../lib/storage-error.ts';
import type { RunHeader } from '../model/record.ts';
import { newRunId } from '../stores/run-id.ts';
import { createRunRecord, type RunRecordWriter } from '../stores/write-run-record.ts';
import type { RunPorts } from './run-options.ts';

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

/** Turns what the disk refuses into a `UserError`; without a hint that of the reason is given. */
export function withRefusal<T>(work: () => T, hint?: string): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new UserError([storageProblem(error, hint)], { cause: error });
  }
}
