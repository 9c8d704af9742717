import { systemErrorCode } from '../lib/storage-error.ts';
import type { CacheEntry, StoredAnswer } from './cache-entry.ts';
import { parseStoredAnswer } from './cache-entry.ts';
import type { GarbledLines } from './known-lines.ts';
import { mergeSmallSegments } from './rewrite-segments.ts';
import type { SegmentSizes } from './segment-files.ts';
import { openSegmentLog } from './segment-log.ts';

/** Answers on disk. Neither call throws for what a disk can do: a run goes on without its cache. */
export interface CacheStore {
  /** Undefined: not there, or not usable (reported through `onWarning`). */
  read(key: string): StoredAnswer | undefined;
  /** On disk before the event loop takes its next turn: what comes in one turn is written together. */
  write(entry: CacheEntry): void;
}

export interface OpenCacheStore extends CacheStore {
  /** Writes what waits to be written at once. */
  flush(): void;
  /** Lets go of open files; a store that is used again opens them again. */
  close(): void;
}

export interface CacheStoreOptions {
  /** The wall clock. */
  readonly now: () => Date;
  readonly onWarning: (message: string) => void;
  readonly sizes?: SegmentSizes;
}

/**
 * Opens a cache folder with the first call; the folder is made with the first entry. Any number of processes may share
 * it, and each sees what the others store within a second. Each appends to a file of its own: 10,000 files cost more
 * than 10,000 answers do. The calls are synchronous, which is several times faster than fs.promises at this size.
 */
export function openCacheStore(folder: string, { now, onWarning, ...options }: CacheStoreOptions): OpenCacheStore {
  const warnedOf = new Set<string>();
  const log = openSegmentLog(folder, { ...options, now, onGarbled: warnOfGarbled, onUnreadable: warnOfUnreadable });
  let isWritable = true;
  let refreshedMs: number | undefined;

  let isFlushPlanned = false;

  return { read, write, flush, close };

  function read(key: string): StoredAnswer | undefined {
    try {
      refreshOnceASecond();
      const found = log.read(key);
      if (found === undefined) return undefined;
      const parsed = parseStoredAnswer(found.bytes);
      if (parsed.ok && parsed.answer.key === key) return parsed.answer;
      const reason = parsed.ok ? 'holds the answer to another request' : parsed.reason;
      const where = log.describe(found);
      log.forget(key);
      onWarning(`The cache entry ${where} ${reason}. It counts as missing and is replaced by the next answer.`);
    } catch (error) {
      warnOfUnreadable(error, folder);
    }
    return undefined;
  }

  function write(entry: CacheEntry): void {
    if (!isWritable) return;
    tryToWrite(() => {
      if (refreshedMs === undefined) refreshOnceASecond();
      log.append(entry);
    });
    if (isFlushPlanned) return;
    isFlushPlanned = true;
    setImmediate(() => {
      isFlushPlanned = false;
      flush();
    });
  }

  function flush(): void {
    tryToWrite(() => log.flush());
  }

  function close(): void {
    flush();
    log.close();
  }

  function tryToWrite(work: () => void): void {
    try {
      work();
    } catch (error) {
      const code = codeOf(error);
      isWritable = !lastingCodes.has(code);
      const consequence = isWritable ? 'Some answers are not stored' : 'No further answer is stored in this run';
      warnOnce(code, `The cache can't be written (${code}: ${folder}). ${consequence}.`);
    }
  }

  function refreshOnceASecond(): void {
    const nowMs = now().getTime();
    if (refreshedMs === undefined) mergeWherePossible();
    else if (Math.abs(nowMs - refreshedMs) < refreshIntervalMs) return;
    refreshedMs = nowMs;
    log.refresh();
  }

  function mergeWherePossible(): void {
    try {
      mergeSmallSegments(folder, now, options.sizes);
    } catch (error) {
      // Many files are slower, not wrong; whoever may not write here will hear of it with the first answer.
      if (systemErrorCode(error) === undefined) throw error;
    }
  }

  function warnOfGarbled({ path, count, lineNumber, reason }: GarbledLines): void {
    const [lines, pronoun] = count === 1 ? ['a line that is', 'It counts'] : [`${count} lines that are`, 'They count'];
    onWarning(
      `The cache file ${path} holds ${lines} not usable: line ${lineNumber} ${reason}. ${pronoun} as missing; ` +
        '`llmcheck cache verify --fix` removes what is damaged.',
    );
  }

  function warnOfUnreadable(error: unknown, path: string): void {
    const code = codeOf(error);
    warnOnce(`read ${code}`, `The cache can't be read (${code}: ${path}). Entries like it count as missing.`);
  }

  function warnOnce(code: string, message: string): void {
    if (warnedOf.has(code)) return;
    warnedOf.add(code);
    onWarning(message);
  }
}

const refreshIntervalMs = 1000;

/** Codes that the next entry would meet again. */
const lastingCodes: ReadonlySet<string> = new Set(['EACCES', 'EDQUOT', 'ENOSPC', 'ENOTDIR', 'EROFS']);

/** Throws again what no disk has said. */
function codeOf(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return code;
}
