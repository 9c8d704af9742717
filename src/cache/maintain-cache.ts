import { rmdirSync, rmSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isDistrusted, isLink } from '../files/state-folder.ts';
import { unfinishedEnding } from '../files/unfinished-name.ts';
import { readOrUndefined, systemErrorCode, withStorageErrors } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import { type CacheEntry, checkKey, lineOf, type ParsedEntry, parseEntry } from './cache-entry.ts';
import { entryPath, listNames, writeEntry } from './file-store.ts';

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
  readonly path: string;
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
 * The operations of `llmcheck cache` on a folder. A missing folder is an empty cache. Every operation streams; only
 * `prune` keeps a path and a size for each entry. Disk errors are `StorageError`s.
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
    for (const found of readEntries(this.#folder)) {
      bytes += found.bytes;
      if (!found.parsed.ok) {
        damaged += 1;
        continue;
      }
      const { createdAt, request } = found.parsed.entry;
      entries += 1;
      if (oldest === undefined || createdAt < oldest) oldest = createdAt;
      if (newest === undefined || createdAt > newest) newest = createdAt;
      const model = `${request.adapter}:${request.model}`;
      const before = models.get(model) ?? { entries: 0, bytes: 0 };
      models.set(model, { entries: before.entries + 1, bytes: before.bytes + found.bytes });
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
    for (const { parsed, path, bytes } of readEntries(this.#folder))
      if (parsed.ok) yield { entry: parsed.entry, path, bytes };
  }

  /** A line for each readable entry, as it is stored, without line breaks. */
  *exportLines(): Generator<string> {
    for (const { parsed, text } of readEntries(this.#folder)) if (parsed.ok) yield lineOf(text);
  }

  clear(): Removal {
    const removal = remove(listFiles(this.#folder));
    removeEmptyFolder(this.#folder);
    return removal;
  }

  prune({ maxAgeMs = Infinity, maxBytes = Infinity }: PruneLimits): Removal {
    const oldestMs = this.#now().getTime() - maxAgeMs;
    const files = [...listFiles(this.#folder)].sort((a, b) => b.createdAtMs - a.createdAtMs);
    let kept = 0;
    const excess = files.filter((file) => {
      if (!file.isEntry) return this.#isLeftOver(file);
      if (file.createdAtMs >= oldestMs && kept + file.bytes <= maxBytes) {
        kept += file.bytes;
        return false;
      }
      // After an entry that does not fit, no older entry is kept.
      kept = maxBytes;
      return true;
    });
    return remove(excess);
  }

  /** Every entry that can't be used; `remove` deletes them. */
  verify({ remove: isFix }: { readonly remove: boolean }) {
    const damaged: { readonly path: string; readonly reason: string }[] = [];
    let checked = 0;
    for (const { parsed, path } of readEntries(this.#folder)) {
      checked += 1;
      const whole = parsed.ok ? checkKey(parsed.entry, basename(path, '.json')) : parsed;
      if (!whole.ok) damaged.push({ path, reason: whole.reason });
    }
    if (isFix) {
      withStorageErrors('Removing', this.#folder, () => {
        for (const { path } of damaged) rmSync(path, { force: true });
      });
      remove([...listFiles(this.#folder)].filter((file) => this.#isLeftOver(file)));
    }
    return { checked, damaged };
  }

  async importLines(lines: Iterable<string> | AsyncIterable<string>): Promise<ImportResult> {
    let [imported, skipped, rejected, number] = [0, 0, 0, 0];
    const problems: { line: number; reason: string }[] = [];
    for await (const line of lines) {
      number += 1;
      if (line.trim() === '') continue;
      const parsed = parseEntry(number === 1 ? line.replace(/^\uFEFF/, '') : line);
      const whole = parsed.ok ? checkKey(parsed.entry, parsed.entry.key) : parsed;
      if (!whole.ok) {
        rejected += 1;
        if (problems.length < maxProblems) problems.push({ line: number, reason: whole.reason });
      } else if (isNewer(this.#folder, whole.entry)) {
        withStorageErrors('Writing', this.#folder, () => writeEntry(this.#folder, whole.entry));
        imported += 1;
      } else skipped += 1;
    }
    return { imported, skipped, rejected, problems };
  }

  /** True for a temporary file of a killed process. A process may still write a younger one. */
  #isLeftOver({ isEntry, createdAtMs }: CacheFile): boolean {
    return !isEntry && this.#now().getTime() - createdAtMs > leftOverMs;
  }
}

const maxProblems = 20;
const leftOverMs = 3_600_000;

interface CacheFile {
  readonly path: string;
  readonly bytes: number;
  readonly createdAtMs: number;
  /** False for one that is not finished. */
  readonly isEntry: boolean;
}

/** Every file of the cache, in the order of keys. Skips files that another process removes meanwhile. */
function* listFiles(folder: string): Generator<CacheFile> {
  for (const path of listPaths(folder)) {
    const stats = withStorageErrors('Reading', path, (): Stats | undefined =>
      statSync(path, { throwIfNoEntry: false }),
    );
    if (stats?.isFile() !== true) continue;
    const { size: bytes, mtimeMs } = stats;
    yield { path, bytes, createdAtMs: Math.round(mtimeMs), isEntry: path.endsWith('.json') };
  }
}

function* listPaths(folder: string): Generator<string> {
  const list = (path: string) => withStorageErrors('Reading', path, () => listNames(path));
  for (const name of list(folder)) {
    if (!/^[0-9a-f]{2}$/.test(name)) continue;
    for (const file of list(join(folder, name))) {
      if (/^[0-9a-f]{64}\.json$/.test(file) || file.endsWith(unfinishedEnding)) yield `${folder}/${name}/${file}`;
    }
  }
}

interface ReadEntry {
  readonly parsed: ParsedEntry;
  readonly text: string;
  readonly path: string;
  readonly bytes: number;
}

function* readEntries(folder: string): Generator<ReadEntry> {
  for (const path of listPaths(folder)) {
    if (path.endsWith(unfinishedEnding) || isDistrusted(path)) continue;
    const text = withStorageErrors('Reading', path, () => readOrUndefined(path));
    if (text !== undefined) yield { parsed: parseEntry(text), text, path, bytes: Buffer.byteLength(text) };
  }
}

function remove(files: Iterable<CacheFile>): Removal {
  let [removed, bytes] = [0, 0];
  for (const file of files) {
    withStorageErrors('Removing', file.path, () => removeFile(file.path));
    if (file.isEntry) removed += 1;
    bytes += file.bytes;
  }
  return { removed, bytes };
}

/** Another process may have removed it. Not by `rmSync`, which looks at each file before it removes it. */
function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

/** True if nothing readable is stored under its key, or something older. */
function isNewer(folder: string, { key, createdAt }: CacheEntry): boolean {
  const path = entryPath(folder, key);
  // What a link leads to and what is not trusted is not read, but replaced.
  const text =
    isLink(path) || isDistrusted(path) ? undefined : withStorageErrors('Reading', path, () => readOrUndefined(path));
  const known = text === undefined ? undefined : parseEntry(text);
  return known?.ok !== true || createdAt > known.entry.createdAt;
}

/** Only `clear` does: a folder that goes while a run stores its answers costs an answer. */
function removeEmptyFolder(folder: string): void {
  const shards = withStorageErrors('Reading', folder, () => listNames(folder)).filter((name) =>
    /^[0-9a-f]{2}$/.test(name),
  );
  for (const path of [...shards.map((name) => join(folder, name)), folder]) {
    try {
      rmdirSync(path);
    } catch (error) {
      // Not there, or not empty.
      if (systemErrorCode(error) === undefined) throw error;
    }
  }
}
