import { expect, test } from 'vitest';
import { spell, writeJson } from '../../src/json/canonical-json.ts';
import { deepEqual, findDifference } from '../../src/json/deep-equal.ts';
import { compileJsonPath } from '../../src/json/json-path.ts';
import { compileJsonSchema } from '../../src/json/json-schema.ts';
import { findArgumentMismatch } from '../../src/json/match-arguments.ts';
import { parsePlainPath } from '../../src/json/plain-path.ts';
import { SpelledNumber } from '../../src/text/yaml/exact-numbers.ts';

const one = new SpelledNumber(1, '1.0');
const long = new SpelledNumber(9007199254740992, '9007199254740993');

test('arguments are compared without what is ignored on either side', () => {
  const ignore = [parsePlainPath('$.id') ?? []];
  const mismatch = (args: Record<string, unknown>, raw: string, compare: 'subset' | 'exact') =>
    findArgumentMismatch({ args, compare, ignore }, raw, (_cheap, run) => run())?.reason;
  expect(mismatch({ id: 1, a: 2 }, '{"id": 5, "a": 2}', 'exact')).toBeUndefined();
  expect(mismatch({ a: 2 }, '{"id": 5, "a": 2}', 'exact')).toBeUndefined();
  expect(mismatch({ id: 1, a: 2 }, '{"a": 2}', 'exact')).toBeUndefined();
  expect(mismatch({ a: 2 }, '{"a": 2, "b": 3}', 'subset')).toBeUndefined();
  expect(mismatch({ a: 2 }, '{"a": 2, "b": 3}', 'exact')).toBe(
    '$.b of its arguments: expected nothing, found the number 3',
  );
  expect(mismatch({ a: one }, '{"a": 2}', 'exact')).toBe(
    '$.a of its arguments: expected the number 1, found the number 2',
  );
});

test('long arguments are validated under a deadline', () => {
  const cheap: boolean[] = [];
  const schema = { type: 'object', required: ['a'] };
  const validate = (raw: string) =>
    findArgumentMismatch({ schema, compare: 'exact' }, raw, (isCheap, run) => {
      cheap.push(isCheap);
      return run();
    });
  expect(validate('{}')?.reason).toContain('of its arguments');
  expect(validate(`{"a": "${'x'.repeat(5000)}"}`)).toBeUndefined();
  expect(cheap).toEqual([true, false]);
});

test('a number is equal to its spelling on either side', () => {
  expect([deepEqual(one, 1), deepEqual(1, one), deepEqual(one, one), deepEqual(2, one)]).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

test('further keys are allowed within lists too, and inherited ones are none', () => {
  expect(findDifference([{ a: 1 }], [{ a: 1, b: 2 }], true)).toBeUndefined();
  expect(findDifference([{ a: 1 }], [{ a: 1, b: 2 }])).toMatchObject({ path: [0, 'b'] });
  expect(findDifference({ constructor: 1 }, {})).toEqual({ path: ['constructor'], expected: 1, found: undefined });
});

test('empty objects and lists stay on one line beside a long number', () => {
  expect(writeJson({ a: {}, b: [], c: [long] }, 2)).toBe(
    '{\n  "a": {},\n  "b": [],\n  "c": [\n    9007199254740993\n  ]\n}',
  );
  expect(spell({ a: one, b: long })).toBe('{"a":1,"b":9007199254740993}');
});

test('alternatives of match() match as a whole', () => {
  const query = compileJsonPath('$[?match(@, "a|b")]');
  expect(query.query(['a', 'ax', 'xb', 'b'])).toEqual(['a', 'b']);
});

test('a schema that refers to itself within alternatives is never cheap', () => {
  const alternatives = { anyOf: [{ type: 'string' }] };
  const isCheap = (schema: object) => compileJsonSchema(schema).isCheap(10);
  expect(isCheap(alternatives)).toBe(true);
  expect(isCheap({ $ref: '#/$defs/a', $defs: { a: alternatives } })).toBe(false);
  const list = { $dynamicAnchor: 'node', type: 'object', properties: { next: { $dynamicRef: '#node' } } };
  expect(isCheap({ ...list, ...alternatives })).toBe(false);
  expect(isCheap(list)).toBe(true);
});
