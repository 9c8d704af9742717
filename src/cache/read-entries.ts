import { closeSync, readSync } from 'node:fs';
import { withStorageErrors } from '../lib/storage-error.ts';
import type { ParsedEntry } from './cache-entry.ts';
import { keyOffset, parseEntry } from './cache-entry.ts';
import { hashKey } from './line-table.ts';
import type { Catalog } from './read-catalog.ts';
import { openIfThere, readCatalog } from './read-catalog.ts';

/** The entries of a catalog, parsed one at a time. */
export interface OpenEntries {
  readonly catalog: Catalog;
  /** Undefined where its segment was taken away. */
  readonly readEntry: (index: number) => ReadEntry | undefined;
  readonly close: () => void;
}

export interface ReadEntry {
  /** As it stands in the line. */
  readonly key: string;
  readonly parsed: ParsedEntry;
  readonly text: string;
  /** `file:line` */
  readonly where: string;
  /** Its line break included. */
  readonly bytes: number;
}

export function openEntries(catalog: Catalog): OpenEntries {
  const readers = new Map<string, number>();
  return { catalog, readEntry, close };

  function readEntry(index: number): ReadEntry | undefined {
    const { segment, offset, length, lineNumber } = catalog.lineAt(index);
    const path = catalog.segments[segment]?.file.path ?? '';
    let fd = readers.get(path);
    if (fd === undefined) {
      fd = openIfThere(path);
      if (fd === undefined) return undefined;
      if (readers.size >= maxReaders) close();
      readers.set(path, fd);
    }
    const bytes = Buffer.allocUnsafe(length);
    const text = bytes.toString('utf8', 0, readSync(fd, bytes, 0, length, offset));
    const key = text.slice(keyOffset, keyOffset + 64);
    return { key, text, parsed: parseEntry(text), where: `${path}:${lineNumber}`, bytes: length + 1 };
  }

  function close(): void {
    for (const fd of readers.values()) closeSync(fd);
    readers.clear();
  }
}

/** Where a segment is taken away meanwhile, its lines stand elsewhere: goes on behind the last key. Throws `StorageError`s. */
export function* readEntriesByKey(folder: string, now: () => Date): Generator<ReadEntry> {
  let lastKey = '';
  for (let isWhole = false; !isWhole; ) {
    const entries = withStorageErrors('Reading', folder, () => openEntries(readCatalog(folder, now)));
    try {
      isWhole = true;
      for (const rows of groupsByHash(entries.catalog, lastKey)) {
        const group = rows.map((row) => withStorageErrors('Reading', folder, () => entries.readEntry(row)));
        const found = group.filter((entry) => entry !== undefined).sort((a, b) => (a.key < b.key ? -1 : 1));
        isWhole = found.length === group.length;
        if (!isWhole) break;
        for (const entry of found) {
          if (entry.key <= lastKey) continue;
          lastKey = entry.key;
          yield entry;
        }
      }
    } finally {
      entries.close();
    }
  }
}

const maxReaders = 64;

/** Entries by the first 32 bits of their keys, from those of a key on. */
function* groupsByHash(catalog: Catalog, fromKey: string): Generator<readonly number[]> {
  const { hashes, rows } = catalog.sorted();
  const fromHash = hashKey(fromKey);
  for (let at = 0; at < rows.length; ) {
    const hash = hashes[at] ?? 0;
    const group: number[] = [];
    for (; at < rows.length && hashes[at] === hash; at += 1) {
      const row = rows[at] ?? 0;
      if (hash >= fromHash && catalog.segments[catalog.lineAt(row).segment]?.isGone === false) group.push(row);
    }
    if (group.length > 0) yield group;
  }
}
