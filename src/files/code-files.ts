import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readSync, realpathSync, type Stats, statSync } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import type { CodeFiles } from '../text/code/code-files.ts';
import { compareText } from '../text/compare-text.ts';
import { skippedFolders } from '../text/patterns/glob.ts';
import { unlessRefused } from './write-files.ts';

/** A larger script is no source text. */
const maxTextBytes = 16 * 1024 * 1024;

/** The files of a project on disk. What is looked up once is remembered, so open them again to see a change. */
export function openCodeFiles(boundary: string): CodeFiles {
  const realBoundary = unlessRefused(() => realpathSync(boundary), boundary);
  const known = new Map<string, Stats | undefined>();
  const hashes = new Map<string, string | undefined>();
  /** Undefined for what is missing or lies outside. */
  const look = (path: string): Stats | undefined => {
    if (!known.has(path))
      known.set(
        path,
        unlessRefused(() => lookInside(path, realBoundary), undefined),
      );
    return known.get(path);
  };
  return {
    boundary,
    isFile: (path) => look(path)?.isFile() === true,
    isFolder: (path) => look(path)?.isDirectory() === true,
    readText(path) {
      const stats = look(path);
      if (stats?.isFile() !== true || stats.size > maxTextBytes) return undefined;
      const text = unlessRefused(() => readFileSync(path, 'utf8'), undefined);
      return text?.includes('\u0000') === true ? undefined : text;
    },
    hash(path) {
      if (!hashes.has(path)) {
        hashes.set(path, look(path)?.isFile() === true ? unlessRefused(() => hashFile(path), undefined) : undefined);
      }
      return hashes.get(path);
    },
    list: (folder) =>
      unlessRefused(() => readdirSync(folder, { withFileTypes: true }), [])
        .filter(({ name }) => !skippedFolders.has(name))
        .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
        .sort((one, other) => compareText(one.name, other.name)),
    realPath: (path) => unlessRefused(() => realpathSync(path), path),
  };
}

function lookInside(path: string, realBoundary: string): Stats | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const inside = relative(realBoundary, realpathSync(path));
  const names = inside.split(sep);
  // Git's own folder may hold keys.
  return isAbsolute(inside) || names[0] === '..' || names.some((name) => name.toLowerCase() === '.git')
    ? undefined
    : stats;
}

/** Hashes in chunks: a program may be large. */
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
