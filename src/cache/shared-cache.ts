import type { CacheEntry } from './cache-entry.ts';
import { cacheFormat, checkKey, parseEntry, renderEntry } from './cache-entry.ts';

/** The store answers, and does not let us write. */
export class ReadOnlyStoreError extends Error {}

/** A store that several machines share. Calls reject if it does not answer or refuses. */
export interface SharedBackend {
  /** Undefined if there is no such value. */
  read(key: string): Promise<string | undefined>;
  /** Rejects with a `ReadOnlyStoreError` if it can only be read. */
  write(key: string, text: string): Promise<void>;
  /** The number of our values. If `isMore` is set, there are more. */
  count(): Promise<{ readonly entries: number; readonly isMore: boolean }>;
  close(): void;
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

/**
 * Answers of all machines behind the local cache. No call rejects, and none takes longer than the time limit. The store is
 * opened with the first call; once it fails or is too slow, it is not asked again.
 */
export class SharedCache {
  readonly #open: () => Promise<SharedBackend>;
  readonly #options: SharedCacheOptions;
  #opening: Promise<SharedBackend> | undefined;
  #isOff = false;
  #isReadOnly = false;
  #hasWarned = false;
  #dropped = 0;
  #writing = 0;
  #waiting: CacheEntry[] = [];
  #onDrained: (() => void) | undefined;

  constructor(open: () => Promise<SharedBackend>, options: SharedCacheOptions) {
    this.#open = open;
    this.#options = options;
  }

  async read(key: string): Promise<CacheEntry | undefined> {
    const { ttlMs, now } = this.#options;
    const text = await this.#attempt((backend) => backend.read(keyOf(key)));
    if (text === undefined) return undefined;
    const parsed = parseEntry(text);
    if (!parsed.ok || !checkKey(parsed.entry, key).ok) {
      this.#warnOfDamage(parsed.ok ? 'holds the answer to another request' : parsed.reason);
      return undefined;
    }
    const isTooOld = ttlMs !== undefined && now().getTime() - Date.parse(parsed.entry.createdAt) > ttlMs;
    return isTooOld ? undefined : parsed.entry;
  }

  /** Returns at once. The write waits in a queue. */
  write(entry: CacheEntry): void {
    if (this.#isOff || this.#isReadOnly) return;
    if (this.#waiting.length >= maxWaiting) this.#dropped += 1;
    else this.#waiting.push(entry);
    this.#writeNext();
  }

  /** Tries to finish the waiting writes, and closes the connection. */
  async close(): Promise<void> {
    const { address, onWarning } = this.#options;
    if (this.#writing > 0 || this.#waiting.length > 0) await this.#drain();
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
    if (this.#dropped > 0 && !this.#isOff) {
      onWarning(
        `${this.#dropped} answers are not in the shared cache ${address}: it stores them more slowly than they arrive.`,
      );
    }
    this.#isOff = true;
    (await this.#opening?.catch(() => undefined))?.close();
  }

  #warnOfDamage(reason: string): void {
    const { address, onWarning } = this.#options;
    if (!this.#hasWarned) {
      onWarning(`A value in the shared cache ${address} ${reason}. Values like it count as missing.`);
    }
    this.#hasWarned = true;
  }

  #writeNext(): void {
    while (this.#writing < maxWriting) {
      const entry = this.#waiting.shift();
      if (entry === undefined) return;
      void this.#writeOne(entry);
    }
  }

  async #writeOne(entry: CacheEntry): Promise<void> {
    this.#writing += 1;
    await this.#attempt((backend) => backend.write(keyOf(entry.key), renderEntry(entry)));
    this.#writing -= 1;
    if (this.#isOff) this.#waiting = [];
    this.#writeNext();
    if (this.#writing === 0 && this.#waiting.length === 0) this.#onDrained?.();
  }

  #drain(): Promise<void> {
    return new Promise((resolve) => {
      const stopTimer = this.#options.startTimer(drainMs, resolve);
      this.#onDrained = () => {
        stopTimer();
        resolve();
      };
    });
  }

  /** Undefined if the store is off, fails or takes too long. */
  async #attempt<T>(work: (backend: SharedBackend) => Promise<T>): Promise<T | undefined> {
    if (this.#isOff) return undefined;
    const { timeoutMs, startTimer } = this.#options;
    try {
      // Loading the client is our own time, not the store's.
      this.#opening ??= this.#open();
      const backend = await this.#opening;
      return await withTimeLimit(work(backend), timeoutMs, startTimer);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error instanceof ReadOnlyStoreError) this.#endWrites(error.message);
      else this.#turnOff(error.message);
      return undefined;
    }
  }

  #endWrites(reason: string): void {
    this.#waiting = [];
    if (this.#isReadOnly || this.#isOff) return;
    this.#isReadOnly = true;
    const { address, onWarning } = this.#options;
    onWarning(`The shared cache ${address} takes no answers (${reason}). The run only reads it.`);
  }

  #turnOff(reason: string): void {
    if (this.#isOff) return;
    this.#isOff = true;
    const { address, onWarning } = this.#options;
    onWarning(
      `The shared cache ${address} can't be used (${reason}). The run continues with the local cache only; ` +
        'answers that are missing there are requested.',
    );
  }
}

/** Rejects if the work takes longer. */
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
