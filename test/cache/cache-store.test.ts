import {
  appendFileSync,
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
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renderEntry } from '../../src/cache/cache-entry.ts';
import { openCacheStore } from '../../src/cache/cache-store.ts';
import { openMachineMarks } from '../../src/cache/machine-mark.ts';
import { answersFolder } from '../../src/cache/project-cache.ts';
import { answer, ask, buildEntry, makeFolder } from './build-request.ts';
import { editEntry, openStore, segmentsOf } from './open-store.ts';

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

  test('makes its folder with the first entry, and appends a line for each', () => {
    const folder = join(makeFolder(), 'a', 'answers');
    const { store } = openStore(folder);
    store.read(entry.key);
    expect(existsSync(folder)).toBe(false);
    store.write(entry);
    store.write(other);
    const [segment = ''] = readdirSync(folder);
    expect(segment).toMatch(/^000001-[0-9a-f]{12}\.jsonl$/);
    expect(readFileSync(join(folder, segment), 'utf8')).toBe(`${renderEntry(entry)}\n${renderEntry(other)}\n`);
    expect([folder, join(folder, segment)].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o600]);
  });

  test('begins another segment after it was closed, and the last segment wins', () => {
    const folder = makeFolder();
    const { store } = openStore(folder);
    store.write(entry);
    store.close();
    store.write({ ...entry, completion: answer('Delivered.') });
    expect(segmentsOf(folder)).toHaveLength(2);
    for (const reader of [store, openStore(folder).store]) {
      expect(reader.read(entry.key)?.completion.text).toBe('Delivered.');
    }
  });

  test('goes on when its folder is removed under its hands', () => {
    const folder = makeFolder();
    const { store, warnings } = openStore(folder);
    store.write(entry);
    rmSync(folder, { recursive: true });
    expect(store.read(entry.key)).toBeUndefined();
    store.write(other);
    expect(openStore(folder).store.read(other.key)).toBeDefined();
    expect(warnings).toEqual([]);
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

describe('the index of a large store', () => {
  const large = Array.from({ length: 5 }, (_, index) => buildEntry(ask(`large ${index}`), 'x'.repeat(1_000_000)));

  /** A store with an index of its first five answers. */
  function openIndexed() {
    const folder = makeFolder();
    const { store } = openStore(folder);
    for (const each of large) store.write(each);
    openStore(folder).store.read(entry.key);
    const path = join(folder, 'index.json');
    return { folder, store, path, segment: join(folder, segmentsOf(folder)[0] ?? '') };
  }

  test('covers the lines that were read once, and later ones are read beside it', () => {
    const { folder, store, path } = openIndexed();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const index = JSON.parse(readFileSync(path, 'utf8'));
    expect(index).toMatchObject({ format: 1, segments: [{ name: segmentsOf(folder)[0], lines: 5 }] });
    store.write(entry);
    // What the index says of covered lines is not read again.
    index.segments[0].answers.pop();
    writeFileSync(path, JSON.stringify(index));
    const { store: reader, warnings } = openStore(folder);
    expect([...large, entry].filter(({ key }) => reader.read(key) === undefined)).toEqual([large[4]]);
    expect(warnings).toEqual([]);
  });

  test.each<[string, string]>([
    ['another format', '{"format":2,"segments":[]}'],
    ['other members', '{"format":1,"segments":[{"name":1}]}'],
    ['no JSON', 'half of {'],
    ['nothing', ''],
  ])('with %s is as good as none', (_, text) => {
    const { folder, path } = openIndexed();
    writeFileSync(path, text);
    const { store, warnings } = openStore(folder);
    expect(large.map(({ key }) => store.read(key)?.key)).toEqual(large.map(({ key }) => key));
    expect(warnings).toEqual([]);
  });

  test('counts for nothing once its segment is shorter, and a wrong place is a miss', () => {
    const { folder, path, segment } = openIndexed();
    const index = readFileSync(path, 'utf8');
    const moved = JSON.parse(index);
    moved.segments[0].answers[0] = [large[0]?.key, 7, 100];
    writeFileSync(path, JSON.stringify(moved));
    const { store, warnings } = openStore(folder);
    expect(large.map(({ key }) => store.read(key) !== undefined)).toEqual([false, true, true, true, true]);
    expect(warnings).toEqual([expect.stringContaining('is not a cache entry')]);
    writeFileSync(path, index);
    truncateSync(segment, 1_000_800);
    expect(large.map(({ key }) => openStore(folder).store.read(key) !== undefined)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('answers of an older version, which had a file each', () => {
  test('are taken over with the marks of this machine', () => {
    const root = makeFolder();
    const marks = openMachineMarks({ path: join(root, '.llmcheck', 'machine-key'), random: () => 0.5 });
    const { checksum } = JSON.parse(renderEntry(entry));
    const oldFolder = join(root, '.llmcheck', 'cache');
    const pathOf = (key: string) => join(oldFolder, key.slice(0, 2), `${key}.json`);
    for (const [key, text] of [
      [entry.key, `${renderEntry(entry)}\n${marks.markOf(checksum)}\n`],
      [other.key, `${renderEntry(other)}\n`],
      ['0'.repeat(64), 'damaged'],
    ] as const) {
      mkdirSync(dirname(pathOf(key)), { recursive: true });
      writeFileSync(pathOf(key), text);
    }
    const store = openCacheStore(answersFolder(root), { onWarning: (message) => expect.fail(message), marks });
    const { key, receivedAt, completion } = entry;
    expect(store.read(key)).toMatchObject({ key, receivedAt, completion });
    expect(store.read(key)?.isForeign).toBeUndefined();
    expect(store.read(other.key)).toMatchObject({ key: other.key, isForeign: true });
    expect(existsSync(oldFolder)).toBe(false);
  });
});

describe('a damaged entry', () => {
  test.each<[string, (text: string) => string, string]>([
    ['a changed answer', (text) => text.replace('On its way.', 'On its WAY.'), 'is damaged: its checksum'],
    ['a changed checksum', (text) => text.replace(/("checksum":")(.{4})/, '$1beef'), 'is damaged: its checksum'],
    ['an early end', (text) => text.slice(0, -60), 'is damaged: its checksum'],
  ])('is a miss with %s, is named once and is replaced by the next answer', (_, edit, reason) => {
    const folder = makeFolder();
    openStore(folder).store.write(entry);
    openStore(folder).store.write(other);
    editEntry(folder, entry.key, edit);
    const { store, warnings } = openStore(folder);
    expect([store.read(entry.key), store.read(entry.key)]).toEqual([undefined, undefined]);
    expect(store.read(other.key)).toBeDefined();
    expect(warnings).toEqual([expect.stringContaining(`A stored answer in ${folder} ${reason}`)]);
    store.write(entry);
    expect(openStore(folder).store.read(entry.key)?.completion).toEqual(entry.completion);
  });

  test.each<[string, (text: string) => string]>([
    ['no content', () => ''],
    ['text that is none', () => '\u00ff\u00fe\0'],
    ['another format', (text) => text.replace('"format":2', '"format":7')],
  ])('is a line that is named with %s', (_, edit) => {
    const folder = makeFolder();
    const { store } = openStore(folder);
    store.write(entry);
    store.write(other);
    const place = editEntry(folder, entry.key, edit);
    const { store: reader, warnings } = openStore(folder);
    expect([reader.read(entry.key), reader.read(other.key)?.key]).toEqual([undefined, other.key]);
    expect(warnings).toEqual([
      expect.stringContaining(`Line 1 of ${place.replace(/:1$/, '')} is not an answer, or was cut off`),
    ]);
  });

  test('that holds the answer to another request is a miss of both', () => {
    const folder = makeFolder();
    openStore(folder).store.write(entry);
    editEntry(folder, entry.key, () => renderEntry(other));
    expect(openStore(folder).store.read(entry.key)).toBeUndefined();
  });

  test('is a miss wherever it was cut off, and what was stored before and after it is found', () => {
    const line = renderEntry(entry);
    for (let length = 0; length < line.length; length += 7) {
      const folder = makeFolder();
      openStore(folder).store.write(other);
      appendFileSync(join(folder, segmentsOf(folder)[0] ?? ''), line.slice(0, length));
      const { store } = openStore(folder);
      expect(store.read(entry.key)).toBeUndefined();
      store.write(buildEntry(ask('next'), 'stored'));
      expect(openStore(folder).store.read(other.key)).toBeDefined();
      expect(openStore(folder).store.read(buildEntry(ask('next'), 'stored').key)).toBeDefined();
    }
  });

  test('a file that is none of the cache is named once and is not read', () => {
    const folder = makeFolder();
    openStore(folder).store.write(entry);
    writeFileSync(join(folder, 'notes.jsonl'), `${renderEntry(other)}\n`);
    const { store, warnings } = openStore(folder);
    expect([store.read(other.key), store.read(entry.key)?.key]).toEqual([undefined, entry.key]);
    expect(warnings).toEqual([`${join(folder, 'notes.jsonl')} is not a file of the cache. It is not read.`]);
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
