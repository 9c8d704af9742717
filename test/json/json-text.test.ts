import { describe, expect, test } from 'vitest';
import { deepEqual, describePath, findDifference } from '../../src/json/deep-equal.ts';
import { findInJson, maxJsonDepth, parseJson, parseJsonNodes, parseJsonText } from '../../src/json/parse-json.ts';
import { plainNumbers, SpelledNumber } from '../../src/text/exact-numbers.ts';
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

  test('brackets in strings are no nesting', () => {
    const text = JSON.stringify(['['.repeat(5000), '\\"['.repeat(1000), '\\']);
    expect(parseJson(text).ok).toBe(true);
  });

  test('the deepest nesting passes and one more does not', () => {
    const nest = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(parseJson(nest(maxJsonDepth)).ok).toBe(true);
    expect(parseJson(nest(maxJsonDepth + 1))).toMatchObject({ ok: false });
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
