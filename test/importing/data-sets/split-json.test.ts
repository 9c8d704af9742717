import { expect, test } from 'vitest';
import { CutJsonError, splitJson, splitJsonLines } from '../../../src/importing/data-sets/split-json.ts';

/** All texts with their lines, however the text is cut into chunks. */
function splitAll(split: typeof splitJson, text: string, wanted: string) {
  const found = [1, 2, 3, 7, 1000].map((size) => {
    const chunks = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
    return Array.from(
      split(chunks, (path) => path.join('.') === wanted),
      ({ text: part, line }) => [part, line],
    );
  });
  for (const one of found) expect(one).toEqual(found[0]);
  return found[0];
}

test.each<[text: string, path: string, parts: readonly unknown[]]>([
  ['{"a":1}', '', [['{"a":1}', 1]]],
  [
    '{"a":1}\n\n[2] 3',
    '',
    [
      ['{"a":1}', 1],
      ['[2]', 3],
    ],
  ],
  [
    '[{"a":{"b":1}},\n{"a":{}},{"c":[1]}]',
    '*',
    [
      ['{"a":{"b":1}}', 1],
      ['{"a":{}}', 2],
      ['{"c":[1]}', 2],
    ],
  ],
  [
    '{"a":{"b":1},"c":[{"d":2},3,[4]]}',
    'c.*',
    [
      ['{"d":2}', 1],
      ['[4]', 1],
    ],
  ],
  ['{"a":{"b":1},"c":2}', 'a', [['{"b":1}', 1]]],
  ['{"a":{"a":{"x":"}\\"]"}}}', 'a.a', [['{"x":"}\\"]"}', 1]]],
  ['{"a\\"b":{},"c":{}}', 'a\\"b', [['{}', 1]]],
  ['{"a":"c","c":{"x":1}}', 'c', [['{"x":1}', 1]]],
  ['{"a":["b",{"c":1}],"b":{}}', 'b', [['{}', 1]]],
  ['\ufeff{"a":1}', '', [['{"a":1}', 1]]],
  ['', '', []],
])('the text %j is split into the values at "%s"', (text, path, parts) => {
  expect(splitAll(splitJson, text, path)).toEqual(parts);
});

test.each([
  ['{"a":1', 1],
  ['{"a":\n[1]', 2],
  ['"a', 1],
  ['{"a":"b\nc"}', 1],
])('a text that is cut, %j, has a line', (text, line) => {
  const split = () => [...splitJson([text], () => true)];
  expect(split).toThrow(new CutJsonError(line));
  expect(split).toThrow(expect.objectContaining({ name: 'CutJsonError', line }));
});

test.each<[text: string, parts: readonly unknown[]]>([
  [
    '{"a":1}\n{"a":2}\n',
    [
      ['{"a":1}', 1],
      ['{"a":2}', 2],
    ],
  ],
  [
    '{"a":1}\n{"a":\n{"a":3}',
    [
      ['{"a":1}', 1],
      [undefined, 2],
      ['{"a":3}', 3],
    ],
  ],
  [
    'log line\n{"a":2}',
    [
      [undefined, 1],
      ['{"a":2}', 2],
    ],
  ],
  ['\n\n{"a":1}', [['{"a":1}', 3]]],
  [
    '{"a":1}\n{"a"',
    [
      ['{"a":1}', 1],
      [undefined, 2],
    ],
  ],
])('each line of %j is a document of its own', (text, parts) => {
  expect(splitAll(splitJsonLines, text, '')).toEqual(parts);
});
