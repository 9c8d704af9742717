import { describe, expect, test } from 'vitest';
import { parseJinja } from '../../src/templates/jinja-template.ts';
import { jinjaLanguage } from '../../src/templates/languages.ts';
import { renderTree } from '../../src/templates/render-tree.ts';
import { TemplateError } from '../../src/templates/template-error.ts';
import type { TestOperator } from '../../src/templates/template-tree.ts';
import {
  compareValues,
  describeKind,
  findLongLiteral,
  listEntries,
  notText,
  plainText,
  readOwn,
  rootOf,
} from '../../src/templates/template-values.ts';
import { SpelledNumber } from '../../src/text/yaml/exact-numbers.ts';

const one = new SpelledNumber(1, '1.0');
const long = new SpelledNumber(1.2345678901234567e19, '12345678901234567890');

describe('two values', () => {
  test.each<[TestOperator, unknown, unknown, boolean]>([
    ['==', 'a', 'a', true],
    ['==', 1, '1', false],
    ['==', one, 1, true],
    ['==', long, long, true],
    ['==', long, new SpelledNumber(1.2345678901234567e19, '12345678901234567891'), false],
    ['==', undefined, null, true],
    ['==', false, null, false],
    ['!=', 'a', 'b', true],
    ['!=', null, undefined, false],
    ['<', 1, 2, true],
    ['<', 2, 2, false],
    ['<=', 2, 2, true],
    ['<=', 3, 2, false],
    ['>', 3, one, true],
    ['>', 1, one, false],
    ['>=', 1, one, true],
    ['>=', 0, one, false],
    ['<', 'a', 'b', true],
    ['>', 'a', 'b', false],
    ['>=', 'b', 'b', true],
    ['in', 1, [one], true],
    ['in', 'a', ['b'], false],
    ['in', null, [undefined], true],
    ['in', 'b', 'abc', true],
    ['in', 1, 'a1', true],
    ['in', 'k', { k: undefined }, true],
    ['in', 'toString', {}, false],
    ['in', 'a', null, false],
    ['in', 'a', 5, false],
  ])('%s %j %j: %j', (operator, left, right, is) => {
    expect(compareValues(operator, left, right)).toBe(is);
  });

  test.each([
    [1, 'a', 'a number and a string have no order'],
    ['a', null, 'a string and null have no order'],
    [true, false, 'a boolean and a boolean have no order'],
    [[], {}, 'a list and an object have no order'],
    [one, 'a', 'a number and a string have no order'],
  ])('%j and %j have no order', (left, right, message) => {
    expect(() => compareValues('<', left, right)).toThrow(new TemplateError(message, { kind: 'not-text' }));
  });
});

test('a loop goes through a list, or the keys of a map', () => {
  expect(listEntries(['a', 'b'], false)).toEqual([
    [0, 'a'],
    [1, 'b'],
  ]);
  expect(listEntries({ k: 'v' }, false)).toEqual([['k', 'k']]);
  expect(listEntries({ k: 'v' }, true)).toEqual([['k', 'v']]);
  for (const nothing of [undefined, null, false]) expect(listEntries(nothing, true)).toEqual([]);
  for (const other of ['text', 0, true, one]) expect(listEntries(other, true)).toBeUndefined();
});

test('a member is read only where the value has it itself', () => {
  expect([readOwn(['a'], 0), readOwn(['a'], '0'), readOwn(['a'], 'length'), readOwn(['a'], 'at')]).toEqual([
    'a',
    'a',
    1,
    undefined,
  ]);
  expect([readOwn({ 1: 'x' }, 1), readOwn({}, 'constructor'), readOwn('text', 'length'), readOwn(null, 'a')]).toEqual([
    'x',
    undefined,
    undefined,
    undefined,
  ]);
});

test('a scalar has a text, and what has none says what it is', () => {
  expect(['a', 1, true, 5n, one, null, undefined, [], {}].map(plainText)).toEqual([
    'a',
    '1',
    'true',
    '5',
    '1.0',
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect([null, undefined, [], {}, one, 'a', 1, true].map(describeKind)).toEqual([
    'null',
    'missing',
    'a list',
    'an object',
    'a number',
    'a string',
    'a number',
    'a boolean',
  ]);
  const shown = (value: unknown) => {
    const { message, hint, line, kind, variable } = notText(value, 'a.b', { line: 3 });
    return [message, hint, line, kind, variable];
  };
  expect(shown(null)).toEqual([
    '"a.b" is null, which has no text',
    'give it a value, or write {{ a.b | default: "…" }}',
    3,
    'not-text',
    'a.b',
  ]);
  expect(shown(undefined)[0]).toBe('"a.b" is null, which has no text');
  expect(shown([])).toEqual([
    '"a.b" is a list, which must be rendered with a filter',
    'write {{ a.b | json }} or {{ a.b | join: ", " }}',
    3,
    'not-text',
    'a.b',
  ]);
  expect(shown({})[1]).toBe('write {{ a.b | json }}');
});

test.each([
  ['x | plus: 12345678901234567890', '12345678901234567890', 10],
  ["x == '12345678901234567890'", undefined, undefined],
  ['"1" | plus: -12345678901234567890', '-12345678901234567890', 12],
  ['a12345678901234567890', undefined, undefined],
  ['a.12345678901234567890', undefined, undefined],
  ['1 + 0.12345678901234567890123', '0.12345678901234567890123', 4],
  ['12 | plus: 3.5', undefined, undefined],
])('in the code %j the number that a double would round is %j', (code, text, offset) => {
  expect(findLongLiteral(code)).toEqual(text === undefined ? undefined : { text, offset });
});

test.each([
  ['a.b', 'a'],
  ['a[0]', 'a'],
  ['a', 'a'],
  ['', ''],
])('the path %j starts from %j', (path, root) => {
  expect(rootOf(path)).toBe(root);
});

test('a missing variable is reported with the others that are missing, another fault by itself', () => {
  const faultOf = (source: string) => {
    try {
      renderTree(
        parseJinja(source),
        { list: [{}] },
        { language: jinjaLanguage, partials: {}, isOptional: () => false },
      );
    } catch (error) {
      if (error instanceof TemplateError)
        return [error, ...(error.also ?? [])].map(({ kind, variable }) => `${kind} ${variable ?? ''}`);
      throw error;
    }
    return [];
  };
  expect(faultOf('{{ gone }} {{ lost }}')).toEqual(['missing-variable gone', 'missing-variable lost']);
  expect(faultOf('{{ list }} {{ gone }}')).toEqual(['not-text list']);
});
