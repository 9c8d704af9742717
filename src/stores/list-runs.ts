import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { systemErrorCode } from '../lib/storage-error.ts';
import { timeOfRunId } from './run-id.ts';

export interface StoredRun {
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
  /** When it was written to last, since the epoch. */
  readonly modifiedMs: number;
}

/** The records of a folder, the latest first; a missing folder holds none. */
export function listRuns(folder: string): StoredRun[] {
  return recordNames(folder)
    .flatMap((name) => {
      const path = join(folder, name);
      const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
      return stats?.isFile() ? [{ id: name.slice(0, -'.jsonl'.length), path, stats }] : [];
    })
    .sort((a, b) => compareRuns(b, a))
    .map(({ id, path, stats }) => ({ id, path, bytes: Number(stats.size), modifiedMs: Number(stats.mtimeMs) }));
}

/** Undefined where there is none. */
export function latestRun(folder: string): StoredRun | undefined {
  return listRuns(folder)[0];
}

/** Undefined where no record has that id; an id is never taken for a path. */
export function findRun(folder: string, id: string): StoredRun | undefined {
  return listRuns(folder).find((run) => run.id === id);
}

interface DatedRun {
  readonly id: string;
  readonly stats: { readonly mtimeNs: bigint };
}

/** By the id's time; the last word of two runs of one second is that of the file, which the random part can't say. */
function compareRuns(a: DatedRun, b: DatedRun): number {
  const [timeA, timeB] = [timeOfRunId(a.id), timeOfRunId(b.id)];
  if (timeA !== timeB) return timeA < timeB ? -1 : 1;
  if (a.stats.mtimeNs !== b.stats.mtimeNs) return a.stats.mtimeNs < b.stats.mtimeNs ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

function recordNames(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return [];
    if (code === undefined) throw error;
    const message = `The folder of run records ${folder} can't be read (${code}).`;
    throw new UserError([{ code: 'record', severity: 'error', message }], { cause: error });
  }
}
