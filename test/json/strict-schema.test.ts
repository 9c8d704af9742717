import { expect, it } from 'vitest';
import { isStrictSchema } from '../../src/json/strict-schema.ts';

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
