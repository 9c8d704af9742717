import { randomBytes } from 'node:crypto';
import { chmodSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { withStorageErrors } from '../lib/storage-error.ts';

/** Writes a file that exists anew: a kill leaves the old text or the new one. Its mode stays, and what a link names is written. */
export function replaceFile(path: string, text: string): void {
  withStorageErrors('Writing', path, () => {
    const target = realpathSync(path);
    const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
    try {
      writeFileSync(temporary, text);
      chmodSync(temporary, statSync(target).mode);
      renameSync(temporary, target);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}
