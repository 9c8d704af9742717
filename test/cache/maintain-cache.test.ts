import { appendFileSync, existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AnswerLog } from '../../src/cache/answer-log.ts';
import { type CacheEntry, renderEntry } from '../../src/cache/cache-entry.ts';
import { CacheMaintenance } from '../../src/cache/maintain-cache.ts';
import { StorageError } from '../../src/files/write-files.ts';
import { ask, buildEntry, makeFolder } from './build-request.ts';
import { editEntry, openStore, segmentsOf } from './open-store.ts';

const now = () => new Date('2026-11-24T15:30:12.000Z');
const questions = ['first', 'second', 'third'];
const entries = questions.map((question, index) =>
  buildEntry(
    ask(question, { model: index === 0 ? 'large' : 'small' }),
    `${question} answer`,
    `2026-11-2${index}T00:00:00.000Z`,
  ),
);
const [first, second, third] = entries as [CacheEntry, CacheEntry, CacheEntry];
const byKey = entries.toSorted((a, b) => (a.key < b.key ? -1 : 1));

describe('a cache folder that is not there', () => {
  test('is an empty cache for every operation', async () => {
    const cache = new CacheMaintenance(join(makeFolder(), 'none'), { now });
    expect(cache.stats()).toEqual({ entries: 0, bytes: 0, damaged: 0, models: [] });
    expect([...cache.list(), ...cache.exportLines()]).toEqual([]);
    expect(cache.clear()).toEqual({ removed: 0, bytes: 0 });
    expect(cache.prune({ maxAgeMs: 0, maxBytes: 0 })).toEqual({ removed: 0, bytes: 0 });
    expect(cache.verify({ remove: true })).toEqual({ checked: 0, damaged: [] });
    expect(await cache.importLines([])).toEqual({ imported: 0, skipped: 0, rejected: 0, problems: [] });
  });
});

describe('stats and list', () => {
  test('count entries, bytes and models', () => {
    const folder = fill(entries);
    const cache = new CacheMaintenance(folder, { now });
    const stats = cache.stats();
    expect(stats).toMatchObject({
      entries: 3,
      bytes: sizeOf(folder, entries),
      damaged: 0,
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
  });

  test('leave out damaged entries, and stats counts them', () => {
    const folder = fill(entries);
    editEntry(folder, first.key, (text) => text.replace('first answer', 'FIRST answer'));
    const cache = new CacheMaintenance(folder, { now });
    expect(cache.stats()).toMatchObject({ entries: 2, damaged: 1, bytes: sizeOf(folder, entries) });
    expect([...cache.list()]).toHaveLength(2);
    expect(exported(folder)).toHaveLength(2);
  });

  test('see no other file', () => {
    const folder = fill([first]);
    mkdirSync(join(folder, 'zz'));
    writeFileSync(join(folder, 'zz', '000001-0123456789ab.jsonl'), `${renderEntry(second)}\n`);
    writeFileSync(join(folder, 'notes.jsonl'), `${renderEntry(second)}\n`);
    mkdirSync(join(folder, '000007-0123456789ab.jsonl'));
    expect(new CacheMaintenance(folder, { now }).stats()).toMatchObject({ entries: 1, damaged: 0 });
  });
});

describe('clear', () => {
  test('removes every entry and what is empty then, and nothing that is not its own', () => {
    const folder = fill(entries);
    writeFileSync(join(folder, 'README.md'), 'mine');
    mkdirSync(join(folder, 'mine'));
    const bytes = sizeOf(folder, entries);
    expect(new CacheMaintenance(folder, { now }).clear()).toEqual({ removed: 3, bytes });
    expect(readdirSync(folder).sort()).toEqual(['README.md', 'mine']);
  });

  test('removes the folder itself where nothing is left in it', () => {
    const folder = fill(entries);
    new CacheMaintenance(folder, { now }).clear();
    expect(existsSync(folder)).toBe(false);
  });

  test('takes nothing away that a writer stores afterwards', () => {
    const folder = join(makeFolder(), 'cache');
    const { store, warnings } = openStore(folder);
    store.write(first);
    new CacheMaintenance(folder, { now }).clear();
    store.write(second);
    expect(left(folder)).toEqual(['second']);
    expect(warnings).toEqual([]);
  });
});

describe('prune', () => {
  test('removes what is older than the limit', () => {
    const folder = fill(aged([40, 20, 10]));
    const bytes = sizeOf(folder, [first]);
    expect(new CacheMaintenance(folder, { now }).prune({ maxAgeMs: days(30) })).toEqual({ removed: 1, bytes });
    expect(left(folder)).toEqual(['second', 'third']);
  });

  test('keeps what is exactly as old as the limit', () => {
    const folder = fill(aged([30, 30, 30]));
    expect(new CacheMaintenance(folder, { now }).prune({ maxAgeMs: days(30) })).toEqual({ removed: 0, bytes: 0 });
  });

  test('removes the oldest until the rest fits', () => {
    const folder = fill(aged([10, 40, 20]));
    const maxBytes = sizeOf(folder, [first]) + sizeOf(folder, [third]) - 1;
    expect(new CacheMaintenance(folder, { now }).prune({ maxBytes })).toMatchObject({ removed: 2 });
    expect(left(folder)).toEqual(['first']);
  });

  test('never keeps an older answer in the room that a younger one did not fit into', () => {
    const large = buildEntry(ask('large'), 'x'.repeat(5000), '2026-11-23T00:00:00.000Z');
    const folder = fill([...aged([10, 10, 0]), large]);
    new CacheMaintenance(folder, { now }).prune({ maxBytes: 2000 });
    expect(left(folder)).toEqual(['third']);
  });

  test('keeps what fits to the byte', () => {
    const folder = fill(aged([10, 40, 20]));
    const sizes = [first, third].map((entry) => sizeOf(folder, [entry]));
    const maxBytes = (sizes[0] ?? 0) + (sizes[1] ?? 0);
    expect(new CacheMaintenance(folder, { now }).prune({ maxBytes })).toMatchObject({ removed: 1 });
    expect(left(folder)).toEqual(['first', 'third']);
  });

  test('leaves the folder, and what a run stores afterwards', () => {
    const folder = join(makeFolder(), 'answers');
    const { store } = openStore(folder);
    store.write(first);
    store.write(second);
    expect(new CacheMaintenance(folder, { now }).prune({ maxBytes: 0 })).toMatchObject({ removed: 2 });
    expect(readdirSync(folder)).toEqual([]);
    store.write(third);
    expect(left(folder)).toEqual(['third']);
    expect(store.read(first.key)).toBeUndefined();
  });

  test('makes one segment of many, in which a run that goes on finds its answers', () => {
    const folder = join(makeFolder(), 'answers');
    const { store, warnings } = openStore(folder);
    store.write(first);
    for (const entry of [second, third]) openStore(folder).store.write(entry);
    expect(segmentsOf(folder)).toHaveLength(3);
    expect(new CacheMaintenance(folder, { now }).prune({ maxAgeMs: days(30) })).toEqual({ removed: 0, bytes: 0 });
    expect(segmentsOf(folder)).toHaveLength(1);
    expect(entries.map(({ key }) => store.read(key)?.key)).toEqual(entries.map(({ key }) => key));
    expect(left(folder)).toEqual(questions);
    expect(warnings).toEqual([]);
  });

  test('removes answers that a later one has replaced, and keeps the later one', () => {
    const folder = fill([first, { ...first, completion: second.completion }]);
    const bytes = renderEntry(first).length + 1;
    expect(new CacheMaintenance(folder, { now }).stats().entries).toBe(1);
    expect(new CacheMaintenance(folder, { now }).prune({})).toEqual({ removed: 0, bytes });
    expect(openStore(folder).store.read(first.key)?.completion).toEqual(second.completion);
  });

  test('removes nothing without a limit', () => {
    expect(new CacheMaintenance(fill(entries), { now }).prune({})).toEqual({ removed: 0, bytes: 0 });
  });

  test('removes what a process that was killed left unfinished, once it is an hour old', () => {
    const folder = fill(entries);
    const [old, young] = ['1', '2'].map((id) => join(folder, `000001-${id}.jsonl.tmp`)) as [string, string];
    for (const [path, age] of [
      [old, 3_600_001],
      [young, 3_600_000],
    ] as const) {
      writeFileSync(path, 'half');
      const time = new Date(now().getTime() - age);
      utimesSync(path, time, time);
    }
    expect(new CacheMaintenance(folder, { now }).prune({ maxAgeMs: days(30) })).toEqual({ removed: 0, bytes: 0 });
    expect([old, young].map((path) => existsSync(path))).toEqual([false, true]);
    expect(new CacheMaintenance(folder, { now }).stats()).toMatchObject({ entries: 3, damaged: 0 });
  });
});

describe('verify', () => {
  test('names what cannot be used, and removes it only where asked to', () => {
    const folder = fill(entries);
    const changed = editEntry(folder, first.key, (text) => text.replace('first answer', 'FIRST answer'));
    const forged = editEntry(folder, second.key, () => renderEntry({ ...third, key: second.key }));
    const cache = new CacheMaintenance(folder, { now });
    const { checked, damaged } = cache.verify({ remove: false });
    expect(checked).toBe(3);
    expect(new Map(damaged.map(({ path, reason }) => [path, reason]))).toEqual(
      new Map([
        [changed, 'is damaged: its checksum does not match'],
        [forged, 'is damaged: its key is not that of its request'],
      ]),
    );
    const unfinished = join(folder, '000001-1.jsonl.tmp');
    writeFileSync(unfinished, 'half');
    utimesSync(unfinished, 0, 0);
    cache.verify({ remove: false });
    expect(existsSync(unfinished)).toBe(true);
    expect(cache.verify({ remove: true }).damaged).toEqual(damaged);
    expect(existsSync(unfinished)).toBe(false);
    expect(cache.verify({ remove: false })).toEqual({ checked: 1, damaged: [] });
    expect(left(folder)).toEqual(['third']);
  });

  test('names and removes a last line that was cut off, and keeps what is stored after it', () => {
    const folder = fill([first]);
    const [segment = ''] = segmentsOf(folder);
    appendFileSync(join(folder, segment), renderEntry(second).slice(0, 200));
    const { store, warnings } = openStore(folder);
    store.write(third);
    expect(warnings).toEqual([expect.stringContaining(`Line 2 of ${join(folder, segment)} is not an answer`)]);
    const cache = new CacheMaintenance(folder, { now });
    expect(cache.verify({ remove: true })).toMatchObject({
      checked: 3,
      damaged: [{ path: `${join(folder, segment)}:2`, reason: 'is damaged: its checksum does not match' }],
    });
    expect(cache.verify({ remove: false })).toEqual({ checked: 2, damaged: [] });
    expect(left(folder)).toEqual(['first', 'third']);
  });
});

describe('export and import', () => {
  test('carry a cache to another folder byte by byte, age included', async () => {
    const source = fill(entries);
    const target = join(makeFolder(), 'target');
    const result = await new CacheMaintenance(target, { now }).importLines(exported(source));
    expect(result).toEqual({ imported: 3, skipped: 0, rejected: 0, problems: [] });
    expect(exported(target)).toEqual(exported(source));
    expect(new CacheMaintenance(target, { now }).prune({ maxAgeMs: days(3) })).toMatchObject({ removed: 2 });
    expect(left(target)).toEqual(['third']);
  });

  test('an entry that is there is replaced by a newer one alone', async () => {
    const folder = fill([first]);
    const older = renderEntry({ ...first, createdAt: '2026-01-01T00:00:00.000Z' });
    const newer = renderEntry({ ...first, createdAt: '2026-12-01T00:00:00.000Z' });
    const cache = new CacheMaintenance(folder, { now });
    expect(await cache.importLines([older])).toMatchObject({ imported: 0, skipped: 1 });
    expect(await cache.importLines(exported(folder))).toMatchObject({ imported: 0, skipped: 1 });
    expect(await cache.importLines([newer])).toMatchObject({ imported: 1, skipped: 0 });
    expect(exported(folder)).toEqual([newer]);
  });

  test('a damaged entry in the target is replaced', async () => {
    const lines = exported(fill(entries));
    const target = fill(entries);
    editEntry(target, first.key, (text) => text.replace('first answer', 'FIRST answer'));
    expect(await new CacheMaintenance(target, { now }).importLines(lines)).toMatchObject({ imported: 1, skipped: 2 });
    expect(left(target)).toEqual(questions);
  });

  test('lines that are damaged are rejected by number, and the others come in', async () => {
    const [one = '', two = ''] = exported(fill(entries));
    const forged = renderEntry({ ...first, key: 'f'.repeat(64) });
    const lines = [`\uFEFF${one}\r`, '', two.replace('answer', 'ANSWER'), 'no json', forged];
    const result = await new CacheMaintenance(join(makeFolder(), 'cache'), { now }).importLines(fromStream(lines));
    expect(result).toMatchObject({ imported: 1, rejected: 3 });
    expect(result.problems).toEqual([
      { line: 3, reason: 'is damaged: its checksum does not match' },
      { line: 4, reason: 'is not a cache entry' },
      { line: 5, reason: 'is damaged: its key is not that of its request' },
    ]);
  });

  test('blank lines are passed over, and the mark of a byte order at the start', async () => {
    const line = renderEntry(first);
    const result = await new CacheMaintenance(makeFolder(), { now }).importLines([
      `\uFEFF${line}`,
      ' ',
      '',
      `\uFEFF${line}`,
    ]);
    expect(result).toEqual({
      imported: 1,
      skipped: 0,
      rejected: 1,
      problems: [{ line: 4, reason: expect.any(String) }],
    });
  });

  test('lists the largest model first', () => {
    const large = buildEntry(ask('large', { model: 'huge' }), 'x'.repeat(5000));
    const stats = new CacheMaintenance(fill([first, second, third, large]), { now }).stats();
    expect(stats.models.map(({ model }) => model)).toEqual(['openai:huge', 'openai:small', 'openai:large']);
  });

  test('a file of nothing but rubbish is counted whole and described in part', async () => {
    const lines = Array.from({ length: 1000 }, () => 'rubbish');
    const result = await new CacheMaintenance(makeFolder(), { now }).importLines(lines);
    expect(result.rejected).toBe(1000);
    expect(result.problems).toHaveLength(20);
  });

  test('a folder that cannot be written is a StorageError with its code', async () => {
    const blocker = join(makeFolder(), 'file');
    writeFileSync(blocker, '');
    const importing = new CacheMaintenance(join(blocker, 'cache'), { now }).importLines(exported(fill(entries)));
    await expect(importing).rejects.toThrow(StorageError);
    await expect(importing).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});

describe('a disk that says no', () => {
  test.each<[string, (folder: string) => unknown]>([
    ['stats', (folder) => new CacheMaintenance(folder, { now }).stats()],
    ['list', (folder) => [...new CacheMaintenance(folder, { now }).list()]],
    ['clear', (folder) => new CacheMaintenance(folder, { now }).clear()],
    ['prune', (folder) => new CacheMaintenance(folder, { now }).prune({ maxBytes: 0 })],
    ['verify', (folder) => new CacheMaintenance(folder, { now }).verify({ remove: true })],
  ])('is a StorageError of %s', (_, work) => {
    expect(() => work(join(makeFolder(), 'x'.repeat(300)))).toThrow(StorageError);
  });
});

function fill(content: readonly CacheEntry[]): string {
  const folder = join(makeFolder(), 'cache');
  const { store, warnings } = openStore(folder);
  for (const entry of content) store.write(entry);
  expect(warnings).toEqual([]);
  return folder;
}

function exported(folder: string): string[] {
  return [...new CacheMaintenance(folder, { now }).exportLines()];
}

function sizeOf(folder: string, content: readonly CacheEntry[]): number {
  const { places } = new AnswerLog(folder);
  return content.reduce((sum, { key }) => sum + (places.get(key)?.length ?? 0) + 1, 0);
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
  const { store } = openStore(folder);
  return questions.filter((_, index) => store.read(entries[index]?.key ?? '') !== undefined);
}

function days(count: number): number {
  return count * 86_400_000;
}

async function* fromStream(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}
