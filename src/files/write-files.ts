import { Buffer } from 'node:buffer';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { drawUnfinishedEnding } from './unfinished-name.ts';

/**
 * Writes a whole file from one text or from chunks. A kill or a full disk leaves either the old text or the new one. An
 * existing file keeps its mode unless one is named, and a link's target is written. Devices and pipes are written directly. Throws a
 * `StorageError`.
 */
export function replaceFile(
  path: string,
  content: string | Iterable<string>,
  { mode }: { readonly mode?: number } = {},
): void {
  withStorageErrors('Writing', path, () => {
    const old = statSync(path, { throwIfNoEntry: false });
    if (old !== undefined && !old.isFile()) {
      writeChunks(path, content);
      return;
    }
    const target = old === undefined ? path : realpathSync(path);
    makeFolder(dirname(target));
    const temporary = temporaryOf(target);
    try {
      writeChunks(temporary, content, mode);
      if (old !== undefined && mode === undefined) chmodSync(temporary, old.mode);
      renameSync(temporary, target);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

const blockChars = 65_536;

function writeChunks(path: string, content: string | Iterable<string>, mode?: number): void {
  const file = openSync(path, 'w', mode);
  try {
    let pending = '';
    for (const chunk of typeof content === 'string' ? [content] : content) {
      pending += chunk;
      if (pending.length < blockChars) continue;
      writeFileSync(file, pending);
      pending = '';
    }
    writeFileSync(file, pending);
  } finally {
    closeSync(file);
  }
}

/**
 * Throws the `StorageError` that writing this file would throw, as far as writing one page beside it can tell. Changes
 * nothing.
 */
export function probeFile(path: string): void {
  withStorageErrors('Writing', path, () => {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
      throw new StorageError('Writing', path, 'EISDIR');
    let folder = dirname(path);
    while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
    const temporary = temporaryOf(join(folder, basename(path)));
    try {
      writeFileSync(temporary, Buffer.alloc(probeBytes));
    } finally {
      // Below a file there is nothing to remove, which is an error of its own.
      if (existsSync(temporary)) rmSync(temporary);
    }
  });
}

/** Makes a temporary name as long as that of every other writer here: a path may be too long for it. */
function temporaryOf(path: string): string {
  return join(dirname(path), `.${basename(path)}${drawUnfinishedEnding()}`);
}

const probeBytes = 4096;

/** Writes a whole file, unless it holds this text already; true where it was written. */
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

/** Removes a file; false where there is none. Throws a `StorageError`. */
export function removeFile(path: string): boolean {
  return withStorageErrors('Removing', path, () => {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return false;
    rmSync(path);
    return true;
  });
}

/**
 * Makes a folder and its missing parents, one by one. Node's recursive mkdir hides that a disk is read-only. It never
 * returns where an existing folder answers ENOENT, as `/proc` does. `mode` is that of each new folder. Throws the system error.
 */
export function makeFolder(path: string, mode?: number): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path && !existsSync(parent)) makeFolder(parent, mode);
  try {
    mkdirSync(path, mode);
  } catch (error) {
    // Another process may have made it in the meantime.
    if (systemErrorCode(error) !== 'EEXIST' || !isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

/** The file system refused: full, read-only, missing. Neither a bug nor a fault of the input. */
export class StorageError extends Error {
  /** Node's name for it, such as `ENOSPC`. */
  readonly code: string;
  readonly path: string;
  /** In words, such as `no space is left on the disk (ENOSPC)`. */
  readonly reason: string;

  constructor(action: string, path: string, code: string, options?: ErrorOptions) {
    const reason = reasons[code] ?? code;
    super(`${action} ${path} failed: ${reason}.`, options);
    this.reason = reason;
    this.name = 'StorageError';
    this.code = code;
    this.path = path;
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied (EACCES)',
  EBUSY: 'another process has been writing it for a minute (EBUSY)',
  EDQUOT: 'the disk quota is used up (EDQUOT)',
  EEXIST: 'it is there already (EEXIST)',
  EFBIG: 'the file would be larger than is allowed (EFBIG)',
  EISDIR: 'it is a folder (EISDIR)',
  ELOOP: 'links lead in a circle (ELOOP)',
  EMFILE: 'too many open files (EMFILE)',
  EIO: 'the disk reports an error (EIO)',
  ENOENT: 'it is not there (ENOENT)',
  ENAMETOOLONG: 'the name is too long (ENAMETOOLONG)',
  ENOSPC: 'no space is left on the disk (ENOSPC)',
  ENOTDIR: 'a part of the path is not a folder (ENOTDIR)',
  EPERM: 'the operation is not permitted (EPERM)',
  EROFS: 'the file system is read-only (EROFS)',
  ESTALE: 'another run has replaced it in the meantime (ESTALE)',
  LINK: 'it is a link, which is not followed here',
  TRUNCATED: 'another process has emptied it or cut it off',
};

/** The code of a system error, such as `ENOENT`; undefined for everything else that can be thrown. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A text that changes if one of the files or folders is written, added or removed. */
export function describeStates(paths: readonly string[]): string {
  const stateOf = (path: string): string => {
    const stats = unlessRefused(() => statSync(path, { throwIfNoEntry: false }), undefined);
    return stats === undefined ? '-' : `${stats.mtimeMs} ${stats.size}`;
  };
  return paths.map(stateOf).join('\n');
}

/** What disk work returns, or `otherwise` where the system refuses it, such as by `ENOENT`. */
export function unlessRefused<Result, Otherwise>(work: () => Result, otherwise: Otherwise): Result | Otherwise {
  try {
    return work();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return otherwise;
  }
}

/** Runs disk work and turns a system error into a `StorageError`; anything else is a bug and goes on. */
export function withStorageErrors<T>(action: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toStorageError(action, path, error);
  }
}

/** A system error as a `StorageError`; any other error unchanged. */
export function toStorageError(action: string, path: string, error: unknown): unknown {
  const code = systemErrorCode(error)?.replace(/^ERR_FS_(?=E)/, '');
  // Node's own codes, such as `ERR_INVALID_ARG_TYPE`, tell of a wrong call and not of the disk.
  if (code === undefined || code.startsWith('ERR_') || error instanceof StorageError) return error;
  // A folder is made only where there is none, so what is there already is a file.
  const isMkdir = error instanceof Error && 'syscall' in error && error.syscall === 'mkdir';
  return new StorageError(action, path, isMkdir && code === 'EEXIST' ? 'ENOTDIR' : code, { cause: error });
}
