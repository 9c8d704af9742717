import { describe, expect, test } from 'vitest';
import { compileJsonSchema } from '../../src/json/json-schema.ts';

const refused = "unevaluatedItems can't be checked beside contains";

describe('a schema that Ajv would judge too kindly is refused', () => {
  test.each<[string, object]>([
    ['contains beside unevaluatedItems', { contains: { type: 'string' }, unevaluatedItems: false }],
    ['below allOf', { allOf: [{ contains: { const: 1 } }], unevaluatedItems: false }],
    ['below else', { if: true, else: { contains: { const: 1 } }, unevaluatedItems: false }],
    ['below a schema that depends', { dependentSchemas: { a: { contains: true } }, unevaluatedItems: false }],
    ['by a reference', { $ref: '#/$defs/a', unevaluatedItems: false, $defs: { a: { contains: true } } }],
    ['in a property', { properties: { a: { contains: true, unevaluatedItems: false } } }],
    ['in a list of schemas', { anyOf: [{ contains: true, unevaluatedItems: false }] }],
  ])('%s', (_, schema) => {
    expect(() => compileJsonSchema(schema)).toThrow(refused);
  });

  test.each<[string, object, unknown]>([
    ['contains in one list, unevaluatedItems in another', { contains: { unevaluatedItems: false } }, [[]]],
    ['items that contain', { items: { contains: { const: 1 } }, unevaluatedItems: false }, [[1]]],
    ['a property of that name', { properties: { contains: { unevaluatedItems: false } } }, { contains: [] }],
  ])('and no other: %s', (_, schema, value) => {
    expect(compileJsonSchema(schema).findViolation(value)).toBeUndefined();
  });
});
