import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CacheEntry } from '../../src/cache/cache-entry.ts';
import { renderEntry } from '../../src/cache/cache-entry.ts';
import { maintainCache } from '../../src/cache/maintain-cache.ts';
import { claimSegmentFile, listSegmentFiles } from '../../src/cache/segment-files.ts';
import { StorageError } from '../../src/lib/storage-error.ts';
import { answer, ask, buildEntry, makeFolder } from './build-request.ts';
import { editFile, onlySegment, openStore, segmentPaths, writeSegment } from './segments.ts';

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
    const stats = cache.stats();
    expect(stats).toMatchObject({
      entries: 3,
      bytes: statSync(onlySegment(folder)).size,
      garbled: 0,
      oldest: '2026-11-20T00:00:00.000Z',
      newest: '2026-11-22T00:00:00.000Z',
    });
    expect(stats.models.map(({ model, entries: count }) => [model, count])).toEqual([
      ['openai:small', 2],
      ['openai:large', 1],
    ]);
    expect(stats.models.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(stats.bytes);
    const listed = [...cache.list()];
    expect(listed.map(({ entry }) => entry.key)).toEqual(byKey.map(({ key }) => key));
    expect(listed.map(({ path }) => path)).toEqual(
      byKey.map((entry) => `${onlySegment(folder)}:${entries.indexOf(entry) + 1}`),
    );
  });

  test('leave out garbled entries, and stats counts them', () => {
    const folder = fill(entries);
    editFile(onlySegment(folder), (text) => `${text.replace('first answer', 'FIRST answer')}garbage\n{"half`);
    const cache = maintainCache(folder, { now });
    expect(cache.stats()).toMatchObject({ entries: 2, garbled: 3, bytes: statSync(onlySegment(folder)).size });
    expect([...cache.list()]).toHaveLength(2);
    expect(exported(folder)).toHaveLength(2);
  });

  test('count an answer once that was overwritten, and its bytes as they lie on the disk', () => {
    const folder = fill([...entries, ...entries]);
    expect(maintainCache(folder, { now }).stats()).toMatchObject({
      entries: 3,
      bytes: statSync(onlySegment(folder)).size,
    });
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
    const { size } = statSync(onlySegment(folder));
    expect(maintainCache(folder, { now }).clear()).toEqual({ removed: 3, bytes: size });
    expect(readdirSync(folder)).toEqual(['README.md']);
  });

  test('removes the folder itself where nothing is left in it', () => {
    const folder = fill(entries);
    maintainCache(folder, { now }).clear();
    expect(existsSync(folder)).toBe(false);
  });

  test('removes what another process is rewriting', () => {
    const folder = fill(entries);
    for (const file of listSegmentFiles(folder)) claimSegmentFile(file, folder, now().getTime());
    expect(maintainCache(folder, { now }).clear()).toMatchObject({ removed: 3 });
    expect(existsSync(folder)).toBe(false);
  });

  test('takes nothing away that a writer stores afterwards', () => {
    const folder = join(makeFolder(), 'cache');
    const { store, warnings } = openStore(folder, now);
    const [first, second] = entries;
    if (first === undefined || second === undefined) throw new Error('no entries');
    store.write(first);
    maintainCache(folder, { now }).clear();
    store.write(second);
    expect(left(folder)).toEqual(['second']);
    expect(warnings).toEqual([]);
  });
});

describe('prune', () => {
  test('removes what is older than the limit', () => {
    const folder = fill(aged([40, 20, 10]));
    const before = statSync(onlySegment(folder)).size;
    const { removed, bytes } = maintainCache(folder, { now }).prune({ maxAgeMs: days(30) });
    expect(removed).toBe(1);
    expect(bytes).toBe(before - statSync(onlySegment(folder)).size);
    expect(left(folder)).toEqual(['second', 'third']);
  });

  test('keeps what is exactly as old as the limit', () => {
    const folder = fill(aged([30, 30, 30]));
    expect(maintainCache(folder, { now }).prune({ maxAgeMs: days(30) })).toEqual({ removed: 0, bytes: 0 });
  });

  test('removes the oldest until the rest fits', () => {
    const folder = fill(aged([10, 40, 20]));
    const size =
      Math.max(
        ...readFileSync(onlySegment(folder), 'utf8')
          .split('\n')
          .map((line) => line.length),
      ) + 1;
    expect(maintainCache(folder, { now }).prune({ maxBytes: size })).toMatchObject({ removed: 2 });
    expect(left(folder)).toEqual(['first']);
    expect(statSync(onlySegment(folder)).size).toBeLessThanOrEqual(size);
  });

  test('removes the folder with its last entry', () => {
    const folder = fill(entries);
    expect(maintainCache(folder, { now }).prune({ maxBytes: 0 })).toMatchObject({ removed: 3 });
    expect(existsSync(folder)).toBe(false);
  });

  test('removes nothing without a limit', () => {
    const folder = fill([...entries, ...entries]);
    expect(maintainCache(folder, { now }).prune({})).toEqual({ removed: 0, bytes: 0 });
  });

  test('leaves a file alone of which all is kept', () => {
    const folder = fill(entries);
    const { ino } = statSync(onlySegment(folder));
    expect(maintainCache(folder, { now }).prune({ maxAgeMs: days(1000), maxBytes: 1e9 })).toEqual({
      removed: 0,
      bytes: 0,
    });
    expect(statSync(onlySegment(folder)).ino).toBe(ino);
  });

  test('removes an answer with those that it had replaced, and the others of the file stay', () => {
    const [first, second] = aged([40, 10, 10]);
    if (first === undefined || second === undefined) throw new Error('no entries');
    const folder = fill([{ ...first, createdAt: '2020-01-01T00:00:00.000Z' }, second]);
    fillInto(folder, [first]);
    expect(maintainCache(folder, { now }).prune({ maxAgeMs: days(30) })).toMatchObject({ removed: 1 });
    expect(left(folder)).toEqual(['second']);
  });

  test('makes room on the disk by removing what was overwritten and what is damaged', () => {
    const folder = fill([...entries, ...entries]);
    editFile(onlySegment(folder), (text) => `${text}garbage\n`);
    const { bytes } = maintainCache(folder, { now }).prune({ maxBytes: 1e9 });
    expect(bytes).toBeGreaterThan(0);
    expect(left(folder)).toEqual(questions);
    expect(readFileSync(onlySegment(folder), 'utf8').trimEnd().split('\n')).toHaveLength(3);
  });
});

describe('verify', () => {
  test('names what cannot be used by file and line, and removes it only where asked to', () => {
    const folder = fill(entries);
    const path = onlySegment(folder);
    const forged = renderEntry({ ...(entries[1] ?? raise()), key: 'f'.repeat(64) });
    editFile(path, (text) => `${text.replace('first answer', 'FIRST answer')}\ngarbage\n${forged}\n{"for`);
    const cache = maintainCache(folder, { now });
    const { checked, garbled } = cache.verify({ remove: false });
    expect(checked).toBe(6);
    expect(garbled).toEqual([
      { path: `${path}:1`, reason: 'is damaged: its checksum does not match' },
      { path: `${path}:5`, reason: 'is no cache entry' },
      { path: `${path}:6`, reason: 'is damaged: its key is not that of its request' },
      { path: `${path}:7`, reason: 'is cut off' },
    ]);
    expect(cache.verify({ remove: true }).garbled).toEqual(garbled);
    expect(cache.verify({ remove: false })).toEqual({ checked: 2, garbled: [] });
    expect(left(folder)).toEqual(['second', 'third']);
  });

  test('does not rewrite what is whole', () => {
    const folder = fill(entries);
    const whole = onlySegment(folder);
    writeSegment(folder, ['garbage']);
    expect(maintainCache(folder, { now }).verify({ remove: true })).toMatchObject({ checked: 4 });
    expect(segmentPaths(folder)).toEqual([whole]);
  });

  test('brings an older answer back that a damaged one stood before', () => {
    const entry = entries[0] ?? raise();
    const folder = fill([entry, { ...entry, completion: answer('newer') }]);
    editFile(onlySegment(folder), (text) => text.replace('newer', 'NEWER'));
    expect(openStore(folder, now).store.read(entry.key)).toBeUndefined();
    maintainCache(folder, { now }).verify({ remove: true });
    expect(openStore(folder, now).store.read(entry.key)).toMatchObject({ completion: entry.completion });
  });
});

describe('export and import', () => {
  test('carry a cache to another folder byte by byte, age included', async () => {
    const source = fill(entries);
    const target = join(makeFolder(), 'target');
    const result = await maintainCache(target, { now }).importLines(exported(source));
    expect(result).toEqual({ imported: 3, skipped: 0, rejected: 0, problems: [] });
    expect(exported(target)).toEqual(exported(source));
    expect(maintainCache(target, { now }).prune({ maxAgeMs: days(3) })).toMatchObject({ removed: 2 });
    expect(left(target)).toEqual(['third']);
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
    editFile(onlySegment(target), (text) => text.replace('first answer', 'FIRST answer'));
    expect(await maintainCache(target, { now }).importLines(exported(source))).toMatchObject({
      imported: 1,
      skipped: 2,
    });
    expect(left(target)).toEqual(questions);
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

describe('a disk that says no', () => {
  test.each<[string, (folder: string) => unknown]>([
    ['stats', (folder) => maintainCache(folder, { now }).stats()],
    ['list', (folder) => [...maintainCache(folder, { now }).list()]],
    ['clear', (folder) => maintainCache(folder, { now }).clear()],
    ['prune', (folder) => maintainCache(folder, { now }).prune({ maxBytes: 0 })],
    ['verify', (folder) => maintainCache(folder, { now }).verify({ remove: true })],
  ])('is a StorageError of %s', (_, work) => {
    expect(() => work(join(makeFolder(), 'x'.repeat(300)))).toThrow(StorageError);
  });
});

function fill(content: readonly CacheEntry[]): string {
  const folder = join(makeFolder(), 'cache');
  fillInto(folder, content);
  return folder;
}

function fillInto(folder: string, content: readonly CacheEntry[]): void {
  const { store, warnings } = openStore(folder, now);
  for (const entry of content) store.write(entry);
  expect(warnings).toEqual([]);
}

function exported(folder: string): string[] {
  return [...maintainCache(folder, { now }).exportLines()];
}

/** The entries as if each were stored so many days ago. */
function aged(ages: readonly number[]): CacheEntry[] {
  return entries.map((entry, index) => ({
    ...entry,
    createdAt: new Date(now().getTime() - days(ages[index] ?? 0)).toISOString(),
  }));
}

/** The questions whose answers a store that is opened now would find. */
function left(folder: string): string[] {
  const { store } = openStore(folder, now);
  return questions.filter((_, index) => store.read(entries[index]?.key ?? '') !== undefined);
}

function raise(): never {
  throw new Error('no entry');
}

function days(count: number): number {
  return count * 86_400_000;
}

async function* fromStream(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}
