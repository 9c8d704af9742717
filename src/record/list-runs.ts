import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../files/storage-error.ts';
import { UserError } from '../model/errors.ts';
import { secondsOfRunId } from './run-id.ts';

export interface StoredRun {
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
  /** When it was written to last, since the epoch. */
  readonly modifiedMs: number;
}

/**
 * The records of a folder, the latest first; a missing folder holds none. A record is as old as its id says, but not younger
 * than its last write, since a clock may have been wrong. Those that claim to be younger than the last change of the
 * folder come last.
 */
export function listRuns(folder: string): StoredRun[] {
  const names = recordNames(folder);
  const changed = statSync(folder, { throwIfNoEntry: false, bigint: true });
  const lastSecond = changed === undefined ? Infinity : secondsOf(changed) + clockToleranceS;
  return names
    .flatMap((name) => {
      const path = join(folder, name);
      const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
      if (stats?.isFile() !== true) return [];
      const id = name.slice(0, -'.jsonl'.length);
      const second = Math.min(secondsOfRunId(id) ?? Infinity, secondsOf(stats));
      return [{ id, path, stats, second: second > lastSecond ? -Infinity : second }];
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

/** How far the clocks of this computer and of its disk may differ. */
const clockToleranceS = 300;

function secondsOf({ mtimeNs }: { readonly mtimeNs: bigint }): number {
  return Number(mtimeNs / 1_000_000_000n);
}

interface DatedRun {
  readonly id: string;
  /** Since the epoch. */
  readonly second: number;
  readonly stats: { readonly mtimeNs: bigint };
}

/** Of two runs of one second the one is later that was written later, which the random part of an id can't say. */
function compareRuns(a: DatedRun, b: DatedRun): number {
  if (a.second !== b.second) return a.second < b.second ? -1 : 1;
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
