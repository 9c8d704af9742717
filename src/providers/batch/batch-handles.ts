import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isDistrusted, privateFile, privateFolder } from '../../files/state-folder.ts';
import { drawUnfinishedEnding } from '../../files/unfinished-name.ts';
import { makeFolder, systemErrorCode, withStorageErrors } from '../../files/write-files.ts';
import { isJsonObject } from '../../json/json.ts';
import { parseJson } from '../../json/parse-json.ts';
import { type BatchHandle, batchHandleFormat } from '../../model/suite/provider.ts';

/** A project's pending batches, one file each. */
export interface BatchHandles {
  /** Lists handles, oldest first. Warns of invalid files and skips them. Throws a `StorageError`. */
  list(): readonly BatchHandle[];
  /** Writes a handle durably to disk. Throws a `StorageError`. */
  write(handle: BatchHandle): void;
  /**
   * Forgets a batch, so that no later run continues it: its answers are in the record, or its provider has lost or refused
   * it. Throws a `StorageError`.
   */
  readonly forget: (handle: Pick<BatchHandle, 'name'>) => void;
}

export function openBatchHandles(folder: string, onWarning: (message: string) => void): BatchHandles {
  const pathOf = (name: string) => join(folder, `${name}.json`);
  return {
    list() {
      const handles = fileNames(folder).flatMap((file) => {
        const handle = readHandle(join(folder, file));
        if (handle === undefined)
          onWarning(`${join(folder, file)} is not a batch that this version can read, so it is ignored`);
        return handle ?? [];
      });
      return handles.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
    },
    write(handle) {
      const path = pathOf(handle.name);
      const temporary = `${path}${drawUnfinishedEnding()}`;
      withStorageErrors('Writing', path, () => {
        makeFolder(folder, privateFolder);
        const fd = openSync(temporary, 'w', privateFile);
        try {
          writeSync(fd, `${JSON.stringify(handle)}\n`);
          // A submitted batch costs money, so its handle must survive a power loss.
          fsyncSync(fd);
        } catch (error) {
          rmSync(temporary, { force: true });
          throw error;
        } finally {
          closeSync(fd);
        }
        renameSync(temporary, path);
      });
    },
    forget: ({ name }) => withStorageErrors('Removing', pathOf(name), () => rmSync(pathOf(name), { force: true })),
  };
}

function fileNames(folder: string): readonly string[] {
  return withStorageErrors('Reading', folder, () => {
    try {
      const entries = readdirSync(folder, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile() && entry.name.endsWith('.json') && !isDistrusted(join(folder, entry.name)))
        .map(({ name }) => name);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return [];
      throw error;
    }
  });
}

/** Undefined if the file is no handle, or another process has just removed it. */
function readHandle(path: string): BatchHandle | undefined {
  try {
    const parsed = parseJson(readFileSync(path, 'utf8'));
    return parsed.ok && isBatchHandle(parsed.value) ? parsed.value : undefined;
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}

function isBatchHandle(value: unknown): value is BatchHandle {
  if (!isJsonObject(value) || value['format'] !== batchHandleFormat) return false;
  const { name, startedAt, provider, endpoint, keys, batchIds, isConfirmed } = value;
  const isText = (item: unknown) => typeof item === 'string';
  return (
    [name, startedAt, provider, endpoint].every(isText) &&
    typeof name === 'string' &&
    /^[\w-]+$/.test(name) &&
    Array.isArray(keys) &&
    keys.every(isText) &&
    Array.isArray(batchIds) &&
    batchIds.every(isText) &&
    typeof isConfirmed === 'boolean'
  );
}
