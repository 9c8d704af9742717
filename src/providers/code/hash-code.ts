import { createHash } from 'node:crypto';
import { closeSync, type Dirent, openSync, readdirSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { unlessRefused } from '../../files/write-files.ts';
import { followImports } from '../../text/code/relative-imports.ts';
import { compareText } from '../../text/compare-text.ts';
import { skippedFolders } from '../../text/patterns/glob.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { leavesRoot } from '../outgoing-request.ts';

export interface HashedModule {
  /** SHA-256 of the file and of each project file that it imports, in order of discovery. */
  readonly hashes: readonly string[];
  /** These files, and paths tried for an import that do not exist. */
  readonly files: readonly string[];
}

/** Hashes a module and its imports. Reads nothing outside the root. */
export function hashModule(start: string, root: string): HashedModule {
  const isFile = (path: string) => hashFiles([path], root).length > 0;
  const { files, missing } = followImports(start, isFile, (path) => readFileSync(path, 'utf8'));
  return { hashes: hashFiles(files, root), files: [...files, ...missing] };
}

/** SHA-256 of each path that is a file below the root. Skips all others, so nothing outside the root is read. */
export function hashFiles(paths: readonly string[], root: string): readonly string[] {
  const realRoot = realpathSync(root);
  return paths.flatMap((path) => hashIfFile(path, realRoot));
}

/** Hashes a path if it is a file. A word of a command line may be anything, so unreadable paths are skipped. */
function hashIfFile(path: string, realRoot: string): readonly string[] {
  return unlessRefused(() => {
    const file = realpathSync(path);
    if (leavesRoot(relative(realRoot, file))) return [];
    return statSync(file).isFile() ? [hashFile(file)] : [];
  }, []);
}

/** The paths that are folders below the root, each with a SHA-256 of its files' paths and contents. */
export function hashFolders(
  paths: readonly string[],
  root: string,
): { readonly folders: readonly string[]; readonly hashes: readonly string[] } {
  const realRoot = realpathSync(root);
  const folders = paths.filter(
    (path) =>
      statSync(path, { throwIfNoEntry: false })?.isDirectory() === true &&
      !leavesRoot(relative(realRoot, realpathSync(path))),
  );
  const hashes = folders.map((folder) =>
    sha256Hex(JSON.stringify(listFiles(folder).map((file) => [relative(folder, file), ...hashFiles([file], root)]))),
  );
  return { folders, hashes };
}

/**
 * Lists the files below a folder, sorted. Does not follow links to folders, and skips unreadable entries like
 * `hashFiles`.
 */
function listFiles(folder: string): readonly string[] {
  return readFolder(folder)
    .toSorted((one, other) => compareText(one.name, other.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (!entry.isDirectory()) return [path];
      return skippedFolders.has(entry.name) ? [] : listFiles(path);
    });
}

function readFolder(folder: string): readonly Dirent[] {
  return unlessRefused(() => readdirSync(folder, { withFileTypes: true }), []);
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

const credentialName = /(?:^|_)(?:(?:API)?KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i;

/** True for a variable name that only keys have. */
export function isCredentialName(name: string): boolean {
  return credentialName.test(name);
}

/**
 * Hashes the variables that a program gets, as part of the adapter's version. For credentials only the name counts:
 * their value does not change the answer.
 */
export function hashEnv(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): readonly string[] {
  if (names.length === 0) return [];
  const values = [...new Set(names)]
    .toSorted()
    .map((name) => [name, isCredentialName(name) ? null : (env[name] ?? null)]);
  return [`env-${sha256Hex(JSON.stringify(values)).slice(0, 12)}`];
}
