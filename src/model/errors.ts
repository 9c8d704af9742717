import { StorageError } from '../files/storage-error.ts';
import { defined } from '../json/defined.ts';
import type { Problem } from './problem.ts';

/** Input that the user can fix: every problem at once. Ends in exit code 2, with nothing sent. */
export class UserError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map((problem) => problem.message).join('\n'), options);
    this.name = 'UserError';
    this.problems = problems;
  }
}

/** A refusal of the disk is a problem that the user can fix. */
export function storageProblem({ message, code }: StorageError, hint = storageHints[code]): Problem {
  return { code: 'environment', severity: 'error', message, ...defined({ hint }) };
}

const room = 'make room on the disk';
const access = 'make the folder writable';
const place = 'move what stands there out of the way, or name another place';

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

/** Turns what the disk refuses into a `UserError`; without a hint that of the reason is given. */
export function withRefusal<T>(work: () => T, hint?: string): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new UserError([storageProblem(error, hint)], { cause: error });
  }
}
