import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../lib/storage-error.ts';
import type { CacheEntry } from './cache-entry.ts';
import { parseEntry, renderEntry } from './cache-entry.ts';
import { entryPath, sweepTempFiles } from './entry-files.ts';
import { replaceEntryFile } from './replace-entry-file.ts';

/** Answers on disk. Neither call throws for what a disk can do: a run goes on without its cache. */
export interface CacheStore {
  /** Undefined: not there, or not usable (reported through `onWarning`). */
  read(key: string): CacheEntry | undefined;
  write(entry: CacheEntry): void;
}

export interface CacheStoreOptions {
  /** The wall clock. */
  readonly now: () => Date;
  readonly onWarning: (message: string) => void;
}

/**
 * Opens a cache folder, which is made with the first entry. Any number of processes may share it.
 * The calls are synchronous because that is five times faster than fs.promises at the size of an answer.
 */
export function openCacheStore(folder: string, { now, onWarning }: CacheStoreOptions): CacheStore {
  const warnedOf = new Set<string>();
  let isWritable = true;
  let isSwept = false;

  return { read, write };

  function read(key: string): CacheEntry | undefined {
    const path = entryPath(folder, key);
    const text = readText(path);
    if (text === undefined) return undefined;
    const parsed = parseEntry(text);
    if (parsed.ok && parsed.entry.key === key) return parsed.entry;
    const reason = parsed.ok ? 'holds the answer to another request' : parsed.reason;
    onWarning(`The cache entry ${path} ${reason}. It counts as missing and is replaced by the next answer.`);
    return undefined;
  }

  function readText(path: string): string | undefined {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      if (code !== 'ENOENT')
        warnOnce(code, `The cache can't be read (${code}: ${path}). Entries like it count as missing.`);
      return undefined;
    }
  }

  function write(entry: CacheEntry): void {
    if (!isWritable) return;
    try {
      sweepOnce();
      replaceEntryFile(folder, entryPath(folder, entry.key), renderEntry(entry));
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      isWritable = !lastingCodes.has(code);
      const consequence = isWritable ? 'Some answers are not stored' : 'No further answer is stored in this run';
      warnOnce(code, `The cache can't be written (${code}: ${folder}). ${consequence}.`);
    }
  }

  function sweepOnce(): void {
    if (isSwept) return;
    isSwept = true;
    sweepTempFiles(folder, now().getTime());
  }

  function warnOnce(code: string, message: string): void {
    if (warnedOf.has(code)) return;
    warnedOf.add(code);
    onWarning(message);
  }
}

/** Codes that the next entry would meet again. Others may pass: Windows refuses a rename while the file is being read. */
const lastingCodes: ReadonlySet<string> = new Set(['EACCES', 'EDQUOT', 'ENOSPC', 'ENOTDIR', 'EROFS']);
