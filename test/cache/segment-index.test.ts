import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CacheEntry } from '../../src/cache/cache-entry.ts';
import { renderEntry } from '../../src/cache/cache-entry.ts';
import { openCacheStore } from '../../src/cache/file-store.ts';
import { maintainCache } from '../../src/cache/maintain-cache.ts';
import { rewriteSegments } from '../../src/cache/rewrite-segments.ts';
import { defaultSegmentSizes, listSegmentFiles } from '../../src/cache/segment-files.ts';
import fc from '../support/property.ts';
import { answer, ask, buildEntry, makeFolder } from './build-request.ts';
import { editFile, onlySegment, segmentPaths, setMtime, writeSegment, writeThrough } from './segments.ts';

const startMs = Date.parse('2026-11-24T15:30:12.000Z');
const now = () => new Date(startMs);
/** Every segment has an index. */
const sizes = { ...defaultSegmentSizes, indexMinBytes: 1 };
const questions = Array.from({ length: 12 }, (_, index) => `question ${index}`);
const entries = questions.map((question) => buildEntry(ask(question), `answer to ${question}`));
const [entry = raise(), other = raise(), third = raise()] = entries;

describe('a store with indexes', () => {
  test('answers as a map would, whatever earlier runs wrote in what order', () => {
    const write = fc.record({
      question: fc.nat(questions.length - 1),
      text: fc.string({ minLength: 1 }),
      ageMs: fc.nat(3),
    });
    const folder = makeFolder();
    let runs = 0;
    fc.assert(
      fc.property(fc.array(fc.array(write, { maxLength: 8 }), { maxLength: 6 }), fc.boolean(), (written, isTidied) => {
        runs += 1;
        const own = join(folder, String(runs));
        mkdirSync(own);
        const expected = new Map<string, string>();
        for (const run of written) {
          const { store } = open(own);
          for (const { question, text, ageMs } of run) {
            const createdAt = new Date(startMs - ageMs).toISOString();
            const next = { ...buildEntry(ask(questions[question] ?? ''), text), createdAt };
            store.write(next);
            expected.set(next.key, text);
          }
          store.close();
        }
        const indexes = readdirSync(own).filter((name) => name.endsWith('.index'));
        expect(indexes).toHaveLength(segmentPaths(own).length);
        if (isTidied) maintainCache(own, { now, sizes }).prune({ maxBytes: 1e9 });
        const { store, warnings } = open(own);
        for (const { key } of entries) expect(store.read(key)?.completion.text).toBe(expected.get(key));
        expect(warnings).toEqual([]);
        const exported = [...maintainCache(own, { now, sizes }).list()].map(({ entry: { key } }) => key);
        expect(exported).toEqual([...expected.keys()].sort());
      }),
      { numRuns: 50 },
    );
  });

  test('of two keys with one hash finds each, and no third', () => {
    const folder = makeFolder();
    const alike = ['1', '2', '3'].map((digit) => `abcdef01${digit.repeat(56)}`);
    const { store } = open(folder);
    for (const key of alike.slice(0, 2)) store.write({ ...entry, key, completion: answer(key) });
    store.close();
    const { store: reader, warnings } = open(folder);
    expect(alike.map((key) => reader.read(key)?.completion.text)).toEqual([alike[0], alike[1], undefined]);
    expect(warnings).toEqual([]);
  });

  test('takes the latest of answers in several segments, and of one moment the one of the later segment', () => {
    const folder = makeFolder();
    const later = { ...entry, createdAt: '2026-11-24T16:00:00.000Z', completion: answer('later') };
    writeSegment(folder, [renderEntry(later), renderEntry(other)], '20260101T000000000Z-000000000000');
    writeSegment(folder, [renderEntry(entry), renderEntry(third)], '20260102T000000000Z-000000000000');
    writeSegment(folder, [renderEntry({ ...third, completion: answer('moved') })], '20260103T000000000Z-000000000000');
    open(folder).store.read(entry.key);
    const { store } = open(folder);
    expect([entry, other, third].map(({ key }) => store.read(key)?.completion.text)).toEqual([
      'later',
      other.completion.text,
      'moved',
    ]);
  });

  test('begins another segment where one is full, and finds what is in each', () => {
    const folder = makeFolder();
    const { store, warnings } = open(folder, { ...sizes, maxBytes: 1500 });
    for (const written of entries) store.write(written);
    expect(segmentPaths(folder).length).toBeGreaterThan(3);
    expectAll(store, entries);
    store.close();
    expectAll(open(folder).store, entries);
    expect(warnings).toEqual([]);
  });

  test('makes none for a small segment', () => {
    const folder = makeFolder();
    const { store } = open(folder, defaultSegmentSizes);
    for (const written of entries) store.write(written);
    store.close();
    expectAll(open(folder, defaultSegmentSizes).store, entries);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('does not look at the lines that an index knows', () => {
    const folder = fill();
    // The start of a line that nobody asks for: a look at it would give a warning.
    editFile(onlySegment(folder), (text) => text.replace('{"format":2,"checksum"', '{"FORMAT":1,"checksum"'));
    const { store, warnings } = open(folder);
    expectAll(store, entries.slice(1));
    expect(warnings).toEqual([]);
    expect(store.read(entry.key)).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(/The cache entry .*:1 is no cache entry/)]);
  });

  test('looks at all of them again where one is none', () => {
    const folder = fill();
    editFile(onlySegment(folder), (text) => text.replace(/^.*\n/, (line) => `${'x'.repeat(line.length - 1)}\n`));
    const index = readFileSync(onlyIndex(folder));
    const first = open(folder);
    expect(first.store.read(entry.key)).toBeUndefined();
    expectAll(first.store, entries.slice(1));
    expect(first.warnings).toEqual([expect.stringMatching(/a line that is not usable: line 1 is no cache entry/)]);
    // And the next one knows it from the index.
    expect(readFileSync(onlyIndex(folder)).equals(index)).toBe(false);
    const second = open(folder);
    expect(second.store.read(entry.key)).toBeUndefined();
    expect(second.warnings).toEqual(first.warnings);
  });
});

describe('an index', () => {
  test('that is missing is made when the segment is looked through', () => {
    const folder = fill();
    const path = onlyIndex(folder);
    const bytes = readFileSync(path);
    rmSync(path);
    expectAll(open(folder).store, entries);
    expect(readFileSync(path).length).toBe(bytes.length);
  });

  test('that is damaged at any place changes no answer, and is made anew', () => {
    const folder = fill();
    const path = onlyIndex(folder);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 7) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 0x55;
      writeFileSync(path, bytes);
      const { store, warnings } = open(folder);
      expectAll(store, entries);
      expect(warnings).toEqual([]);
      store.close();
      expectAll(open(folder).store, entries);
      expect(readFileSync(path).equals(bytes)).toBe(false);
    }
  });

  test.each([0, 1, 50, 95, 96, 97, 200])(
    'that was cut off after %d bytes changes no answer, and is made anew',
    (length) => {
      const folder = fill();
      const { size } = statSync(onlyIndex(folder));
      truncateSync(onlyIndex(folder), length);
      expectAll(open(folder).store, entries);
      expect(statSync(onlyIndex(folder)).size).toBe(size);
    },
  );

  test('of another version is made anew', () => {
    const folder = fill();
    const bytes = readFileSync(onlyIndex(folder));
    bytes.writeDoubleLE(99, 8);
    writeFileSync(onlyIndex(folder), bytes);
    expectAll(open(folder).store, entries);
    expect(readFileSync(onlyIndex(folder)).readDoubleLE(8)).not.toBe(99);
  });

  test('of another segment is not believed', () => {
    const folder = fill();
    const foreign = fill(entries.map((from) => ({ ...from, completion: answer('x') })));
    copyFileSync(onlyIndex(foreign), onlyIndex(folder));
    const { store, warnings } = open(folder);
    expectAll(store, entries);
    expect(warnings).toEqual([]);
  });

  test('that can be neither read nor replaced costs time alone', () => {
    const folder = fill();
    const path = onlyIndex(folder);
    rmSync(path);
    mkdirSync(join(path, 'not empty'), { recursive: true });
    const { store, warnings } = open(folder);
    expectAll(store, entries);
    store.close();
    expect(warnings).toEqual([]);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  test('finds what was appended since by a look at the end', () => {
    const folder = fill();
    const added = buildEntry(ask('late'), 'late');
    const replaced = { ...entry, createdAt: '2026-11-24T16:00:00.000Z', completion: answer('newer') };
    appendFileSync(onlySegment(folder), `${renderEntry(added)}\n${renderEntry(replaced)}\n`);
    const { store, warnings } = open(folder);
    expectAll(store, [added, replaced, ...entries.slice(1)]);
    expect(warnings).toEqual([]);
  });

  test('that knows less than half of its segment is made anew', () => {
    const folder = fill(entries.slice(0, 2));
    const { size } = statSync(onlyIndex(folder));
    appendFileSync(
      onlySegment(folder),
      entries
        .slice(2)
        .map((line) => `${renderEntry(line)}\n`)
        .join(''),
    );
    expectAll(open(folder).store, entries);
    expect(statSync(onlyIndex(folder)).size).toBeGreaterThan(size);
  });

  test('of a segment that was cut off since is made anew', () => {
    const folder = fill();
    const lines = readFileSync(onlySegment(folder), 'utf8').split('\n');
    truncateSync(onlySegment(folder), Buffer.byteLength(lines.slice(0, 3).join('\n')) + 1);
    const { store } = open(folder);
    expectAll(store, entries.slice(0, 3));
    expect(entries.slice(3).map(({ key }) => store.read(key))).toEqual(entries.slice(3).map(() => undefined));
  });

  test('of a segment whose lines have moved is made anew, although its end is what it was', () => {
    const folder = fill();
    const path = onlySegment(folder);
    const [first = '', second = '', ...rest] = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, [second, first, ...rest].join('\n').replace('}\n', '} \n').replace('}}\n', '}}\n'));
    const { store } = open(folder);
    expectAll(store, entries.slice(1));
    expect(store.read(entry.key)).toMatchObject({ completion: entry.completion });
  });

  test('leads to a damaged answer like any other: a miss, told of once by line, mended by the next answer', () => {
    const folder = fill();
    const path = onlySegment(folder);
    editFile(path, (text) => text.replace(third.completion.text, third.completion.text.toUpperCase()));
    const { store, warnings } = open(folder);
    expect([store.read(third.key), store.read(third.key)]).toEqual([undefined, undefined]);
    expect(warnings).toEqual([expect.stringContaining(`The cache entry ${path}:3 is damaged`)]);
    store.write(third);
    store.close();
    expectAll(open(folder).store, entries);
  });

  test('remembers lines that are no entries, and each run is told of them', () => {
    const folder = makeFolder();
    const path = writeSegment(folder, [renderEntry(entry), 'garbage', '', 'more garbage', renderEntry(other)]);
    for (let run = 0; run < 3; run += 1) {
      const { store, warnings } = open(folder);
      expectAll(store, [entry, other]);
      expect(warnings).toEqual([expect.stringMatching(/holds 2 lines .*: line 2 is no cache entry/)]);
      expect(warnings[0]).toContain(path);
      store.close();
    }
  });

  test('tells of half a line at the end each time, once', () => {
    const folder = fill();
    appendFileSync(onlySegment(folder), renderEntry(entry).slice(0, 300));
    setMtime(onlySegment(folder), new Date(0));
    for (let run = 0; run < 2; run += 1) {
      const { store, warnings } = open(folder);
      expectAll(store, entries);
      expect(warnings).toEqual([expect.stringMatching(/a line that is not usable: line 13 is cut off/)]);
      store.close();
    }
  });
});

describe('tidying up beside a reader', () => {
  test('loses no hit, before the reader looks again and after', () => {
    const folder = fill(entries.slice(0, 6));
    fill(entries.slice(6), folder);
    fill(entries.slice(0, 3), folder);
    let nowMs = startMs;
    const { store, warnings } = open(folder, sizes, () => new Date(nowMs));
    expectAll(store, entries);
    for (let round = 0; round < 3; round += 1) {
      rewriteSegments(
        folder,
        listSegmentFiles(folder).map((file) => ({ file, keep: () => true })),
        now,
        sizes,
      );
      expectAll(store, entries);
      nowMs += 1000;
      expectAll(store, entries);
    }
    expect(warnings).toEqual([]);
  });

  test('gives a reader the new segment with its index, whole', () => {
    const folder = fill();
    const { store, warnings } = open(folder);
    store.read('0'.repeat(64));
    rewriteSegments(folder, [{ file: listSegmentFiles(folder)[0] ?? raise(), keep: () => true }], now, sizes);
    // Were the lines looked at, there would be a warning.
    editFile(onlySegment(folder), (text) => text.replace('{"format":2,"checksum"', '{"FORMAT":1,"checksum"'));
    expectAll(store, entries.slice(1));
    expect(warnings).toEqual([]);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  test('shows nothing of what is not finished', () => {
    const folder = fill();
    const during: string[][] = [];
    const keep = () => {
      during.push(segmentPaths(folder));
      return true;
    };
    rewriteSegments(folder, [{ file: listSegmentFiles(folder)[0] ?? raise(), keep }], now, sizes);
    expect(during.every((paths) => paths.length === 1 && paths[0]?.includes('.claimed-'))).toBe(true);
  });

  test('makes several segments of a large one', () => {
    const folder = fill(Array.from({ length: 5000 }, (_, index) => buildEntry(ask(`${index}`), 'x'.repeat(500))));
    const { size } = statSync(onlySegment(folder));
    const keep = () => true;
    const small = { ...sizes, maxBytes: 1_000_000 };
    rewriteSegments(folder, [{ file: listSegmentFiles(folder)[0] ?? raise(), keep }], now, small);
    const made = segmentPaths(folder).map((path) => statSync(path).size);
    expect(made.length).toBeGreaterThan(2);
    expect(made.reduce((sum, bytes) => sum + bytes, 0)).toBe(size);
    expect(maintainCache(folder, { now }).stats().entries).toBe(5000);
  });

  test('brings nothing back that was cleared meanwhile', () => {
    const folder = fill();
    let seen = 0;
    const keep = () => {
      seen += 1;
      if (seen === 2) maintainCache(folder, { now, sizes }).clear();
      return true;
    };
    expect(rewriteSegments(folder, [{ file: listSegmentFiles(folder)[0] ?? raise(), keep }], now, sizes)).toBe(0);
    expect(existsSync(folder)).toBe(false);
  });

  test('keeps what it has not copied where its copy was taken away', () => {
    const folder = fill();
    const keep = () => {
      for (const name of readdirSync(folder)) if (name.endsWith('.part')) rmSync(join(folder, name));
      return true;
    };
    expect(rewriteSegments(folder, [{ file: listSegmentFiles(folder)[0] ?? raise(), keep }], now, sizes)).toBe(0);
    const { store } = open(folder);
    expectAll(store, entries);
  });

  test('removes what a killed process has left, and not what one is at', () => {
    const folder = fill();
    const leave = (name: string, ageMs: number) => {
      writeFileSync(join(folder, name), 'left');
      setMtime(join(folder, name), new Date(startMs - ageMs));
    };
    const id = (digit: number) => `20260101T000000000Z-${String(digit).repeat(12)}`;
    leave(`${id(1)}.part`, 700_000);
    leave(`${id(2)}.part`, 500_000);
    leave(`${id(3)}.index`, 700_000);
    leave(`${id(4)}.index`, 500_000);
    leave(`${id(5)}.index.0123456789ab`, 700_000);
    leave('notes.index', 700_000);
    rewriteSegments(folder, [], now, sizes);
    expect(
      readdirSync(folder)
        .filter((name) => readFileSync(join(folder, name), 'utf8') === 'left')
        .sort(),
    ).toEqual([`${id(2)}.part`, `${id(4)}.index`, 'notes.index']);
    expectAll(open(folder).store, entries);
    maintainCache(folder, { now, sizes }).clear();
    expect(readdirSync(folder)).toEqual(['notes.index']);
  });
});

/** A folder with one more segment, by a run that has ended. */
function fill(written: readonly CacheEntry[] = entries, folder = join(makeFolder(), 'cache')): string {
  const { store } = open(folder);
  for (const next of written) store.write(next);
  store.close();
  return folder;
}

function open(folder: string, ownSizes = sizes, clock = now) {
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const store = writeThrough(openCacheStore(folder, { now: clock, onWarning, sizes: ownSizes }));
  onTestFinished(() => store.close());
  return { store, warnings };
}

function onlyIndex(folder: string): string {
  return onlySegment(folder).replace(/\.jsonl$/, '.index');
}

function expectAll(store: Pick<ReturnType<typeof open>['store'], 'read'>, expected: readonly CacheEntry[]): void {
  expect(expected.map(({ key }) => store.read(key)?.completion)).toEqual(expected.map(({ completion }) => completion));
}

function raise(): never {
  throw new Error('nothing is there');
}
