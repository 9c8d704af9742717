import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';

/** SHA-256 of those paths that are files below the root; the others are passed over, as nothing outside the root is read. */
export function hashFiles(paths: readonly string[], root: string): readonly string[] {
  const realRoot = realpathSync(root);
  return paths.flatMap((path) => hashIfFile(path, realRoot));
}

/** A word of a command line need not be a path at all, so what can't be opened counts as no file. */
function hashIfFile(path: string, realRoot: string): readonly string[] {
  try {
    const file = realpathSync(path);
    const below = relative(realRoot, file);
    if (below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)) return [];
    return statSync(file).isFile() ? [hashFile(file)] : [];
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
}

/** Reads in pieces: a program may be large. */
function hashFile(file: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(1024 * 1024);
  const descriptor = openSync(file, 'r');
  try {
    let bytes = readSync(descriptor, piece);
    while (bytes > 0) {
      hash.update(piece.subarray(0, bytes));
      bytes = readSync(descriptor, piece);
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest('hex');
}
