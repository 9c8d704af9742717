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
  ENOTDIR: 'a part of the path is no folder (ENOTDIR)',
  EPERM: 'the operation is not permitted (EPERM)',
  EROFS: 'the file system is read-only (EROFS)',
  ESTALE: 'another run has replaced it in the meantime (ESTALE)',
};

/** The code of a system error, such as `ENOENT`; undefined for everything else that can be thrown. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
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
