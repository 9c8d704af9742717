import { rmdirSync, statSync } from 'node:fs';
import { systemErrorCode, withStorageErrors } from '../lib/storage-error.ts';
import type { CacheEntry } from './cache-entry.ts';
import { parseEntry } from './cache-entry.ts';
import { createLineRows } from './line-rows.ts';
import type { CatalogSegment } from './read-catalog.ts';
import { readCatalog } from './read-catalog.ts';
import type { OpenEntries } from './read-entries.ts';
import { openEntries, readEntriesByKey } from './read-entries.ts';
import type { SegmentRewrite } from './rewrite-segments.ts';
import { rewriteSegments } from './rewrite-segments.ts';
import type { SegmentSizes } from './segment-files.ts';
import { removeLeftovers, removeSegmentFile } from './segment-files.ts';
import type { SegmentLog } from './segment-log.ts';
import { openSegmentLog } from './segment-log.ts';
import { selectKeptLines } from './select-kept-lines.ts';
import { visitEntries } from './visit-entries.ts';

export interface CacheStats {
  readonly entries: number;
  /** On disk; what was overwritten since and what is damaged take their part until `prune` or `verify` removes it. */
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
  /** Of its line: `file:line`. */
  readonly path: string;
  readonly bytes: number;
}

export interface PruneLimits {
  /** Age since the entry was written; an imported entry keeps the age it had. */
  readonly maxAgeMs?: number;
  /** On disk. The oldest go first. */
  readonly maxBytes?: number;
}

export interface Removal {
  /** Entries. */
  readonly removed: number;
  /** What the disk has won. */
  readonly bytes: number;
}

export interface GarbledEntry {
  /** Of its line: `file:line`. */
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

/** What `llmcheck cache` does with a folder. Every operation holds some numbers for each entry, and one entry at a time. */
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

export interface MaintenanceOptions {
  readonly now: () => Date;
  readonly sizes?: SegmentSizes;
}

/** Opens a cache folder for the commands; a missing folder is an empty cache. Disk errors are `StorageError`s. */
export function maintainCache(folder: string, { now, ...options }: MaintenanceOptions): CacheMaintenance {
  return { stats, list, clear, prune, verify, exportLines, importLines };

  function stats(): CacheStats {
    return withStorageErrors('Reading', folder, () => {
      for (;;) {
        const found = countEntries(openEntries(readCatalog(folder, now)));
        if (found !== undefined) return found;
      }
    });
  }

  /** Undefined where a segment was taken away meanwhile. */
  function countEntries({ catalog, readEntry, close }: OpenEntries): CacheStats | undefined {
    try {
      const models = new Map<string, { entries: number; bytes: number }>();
      let [entries, garbled] = [0, 0];
      let [oldest, newest]: (string | undefined)[] = [];
      for (let index = 0; index < catalog.size; index += 1) {
        const found = readEntry(index);
        if (found === undefined) return undefined;
        if (!found.parsed.ok) {
          garbled += 1;
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
        bytes: sum(catalog.segments.map(sizeOf)),
        garbled: garbled + sum(catalog.segments.map(({ garbledCount }) => garbledCount)),
        ...(oldest === undefined ? {} : { oldest }),
        ...(newest === undefined ? {} : { newest }),
        models: [...models]
          .map(([model, { entries, bytes }]) => ({ model, entries, bytes }))
          .sort((a, b) => b.bytes - a.bytes),
      };
    } finally {
      close();
    }
  }

  function* list(): Generator<ListedEntry> {
    for (const { parsed, where, bytes } of readEntriesByKey(folder, now)) {
      if (parsed.ok) yield { entry: parsed.entry, path: where, bytes };
    }
  }

  function* exportLines(): Generator<string> {
    for (const { parsed, text } of readEntriesByKey(folder, now)) {
      if (parsed.ok) yield text;
    }
  }

  function clear(): Removal {
    return withStorageErrors('Removing', folder, () => {
      const { segments, size: removed } = readCatalog(folder, now);
      let bytes = 0;
      // What others are rewriting goes too. A writer begins another segment with its next answer.
      for (const segment of segments) {
        bytes += sizeOf(segment);
        removeSegmentFile(folder, segment.file);
      }
      removeLeftovers(folder, () => true);
      removeEmptyFolder();
      return { removed, bytes };
    });
  }

  function prune({ maxAgeMs = Infinity, maxBytes = Infinity }: PruneLimits): Removal {
    if (maxAgeMs === Infinity && maxBytes === Infinity) return { removed: 0, bytes: 0 };
    return withStorageErrors('Removing', folder, () => {
      const catalog = readCatalog(folder, now);
      const { kept, removed } = selectKeptLines(catalog, { oldestMs: now().getTime() - maxAgeMs, maxBytes });
      const rewrites = catalog.segments.flatMap(({ file, scannedTo, lineCount, isGone }, index) => {
        const offsets = kept[index] ?? new Float64Array();
        if (isGone || offsets.length === lineCount) return [];
        return [{ file, keep: keepListed(offsets, scannedTo), keptCount: offsets.length }];
      });
      // Those that vanish as a whole make room for what is kept of the others.
      rewrites.sort((a, b) => a.keptCount - b.keptCount);
      const bytes = rewriteSegments(folder, rewrites, now, options.sizes);
      if (bytes > 0) removeEmptyFolder();
      return { removed, bytes };
    });
  }

  function verify({ remove }: { readonly remove: boolean }) {
    return withStorageErrors('Reading', folder, () => {
      const garbled: GarbledEntry[] = [];
      const valid = createLineRows();
      const rewrites: SegmentRewrite[] = [];
      for (const { file, cutOffLine } of readCatalog(folder, now).segments) {
        const damaged = new Set<number>();
        const before = garbled.length;
        visitEntries(file.path, ({ parsed, offset, lineNumber }) => {
          if (parsed.ok) {
            valid.setKey(parsed.entry.key, { segment: 0, offset: 0, createdAtMs: 0 });
            return;
          }
          damaged.add(offset);
          garbled.push({ path: `${file.path}:${lineNumber}`, reason: parsed.reason });
        });
        if (cutOffLine !== undefined) garbled.push({ path: `${file.path}:${cutOffLine}`, reason: 'is cut off' });
        // An older answer that a damaged one stood before comes to light again, and is as good as it was.
        if (garbled.length > before) rewrites.push({ file, keep: (offset) => !damaged.has(offset) });
      }
      if (remove && rewrites.length > 0) {
        withStorageErrors('Removing', folder, () => rewriteSegments(folder, rewrites, now, options.sizes));
        removeEmptyFolder();
      }
      return { checked: valid.size + garbled.length, garbled };
    });
  }

  async function importLines(lines: Iterable<string> | AsyncIterable<string>): Promise<ImportResult> {
    let [imported, skipped, rejected, number] = [0, 0, 0, 0];
    const problems: { line: number; reason: string }[] = [];
    const log = withStorageErrors('Reading', folder, openLog);
    try {
      for await (const line of lines) {
        number += 1;
        if (line.trim() === '') continue;
        const parsed = parseEntry(number === 1 ? line.replace(/^\uFEFF/, '') : line);
        if (!parsed.ok) {
          rejected += 1;
          if (problems.length < maxProblems) problems.push({ line: number, reason: parsed.reason });
        } else if (withStorageErrors('Writing', folder, () => appendNewer(log, parsed.entry))) {
          imported += 1;
        } else {
          skipped += 1;
        }
      }
      withStorageErrors('Writing', folder, () => log.flush());
      return { imported, skipped, rejected, problems };
    } finally {
      log.close();
    }
  }

  function openLog(): SegmentLog {
    const onUnreadable = (error: unknown, path: string) =>
      withStorageErrors('Reading', path, () => {
        throw error;
      });
    const log = openSegmentLog(folder, { ...options, now, onGarbled: () => {}, onUnreadable });
    log.refresh();
    return log;
  }

  function removeEmptyFolder(): void {
    try {
      rmdirSync(folder);
    } catch (error) {
      // Not there, or not empty: another process has just written, or something else lies there.
      if (systemErrorCode(error) === undefined) throw error;
    }
  }
}

const maxProblems = 20;

/** Asked in the order of offsets. Lines that were written since the look at the folder are nobody's to remove. */
function keepListed(offsets: Float64Array, scannedTo: number): SegmentRewrite['keep'] {
  let next = 0;
  return (offset) => {
    if (offset >= scannedTo) return true;
    while ((offsets[next] ?? Infinity) < offset) next += 1;
    return offsets[next] === offset;
  };
}

/** False where the entry is there already, and not older. */
function appendNewer(log: SegmentLog, entry: CacheEntry): boolean {
  const found = log.read(entry.key);
  const parsed = found === undefined ? undefined : parseEntry(found.bytes.toString('utf8'));
  if (parsed?.ok && Date.parse(entry.createdAt) <= Date.parse(parsed.entry.createdAt)) return false;
  log.append(entry);
  return true;
}

function sizeOf({ file }: CatalogSegment): number {
  return statSync(file.path, { throwIfNoEntry: false })?.size ?? 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
