import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode, withStorageErrors } from '../lib/storage-error.ts';

/**
 * Writes a file anew, or makes it: a kill leaves the old text or the new one. The mode of a file that exists stays, and
 * what a link names is written. Throws a `StorageError`.
 */
export function replaceFile(path: string, text: string): void {
  withStorageErrors('Writing', path, () => {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode;
    const target = mode === undefined ? path : realpathSync(path);
    const folder = dirname(target);
    mkdirSync(folder, { recursive: true });
    const temporary = join(folder, `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
    try {
      writeFileSync(temporary, text);
      if (mode !== undefined) chmodSync(temporary, mode);
      renameSync(temporary, target);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/** The same, unless the file holds this text already; true where it did not. */
export function replaceWhereChanged(path: string, text: string): boolean {
  if (withStorageErrors('Reading', path, () => readOrUndefined(path)) === text) return false;
  replaceFile(path, text);
  return true;
}

/** A file's text; undefined where there is no file. Throws system errors. */
export function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
