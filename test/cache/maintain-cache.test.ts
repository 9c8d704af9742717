import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CacheEntry } from '../../src/cache/cache-entry.ts';
import { entryPath } from '../../src/cache/entry-files.ts';
import { openCacheStore } from '../../src/cache/file-store.ts';
import { maintainCache } from '../../src/cache/maintain-cache.ts';
import { StorageError } from '../../src/lib/storage-error.ts';
import { ask, buildEntry, makeFolder } from './build-request.ts';

const now = () => new Date('2026-11-24T15:30:12.000Z');
const questions = ['first', 'second', 'third'];
const entries = questions.map((question, index) =>
  buildEntry(
    ask(question, { model: index === 0 ? 'large' : 'small' }),
    `${question} answer`,
    `2026-11-2${index}T00:00:00.000Z`,
  ),
);
const byKey = entries.toSorted((a, b) => (a.key < b.key ? -1 : 1));

describe('a cache folder that is not there', () => {
  test('is an empty cache for every operation', async () => {
    const cache = maintainCache(join(makeFolder(), 'none'), { now });
    expect(cache.stats()).toEqual({ entries: 0, bytes: 0, garbled: 0, models: [] });
    expect([...cache.list(), ...cache.exportLines()]).toEqual([]);
    expect(cache.clear()).toEqual({ removed: 0, bytes: 0 });
    expect(cache.prune({ maxAgeMs: 0, maxBytes: 0 })).toEqual({ removed: 0, bytes: 0 });
    expect(cache.verify({ remove: true })).toEqual({ checked: 0, garbled: [] });
    expect(await cache.importLines([])).toEqual({ imported: 0, skipped: 0, rejected: 0, problems: [] });
  });
});

describe('stats and list', () => {
  test('count entries, bytes and models', () => {
    const folder = fill(entries);
    const cache = maintainCache(folder, { now });
    const bytes = entries.reduce((sum, { key }) => sum + statSync(entryPath(folder, key)).size, 0);
    const stats = cache.stats();
    expect(stats).toMatchObject({
      entries: 3,
      bytes,
      garbled: 0,
      oldest: '2026-11-20T00:00:00.000Z',
      newest: '2026-11-22T00:00:00.000Z',
    });
    expect(stats.models.map(({ model, entries: count }) => [model, count])).toEqual([
      ['openai:small', 2],
      ['openai:large', 1],
    ]);
    expect([...cache.list()].map(({ entry }) => entry.key)).toEqual(byKey.map(({ key }) => key));
  });

  test('leave out garbled entries, and stats counts them', () => {
    const folder = fill(entries);
    writeFileSync(entryPath(folder, entries[0]?.key ?? ''), '{');
    const cache = maintainCache(folder, { now });
    expect(cache.stats()).toMatchObject({ entries: 2, garbled: 1 });
    expect([...cache.list()]).toHaveLength(2);
  });

  test('list reads no further than it is asked to', () => {
    const folder = fill(entries);
    const cache = maintainCache(folder, { now });
    const [first] = cache.list();
    expect(first?.entry.key).toBe(byKey[0]?.key);
  });
});

describe('clear', () => {
  test('removes every entry and what is empty then, and nothing that is not its own', () => {
    const folder = fill(entries);
    writeFileSync(join(folder, 'README.md'), 'mine');
    expect(maintainCache(folder, { now }).clear()).toMatchObject({ removed: 3 });
    expect(readdirSync(folder)).toEqual(['README.md']);
  });

  test('removes the folder itself where nothing is left in it', () => {
    const folder = fill(entries);
    maintainCache(folder, { now }).clear();
    expect(existsSync(folder)).toBe(false);
  });
});

describe('prune', () => {
  test('removes what is older than the limit', () => {
    const folder = fill(entries);
    age(folder, [40, 20, 10]);
    expect(maintainCache(folder, { now }).prune({ maxAgeMs: days(30) })).toMatchObject({ removed: 1 });
    expect(left(folder)).toEqual(['second', 'third']);
  });

  test('removes the oldest until the rest fits', () => {
    const folder = fill(entries);
    age(folder, [10, 40, 20]);
    const size = statSync(entryPath(folder, entries[0]?.key ?? '')).size;
    expect(maintainCache(folder, { now }).prune({ maxBytes: size })).toMatchObject({ removed: 2 });
    expect(left(folder)).toEqual(['first']);
  });

  test('removes nothing without a limit', () => {
    const folder = fill(entries);
    expect(maintainCache(folder, { now }).prune({})).toEqual({ removed: 0, bytes: 0 });
  });
});

describe('verify', () => {
  test('names what cannot be used, and removes it only where asked to', () => {
    const folder = fill(entries);
    const [first, second] = entries.map(({ key }) => entryPath(folder, key));
    writeFileSync(first ?? '', 'garbage');
    const elsewhere = entryPath(folder, 'f'.repeat(64));
    mkdirSync(dirname(elsewhere), { recursive: true });
    writeFileSync(elsewhere, exported(folder)[0] ?? '');
    const cache = maintainCache(folder, { now });
    const { checked, garbled } = cache.verify({ remove: false });
    expect(checked).toBe(4);
    expect(new Set(garbled.map(({ path }) => path))).toEqual(new Set([first, elsewhere]));
    expect(cache.verify({ remove: true }).garbled).toHaveLength(2);
    expect(cache.verify({ remove: false })).toEqual({ checked: 2, garbled: [] });
    expect(existsSync(second ?? '')).toBe(true);
  });
});

describe('export and import', () => {
  test('carry a cache to another folder byte by byte, age included', async () => {
    const source = fill(entries);
    const target = join(makeFolder(), 'target');
    const result = await maintainCache(target, { now }).importLines(exported(source));
    expect(result).toEqual({ imported: 3, skipped: 0, rejected: 0, problems: [] });
    expect(exported(target)).toEqual(exported(source));
    for (const { key, createdAt } of entries) {
      expect(statSync(entryPath(target, key)).mtime.toISOString()).toBe(createdAt);
    }
  });

  test('an entry that is there is replaced by a newer one alone', async () => {
    const [entry] = entries;
    if (entry === undefined) throw new Error('no entry');
    const folder = fill([entry]);
    const [older, newer] = [
      fill([{ ...entry, createdAt: '2026-01-01T00:00:00.000Z' }]),
      fill([{ ...entry, createdAt: '2026-12-01T00:00:00.000Z' }]),
    ];
    const cache = maintainCache(folder, { now });
    expect(await cache.importLines(exported(older))).toMatchObject({ imported: 0, skipped: 1 });
    expect(await cache.importLines(exported(folder))).toMatchObject({ imported: 0, skipped: 1 });
    expect(await cache.importLines(exported(newer))).toMatchObject({ imported: 1, skipped: 0 });
    expect(exported(folder)).toEqual(exported(newer));
  });

  test('a garbled entry in the target is replaced', async () => {
    const source = fill(entries);
    const target = fill(entries);
    writeFileSync(entryPath(target, entries[0]?.key ?? ''), '');
    expect(await maintainCache(target, { now }).importLines(exported(source))).toMatchObject({
      imported: 1,
      skipped: 2,
    });
  });

  test('lines that are damaged are rejected by number, and the others come in', async () => {
    const [first = '', second = ''] = exported(fill(entries));
    const lines = [`\uFEFF${first}\r`, '', second.replace('answer', 'ANSWER'), 'no json'];
    const folder = join(makeFolder(), 'cache');
    const result = await maintainCache(folder, { now }).importLines(fromStream(lines));
    expect(result).toMatchObject({ imported: 1, rejected: 2 });
    expect(result.problems).toEqual([
      { line: 3, reason: 'is damaged: its checksum does not match' },
      { line: 4, reason: 'is no cache entry' },
    ]);
  });

  test('a file of nothing but garbage is counted whole and described in part', async () => {
    const lines = Array.from({ length: 1000 }, () => 'garbage');
    const result = await maintainCache(makeFolder(), { now }).importLines(lines);
    expect(result.rejected).toBe(1000);
    expect(result.problems).toHaveLength(20);
  });

  test('a folder that cannot be written is a StorageError with its code', async () => {
    const blocker = join(makeFolder(), 'file');
    writeFileSync(blocker, '');
    const importing = maintainCache(join(blocker, 'cache'), { now }).importLines(exported(fill(entries)));
    await expect(importing).rejects.toThrow(StorageError);
    await expect(importing).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});

function fill(content: readonly CacheEntry[]): string {
  const folder = join(makeFolder(), 'cache');
  const store = openCacheStore(folder, {
    now,
    onWarning: (message) => {
      throw new Error(message);
    },
  });
  for (const entry of content) store.write(entry);
  return folder;
}

function exported(folder: string): string[] {
  return [...maintainCache(folder, { now }).exportLines()];
}

/** Sets how many days ago each of the entries was written. */
function age(folder: string, ages: readonly number[]): void {
  for (const [index, daysAgo] of ages.entries()) {
    const written = new Date(now().getTime() - days(daysAgo));
    utimesSync(entryPath(folder, entries[index]?.key ?? ''), written, written);
  }
}

function left(folder: string): string[] {
  return questions.filter((_, index) => existsSync(entryPath(folder, entries[index]?.key ?? '')));
}

function days(count: number): number {
  return count * 86_400_000;
}

async function* fromStream(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}
