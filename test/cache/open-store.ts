import { readFileSync, writeFileSync } from 'node:fs';
import { type CacheStore, entryPath, openCacheStore } from '../../src/cache/file-store.ts';

export interface OpenedStore {
  readonly store: CacheStore;
  readonly warnings: string[];
}

export function openStore(folder: string): OpenedStore {
  const warnings: string[] = [];
  return { store: openCacheStore(folder, { onWarning: (message) => warnings.push(message) }), warnings };
}

/** Changes the file of an entry; its bytes are kept as they are. */
export function editEntry(folder: string, key: string, edit: (text: string) => string): string {
  const path = entryPath(folder, key);
  writeFileSync(path, edit(readFileSync(path, 'latin1')), 'latin1');
  return path;
}
