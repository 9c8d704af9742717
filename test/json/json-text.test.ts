import { describe, expect, test } from 'vitest';
import { writeJson } from '../../src/json/canonical-json.ts';
import { deepEqual, describePath, describeValue, findDifference } from '../../src/json/deep-equal.ts';
import { findInJson, maxJsonDepth, parseJson, parseJsonNodes, parseJsonText } from '../../src/json/parse-json.ts';
import { dropPaths, parsePlainPath } from '../../src/json/plain-path.ts';
import { plainNumbers, SpelledNumber } from '../../src/text/yaml/exact-numbers.ts';
import fc from '../support/property.ts';

describe('JSON with positions', () => {
  test('the positions of nodes are those of the text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value);
        const node = parseJsonNodes(text);
        if ('error' in node) throw new Error(node.error.message);
        expect(plainNumbers(node.value)).toEqual(JSON.parse(text));
        expect(plainNumbers(parseJsonText(text))).toEqual({ value: JSON.parse(text) });
        expect(writeJson(value, 2)).toBe(JSON.stringify(value, undefined, 2));
      }),
    );
  });

  test('keys and values are found', () => {
    const text = '{"a": [1, {"b": "x"}]}';
    const node = parseJsonNodes(text);
    if ('error' in node) throw new Error(node.error.message);
    expect(findInJson(node, ['a', 1, 'b'], 'key')).toBe(11);
    expect(findInJson(node, ['a', 1, 'b'], 'value')).toBe(16);
    expect(findInJson(node, ['a', 5], 'value')).toBe(6);
  });

  test('numbers keep a spelling of their own, strings that hold numbers do not matter', () => {
    expect(parseJsonText('{"a": 1.0, "b": "1.0", "c": 1e3, "d": 2}')).toEqual({
      value: { a: new SpelledNumber(1, '1.0'), b: '1.0', c: new SpelledNumber(1000, '1e3'), d: 2 },
    });
  });

  test.each([
    ['{"a": 1,}', 8],
    ['{"a": 1', 7],
    ['[1 2]', 3],
    ['{"a": 1, "a": 2}', 9],
    ['{"a": {"b": 1, "\\u0062": 2}}', 15],
    ["{'a': 1}", 1],
    ['"a\nb"', 0],
    ['1e999', 0],
    ['{} x', 3],
    ['', 0],
  ])('%j is refused at its place', (text, offset) => {
    expect(parseJsonText(text)).toMatchObject({ error: { offset } });
  });

  test('blanks may be between all parts, and what is missing is named', () => {
    const node = parseJsonNodes(' { "a" : [ 1 , 2 ] , "b" : { } } ');
    expect(node).toMatchObject({ value: { a: [1, 2], b: {} } });
    expect(parseJsonText('[1 2]')).toMatchObject({ error: { message: 'unexpected "2" where "," belongs' } });
    expect(parseJsonText('{"a" 1}')).toMatchObject({ error: { message: 'unexpected "1" where ":" belongs' } });
    expect(parseJsonText('[1')).toMatchObject({ error: { message: expect.stringContaining('ends in the middle') } });
  });

  test('nesting without end is refused', () => {
    expect(parseJsonText('['.repeat(100_000) + ']'.repeat(100_000))).toHaveProperty('error');
  });
});

describe('JSON of answers', () => {
  test('what JSON.stringify writes is read back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseJson(JSON.stringify(value))).toEqual({ ok: true, value: JSON.parse(JSON.stringify(value)) });
      }),
    );
  });

  test('a number that no double holds is distinguished from texts that look like it', () => {
    const long = new SpelledNumber(1.2345678901234567e19, '12345678901234567890');
    expect(parseJson('["#1", "\\u0023#2", "x", 12345678901234567890]')).toEqual({
      ok: true,
      value: ['#1', '##2', 'x', long],
    });
    expect(parseJson('["12345678901234567890", 1234567890123456]')).toEqual({
      ok: true,
      value: ['12345678901234567890', 1234567890123456],
    });
  });

  test('brackets in strings are no nesting', () => {
    const text = JSON.stringify(['['.repeat(5000), '\\"['.repeat(1000), '\\']);
    expect(parseJson(text).ok).toBe(true);
  });

  test('the deepest nesting passes and one more does not', () => {
    const nest = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(parseJson(nest(maxJsonDepth)).ok).toBe(true);
    const reason = `it is nested deeper than ${maxJsonDepth} levels`;
    expect(parseJson(nest(maxJsonDepth + 1))).toEqual({ ok: false, reason });
    expect(parseJsonNodes(nest(maxJsonDepth))).not.toHaveProperty('error');
    expect(parseJsonNodes(nest(maxJsonDepth + 1))).toEqual({ error: { message: reason, offset: maxJsonDepth } });
  });

  test.each([
    ['', 'it is empty'],
    ['{"a":', 'it ends in the middle of a value'],
    ['"a', 'it ends in the middle of a value'],
    ['{"a": 1} x', 'unexpected "x" at line 1, column 10'],
    ['{"a":\n 1,}', 'unexpected "}" at line 2, column 4'],
  ])('%j is not valid: %s', (text, reason) => {
    expect(parseJson(text)).toEqual({ ok: false, reason });
  });
});

test.each([
  [undefined, 'nothing'],
  [null, 'null'],
  ['a', 'the string "a"'],
  [1, 'the number 1'],
  [true, 'the boolean true'],
  [new SpelledNumber(1.1, '1.10'), 'the number 1.10'],
  [() => 1, 'a function'],
  [{ a: [1, null, new SpelledNumber(2, '2.0')] }, '{"a":[1,null,2]}'],
  [Array.from({ length: 19 }, () => 1), `[${'1,'.repeat(18)}1]`],
  [Array.from({ length: 20 }, () => 1), 'a list of 20 items'],
  [['x'.repeat(120)], `["${'x'.repeat(120)}"]`],
  [['x'.repeat(121)], 'a list of 1 items'],
  [{ b: 'x'.repeat(200), a: 1 }, 'an object with 2 keys, the first "b"'],
])('%j is described as %s', (value, text) => {
  expect(describeValue(value)).toBe(text);
});

test('a plain path leaves out a key, an index or any of them', () => {
  const value = { a: [{ b: 1, c: 2 }, { b: 3 }], 'x y': 1, n: new SpelledNumber(1, '1.0') };
  const without = (...paths: string[]) =>
    dropPaths(
      value,
      paths.map((path) => parsePlainPath(path) ?? []),
    );
  expect(without('$.a[0].b', "$['x y']")).toEqual({ a: [{ c: 2 }, { b: 3 }], n: value.n });
  expect(without('$.a[*].b', '$.n.source')).toEqual({ a: [{ c: 2 }, {}], 'x y': 1, n: value.n });
  expect(without('$.a[1]', '$["x y"]')).toEqual({ a: [{ b: 1, c: 2 }, null], n: value.n });
  expect(without('$.*')).toEqual({});
  expect(['$', 'a', '$..a', '$.a[-1]', '$[?@.a]', '$.a.'].map(parsePlainPath)).toEqual(Array.from({ length: 6 }));
});

describe('deep equality', () => {
  test('a value equals its copy with the keys in another order', () => {
    const reverse = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reverse);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, item]) => [key, reverse(item)]),
      );
    };
    const law = fc.property(fc.jsonValue(), (value) => deepEqual(value, reverse(value)));
    expect(() => fc.assert(law)).not.toThrow();
  });

  test('two values are equal both ways or not at all', () => {
    const values = fc.jsonValue({ maxDepth: 2 });
    const law = fc.property(values, values, (a, b) => deepEqual(a, b) === deepEqual(b, a));
    expect(() => fc.assert(law)).not.toThrow();
  });

  test('the first difference is named by its path', () => {
    expect(findDifference({ a: [{ 'b c': 1 }] }, { a: [{ 'b c': 2 }] })).toEqual({
      path: ['a', 0, 'b c'],
      expected: 1,
      found: 2,
    });
    expect(describePath(['a', 0, 'b c'])).toBe('$.a[0]["b c"]');
    expect(findDifference([1, 2], [1])).toEqual({ path: [1], expected: 2, found: undefined });
    expect(findDifference({}, { a: 1 })).toEqual({ path: ['a'], expected: undefined, found: 1 });
  });

  test('a subset may have further keys, in nested objects too, but not further items', () => {
    expect(findDifference({ a: { b: 1 } }, { a: { b: 1, c: 2 }, d: 3 }, true)).toBeUndefined();
    expect(findDifference({ a: [1] }, { a: [1, 2] }, true)).toEqual({ path: ['a', 1], expected: undefined, found: 2 });
  });

  test('inherited keys are not there', () => {
    expect(deepEqual({ toString: undefined }, {})).toBe(false);
    expect(deepEqual(JSON.parse('{"__proto__": 1}'), JSON.parse('{"a": 1}'))).toBe(false);
  });
});
