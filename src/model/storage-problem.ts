import { StorageError } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import { type Problem, UserError } from './problem.ts';

// Not in problem.ts: the page for browsers imports its types, and this file needs Node.

/** Turns an error of the disk, which the user can fix, into a problem. */
export function storageProblem({ message, code }: StorageError, hint = storageHints[code]): Problem {
  return { code: 'environment', severity: 'error', message, ...defined({ hint }) };
}

const room = 'make room on the disk';
const access = 'make the folder writable';
const place = 'move the file or folder that is in the way, or name another path';

const storageHints: Readonly<Record<string, string>> = {
  EACCES: access,
  EDQUOT: room,
  EEXIST: place,
  EFBIG: room,
  EISDIR: place,
  ENOSPC: room,
  ENOTDIR: place,
  EPERM: access,
  EROFS: access,
};

/** Returns a `StorageError` or `UserError`. Rethrows any other error, which is a bug. */
export function refusalOf(error: unknown): StorageError | UserError {
  if (error instanceof StorageError || error instanceof UserError) return error;
  throw error;
}

/** Turns an error of the disk into a `UserError`. The default hint depends on the error's code. */
export function withRefusal<T>(work: () => T, hint?: string): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new UserError([storageProblem(error, hint)], { cause: error });
  }
}
