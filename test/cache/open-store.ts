import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AnswerLog } from '../../src/cache/answer-log.ts';
import { type CacheStore, openCacheStore } from '../../src/cache/cache-store.ts';

export interface OpenedStore {
  readonly store: CacheStore;
  readonly warnings: string[];
}

export function openStore(folder: string): OpenedStore {
  const warnings: string[] = [];
  return { store: openCacheStore(folder, { onWarning: (message) => warnings.push(message) }), warnings };
}

/** Changes the line of a key; its bytes are kept as they are. Returns its place, `segment:line`. */
export function editEntry(folder: string, key: string, edit: (line: string) => string): string {
  const place = new AnswerLog(folder).places.get(key);
  if (place === undefined) throw new Error(`${key} is not stored`);
  const path = join(folder, place.segment);
  const text = readFileSync(path, 'latin1');
  const end = place.offset + place.length;
  writeFileSync(path, text.slice(0, place.offset) + edit(text.slice(place.offset, end)) + text.slice(end), 'latin1');
  return `${path}:${text.slice(0, place.offset).split('\n').length}`;
}

/** The names of the segments. */
export function segmentsOf(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
}
