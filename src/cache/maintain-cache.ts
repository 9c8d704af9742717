import { rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { unfinishedEnding } from '../files/unfinished-name.ts';
import { systemErrorCode, withStorageErrors } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import { AnswerLog, type LogLine, readFolder } from './answer-log.ts';
import { type CacheEntry, checkKey, type ParsedEntry, parseEntry, renderEntry, withoutMark } from './cache-entry.ts';
import { indexName } from './log-index.ts';

export interface CacheStats {
  readonly entries: number;
  readonly bytes: number;
  readonly damaged: number;
  /** ISO 8601; undefined in an empty cache. */
  readonly oldest?: string;
  readonly newest?: string;
  /** The entries by `adapter:model`, the largest first. */
  readonly models: readonly { readonly model: string; readonly entries: number; readonly bytes: number }[];
}

export interface ListedEntry {
  readonly entry: CacheEntry;
  readonly bytes: number;
}

export interface PruneLimits {
  /** Age since the entry was written; an imported entry keeps the age it had. */
  readonly maxAgeMs?: number;
  /** The most bytes of all entries together. The oldest go first. */
  readonly maxBytes?: number;
}

export interface Removal {
  /** Entries. */
  readonly removed: number;
  readonly bytes: number;
}

export interface ImportResult {
  readonly imported: number;
  /** Already there, and not older. */
  readonly skipped: number;
  readonly rejected: number;
  /** The first rejected lines. */
  readonly problems: readonly { readonly line: number; readonly reason: string }[];
}

/**
 * The operations of `llmcheck cache` on a folder. A missing folder is an empty cache. Every operation streams: only
 * keys and places are in memory. Disk errors are `StorageError`s.
 */
export class CacheMaintenance {
  readonly #folder: string;
  readonly #now: () => Date;

  constructor(folder: string, { now }: { readonly now: () => Date }) {
    this.#folder = folder;
    this.#now = now;
  }

  stats(): CacheStats {
    const models = new Map<string, { entries: number; bytes: number }>();
    let [entries, bytes, damaged] = [0, 0, 0];
    let [oldest, newest]: (string | undefined)[] = [];
    for (const line of this.#lines()) {
      bytes += sizeOf(line);
      if (!line.isLast) continue;
      const parsed = parseLine(line);
      if (!parsed.ok) {
        damaged += 1;
        continue;
      }
      const { createdAt, request } = parsed.entry;
      entries += 1;
      if (oldest === undefined || createdAt < oldest) oldest = createdAt;
      if (newest === undefined || createdAt > newest) newest = createdAt;
      const model = `${request.adapter}:${request.model}`;
      const before = models.get(model) ?? { entries: 0, bytes: 0 };
      models.set(model, { entries: before.entries + 1, bytes: before.bytes + sizeOf(line) });
    }
    return {
      entries,
      bytes,
      damaged,
      ...defined({ oldest, newest }),
      models: [...models].map(([model, count]) => ({ model, ...count })).sort((a, b) => b.bytes - a.bytes),
    };
  }

  /** Readable entries in the order of keys. */
  *list(): Generator<ListedEntry> {
    for (const { parsed, bytes } of this.#sortedEntries()) if (parsed.ok) yield { entry: parsed.entry, bytes };
  }

  /** A line for each readable entry in the order of keys, without line breaks and marks. */
  *exportLines(): Generator<string> {
    for (const { parsed, text } of this.#sortedEntries()) if (parsed.ok) yield withoutMark(text);
  }

  clear(): Removal {
    const removal = this.#drop(() => true);
    withStorageErrors('Removing', this.#folder, () => removeFolder(this.#folder));
    return removal;
  }

  prune({ maxAgeMs = Infinity, maxBytes = Infinity }: PruneLimits): Removal {
    const oldestMs = this.#now().getTime() - maxAgeMs;
    const entries: { readonly createdAtMs: number; readonly bytes: number; readonly place: string }[] = [];
    const dropped = new Set<string>();
    for (const line of this.#lines()) {
      const parsed = line.isLast ? parseLine(line) : undefined;
      if (parsed?.ok !== true) dropped.add(placeOf(line));
      else {
        const createdAtMs = Date.parse(parsed.entry.createdAt);
        entries.push({ createdAtMs, bytes: sizeOf(line), place: placeOf(line) });
      }
    }
    let left = maxBytes;
    for (const { createdAtMs, bytes, place } of entries.sort((a, b) => b.createdAtMs - a.createdAtMs)) {
      // After an entry that does not fit, no older entry is kept.
      left = createdAtMs < oldestMs || bytes > left ? -1 : left - bytes;
      if (left < 0) dropped.add(place);
    }
    this.#removeLeftOvers();
    return this.#drop((line) => dropped.has(placeOf(line)));
  }

  /** Every line that can't be used; `remove` deletes them. */
  verify({ remove: isFix }: { readonly remove: boolean }) {
    const damaged: { readonly path: string; readonly reason: string }[] = [];
    let checked = 0;
    const log = this.#open();
    for (const line of this.#lines()) {
      checked += 1;
      const { segment, number } = line;
      const reason = describeFault(line);
      if (reason !== undefined) damaged.push({ path: `${log.pathOf(segment)}:${number}`, reason });
    }
    if (isFix) {
      this.#removeLeftOvers();
      if (damaged.length > 0) this.#drop((line) => describeFault(line) !== undefined);
    }
    return { checked, damaged };
  }

  async importLines(lines: Iterable<string> | AsyncIterable<string>): Promise<ImportResult> {
    const log = this.#open();
    let [imported, skipped, rejected, number] = [0, 0, 0, 0];
    const problems: { line: number; reason: string }[] = [];
    try {
      for await (const line of lines) {
        number += 1;
        if (line.trim() === '') continue;
        const parsed = parseEntry(number === 1 ? line.replace(/^\uFEFF/, '') : line);
        const whole = parsed.ok ? checkKey(parsed.entry, parsed.entry.key) : parsed;
        if (!whole.ok) {
          rejected += 1;
          if (problems.length < maxProblems) problems.push({ line: number, reason: whole.reason });
        } else if (withStorageErrors('Reading', this.#folder, () => isNewer(log, whole.entry))) {
          withStorageErrors('Writing', this.#folder, () => log.append(whole.entry.key, renderEntry(whole.entry)));
          imported += 1;
        } else skipped += 1;
      }
    } finally {
      log.close();
    }
    return { imported, skipped, rejected, problems };
  }

  #open(): AnswerLog {
    return new AnswerLog(this.#folder);
  }

  /** Every line, in the order in which they were written. `isLast` is false if a later line has the same key. */
  *#lines(): Generator<LogLine & { readonly isLast: boolean }> {
    const log = this.#open();
    const places = withStorageErrors('Reading', this.#folder, () => log.places);
    for (const line of withReadErrors(this.#folder, log.lines())) {
      const last = line.key === undefined ? undefined : places.get(line.key);
      yield { ...line, isLast: last === undefined || placeOf(last) === placeOf(line) };
    }
  }

  *#sortedEntries(): Generator<{ readonly text: string; readonly parsed: ParsedEntry; readonly bytes: number }> {
    const log = this.#open();
    const places = withStorageErrors('Reading', this.#folder, () => log.places);
    const keys = [...places.keys()].sort();
    for (const key of keys) {
      const text = withStorageErrors('Reading', this.#folder, () => log.find(key));
      if (text !== undefined) yield { text, parsed: parseEntry(text), bytes: Buffer.byteLength(text) + 1 };
    }
  }

  /** Writes the log again without some lines, if it has such a line or several segments. */
  #drop(isDropped: (line: LogLine) => boolean): Removal {
    let [removed, bytes] = [0, 0];
    const segments = new Set<string>();
    for (const line of this.#lines()) {
      segments.add(line.segment);
      if (!isDropped(line)) continue;
      bytes += sizeOf(line);
      if (line.isLast && line.key !== undefined) removed += 1;
    }
    if (bytes > 0 || segments.size > 1)
      withStorageErrors('Writing', this.#folder, () => this.#open().rewrite(isDropped));
    return { removed, bytes };
  }

  /** Removes temporary files of killed processes. A process may still write a younger one. */
  #removeLeftOvers(): void {
    withStorageErrors('Removing', this.#folder, () => {
      for (const { name } of readFolder(this.#folder)) {
        if (!name.endsWith(unfinishedEnding)) continue;
        const path = join(this.#folder, name);
        const stats = statSync(path, { throwIfNoEntry: false });
        if (stats !== undefined && this.#now().getTime() - stats.mtimeMs > leftOverMs) rmSync(path, { force: true });
      }
    });
  }
}

const leftOverMs = 3_600_000;
const maxProblems = 20;

function parseLine({ bytes }: LogLine): ParsedEntry {
  return parseEntry(bytes.toString('utf8'));
}

function describeFault(line: LogLine): string | undefined {
  const parsed = parseLine(line);
  const whole = parsed.ok ? checkKey(parsed.entry, parsed.entry.key) : parsed;
  return whole.ok ? undefined : whole.reason;
}

/** With its line break. */
function sizeOf({ length }: LogLine): number {
  return length + 1;
}

function placeOf({ segment, offset }: Pick<LogLine, 'segment' | 'offset'>): string {
  return `${segment} ${offset}`;
}

/** True if nothing readable is stored under its key, or something older. */
function isNewer(log: AnswerLog, { key, createdAt }: CacheEntry): boolean {
  const text = log.find(key);
  const known = text === undefined ? undefined : parseEntry(text);
  return known?.ok !== true || createdAt > known.entry.createdAt;
}

function* withReadErrors<T>(folder: string, items: Iterator<T>): Generator<T> {
  for (;;) {
    const next = withStorageErrors('Reading', folder, () => items.next());
    if (next.done === true) return;
    yield next.value;
  }
}

/** Removes the index and the folder, unless another process has stored an answer meanwhile, or other files are there. */
function removeFolder(folder: string): void {
  rmSync(join(folder, indexName), { force: true });
  try {
    rmdirSync(folder);
  } catch (error) {
    // Not there, or not empty.
    if (systemErrorCode(error) === undefined) throw error;
  }
}
