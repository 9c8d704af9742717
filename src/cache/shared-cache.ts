import type { CacheEntry } from './cache-entry.ts';
import { cacheFormat, parseEntry, renderEntry } from './cache-entry.ts';

/** A place that several machines reach. Calls reject where it does not answer or says no. */
export interface SharedBackend {
  /** Undefined where there is no such value. */
  read(key: string): Promise<string | undefined>;
  write(key: string, text: string): Promise<void>;
  /** How many values of ours there are, where `isMore` is set at least that many. */
  count(): Promise<{ readonly entries: number; readonly isMore: boolean }>;
  close(): void;
}

/** Answers of all machines behind the local cache. No call rejects, and none takes longer than the time limit. */
export interface SharedCache {
  read(key: string): Promise<CacheEntry | undefined>;
  /** Returns at once; what is written waits for its turn. */
  write(entry: CacheEntry): void;
  /** Gives what waits a last chance, and lets go of the connection. */
  close(): Promise<void>;
}

export interface SharedCacheOptions {
  /** Without credentials, for messages. */
  readonly address: string;
  readonly timeoutMs: number;
  readonly ttlMs?: number;
  readonly now: () => Date;
  readonly startTimer: (ms: number, fire: () => void) => () => void;
  readonly onWarning: (message: string) => void;
}

/** Opens the store with the first call. One that fails or is too slow once is left alone from then on. */
export function openSharedCache(open: () => Promise<SharedBackend>, options: SharedCacheOptions): SharedCache {
  const { address, timeoutMs, ttlMs, now, startTimer, onWarning } = options;
  let opening: Promise<SharedBackend> | undefined;
  let isOff = false;
  let hasGarbled = false;
  let dropped = 0;
  let writing = 0;
  let waiting: CacheEntry[] = [];
  let onDrained: (() => void) | undefined;

  return { read, write, close };

  async function read(key: string): Promise<CacheEntry | undefined> {
    const text = await attempt((backend) => backend.read(keyOf(key)));
    if (text === undefined) return undefined;
    const parsed = parseEntry(text);
    if (!parsed.ok || parsed.entry.key !== key) {
      if (!hasGarbled) {
        const reason = parsed.ok ? 'holds the answer to another request' : parsed.reason;
        onWarning(`A value in the shared cache ${address} ${reason}. Values like it count as missing.`);
      }
      hasGarbled = true;
      return undefined;
    }
    const isTooOld = ttlMs !== undefined && now().getTime() - Date.parse(parsed.entry.createdAt) > ttlMs;
    return isTooOld ? undefined : parsed.entry;
  }

  function write(entry: CacheEntry): void {
    if (isOff) return;
    if (waiting.length >= maxWaiting) dropped += 1;
    else waiting.push(entry);
    writeNext();
  }

  function writeNext(): void {
    while (writing < maxWriting && waiting.length > 0) {
      const [entry] = waiting.splice(0, 1);
      if (entry === undefined) return;
      void writeOne(entry);
    }
  }

  async function writeOne(entry: CacheEntry): Promise<void> {
    writing += 1;
    await attempt((backend) => backend.write(keyOf(entry.key), renderEntry(entry)));
    writing -= 1;
    if (isOff) waiting = [];
    writeNext();
    if (writing === 0 && waiting.length === 0) onDrained?.();
  }

  async function close(): Promise<void> {
    if (writing > 0 || waiting.length > 0) {
      await new Promise<void>((resolve) => {
        const stopTimer = startTimer(drainMs, resolve);
        onDrained = () => {
          stopTimer();
          resolve();
        };
      });
    }
    dropped += waiting.length;
    waiting = [];
    if (dropped > 0 && !isOff) {
      onWarning(`${dropped} answers are not in the shared cache ${address}: it takes them more slowly than they come.`);
    }
    isOff = true;
    if (opening !== undefined) (await opening.catch(() => undefined))?.close();
  }

  /** Undefined where the store is off, fails or takes too long. */
  async function attempt<T>(work: (backend: SharedBackend) => Promise<T>): Promise<T | undefined> {
    if (isOff) return undefined;
    try {
      // Loading the client is our own time, not the store's.
      opening ??= open();
      const backend = await opening;
      return await withTimeLimit(work(backend), timeoutMs, startTimer);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      turnOff(error.message);
      return undefined;
    }
  }

  function turnOff(reason: string): void {
    if (isOff) return;
    isOff = true;
    onWarning(
      `The shared cache ${address} can't be used (${reason}). The run goes on with the local cache alone; ` +
        'what is missing there is asked for.',
    );
  }
}

/** Rejects where the work takes longer. */
export function withTimeLimit<T>(
  work: Promise<T>,
  ms: number,
  startTimer: SharedCacheOptions['startTimer'],
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopTimer = startTimer(ms, () => {
      // A program that was busy for as long finds its answer with the next turn of the loop.
      setImmediate(() => reject(new Error(`no answer within ${ms} ms`)));
    });
    work.then(resolve, reject).finally(stopTimer);
  });
}

/** Another format of entries is another name. */
function keyOf(key: string): string {
  return `v${cacheFormat}:${key}`;
}

const maxWriting = 64;
// Answers may be large.
const maxWaiting = 4000;
const drainMs = 2000;
