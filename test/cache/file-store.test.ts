import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renderEntry } from '../../src/cache/cache-entry.ts';
import { entryPath } from '../../src/cache/entry-files.ts';
import { openCacheStore } from '../../src/cache/file-store.ts';
import { answer, ask, buildEntry, makeFolder } from './build-request.ts';

const now = () => new Date('2026-11-24T15:30:12.000Z');
const entry = buildEntry(ask('Where is my parcel?'), 'On its way.');

describe('the cache store', () => {
  test('gives back what was written, and the last write wins', () => {
    const { store, warnings } = open(makeFolder());
    expect(store.read(entry.key)).toBeUndefined();
    store.write(entry);
    expect(store.read(entry.key)?.completion).toEqual(entry.completion);
    store.write({ ...entry, completion: answer('Delivered.') });
    expect(store.read(entry.key)?.completion.text).toBe('Delivered.');
    expect(warnings).toEqual([]);
  });

  test('makes its folder with the first entry, and leaves no temporary file', () => {
    const folder = join(makeFolder(), 'a', 'cache');
    const { store } = open(folder);
    store.read(entry.key);
    expect(existsSync(folder)).toBe(false);
    store.write(entry);
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
    expect(readFileSync(entryPath(folder, entry.key), 'utf8')).toBe(`${renderEntry(entry)}\n`);
  });

  test('goes on where another process has removed the folder', () => {
    const folder = join(makeFolder(), 'cache');
    const { store, warnings } = open(folder);
    store.write(entry);
    rmSync(folder, { recursive: true });
    expect(store.read(entry.key)).toBeUndefined();
    store.write(entry);
    expect(store.read(entry.key)).toBeDefined();
    expect(warnings).toEqual([]);
  });

  test.each([
    ['truncated', renderEntry(entry).slice(0, 100)],
    ['empty', ''],
    ['of another format', renderEntry(entry).replace('"format":1', '"format":7')],
    ['of another request', renderEntry(buildEntry(ask('Other'), 'text'))],
    ['not text', Buffer.from([0xff, 0xfe, 0x00])],
  ])('takes an entry that is %s for a miss, says so, and replaces it', (_, content) => {
    const folder = makeFolder();
    const path = entryPath(folder, entry.key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    const { store, warnings } = open(folder);
    expect(store.read(entry.key)).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining(path)]);
    store.write(entry);
    expect(store.read(entry.key)).toBeDefined();
    expect(warnings).toHaveLength(1);
  });

  test('goes on without writing where the folder cannot be written, and warns once', () => {
    const blocker = join(makeFolder(), 'file');
    writeFileSync(blocker, 'a file stands where the folder should be');
    const { store, warnings } = open(join(blocker, 'cache'));
    store.write(entry);
    store.write(entry);
    expect(warnings).toEqual([expect.stringMatching(/ENOTDIR.*No further answer is stored/)]);
  });

  test('reports an entry that cannot be read once for each kind of error', () => {
    const folder = makeFolder();
    const other = buildEntry(ask('Other'), 'text');
    for (const { key } of [entry, other]) mkdirSync(entryPath(folder, key), { recursive: true });
    const { store, warnings } = open(folder);
    expect([entry, other].map(({ key }) => store.read(key))).toEqual([undefined, undefined]);
    expect(warnings).toEqual([expect.stringContaining('EISDIR')]);
  });

  test('an entry that cannot be replaced does not stop the others from being stored', () => {
    const folder = makeFolder();
    mkdirSync(join(entryPath(folder, entry.key), 'in the way'), { recursive: true });
    const { store, warnings } = open(folder);
    store.write(entry);
    const other = buildEntry(ask('Other'), 'text');
    store.write(other);
    expect(store.read(other.key)).toBeDefined();
    expect(warnings).toEqual([expect.stringContaining('Some answers are not stored')]);
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  });

  test('sweeps temporary files of killed writers after an hour, with its first write', () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'tmp'));
    for (const [name, minutes] of [
      ['old.tmp', 61],
      ['young.tmp', 59],
      ['foreign.txt', 600],
    ] as const) {
      const path = join(folder, 'tmp', name);
      writeFileSync(path, '');
      const written = new Date(now().getTime() - minutes * 60_000);
      utimesSync(path, written, written);
    }
    open(folder).store.write(entry);
    expect(readdirSync(join(folder, 'tmp')).sort()).toEqual(['foreign.txt', 'young.tmp']);
  });

  test('works in a folder that is a symbolic link', () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    open(join(folder, 'link')).store.write(entry);
    expect(open(join(folder, 'real')).store.read(entry.key)).toBeDefined();
  });
});

function open(folder: string) {
  const warnings: string[] = [];
  return { store: openCacheStore(folder, { now, onWarning: (message) => warnings.push(message) }), warnings };
}
