import { readFileSync, rmdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemErrorCode, withStorageErrors } from '../lib/storage-error.ts';
import type { CacheEntry, ParsedEntry } from './cache-entry.ts';
import { parseEntry, renderEntry } from './cache-entry.ts';
import type { EntryFile } from './entry-files.ts';
import { entryPath, listEntryFiles, sweepTempFiles, tempFolder } from './entry-files.ts';
import { replaceEntryFile } from './replace-entry-file.ts';

export interface CacheStats {
  readonly entries: number;
  readonly bytes: number;
  readonly garbled: number;
  /** ISO 8601; undefined in an empty cache. */
  readonly oldest?: string;
  readonly newest?: string;
  /** By `adapter:model`, the largest first. */
  readonly models: readonly { readonly model: string; readonly entries: number; readonly bytes: number }[];
}

export interface ListedEntry {
  readonly entry: CacheEntry;
  readonly path: string;
  readonly bytes: number;
}

export interface PruneLimits {
  /** Age since the file was written; an imported entry keeps the age it had. */
  readonly maxAgeMs?: number;
  /** The oldest go first. */
  readonly maxBytes?: number;
}

export interface Removal {
  readonly removed: number;
  readonly bytes: number;
}

export interface GarbledEntry {
  readonly path: string;
  readonly reason: string;
}

export interface ImportResult {
  readonly imported: number;
  /** Already there, and not older. */
  readonly skipped: number;
  readonly rejected: number;
  /** The first of those rejected, by line. */
  readonly problems: readonly { readonly line: number; readonly reason: string }[];
}

/** What `llmcheck cache` does with a folder. Every operation walks file by file, so that size costs time alone. */
export interface CacheMaintenance {
  stats(): CacheStats;
  /** Readable entries in the order of keys. */
  list(): Generator<ListedEntry>;
  clear(): Removal;
  prune(limits: PruneLimits): Removal;
  /** Every entry that can't be used; `remove` deletes them. */
  verify(options: { readonly remove: boolean }): {
    readonly checked: number;
    readonly garbled: readonly GarbledEntry[];
  };
  /** A line for each readable entry, without line breaks. */
  exportLines(): Generator<string>;
  importLines(lines: Iterable<string> | AsyncIterable<string>): Promise<ImportResult>;
}

/** Opens a cache folder for the commands; a missing folder is an empty cache. Disk errors are `StorageError`s. */
export function maintainCache(folder: string, { now }: { readonly now: () => Date }): CacheMaintenance {
  return { stats, list, clear, prune, verify, exportLines, importLines };

  function stats(): CacheStats {
    const models = new Map<string, { entries: number; bytes: number }>();
    let [entries, bytes, garbled] = [0, 0, 0];
    let [oldest, newest]: (string | undefined)[] = [];
    for (const file of listEntryFiles(folder)) {
      const found = readEntryFile(file);
      if (found === undefined) continue;
      bytes += found.bytes;
      if (!found.parsed.ok) {
        garbled += 1;
        continue;
      }
      const { createdAt, request } = found.parsed.entry;
      entries += 1;
      if (oldest === undefined || createdAt < oldest) oldest = createdAt;
      if (newest === undefined || createdAt > newest) newest = createdAt;
      const model = `${request.adapter}:${request.model}`;
      const sum = models.get(model) ?? { entries: 0, bytes: 0 };
      models.set(model, { entries: sum.entries + 1, bytes: sum.bytes + found.bytes });
    }
    return {
      entries,
      bytes,
      garbled,
      ...(oldest === undefined ? {} : { oldest }),
      ...(newest === undefined ? {} : { newest }),
      models: [...models]
        .map(([model, { entries, bytes }]) => ({ model, entries, bytes }))
        .sort((a, b) => b.bytes - a.bytes),
    };
  }

  function* list(): Generator<ListedEntry> {
    for (const file of listEntryFiles(folder)) {
      const found = readEntryFile(file);
      if (found?.parsed.ok) yield { entry: found.parsed.entry, path: file.path, bytes: found.bytes };
    }
  }

  function clear(): Removal {
    let [removed, bytes] = [0, 0];
    for (const { path } of listEntryFiles(folder)) {
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      removeFile(path);
      removed += 1;
      bytes += size;
    }
    sweepTempFiles(folder, now().getTime());
    removeEmptyFolders();
    return { removed, bytes };
  }

  function prune({ maxAgeMs = Infinity, maxBytes = Infinity }: PruneLimits): Removal {
    const nowMs = now().getTime();
    const kept: { key: string; mtimeMs: number; size: number }[] = [];
    let [keptBytes, removed, bytes] = [0, 0, 0];
    for (const { key, path } of listEntryFiles(folder)) {
      const file = statSync(path, { throwIfNoEntry: false });
      if (file === undefined) continue;
      if (nowMs - file.mtimeMs > maxAgeMs) {
        removeFile(path);
        removed += 1;
        bytes += file.size;
      } else if (maxBytes !== Infinity) {
        kept.push({ key, mtimeMs: file.mtimeMs, size: file.size });
        keptBytes += file.size;
      }
    }
    kept.sort((a, b) => a.mtimeMs - b.mtimeMs || (a.key < b.key ? -1 : 1));
    for (const { key, size } of kept) {
      if (keptBytes <= maxBytes) break;
      removeFile(entryPath(folder, key));
      keptBytes -= size;
      removed += 1;
      bytes += size;
    }
    sweepTempFiles(folder, nowMs);
    return { removed, bytes };
  }

  function verify({ remove }: { readonly remove: boolean }) {
    const garbled: GarbledEntry[] = [];
    let checked = 0;
    for (const file of listEntryFiles(folder)) {
      const found = readEntryFile(file);
      if (found === undefined) continue;
      checked += 1;
      if (found.parsed.ok) continue;
      garbled.push({ path: file.path, reason: found.parsed.reason });
      if (remove) removeFile(file.path);
    }
    if (remove) sweepTempFiles(folder, now().getTime());
    return { checked, garbled };
  }

  function* exportLines(): Generator<string> {
    for (const { entry } of list()) yield renderEntry(entry);
  }

  async function importLines(lines: Iterable<string> | AsyncIterable<string>): Promise<ImportResult> {
    let [imported, skipped, rejected, number] = [0, 0, 0, 0];
    const problems: { line: number; reason: string }[] = [];
    for await (const line of lines) {
      number += 1;
      if (line.trim() === '') continue;
      const parsed = parseEntry(number === 1 ? line.replace(/^\uFEFF/, '') : line);
      if (!parsed.ok) {
        rejected += 1;
        if (problems.length < maxProblems) problems.push({ line: number, reason: parsed.reason });
      } else if (isNewer(parsed.entry)) {
        const path = entryPath(folder, parsed.entry.key);
        withStorageErrors('Writing', path, () => replaceEntryFile(folder, path, renderEntry(parsed.entry)));
        const createdAt = new Date(parsed.entry.createdAt);
        utimesSync(path, createdAt, createdAt);
        imported += 1;
      } else {
        skipped += 1;
      }
    }
    return { imported, skipped, rejected, problems };
  }

  function isNewer(entry: CacheEntry): boolean {
    const found = readEntryFile({ key: entry.key, path: entryPath(folder, entry.key) });
    return !found?.parsed.ok || Date.parse(entry.createdAt) > Date.parse(found.parsed.entry.createdAt);
  }

  function removeEmptyFolders(): void {
    const folders = new Set<string>([tempFolder(folder)]);
    for (let prefix = 0; prefix < 256; prefix += 1) {
      folders.add(dirname(entryPath(folder, prefix.toString(16).padStart(2, '0').padEnd(64, '0'))));
    }
    for (const path of [...folders, folder]) {
      try {
        rmdirSync(path);
      } catch (error) {
        // Not there, or not empty: another process has just written, or something else lies there.
        if (systemErrorCode(error) === undefined) throw error;
      }
    }
  }
}

const maxProblems = 20;

/** Undefined where another process has just removed the file. */
function readEntryFile({ key, path }: EntryFile): { readonly parsed: ParsedEntry; readonly bytes: number } | undefined {
  return withStorageErrors('Reading', path, () => {
    try {
      const content = readFileSync(path);
      const parsed = parseEntry(content.toString('utf8'));
      const isElsewhere = parsed.ok && parsed.entry.key !== key;
      return {
        parsed: isElsewhere ? { ok: false, reason: 'lies under the name of another request' } : parsed,
        bytes: content.length,
      };
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  });
}

function removeFile(path: string): void {
  withStorageErrors('Removing', path, () => rmSync(path, { force: true }));
}
