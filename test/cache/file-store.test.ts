import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renderEntry } from '../../src/cache/cache-entry.ts';
import { entryPath } from '../../src/cache/file-store.ts';
import { answer, ask, buildEntry, makeFolder } from './build-request.ts';
import { editEntry, openStore } from './open-store.ts';

const entry = buildEntry(ask('Where is my parcel?'), 'On its way.');
const other = buildEntry(ask('Where is my money?'), 'Here.');

describe('the cache store', () => {
  test('gives back what was written, and the last write wins', () => {
    const folder = makeFolder();
    const { store, warnings } = openStore(folder);
    expect(store.read(entry.key)).toBeUndefined();
    store.write(entry);
    expect(store.read(entry.key)).toMatchObject({ receivedAt: entry.receivedAt, completion: entry.completion });
    store.write({ ...entry, createdAt: '2020-01-01T00:00:00.000Z', completion: answer('Delivered.') });
    expect(openStore(folder).store.read(entry.key)?.completion.text).toBe('Delivered.');
    expect(warnings).toEqual([]);
  });

  test('makes its folder with the first entry, and a file for each', () => {
    const folder = join(makeFolder(), 'a', 'cache');
    const { store } = openStore(folder);
    store.read(entry.key);
    expect(existsSync(folder)).toBe(false);
    store.write(entry);
    store.write(other);
    expect(readFileSync(entryPath(folder, entry.key), 'utf8')).toBe(`${renderEntry(entry)}\n`);
    expect(readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile())).toHaveLength(
      2,
    );
  });

  test('gives a file the age of its entry, so that an imported answer does not look new', () => {
    const folder = makeFolder();
    openStore(folder).store.write({ ...entry, createdAt: '2020-01-01T00:00:00.000Z' });
    expect(statSync(entryPath(folder, entry.key)).mtime.toISOString()).toBe('2020-01-01T00:00:00.000Z');
  });

  test('sees at once what another has stored or removed', () => {
    const folder = makeFolder();
    const { store } = openStore(folder);
    const writer = openStore(folder).store;
    expect(store.read(entry.key)).toBeUndefined();
    writer.write(entry);
    expect(store.read(entry.key)).toBeDefined();
    rmSync(folder, { recursive: true });
    expect(store.read(entry.key)).toBeUndefined();
    store.write(entry);
    expect(writer.read(entry.key)).toBeDefined();
  });

  test('works in a folder that is a symbolic link', () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    openStore(join(folder, 'link')).store.write(entry);
    expect(openStore(join(folder, 'real')).store.read(entry.key)).toBeDefined();
  });

  test('keeps an answer of megabytes', () => {
    const long = buildEntry(ask('Tell me everything.'), 'ä'.repeat(700_000));
    const { store } = openStore(makeFolder());
    store.write(long);
    expect(store.read(long.key)?.completion.text === long.completion.text).toBe(true);
  });
});

describe('a damaged entry', () => {
  test.each<[string, (text: string) => string, string]>([
    ['a changed answer', (text) => text.replace('On its way.', 'On its WAY.'), 'is damaged: its checksum'],
    ['a changed checksum', (text) => text.replace(/("checksum":")(.{4})/, '$1beef'), 'is damaged: its checksum'],
    ['an early end', (text) => text.slice(0, -60), 'is damaged: its checksum'],
    ['no content', () => '', 'is empty'],
    ['text that is none', () => '\u00ff\u00fe\0', 'is not a cache entry'],
    ['another format', (text) => text.replace('"format":2', '"format":7'), 'has format 7'],
    ['the entry of another request', () => renderEntry(other), 'holds the answer to another request'],
  ])('is a miss with %s, is named once and is replaced by the next answer', (_, edit, reason) => {
    const folder = makeFolder();
    openStore(folder).store.write(entry);
    openStore(folder).store.write(other);
    const path = editEntry(folder, entry.key, edit);
    const { store, warnings } = openStore(folder);
    expect([store.read(entry.key), store.read(entry.key)]).toEqual([undefined, undefined]);
    expect(store.read(other.key)).toBeDefined();
    expect(warnings).toEqual([expect.stringContaining(`The cache entry ${path} ${reason}`)]);
    store.write(entry);
    expect(openStore(folder).store.read(entry.key)?.completion).toEqual(entry.completion);
  });

  test('is a miss wherever it was cut off', () => {
    const folder = makeFolder();
    const { store } = openStore(folder);
    store.write(entry);
    const path = entryPath(folder, entry.key);
    // The line break at the end is not part of the entry.
    for (let length = statSync(path).size - 2; length >= 0; length -= 1) {
      truncateSync(path, length);
      expect(store.read(entry.key)).toBeUndefined();
    }
  });
});

describe('a disk that says no', () => {
  test('to writing leaves the run without a cache, and is reported once', () => {
    const blocker = join(makeFolder(), 'file');
    writeFileSync(blocker, 'a file where the folder should be');
    const { store, warnings } = openStore(join(blocker, 'cache'));
    store.write(entry);
    store.write(entry);
    expect(store.read(entry.key)).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(/ENOTDIR.*No further answer is stored/)]);
  });

  test('to one answer leaves nothing behind, and takes the others', () => {
    const folder = makeFolder();
    const path = entryPath(folder, entry.key);
    mkdirSync(path, { recursive: true });
    const { store, warnings } = openStore(folder);
    store.write(entry);
    store.write(other);
    expect(readdirSync(dirname(path))).toEqual([basename(path)]);
    expect(store.read(other.key)?.completion.text).toBe('Here.');
    expect(warnings).toEqual([expect.stringMatching(/can't be written \(E[A-Z]+: .*Some answers are not stored/)]);
  });

  test('to reading is reported once, like one to writing', () => {
    const folder = join(makeFolder(), 'x'.repeat(300));
    const { store, warnings } = openStore(folder);
    for (const { key } of [entry, other]) expect(store.read(key)).toBeUndefined();
    store.write(entry);
    store.write(other);
    expect(warnings).toEqual([
      expect.stringMatching(/can't be read \(ENAMETOOLONG/),
      expect.stringMatching(/can't be written \(ENAMETOOLONG.*Some answers are not stored/),
    ]);
  });
});
