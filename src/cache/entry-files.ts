import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError, systemErrorCode } from '../lib/storage-error.ts';

/** An entry lies in `ab/cdef….json`: 256 folders keep each of them short at 100,000 entries. */
export function entryPath(folder: string, key: string): string {
  return join(folder, key.slice(0, 2), `${key.slice(2)}.json`);
}

/** Beside the entries' folders, so that a rename stays on one disk and a sweep reads one folder. */
export function tempFolder(folder: string): string {
  return join(folder, 'tmp');
}

export interface EntryFile {
  readonly key: string;
  readonly path: string;
}

/** Every entry file in the order of keys; only one folder's names are held at a time. Other files are not seen. */
export function* listEntryFiles(folder: string): Generator<EntryFile> {
  for (const prefix of listNames(folder, 'isDirectory', /^[0-9a-f]{2}$/)) {
    for (const name of listNames(join(folder, prefix), 'isFile', /^[0-9a-f]{62}\.json$/)) {
      yield { key: prefix + name.slice(0, 62), path: join(folder, prefix, name) };
    }
  }
}

/** Removes what writers left that were killed; what may still be written stays. Returns how many. */
export function sweepTempFiles(folder: string, nowMs: number): number {
  let removed = 0;
  for (const name of listNames(tempFolder(folder), 'isFile', /\.tmp$/)) {
    const path = join(tempFolder(folder), name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined || nowMs - stats.mtimeMs < tempLifeMs) continue;
    rmSync(path, { force: true });
    removed += 1;
  }
  return removed;
}

const tempLifeMs = 3_600_000;

/** Matching names, sorted; none where the folder is missing or goes away. */
function listNames(folder: string, kind: 'isFile' | 'isDirectory', pattern: RegExp): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((item) => pattern.test(item.name) && item[kind]())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    if (code === undefined) throw error;
    throw new StorageError('Reading', folder, code, { cause: error });
  }
}
