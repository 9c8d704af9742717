import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CacheEntry } from '../../src/cache/cache-entry.ts';
import { renderEntry } from '../../src/cache/cache-entry.ts';
import { maintainCache } from '../../src/cache/maintain-cache.ts';
import { mergeSmallSegments, rewriteSegments } from '../../src/cache/rewrite-segments.ts';
import { claimSegmentFile, isBeingRewritten, listSegmentFiles } from '../../src/cache/segment-files.ts';
import { createSegmentWriter } from '../../src/cache/segment-writer.ts';
import { StorageError } from '../../src/lib/storage-error.ts';
import { answer, ask, buildEntry, makeFolder } from './build-request.ts';
import { onlySegment, openStore, segmentPaths, setMtime, writeSegment } from './segments.ts';

const now = () => new Date('2026-11-24T15:30:12.000Z');
const entries = ['first', 'second', 'third'].map((text) => buildEntry(ask(text), text));
const lines = entries.map(renderEntry);

describe('rewriting a segment', () => {
  test('keeps the lines that are asked for, byte by byte, and removes the old file', () => {
    const folder = makeFolder();
    const path = writeSegment(folder, lines);
    const offsets: number[] = [];
    const won = rewrite(folder, (offset) => {
      offsets.push(offset);
      return offset !== offsets[1];
    });
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(onlySegment(folder), 'utf8')).toBe(`${lines[0]}\n${lines[2]}\n`);
    expect(won).toBe(Buffer.byteLength(`${lines[1]}\n`));
  });

  test('leaves no file where nothing is kept, and wins all of it', () => {
    const folder = makeFolder();
    const size = statSync(writeSegment(folder, lines)).size;
    expect(rewrite(folder, () => false)).toBe(size);
    expect(segmentPaths(folder)).toEqual([]);
  });

  test('drops half a line at the end', () => {
    const folder = makeFolder();
    const path = writeSegment(folder, lines);
    writeFileSync(path, lines.join('\n'));
    rewrite(folder, () => true);
    expect(readFileSync(onlySegment(folder), 'utf8')).toBe(`${lines[0]}\n${lines[1]}\n`);
  });

  test('copies in pieces of whole lines', () => {
    const folder = makeFolder();
    const many = Array.from({ length: 3000 }, (_, index) => `${index} ${'x'.repeat((index * 37) % 2500)}`);
    writeSegment(folder, [...many, 'y'.repeat(1_500_000), 'end']);
    const before = readFileSync(onlySegment(folder));
    expect(rewrite(folder, () => true)).toBe(0);
    expect(readFileSync(onlySegment(folder)).equals(before)).toBe(true);
  });

  test.each([1, 2, 3])('loses nothing that its writer stores while line %d is copied, nor afterwards', (moment) => {
    const folder = makeFolder();
    const { store, warnings } = openStore(folder, now);
    for (const entry of entries) store.write(entry);
    const during = buildEntry(ask('during'), 'during');
    const after = buildEntry(ask('after'), 'after');
    let seen = 0;
    rewrite(folder, () => {
      seen += 1;
      if (seen === moment) store.write(during);
      return true;
    });
    store.write(after);
    for (const reader of [store, openStore(folder, now).store]) {
      for (const { key } of [...entries, during, after]) expect(reader.read(key)).toBeDefined();
    }
    expect(warnings).toEqual([]);
  });

  test('that a killed process left half done loses nothing, and is done again after ten minutes', () => {
    const folder = makeFolder();
    writeSegment(folder, lines);
    const file = firstOf(listSegmentFiles(folder));
    const claimed = claimSegmentFile(file, folder, now().getTime());
    writeSegment(folder, lines.slice(0, 1), '20261124T153012000Z-ffffffffffff');
    const { store, warnings } = openStore(folder, now);
    for (const { key } of entries) expect(store.read(key)).toBeDefined();
    expect(warnings).toEqual([]);

    const prune = (minutes: number) =>
      maintainCache(folder, { now: () => new Date(now().getTime() + minutes * 60_000) }).prune({ maxBytes: 1e9 });
    prune(9);
    expect(existsSync(claimed?.path ?? '')).toBe(true);
    prune(11);
    expect(existsSync(claimed?.path ?? '')).toBe(false);
    expect(exported(folder)).toEqual(lines.toSorted(byKey));
  });

  test('is done by one of two who want to', () => {
    const folder = makeFolder();
    writeSegment(folder, lines);
    const file = firstOf(listSegmentFiles(folder));
    const claimed = claimSegmentFile(file, folder, now().getTime());
    expect(claimSegmentFile(file, folder, now().getTime())).toBeUndefined();
    expect(listSegmentFiles(folder)).toEqual([claimed]);
    expect(isBeingRewritten(file, now().getTime())).toBe(false);
    expect(claimed !== undefined && isBeingRewritten(claimed, now().getTime())).toBe(true);
    expect(rewriteSegments(folder, [{ file, keep: () => false }], now)).toBe(0);
    expect(exported(folder)).toHaveLength(3);
  });
});

describe('merging', () => {
  test('makes one of very many old small segments, which goes on by itself when a store is opened', () => {
    const folder = makeFolder();
    const written = writeMany(folder, 201);
    const { store, warnings } = openStore(folder, now);
    expect(store.read(written[0]?.key ?? '')).toBeDefined();
    expect(segmentPaths(folder)).toHaveLength(1);
    for (const { key } of written) expect(store.read(key)?.key).toBe(key);
    expect(maintainCache(folder, { now }).verify({ remove: false })).toEqual({ checked: 201, garbled: [] });
    expect(warnings).toEqual([]);
  });

  test('leaves alone what may still be written to, what is large and what is being rewritten', () => {
    const folder = makeFolder();
    writeMany(folder, 201);
    const [young = '', large = ''] = segmentPaths(folder);
    setMtime(young, new Date(now().getTime() - 59 * 60_000));
    writeFileSync(large, `${'x'.repeat(9_000_000)}\n`);
    setMtime(large, new Date(0));
    const files = listSegmentFiles(folder);
    const claimed = claimSegmentFile(firstOf(files.slice(2)), folder, now().getTime());
    mergeSmallSegments(folder, now);
    const left = segmentPaths(folder);
    expect(left).toHaveLength(4);
    expect(left).toEqual(expect.arrayContaining([young, large, claimed?.path]));
  });

  test('is not worth it for 200 segments', () => {
    const folder = makeFolder();
    writeMany(folder, 200);
    mergeSmallSegments(folder, now);
    expect(segmentPaths(folder)).toHaveLength(200);
  });

  test('does not glue the end of a cut segment to the next one', () => {
    const folder = makeFolder();
    const written = writeMany(folder, 201);
    const [first = ''] = segmentPaths(folder);
    writeFileSync(first, lines[0]?.slice(0, 250) ?? '');
    setMtime(first, new Date(0));
    mergeSmallSegments(folder, now);
    const { store, warnings } = openStore(folder, now);
    expect(written.filter(({ key }) => store.read(key) !== undefined)).toHaveLength(200);
    expect(warnings).toEqual([]);
  });
});

describe('a segment writer', () => {
  test('writes again elsewhere what may have been missed by whoever took its file', () => {
    const folder = makeFolder();
    const writer = openWriter(folder);
    const first = writer.append(Buffer.from('one\n'));
    rmSync(first.file.path);
    const second = writer.append(Buffer.from('two\n'));
    expect(second).toMatchObject({ offset: 0 });
    expect(second.file.id).not.toBe(first.file.id);
    expect(writer.append(Buffer.from('three\n')).offset).toBe(4);
    expect(readFileSync(onlySegment(folder), 'utf8')).toBe('two\nthree\n');
  });

  test('makes its folder again where that was removed', () => {
    const folder = join(makeFolder(), 'deep', 'cache');
    const writer = openWriter(folder);
    writer.append(Buffer.from('one\n'));
    rmSync(folder, { recursive: true });
    writer.append(Buffer.from('two\n'));
    expect(readFileSync(onlySegment(folder), 'utf8')).toBe('two\n');
  });
});

test('a file that shrinks while it is copied is a StorageError, and stays', () => {
  const folder = makeFolder();
  const path = writeSegment(folder, lines);
  const work = () =>
    rewrite(folder, () => {
      for (const claimed of segmentPaths(folder)) writeFileSync(claimed, '');
      return true;
    });
  expect(work).toThrow(StorageError);
  expect(existsSync(path)).toBe(false);
  expect(listSegmentFiles(folder)).toHaveLength(1);
});

function rewrite(folder: string, keep: (offset: number) => boolean): number {
  return rewriteSegments(
    folder,
    listSegmentFiles(folder).map((file) => ({ file, keep })),
    now,
  );
}

function firstOf<T>([first]: readonly T[]): T {
  if (first === undefined) throw new Error('nothing is there');
  return first;
}

function openWriter(folder: string) {
  const writer = createSegmentWriter(folder, now);
  onTestFinished(() => writer.close());
  return writer;
}

/** Segments of one entry each, last written two hours ago. */
function writeMany(folder: string, count: number): CacheEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const entry = { ...buildEntry(ask(`${index}`), `${index}`), completion: answer(`${index}`) };
    const path = writeSegment(folder, [renderEntry(entry)], `20261124T120000000Z-${String(index).padStart(12, '0')}`);
    setMtime(path, new Date(now().getTime() - 7_200_000));
    return entry;
  });
}

function exported(folder: string): string[] {
  return [...maintainCache(folder, { now }).exportLines()];
}

function byKey(a: string, b: string): number {
  const key = (line: string) => line.slice(line.indexOf('"key"'), line.indexOf('"createdAt"'));
  return key(a) < key(b) ? -1 : 1;
}
