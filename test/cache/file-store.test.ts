import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renderEntry } from '../../src/cache/cache-entry.ts';
import { maintainCache } from '../../src/cache/maintain-cache.ts';
import { systemErrorCode } from '../../src/lib/storage-error.ts';
import { answer, ask, buildEntry, makeFolder } from './build-request.ts';
import { editFile, onlySegment, openStore, segmentPaths, setMtime, writeSegment } from './segments.ts';

const start = Date.parse('2026-11-24T15:30:12.000Z');
const now = () => new Date(start);
const entry = buildEntry(ask('Where is my parcel?'), 'On its way.');
const other = buildEntry(ask('Where is my money?'), 'Here.');

describe('the cache store', () => {
  test('gives back what was written, and the last write wins', () => {
    const folder = makeFolder();
    const { store, warnings } = openStore(folder, now);
    expect(store.read(entry.key)).toBeUndefined();
    store.write(entry);
    expect(store.read(entry.key)).toMatchObject({ receivedAt: entry.receivedAt, completion: entry.completion });
    store.write({ ...entry, completion: answer('Delivered.') });
    expect(store.read(entry.key)?.completion.text).toBe('Delivered.');
    expect(openStore(folder, now).store.read(entry.key)?.completion.text).toBe('Delivered.');
    expect(warnings).toEqual([]);
  });

  test('makes its folder and one file with the first entry', () => {
    const folder = join(makeFolder(), 'a', 'cache');
    const { store } = openStore(folder, now);
    store.read(entry.key);
    expect(existsSync(folder)).toBe(false);
    store.write(entry);
    store.write(other);
    expect(readFileSync(onlySegment(folder), 'utf8')).toBe(`${renderEntry(entry)}\n${renderEntry(other)}\n`);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('never appends to what another has written', () => {
    const folder = makeFolder();
    openStore(folder, now).store.write(entry);
    const before = readFileSync(onlySegment(folder));
    openStore(folder, now).store.write(other);
    const paths = segmentPaths(folder);
    expect(paths).toHaveLength(2);
    expect(paths.map((path) => readFileSync(path)).some((content) => content.equals(before))).toBe(true);
  });

  test('goes on where another process has removed the folder', () => {
    const clock = tickingClock();
    const folder = join(makeFolder(), 'cache');
    const { store, warnings } = openStore(folder, clock.now);
    store.write(entry);
    rmSync(folder, { recursive: true });
    clock.pass(1000);
    expect(store.read(entry.key)).toBeUndefined();
    store.write(entry);
    expect(store.read(entry.key)).toBeDefined();
    expect(openStore(folder, now).store.read(entry.key)).toBeDefined();
    expect(warnings).toEqual([]);
  });

  test('an answer that is written last counts, although a clock elsewhere runs ahead', () => {
    const folder = makeFolder();
    openStore(folder, now).store.write({ ...entry, createdAt: '2026-12-01T00:00:00.000Z' });
    openStore(folder, now).store.write({ ...entry, completion: answer('Delivered.') });
    expect(openStore(folder, now).store.read(entry.key)?.completion.text).toBe('Delivered.');
  });

  test('of two answers the later one counts, whichever file is read first', () => {
    const folder = makeFolder();
    const old = renderEntry({ ...entry, createdAt: '2026-01-01T00:00:00.000Z', completion: answer('old') });
    writeSegment(folder, [renderEntry(entry)], '20260101T000000000Z-000000000000');
    writeSegment(folder, [old], '20270101T000000000Z-000000000000');
    expect(openStore(folder, now).store.read(entry.key)?.completion.text).toBe('On its way.');
  });

  test('of two answers of one moment the one that stands further down counts', () => {
    const folder = makeFolder();
    writeSegment(folder, [renderEntry({ ...entry, completion: answer('first') }), renderEntry(entry)]);
    expect(openStore(folder, now).store.read(entry.key)?.completion.text).toBe('On its way.');
  });

  test('works in a folder that is a symbolic link', () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    openStore(join(folder, 'link'), now).store.write(entry);
    expect(openStore(join(folder, 'real'), now).store.read(entry.key)).toBeDefined();
  });

  test('goes on after it was closed', () => {
    const { store } = openStore(makeFolder(), now);
    store.write(entry);
    store.close();
    store.close();
    expect(store.read(entry.key)).toBeDefined();
    store.write(other);
    expect(store.read(other.key)).toBeDefined();
  });

  test('reads from more files than it keeps open', () => {
    const folder = makeFolder();
    const entries = Array.from({ length: 150 }, (_, index) => buildEntry(ask(`${index}`), `${index}`));
    for (const [index, written] of entries.entries()) {
      writeSegment(folder, [renderEntry(written)], `20261124T120000000Z-${String(index).padStart(12, '0')}`);
    }
    const { store, warnings } = openStore(folder, now);
    for (const { key, completion } of [...entries, ...entries]) expect(store.read(key)?.completion).toEqual(completion);
    expect(warnings).toEqual([]);
    expect(countOpenFiles(folder)).toBeLessThanOrEqual(64);
    store.close();
    expect(countOpenFiles(folder)).toBe(0);
  });

  test('finds an answer that is longer than any buffer, and the one behind it', () => {
    const folder = makeFolder();
    const long = buildEntry(ask('Tell me everything.'), 'ä'.repeat(700_000));
    const { store } = openStore(folder, now);
    for (const written of [entry, long, other]) store.write(written);
    const reopened = openStore(folder, now).store;
    for (const { key, completion } of [entry, long, other]) {
      expect(reopened.read(key)?.completion.text === completion.text).toBe(true);
    }
  });
});

describe('a store that shares its folder', () => {
  test('sees within a second what others have stored since', () => {
    const clock = tickingClock();
    const folder = makeFolder();
    const { store } = openStore(folder, clock.now);
    const writer = openStore(folder, clock.now).store;
    expect(store.read(entry.key)).toBeUndefined();
    writer.write(entry);
    expect(store.read(entry.key)).toBeUndefined();
    clock.pass(1000);
    expect(store.read(entry.key)).toBeDefined();
    // The same file has grown.
    writer.write(other);
    clock.pass(1000);
    expect(store.read(other.key)).toBeDefined();
  });

  test('looks again although the clock was set back', () => {
    const clock = tickingClock();
    const folder = makeFolder();
    const { store } = openStore(folder, clock.now);
    store.read(entry.key);
    openStore(folder, clock.now).store.write(entry);
    clock.pass(-3_600_000);
    expect(store.read(entry.key)).toBeDefined();
  });

  test('leaves half a line to the writer who is at it, and takes it when it is whole', () => {
    const clock = tickingClock();
    const folder = makeFolder();
    const line = renderEntry(entry);
    const path = writeSegment(folder, [renderEntry(other)]);
    appendFileSync(path, line.slice(0, 300));
    setMtime(path, clock.now());
    const { store, warnings } = openStore(folder, clock.now);
    expect([entry, other].map(({ key }) => store.read(key) !== undefined)).toEqual([false, true]);
    appendFileSync(path, `${line.slice(300)}\n`);
    clock.pass(1000);
    expect(store.read(entry.key)).toBeDefined();
    expect(warnings).toEqual([]);
  });

  test('follows entries that were moved to another file', () => {
    const clock = tickingClock();
    const folder = makeFolder();
    for (const text of ['stale', 'On its way.']) {
      openStore(folder, now).store.write({ ...entry, completion: answer(text) });
    }
    openStore(folder, now).store.write(other);
    const { store, warnings } = openStore(folder, clock.now);
    expect(store.read(other.key)).toBeDefined();
    const before = segmentPaths(folder);
    // One of the two answers to the same request goes, with the file that it stands in.
    expect(maintainCache(folder, { now }).prune({ maxBytes: 1e9 })).toMatchObject({ removed: 0 });
    expect(segmentPaths(folder)).not.toEqual(before);
    expect(store.read(entry.key)?.completion.text).toBe('On its way.');
    clock.pass(1000);
    expect(store.read(other.key)).toBeDefined();
    expect(warnings).toEqual([]);
  });

  test('forgets what was removed', () => {
    const clock = tickingClock();
    const folder = makeFolder();
    openStore(folder, now).store.write(entry);
    const { store } = openStore(folder, clock.now);
    expect(store.read(entry.key)).toBeDefined();
    maintainCache(folder, { now }).clear();
    clock.pass(1000);
    expect(store.read(entry.key)).toBeUndefined();
  });
});

describe('a damaged cache', () => {
  const whole = [renderEntry(other), renderEntry(entry)];

  test.each<[string, (text: string) => string]>([
    ['a changed answer', (text) => text.replace('On its way.', 'On its WAY.')],
    ['a changed checksum', (text) => text.replace(/("checksum":")(.{4})(.*\n.*"checksum":")(.{4})/, '$1$2$3beef')],
    ['a line that ends early', (text) => `${text.slice(0, -60)}\n`],
    ['a line break inside', (text) => `${text.slice(0, -60)}\n${text.slice(-60)}`],
  ])('with %s gives a miss, says so once and is mended by the next answer', (_, edit) => {
    const folder = makeFolder();
    const path = writeSegment(folder, whole);
    editFile(path, edit);
    const { store, warnings } = openStore(folder, now);
    expect(store.read(other.key)).toBeDefined();
    expect([store.read(entry.key), store.read(entry.key)]).toEqual([undefined, undefined]);
    const aboutEntry = warnings.filter((warning) => warning.startsWith(`The cache entry ${path}:2 is damaged`));
    expect(aboutEntry).toHaveLength(1);
    store.write(entry);
    expect(store.read(entry.key)).toBeDefined();
    expect(openStore(folder, now).store.read(entry.key)).toBeDefined();
  });

  test.each<[string, string, string]>([
    ['text that is none', '\u00ff\u00fe\0', 'is no cache entry'],
    ['an entry of another format', whole[1]?.replace('"format":2', '"format":7') ?? '', 'has format 7'],
    ['a line without its beginning', whole[1]?.slice(100) ?? '', 'is no cache entry'],
  ])('with %s says which line it is, once', (_, line, reason) => {
    const clock = tickingClock();
    const folder = makeFolder();
    const path = writeSegment(folder, [renderEntry(other), line, line]);
    const { store, warnings } = openStore(folder, clock.now);
    expect(store.read(entry.key)).toBeUndefined();
    clock.pass(1000);
    expect(store.read(other.key)).toBeDefined();
    expect(warnings).toEqual([expect.stringMatching(/2 lines .*: line 2 .*They count as missing/)]);
    expect(warnings[0]).toContain(path);
    expect(warnings[0]).toContain(reason);
  });

  test('that was cut off at any place keeps what stands before', () => {
    const folder = makeFolder();
    const path = writeSegment(folder, whole);
    const size = Buffer.byteLength(whole.join('\n')) + 1;
    for (let length = size - 1; length >= 0; length -= 1) {
      truncateSync(path, length);
      const { store, warnings } = openStore(folder, now);
      const first = Buffer.byteLength(whole[0] ?? '') + 1;
      expect(store.read(entry.key)).toBeUndefined();
      expect(store.read(other.key) !== undefined).toBe(length >= first);
      expect(warnings.length).toBe(length === first || length === 0 ? 0 : 1);
      store.close();
    }
  });

  test('that ends in half a line is told of once, and what is appended to it is found', () => {
    const clock = tickingClock();
    const folder = makeFolder();
    const path = writeSegment(folder, [whole[0] ?? '']);
    appendFileSync(path, whole[1]?.slice(0, 300) ?? '');
    setMtime(path, new Date(0));
    const { store, warnings } = openStore(folder, clock.now);
    for (let seconds = 0; seconds < 3; seconds += 1) {
      expect(store.read(entry.key)).toBeUndefined();
      clock.pass(1000);
    }
    expect(warnings).toEqual([expect.stringMatching(/a line that is not usable: line 2 is cut off/)]);
    appendFileSync(path, `${whole[1]?.slice(300)}\n`);
    expect(store.read(entry.key)).toBeDefined();
  });

  test('is not warned of for blank lines', () => {
    const folder = makeFolder();
    writeSegment(folder, ['', whole[0] ?? '', '']);
    const { store, warnings } = openStore(folder, now);
    expect(store.read(other.key)).toBeDefined();
    expect(warnings).toEqual([]);
  });

  test('of an answer that claims to be from the future is mended by the next one nevertheless', () => {
    const folder = makeFolder();
    const future = renderEntry({ ...entry, createdAt: '2030-01-01T00:00:00.000Z' });
    writeSegment(folder, [future.replace('On its way.', 'On its WAY.')]);
    const { store } = openStore(folder, now);
    expect(store.read(entry.key)).toBeUndefined();
    store.write(entry);
    const { store: reopened, warnings } = openStore(folder, now);
    expect(reopened.read(entry.key)?.completion).toEqual(entry.completion);
    expect(warnings).toEqual([]);
  });
});

describe('a disk that says no', () => {
  test('to writing leaves the run without a cache, and is told once', () => {
    const blocker = join(makeFolder(), 'file');
    writeFileSync(blocker, 'a file stands where the folder should be');
    const { store, warnings } = openStore(join(blocker, 'cache'), now);
    store.write(entry);
    store.write(entry);
    expect(store.read(entry.key)).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(/ENOTDIR.*No further answer is stored/)]);
  });

  test.skipIf(process.getuid?.() === 0)('to writing into a folder that is read-only still lets it read', () => {
    const folder = makeFolder();
    openStore(folder, now).store.write(entry);
    chmodSync(folder, 0o500);
    const { store, warnings } = openStore(folder, now);
    store.write(other);
    expect(store.read(entry.key)).toBeDefined();
    expect(warnings).toEqual([expect.stringMatching(/EACCES.*No further answer is stored/)]);
    chmodSync(folder, 0o700);
  });

  test('to reading the folder is told once, as is the one to writing into it', () => {
    const folder = join(makeFolder(), 'x'.repeat(300));
    const { store, warnings } = openStore(folder, tickingClock(1000).now);
    for (const { key } of [entry, other]) expect(store.read(key)).toBeUndefined();
    store.write(entry);
    store.write(other);
    expect(warnings).toEqual([
      expect.stringMatching(/can't be read \(ENAMETOOLONG/),
      expect.stringMatching(/can't be written \(ENAMETOOLONG.*Some answers are not stored/),
    ]);
  });

  test.skipIf(process.getuid?.() === 0)('to reading one file is told once, and the others are read', () => {
    const folder = makeFolder();
    const closed = writeSegment(folder, [renderEntry(entry)], '20261124T120000000Z-aaaaaaaaaaaa');
    writeSegment(folder, [renderEntry(other)], '20261124T120000000Z-bbbbbbbbbbbb');
    chmodSync(closed, 0o000);
    const { store, warnings } = openStore(folder, tickingClock(1000).now);
    expect([entry, other, entry].map(({ key }) => store.read(key) !== undefined)).toEqual([false, true, false]);
    expect(warnings).toEqual([expect.stringContaining(`EACCES: ${closed}`)]);
  });
});

test('what is no file of its own is not touched', () => {
  const folder = makeFolder();
  const path = writeSegment(folder, [renderEntry(entry)]);
  const { store } = openStore(folder, tickingClock(1000).now);
  expect(store.read(entry.key)).toBeDefined();
  rmSync(path);
  mkdirSync(path);
  writeFileSync(join(folder, 'notes.jsonl'), renderEntry(other));
  expect([entry, other].map(({ key }) => store.read(key))).toEqual([undefined, undefined]);
});

/** How many files below a folder this process holds open; 0 where the system doesn't tell. */
function countOpenFiles(folder: string): number {
  const table = '/proc/self/fd';
  if (!existsSync(table)) return 0;
  return readdirSync(table).filter((fd) => {
    try {
      return readlinkSync(join(table, fd)).startsWith(folder);
    } catch (error) {
      // The table names the descriptor that it was listed with.
      if (systemErrorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }).length;
}

/** A clock that goes on when told to, and by `stepMs` with each look at it. */
function tickingClock(stepMs = 0) {
  let timeMs = start;
  return {
    now: () => {
      timeMs += stepMs;
      return new Date(timeMs);
    },
    pass: (ms: number) => {
      timeMs += ms;
    },
  };
}
