import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scanLines } from '../../src/cache/scan-lines.ts';
import fc from '../support/property.ts';
import { makeFolder } from './build-request.ts';

const chunkBytes = 256 * 1024;

test('lines of any length come whole and in order, and what follows the last line break is left', () => {
  const folder = makeFolder();
  const sizes = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.nat(2000) },
      fc.integer({ min: chunkBytes - 3, max: chunkBytes + 3 }),
      fc.integer({ min: 2 * chunkBytes - 3, max: 2 * chunkBytes + 3 }),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(sizes, fc.constantFrom(0, 1, 300, chunkBytes + 1), (lengths, rest) => {
      const lines = lengths.map((length, index) => String.fromCodePoint(97 + (index % 26)).repeat(length));
      const text = lines.map((line) => `${line}\n`).join('');
      const found = scan(join(folder, 'lines'), text + '!'.repeat(rest));
      expect(found.end).toBe(text.length);
      expect(found.lengths).toEqual(lengths);
      expect(found.starts).toEqual(lines.map((line) => line.slice(0, 1)));
      for (const [index, offset] of found.offsets.entries()) {
        expect(text.slice(offset, offset + (lengths[index] ?? 0)) === lines[index]).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});

test('a scan goes on where another ended', () => {
  const path = join(makeFolder(), 'lines');
  const { end } = scan(path, 'one\ntwo\nthr');
  expect(scan(path, 'one\ntwo\nthree\nfour\n', end)).toMatchObject({ end: 19, offsets: [8, 14], lengths: [5, 4] });
});

test('an empty file and one that has shrunk hold nothing', () => {
  const path = join(makeFolder(), 'lines');
  expect(scan(path, '')).toMatchObject({ end: 0, offsets: [] });
  expect(scan(path, 'one\n', 100)).toMatchObject({ end: 100, offsets: [] });
});

function scan(path: string, text: string, from = 0) {
  writeFileSync(path, text);
  const fd = openSync(path, 'r');
  const [offsets, lengths, starts]: [number[], number[], string[]] = [[], [], []];
  const end = scanLines(fd, from, ({ bytes, start, offset, length }) => {
    offsets.push(offset);
    lengths.push(length);
    starts.push(bytes.toString('latin1', start, start + Math.min(length, 1)));
  });
  closeSync(fd);
  return { end, offsets, lengths, starts };
}
