import { describe, expect, test } from 'vitest';
import { compileJsonSchema } from '../../src/json/json-schema.ts';
import { JsonSchemaError } from '../../src/json/schema-errors.ts';

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
