import { describe, expect, it, test } from 'vitest';
import { compileJsonSchema } from '../../src/json/json-schema.ts';
import { JsonSchemaError } from '../../src/json/schema-errors.ts';
import { isStrictSchema } from '../../src/json/strict-schema.ts';

describe('cost', () => {
  test.each<[unknown, number, boolean]>([
    [{ type: 'object' }, 1000, true],
    [{ type: 'array', uniqueItems: true }, 100_000, false],
    [{ properties: { a: { pattern: '^(a+)+$' } } }, 10, false],
    [{ patternProperties: { '^(a+)+$': true } }, 10, false],
    [{ properties: { pattern: { type: 'string' } } }, 10, true],
    [{ anyOf: [{ items: { $ref: '#' } }, { type: 'null' }] }, 10, false],
    [{ properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: { type: 'string' } } }, 10, true],
  ])('%j on %d characters: cheap is %s', (schema, textLength, cheap) => {
    expect(compileJsonSchema(schema).isCheap(textLength)).toBe(cheap);
  });
});

test.each<[unknown, RegExp]>([
  [null, /not null/],
  [[], /not a list/],
  [{ $async: true }, /\$async/],
  [{ $schema: 3 }, /\$schema 3 is not supported/],
  [{ $ref: '#' }, /without end/],
  [{ $ref: 'other.json' }, /never fetched/],
  [{ required: 'a' }, /not valid at \$\.required/],
])('%j is refused', (schema, message) => {
  expect(() => compileJsonSchema(schema)).toThrow(JsonSchemaError);
  expect(() => compileJsonSchema(schema)).toThrow(message);
});

test('of the alternatives of a keyword, the one that comes nearest tells what is wrong', () => {
  expect(() => compileJsonSchema({ type: ['string', 'nul'] })).toThrow(
    expect.objectContaining({ place: ['type', 1], hint: 'did you mean "null"?' }),
  );
});

test('a schema object is compiled once', () => {
  const schema = { type: 'string' };
  expect(compileJsonSchema(schema)).toBe(compileJsonSchema(schema));
});

test('a violation names its place and what is wrong there', () => {
  const schema = { properties: { a: { items: { additionalProperties: false } } }, required: ['a'] };
  const compiled = compileJsonSchema(schema);
  expect(compiled.findViolation({ a: [{}, { 'b/c': 1 }] })).toEqual({
    path: '$.a[1]',
    message: 'must not have the property "b/c"',
  });
  expect(compiled.findViolation({ a: [] })).toBeUndefined();
});

test('of alternatives the reason of the first is told', () => {
  const compiled = compileJsonSchema({ oneOf: [{ type: 'string' }, { type: 'null' }] });
  expect(compiled.findViolation(3)?.message).toMatch(/oneOf; of the first alternative, \$ must be string/);
});

const closed = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false };

it.each([
  [closed, true],
  [{ type: 'object', additionalProperties: false }, true],
  [{ ...closed, properties: { a: { type: 'array', items: closed } } }, true],
  [{ ...closed, $defs: { b: closed }, properties: { a: { $ref: '#/$defs/b' } } }, true],
  [{ ...closed, required: [] }, false],
  [{ ...closed, additionalProperties: true }, false],
  [{ type: 'object', properties: {} }, false],
  [{ ...closed, properties: { a: { type: 'array', items: { type: 'object' } } } }, false],
  [{ ...closed, properties: { a: { anyOf: [closed, { properties: { b: {} } }] } } }, false],
  [{ ...closed, $defs: { b: { type: 'object' } } }, false],
  // A property of that name is no keyword, and an enum holds no schemas.
  [{ ...closed, properties: { a: { enum: [{ type: 'object' }] } } }, true],
  [{ type: 'array', items: closed }, false],
  [true, false],
])('%j keeps to strict mode: %j', (schema, expected) => {
  expect(isStrictSchema(schema)).toBe(expected);
});
