import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder, withStorageErrors } from '../../files/write-files.ts';

/**
 * Writes a file in chunks and makes its folder. It writes to a temporary name first, so that a reader never sees half a
 * file and a full disk keeps the old one. Follows links; writes to devices and pipes directly. Throws a `StorageError`.
 */
export function writeFile(path: string, chunks: Iterable<string>): void {
  withStorageErrors('Writing', path, () => {
    makeFolder(dirname(path));
    const old = statSync(path, { throwIfNoEntry: false });
    if (old !== undefined && !old.isFile()) {
      writeChunks(path, chunks);
      return;
    }
    const target = old === undefined ? path : realpathSync(path);
    const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      writeChunks(temporary, chunks);
      if (old !== undefined) chmodSync(temporary, old.mode);
      renameSync(temporary, target);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

const blockChars = 65_536;

function writeChunks(path: string, chunks: Iterable<string>): void {
  const file = openSync(path, 'w');
  try {
    let pending = '';
    for (const chunk of chunks) {
      pending += chunk;
      if (pending.length < blockChars) continue;
      writeWhole(file, pending);
      pending = '';
    }
    writeWhole(file, pending);
  } finally {
    closeSync(file);
  }
}

/** Writes in a loop, since a nearly full disk may write only the beginning without an error. */
function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}
