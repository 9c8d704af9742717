import { parse as parseWithLibrary } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { parseCsv } from '../../src/text/csv.ts';
import { createLineIndex, renderCodeFrame } from '../../src/text/line-index.ts';
import { didYouMean } from '../../src/text/words/did-you-mean.ts';
import { plainNumbers, SpelledNumber } from '../../src/text/yaml/exact-numbers.ts';
import { editYamlMap, readYamlMap, replaceCsvField, replaceYamlValue } from '../../src/text/yaml/replace-values.ts';
import { parseYaml } from '../../src/text/yaml/yaml-text.ts';
import fc from '../support/property.ts';

describe('YAML', () => {
  const at = (text: string, path: readonly PropertyKey[], part: 'key' | 'value' = 'value') => {
    const { line, column } = createLineIndex(text).positionAt(parseYaml(text).find(path, part));
    return `${line}:${column}`;
  };

  test('dates and versions stay text, spelled numbers keep their spelling', () => {
    const { value } = parseYaml('date: 2024-01-01\nversion: 1.2.3\nn: 1.10\nplain: 3\nhex: 0x1F\nyes: yes\n');
    expect(value).toEqual({
      date: '2024-01-01',
      version: '1.2.3',
      n: new SpelledNumber(1.1, '1.10'),
      plain: 3,
      hex: new SpelledNumber(31, '0x1F'),
      yes: 'yes',
    });
  });

  test('anchors, aliases and merge keys are resolved', () => {
    expect(parseYaml('a: &a { x: 1, y: 2 }\nb: { <<: *a, y: 3 }\nc: [*a]\nd: { <<: [{ z: 1 }, *a] }').value).toEqual({
      a: { x: 1, y: 2 },
      b: { x: 1, y: 3 },
      c: [{ x: 1, y: 2 }],
      d: { z: 1, x: 1, y: 2 },
    });
  });

  test.each([
    ['a: 1\nb: 2\na: 3', 10],
    ['a: *x', 3],
    ['a: &x [*x]', 7],
    ['a: .inf', 3],
    ['a: 1\n---\nb: 2', 5],
    ['a: !tag b', 3],
    ['? [a]\n: b', 2],
    ['a:\n\t- b', 3],
    ['a: { <<: 5 }', 3],
  ])('%j is refused at its place', (text, offset) => {
    const { errors, value } = parseYaml(text);
    expect(errors.map((error) => error.offset)).toEqual([offset]);
    expect(value).toBeUndefined();
  });

  test.each(['[', '{a: ', '- ', '? '])('a hundred levels of %s are read, and no more', (open) => {
    const nest = (depth: number) => `${open.repeat(depth)}${{ '[': ']', '{a: ': '}' }[open]?.repeat(depth) ?? 'x'}`;
    expect(parseYaml(nest(100)).errors.filter(({ message }) => message.includes('deeper'))).toEqual([]);
    expect(parseYaml(nest(102)).errors).toMatchObject([{ message: 'nested deeper than 100 levels' }]);
  });

  test('the first twenty mistakes are enough', () => {
    expect(parseYaml('a: 1\n'.repeat(40)).errors).toHaveLength(20);
  });

  test('a key of the prototype stays data', () => {
    const { value } = parseYaml('__proto__: { polluted: true }');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('keys and values are found, and what is missing leads to what is above it', () => {
    const text = 'cases:\n  - id: one\n    vars: { a: 1 }\n  - id:\n';
    expect(at(text, ['cases', 0, 'id'])).toBe('2:9');
    expect(at(text, ['cases', 0, 'vars', 'a'], 'key')).toBe('3:13');
    expect(at(text, ['cases', 0, 'nothing'])).toBe('2:5');
    expect(at(text, ['cases', 1, 'id'])).toBe('4:5');
    expect(at(text, ['cases', 7])).toBe('2:3');
    expect(at(text, [])).toBe('1:1');
  });

  test('a place within a string is found in block, quoted and plain scalars', () => {
    const within = (text: string, line: number, column: number) => {
      const position = createLineIndex(text).positionAt(parseYaml(text).findWithin(['a'], line, column));
      return `${position.line}:${position.column}`;
    };
    expect(within('a: |\n  one\n  two\n', 2, 3)).toBe('3:5');
    expect(within('a: |-\n\n    x\n', 2, 1)).toBe('3:5');
    expect(within('a: "one"', 1, 2)).toBe('1:6');
    expect(within('a: one', 1, 3)).toBe('1:6');
    expect(within('a: "o\\ne"', 2, 1)).toBe('1:4');
    expect(within('a: "o\\ne"', 1, 2)).toBe('1:4');
  });

  test('JSON is YAML: both readers give the same values', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value, null, 1);
        expect(plainNumbers(parseYaml(text).value)).toEqual(JSON.parse(text));
      }),
    );
  });
});

test.each(['text', '[1, 2]', '{ b: 1 }'])('a value with an anchor is shared and not replaced: %s', (value) => {
  const text = `- expected: &a ${value}\n- expected: *a\n`;
  expect(replaceYamlValue(text, 2, 'expected', 'new')).toEqual({
    fault: 'shares "expected" with other places in the file (&a)',
  });
});

describe('a value in a file is replaced, and no other byte', () => {
  test.each<[text: string, value: unknown, after: string]>([
    ['a: old # c\nb: 1\n', 'new word', 'a: new word # c\nb: 1\n'],
    ['a: old\n', 'true', 'a: "true"\n'],
    ['a: old\n', 'x: y', 'a: "x: y"\n'],
    ['a: old\n', ['x', 1], 'a: ["x",1]\n'],
    ['a: "old"\n', 'new', 'a: "new"\n'],
    ['a: |\n  x\n  y\nb: 1\n', 'new', 'a: "new"\nb: 1\n'],
    ['a:\n  - x\n  - y\n\nb: 1\n', 'new', 'a:\n  "new"\n\nb: 1\n'],
    ['{"a": "old", "b": 2}', 'new', '{"a": "new", "b": 2}'],
    ['{"a": 5}', undefined, '{"a": null}'],
  ])('%j with %j', (text, value, after) => {
    expect(replaceYamlValue(text, 0, 'a', value)).toEqual({ text: after });
  });

  test('in the map that is meant', () => {
    const text = '- id: 1\n  e: old\n- id: 2\n  e: old\n';
    expect(replaceYamlValue(text, 19, 'e', 'new')).toEqual({ text: '- id: 1\n  e: old\n- id: 2\n  e: new\n' });
    expect(readYamlMap(text, 19)).toEqual({ value: { id: 2, e: 'old' } });
    expect(readYamlMap(text, 18)).toEqual({ fault: 'is not there any more' });
    expect(replaceYamlValue('a: [', 0, 'a', 1)).toEqual({ fault: expect.stringMatching(/^can't be read: .+/) });
    expect(replaceYamlValue('a: 1', 0, 'b', 1)).toEqual({ fault: 'has no "b" of its own' });
    expect(replaceYamlValue('x: &x 1\na: *x\n', 0, 'a', 2)).toEqual({ fault: 'takes "a" from elsewhere in the file' });
  });

  test.each<[text: string, changes: Record<string, unknown>, after: string]>([
    // A new key takes the place of one that goes.
    ['id: a\nold: 1 # c\nz: 2\n', { fresh: 'x', old: undefined }, 'id: a\nfresh: "x" # c\nz: 2\n'],
    ['id: a\nb: 1\n', { fresh: [1] }, 'fresh: [1]\nid: a\nb: 1\n'],
    ['id: a\nb: 1 # c\nz: 2\n', { b: undefined }, 'id: a\nz: 2\n'],
    ['id: a\nb: 1\nc: 2\nz: 2\n', { b: undefined, c: undefined }, 'id: a\nz: 2\n'],
    ['id: a # keep\nb: 1 # c\n', { b: undefined, gone: undefined }, 'id: a # keep # c\n'],
    ['b: 1\nid: a\n', { b: undefined, id: 'new' }, 'id: new\n'],
    ['{ id: a, b: 1, c: 2 }\n', { c: undefined, b: undefined, d: 3 }, '{ d: 3, id: a }\n'],
    ['{"id": "a", "b": 1}', { b: undefined }, '{"id": "a"}'],
    ['{"id": "a"}', { b: { c: 1 } }, '{"b": {"c":1}, "id": "a"}'],
    ['id: a\nlist:\n  - x\n  - y\nz: 1\n', { list: 'one' }, 'id: a\nlist:\n  "one"\nz: 1\n'],
  ])('%j with %j', (text, changes, after) => {
    expect(editYamlMap(text, 0, changes)).toEqual({ text: after });
  });

  test('except in a list with comments, which would be lost', () => {
    expect(editYamlMap('id: a\nlist:\n  - x # why\n  - y\n', 0, { list: [] })).toEqual({
      fault: 'has comments in "list": write it by hand',
    });
  });
});

describe('CSV', () => {
  test('fields survive being written and read', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é') });
    fc.assert(
      fc.property(fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { minLength: 1 }), (rows) => {
        const text = rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\r\n');
        const read = parseCsv(text);
        expect('records' in read && read.records.map(({ fields }) => fields)).toEqual(rows);
      }),
    );
  });

  test('it reads what a well-known library reads', () => {
    const cell = fc.constantFrom('a', 'b c', '"x"', '"x,y"', '"q""q"', '"two\nlines"', 'é');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell), { minLength: 1 }),
        fc.constantFrom('\n', '\r\n'),
        (rows, end) => {
          const text = rows.map((row) => row.join(',')).join(end) + end;
          const read = parseCsv(text);
          expect('records' in read && read.records.map(({ fields }) => fields)).toEqual(parseWithLibrary(text));
        },
      ),
    );
  });

  test('a record knows the line it starts on; blank lines and a byte order mark are passed over', () => {
    expect(parseCsv('\ufeffid,text\n1,"a\nb"\n\n2,\n')).toMatchObject({
      records: [
        { fields: ['id', 'text'], line: 1 },
        { fields: ['1', 'a\nb'], line: 2 },
        { fields: ['2', ''], line: 5 },
      ],
    });
  });

  test('a field is replaced, and no other byte', () => {
    const cell = fc.constantFrom('a', '', ' b ', '"x"', '"x,y"', '"q""q"', '"two\nlines"', '"two\r\nlines"');
    const value = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é'), minLength: 1 });
    const end = fc.constantFrom('\n', '\r\n', '\r');
    const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.nat(), end, fc.constantFrom('', '\ufeff'), value, (table, pick, lineEnd, mark, written) => {
        const text = `${mark}id,expected , q${lineEnd}${table.map((row) => row.join(',')).join(lineEnd)}`;
        const read = parseCsv(text);
        const records = 'records' in read ? read.records : [];
        const row = 1 + (pick % table.length);
        const { line = 0, bounds = [], fields = [] } = records[row] ?? {};
        const replaced = replaceCsvField(text, line, 'expected', written);
        const after = 'text' in replaced ? replaced.text : '';
        const length = after.length - text.length;
        expect([after.slice(0, bounds[2]), after.slice((bounds[3] ?? 0) + length)]).toEqual([
          text.slice(0, bounds[2]),
          text.slice(bounds[3]),
        ]);
        const again = parseCsv(after);
        expect('records' in again && again.records.map((record) => record.fields)).toEqual(
          records.map((record, index) => (index === row ? fields.with(1, written) : record.fields)),
        );
      }),
    );
  });

  test('a field stays as it was quoted, or is quoted where it must be', () => {
    const replace = (field: string, value: string) => replaceCsvField(`e\n${field}\n`, 2, 'e', value);
    expect(replace('old', 'new')).toEqual({ text: 'e\nnew\n' });
    expect(replace('"old"', 'new')).toEqual({ text: 'e\n"new"\n' });
    expect(replace('old', 'a, "b"')).toEqual({ text: 'e\n"a, ""b"""\n' });
    expect(replaceCsvField('a\nb\n', 2, 'e', 'new')).toEqual({ fault: 'has no column "e"' });
    expect(replaceCsvField('a,e\r\n1,\r\n', 2, 'e', 'new')).toEqual({ text: 'a,e\r\n1,new\r\n' });
  });

  test.each([
    ['a,b\n"x,y', 2, 'a quote is not closed'],
    ['a\n"x"y', 2, 'text follows a closing quote'],
    ['a\nx"y"', 2, 'a quote is inside'],
    ['a\r\n"b\r\nc"\r\nx"y"', 4, 'a quote is inside'],
  ])('%j is refused', (text, line, message) => {
    expect(parseCsv(text)).toMatchObject({ error: { line, message: expect.stringContaining(message) } });
  });
});

describe('code frames', () => {
  test('the line is marked, with a caret under the column', () => {
    expect(
      renderCodeFrame({ line: 10, column: 5, excerpt: { startLine: 9, lines: ['cases:', '  - idd: x', ''] } }),
    ).toEqual(['   9 | cases:', '> 10 |   - idd: x', '     |     ^', '  11 |']);
  });

  test('the lines around a place are cut out of a text', () => {
    const lines = createLineIndex('a\r\nb\nc\nd\n');
    expect([1, 2, 4, 5].map((line) => lines.excerptAround({ line, column: 1 }))).toEqual([
      { startLine: 1, lines: ['a', 'b'] },
      { startLine: 1, lines: ['a', 'b', 'c'] },
      { startLine: 3, lines: ['c', 'd'] },
      { startLine: 4, lines: ['d', ''] },
    ]);
    expect(renderCodeFrame({ line: 8, column: 2, excerpt: { startLine: 8, lines: ['a', 'b'] } })).toEqual([
      '> 8 | a',
      '    |  ^',
      '  9 | b',
    ]);
  });

  test('a long line is moved from the eightieth column on', () => {
    const lines = ['0123456789'.repeat(20)];
    const [near, far] = [80, 81].map((column) =>
      renderCodeFrame({ line: 1, column, excerpt: { startLine: 1, lines } }),
    );
    expect(near).toEqual([`> 1 | ${'0123456789'.repeat(10)}`, `    | ${' '.repeat(79)}^`]);
    expect(far).toEqual([`> 1 | 1${lines[0]?.slice(32, 131)}`, `    | ${' '.repeat(49)}^`]);
  });

  test('a place far to the right is still in view, and nothing acts on a terminal', () => {
    const frame = renderCodeFrame({
      line: 1,
      column: 300,
      excerpt: { startLine: 1, lines: [`${'x'.repeat(299)}\u001b[31m!\t`] },
    });
    const [row = '', caret = ''] = frame;
    expect(row.length).toBeLessThan(120);
    expect(row[caret.indexOf('^')]).toBe('\ufffd');
    expect(renderCodeFrame({ line: 1, column: 1 })).toEqual([]);
  });
});

test.each([
  ['contians', 'contains'],
  ['tag', 'tags'],
  ['baseUrl', 'baseURL'],
  ['CONTIANS', 'contains'],
  ['rnu', 'run'],
  ['rxx', undefined],
  ['postg', 'postgres'],
  ['pos', undefined],
  ['cont', undefined],
  ['xyz', undefined],
  ['completely-else', undefined],
])('%s is near to %s', (name, nearest) => {
  const hint = didYouMean(name, ['contains', 'container', 'tags', 'baseURL', 'a', 'run', 'postgres']);
  expect(hint).toBe(nearest === undefined ? undefined : `did you mean "${nearest}"?`);
});
