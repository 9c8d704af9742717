import { expect, test } from 'vitest';
import { type ReadBytes, splitLines } from '../../src/files/split-lines.ts';
import fc from '../support/property.ts';

test('lines, offsets and numbers are right for any text and any buffer', () => {
  const text = fc.array(fc.constantFrom('\n', 'a', 'ä', '\r', '–', 'bcdefgh')).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 9 }), (content, bufferBytes) => {
      const bytes = Buffer.from(content);
      const parts = content.split('\n');
      const expected = parts.map((line, index) => [line, index + 1, index < parts.length - 1]);
      // What follows the last line break is a line only where it is not empty.
      if (parts.at(-1) === '') expected.pop();
      const read: ReadBytes = (buffer, start, length, position) =>
        bytes.copy(buffer, start, position, position + length);
      const lines = Array.from(splitLines(read, { bufferBytes }), (line) => {
        expect(bytes.subarray(line.offset, line.offset + line.bytes.length)).toEqual(line.bytes);
        return [line.bytes.toString(), line.number, line.isTerminated];
      });
      expect(lines).toEqual(expected);
    }),
  );
});

test('lines are read from the start of one of them', () => {
  const bytes = Buffer.from('a\nbc\nd');
  const read: ReadBytes = (buffer, start, length, position) => bytes.copy(buffer, start, position, position + length);
  const lines = Array.from(splitLines(read, { from: { offset: 2, number: 2 } }), (line) => ({
    ...line,
    bytes: line.bytes.toString(),
  }));
  expect(lines).toEqual([
    { bytes: 'bc', offset: 2, number: 2, isTerminated: true },
    { bytes: 'd', offset: 5, number: 3, isTerminated: false },
  ]);
});
