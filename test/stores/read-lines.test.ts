import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bytesOf } from '../../src/lib/split-lines.ts';
import { readLines } from '../../src/stores/read-lines.ts';
import fc from '../support/property.ts';
import { makeFolder } from './build-rows.ts';

test('lines, offsets and numbers are right for any text and any buffer', () => {
  const path = join(makeFolder(), 'text');
  const text = fc.array(fc.constantFrom('\n', 'a', 'ä', '\r', '–', 'bcdefgh')).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 9 }), (content, bufferBytes) => {
      writeFileSync(path, content);
      const bytes = Buffer.from(content);
      const parts = content.split('\n');
      const expected = parts.map((line, index) => [line, index + 1, index < parts.length - 1]);
      // What follows the last line break is a line only where it is not empty.
      if (parts.at(-1) === '') expected.pop();
      const fd = openSync(path, 'r');
      const lines = Array.from(readLines(fd, bufferBytes), (line) => {
        const found = bytesOf(line);
        expect(bytes.subarray(line.offset, line.offset + found.length)).toEqual(found);
        return [found.toString(), line.number, line.isTerminated];
      });
      closeSync(fd);
      expect(lines).toEqual(expected);
    }),
  );
});
