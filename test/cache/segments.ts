import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { OpenCacheStore } from '../../src/cache/file-store.ts';
import { openCacheStore } from '../../src/cache/file-store.ts';

/** The paths of a folder's segments in the order of their names. */
export function segmentPaths(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => join(folder, name));
}

export function onlySegment(folder: string): string {
  const [path, ...others] = segmentPaths(folder);
  if (path === undefined || others.length > 0) throw new Error(`${folder} holds ${others.length + 1} segments`);
  return path;
}

/** A segment as another process would have left it. */
export function writeSegment(
  folder: string,
  lines: readonly string[],
  id = '20261124T120000000Z-0123456789ab',
): string {
  const path = join(folder, `${id}.jsonl`);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

/** Changes what a file holds without changing its inode. */
export function editFile(path: string, edit: (text: string) => string): void {
  writeFileSync(path, edit(readFileSync(path, 'latin1')), 'latin1');
}

export function setMtime(path: string, time: Date): void {
  utimesSync(path, time, time);
}

export interface OpenedStore {
  readonly store: OpenCacheStore;
  readonly warnings: string[];
}

/** A store that is closed with the test, and whose entries are on disk as soon as they are written. */
export function openStore(folder: string, now: () => Date): OpenedStore {
  const warnings: string[] = [];
  const store = writeThrough(openCacheStore(folder, { now, onWarning: (message) => warnings.push(message) }));
  onTestFinished(() => store.close());
  return { store, warnings };
}

export function writeThrough(store: OpenCacheStore): OpenCacheStore {
  return {
    ...store,
    write(entry) {
      store.write(entry);
      store.flush();
    },
  };
}
