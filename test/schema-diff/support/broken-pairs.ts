// oxlint-disable unicorn/no-thenable -- `then` is a keyword of JSON Schema

import type { JsonValue } from '../../../src/json/json.ts';

/** Two schemas that look like two spellings of one type, and a value that tells them apart. */
export interface BrokenPair {
  readonly title: string;
  readonly old: JsonValue;
  readonly new: JsonValue;
  /** Only the old schema takes it: an input contract breaks. */
  readonly lost?: JsonValue;
  /** Only the new schema takes it: an output contract breaks. */
  readonly gained?: JsonValue;
}

const text = { type: 'string' };
const number = { type: 'number' };
const integer = { type: 'integer' };
const nothing = { type: 'null' };
const limit = 9_007_199_254_740_991;
const a = { type: 'object', properties: { a: text }, required: ['a'] };
const b = { type: 'object', properties: { b: number }, required: ['b'] };
const closed = { additionalProperties: false };
const tagged = (tag: string): Record<string, JsonValue> => ({
  type: 'object',
  properties: { a: { const: tag }, b: text },
  required: ['a'],
});

export const brokenPairs: readonly BrokenPair[] = [
  {
    title: 'a bound one short of the safe integers',
    old: integer,
    new: { ...integer, maximum: limit - 1 },
    lost: limit,
  },
  { title: 'a bound of another sign', old: integer, new: { ...integer, minimum: limit }, lost: 1 },
  { title: 'an exclusive bound', old: integer, new: { ...integer, exclusiveMaximum: limit }, lost: limit },
  { title: 'a safe bound of numbers', old: number, new: { ...number, maximum: limit }, lost: 1e300 },
  {
    title: 'a real bound for a safe one',
    old: { ...integer, minimum: -limit },
    new: { ...integer, minimum: 0 },
    lost: -1,
  },
  {
    title: 'a real bound beside a safe one',
    old: { ...integer, minimum: 0, maximum: limit },
    new: { ...integer, minimum: -limit, maximum: limit },
    gained: -1,
  },
  {
    title: 'integer to number with safe bounds',
    old: { ...integer, minimum: -limit, maximum: limit },
    new: number,
    gained: 0.5,
  },
  {
    title: 'propertyNames with a pattern',
    old: { type: 'object' },
    new: { type: 'object', propertyNames: { type: 'string', pattern: '^a' } },
    lost: { b: 1 },
  },
  {
    title: 'propertyNames of another type',
    old: { type: 'object' },
    new: { type: 'object', propertyNames: { type: 'number' } },
    lost: { a: 1 },
  },
  {
    title: 'propertyNames by value',
    old: { type: 'object', propertyNames: { type: 'string', enum: ['a'] } },
    new: { type: 'object', propertyNames: text },
    gained: { b: 1 },
  },
  {
    title: 'propertyNames negated',
    old: { type: 'object', propertyNames: text },
    new: { type: 'object', propertyNames: { type: 'string', not: { const: 'a' } } },
    lost: { a: 1 },
  },
  {
    title: 'propertyNames behind a reference',
    old: { type: 'object', propertyNames: { $ref: '#/$defs/N' }, $defs: { N: text } },
    new: { type: 'object', propertyNames: { $ref: '#/$defs/N' }, $defs: { N: { type: 'string', maxLength: 1 } } },
    lost: { aa: 1 },
  },
  {
    title: 'a record of other values',
    old: { type: 'object', patternProperties: { '^(.*)$': number } },
    new: { type: 'object', additionalProperties: integer },
    lost: { a: 0.5 },
  },
  {
    title: 'a record of more values',
    old: { type: 'object', patternProperties: { '.*': text } },
    new: { type: 'object', additionalProperties: true },
    gained: { a: 1 },
  },
  {
    title: 'a pattern for some names',
    old: { type: 'object', patternProperties: { '^a': number } },
    new: { type: 'object', additionalProperties: number },
    lost: { b: 'a' },
  },
  {
    title: 'a pattern that needs a character',
    old: { type: 'object', patternProperties: { '.+': number } },
    new: { type: 'object', additionalProperties: number },
    lost: { '': 'a' },
  },
  {
    title: 'a pattern for all beside a property',
    old: { type: 'object', properties: { a: text }, patternProperties: { '.*': { type: 'string', maxLength: 1 } } },
    new: { type: 'object', properties: { a: text }, additionalProperties: { type: 'string', maxLength: 1 } },
    gained: { a: 'aa' },
  },
  {
    title: 'a pattern for all beside another',
    old: { type: 'object', patternProperties: { '^a': text, '.*': { maxLength: 1 } } },
    new: { type: 'object', patternProperties: { '^a': text }, additionalProperties: { maxLength: 1 } },
    gained: { a: 'aa' },
  },
  { title: 'a text pattern that stops at a line', old: text, new: { type: 'string', pattern: '^.*$' }, lost: 'a\nb' },
  { title: 'one negation', old: text, new: { not: text }, lost: 'a', gained: 1 },
  {
    title: 'a negation of a negation with a type beside',
    old: text,
    new: { not: { type: 'string', not: {} } },
    gained: 1,
  },
  { title: 'three negations', old: { not: { not: text } }, new: { not: { not: { not: text } } }, lost: 'a', gained: 1 },
  {
    title: 'a double negation of something narrower',
    old: text,
    new: { type: 'string', not: { not: { minLength: 1 } } },
    lost: '',
  },
  {
    title: 'a branch within a nested union',
    old: { anyOf: [text, { anyOf: [number, nothing] }] },
    new: { anyOf: [text, number] },
    lost: null,
  },
  {
    title: 'a branch more within a nested union',
    old: { anyOf: [a, { anyOf: [b, text] }] },
    new: { anyOf: [a, b, text, { type: 'boolean' }] },
    gained: true,
  },
  {
    title: 'a nested oneOf whose branches overlap',
    old: { anyOf: [nothing, { oneOf: [number, integer] }] },
    new: { anyOf: [nothing, number, integer] },
    gained: 1,
  },
  {
    title: 'a nested anyOf in a oneOf that overlaps',
    old: { oneOf: [text, { anyOf: [number, integer] }] },
    new: { oneOf: [text, number, integer] },
    lost: 1,
  },
  {
    title: 'a nested oneOf that overlaps the outer',
    old: { oneOf: [number, { oneOf: [integer, text] }] },
    new: { anyOf: [number, text] },
    gained: 1,
  },
  {
    title: 'a tagged union with a tag more',
    old: { anyOf: [{ anyOf: [tagged('a'), tagged('b')] }, text] },
    new: { anyOf: [{ oneOf: [tagged('a'), tagged('b'), tagged('c')] }, text] },
    gained: { a: 'c' },
  },
  {
    title: 'a tagged union that narrows within',
    old: { oneOf: [{ oneOf: [tagged('a'), tagged('b')] }, tagged('c')] },
    new: { oneOf: [tagged('a'), { ...tagged('b'), required: ['a', 'b'] }, tagged('c')] },
    lost: { a: 'b' },
  },
  {
    title: 'a type beside the nested union',
    old: { anyOf: [text, { type: 'object', anyOf: [a, { minProperties: 1 }] }] },
    new: { anyOf: [text, a, { minProperties: 1 }] },
    gained: 1,
  },
  { title: 'the only branch that can be satisfied', old: { anyOf: [text, { not: {} }] }, new: { not: {} }, lost: 'a' },
  {
    title: 'a branch that can be satisfied after all',
    old: { anyOf: [text, { not: {} }] },
    new: { anyOf: [text, { not: nothing }] },
    gained: 1,
  },
  {
    title: 'pydantic 1 and 2: Optional',
    old: { type: 'object', properties: { a: text } },
    new: { type: 'object', properties: { a: { anyOf: [text, nothing], default: null } } },
    gained: { a: null },
  },
  {
    title: 'pydantic 1 and 2: Decimal',
    old: { type: 'object', properties: { a: number } },
    new: { type: 'object', properties: { a: { anyOf: [number, text] } } },
    gained: { a: 'b' },
  },
  {
    title: 'zod 3 and 4: an intersection of closed objects',
    old: { allOf: [a, b] },
    new: {
      allOf: [
        { ...a, ...closed },
        { ...b, ...closed },
      ],
    },
    lost: { a: 'a', b: 1 },
  },
  {
    title: 'zod 3 and 4: a default that is required',
    old: { type: 'object', properties: { a: { type: 'string', default: 'x' } } },
    new: { type: 'object', properties: { a: { type: 'string', default: 'x' } }, required: ['a'] },
    lost: {},
  },
  {
    title: 'zod 3 and 4: a record with listed keys',
    old: { type: 'object', propertyNames: { enum: ['a', 'b'] } },
    new: { type: 'object', propertyNames: { type: 'string', enum: ['a', 'b'] }, required: ['a', 'b'] },
    lost: { a: 1 },
  },
  { title: 'a strict object in another', old: { ...a, ...closed }, new: a, gained: { a: 'a', b: 1 } },
  {
    title: 'a tuple that may go on',
    old: { type: 'array', prefixItems: [text, number], items: false, minItems: 2 },
    new: { type: 'array', prefixItems: [text, number], minItems: 2 },
    gained: ['a', 1, true],
  },
  {
    title: 'a longer tuple',
    old: { type: 'array', prefixItems: [text, number], maxItems: 2 },
    new: { type: 'array', prefixItems: [text, number, number], items: false },
    gained: ['a', 1, 2],
  },
  {
    title: 'a shorter tuple',
    old: { type: 'array', prefixItems: [text, number], items: false },
    new: { type: 'array', prefixItems: [text, number], maxItems: 1 },
    lost: ['a', 1],
  },
  {
    title: 'a tuple of other items',
    old: { type: 'array', items: [text, number], additionalItems: false },
    new: { type: 'array', items: [text, integer], maxItems: 2 },
    lost: ['a', 0.5],
  },
  {
    title: 'type: object dropped beside properties',
    old: { type: 'object', properties: { a: text } },
    new: { properties: { a: text } },
    gained: 1,
  },
  {
    title: 'type: object added beside properties',
    old: { properties: { a: text } },
    new: { type: 'object', properties: { a: text } },
    lost: 'a',
  },
  {
    title: 'type: object dropped within a property',
    old: { type: 'object', properties: { a } },
    new: { type: 'object', properties: { a: { properties: { a: text }, required: ['a'] } } },
    gained: { a: 1 },
  },
  {
    title: 'type: object dropped within items',
    old: { type: 'array', items: a },
    new: { type: 'array', items: { properties: { a: text }, required: ['a'] } },
    gained: [1],
  },
  {
    title: 'type: object dropped in a definition',
    old: { $ref: '#/$defs/A', $defs: { A: a } },
    new: { $ref: '#/$defs/A', $defs: { A: { properties: { a: text }, required: ['a'] } } },
    gained: 1,
  },
  {
    title: 'type: object dropped in a branch',
    old: { anyOf: [a, text] },
    new: { anyOf: [{ properties: { a: text }, required: ['a'] }, text] },
    gained: 1,
  },
  {
    title: 'type: object dropped beside null',
    old: { anyOf: [a, nothing] },
    new: { anyOf: [{ properties: { a: text }, required: ['a'] }, nothing] },
    gained: 1,
  },
  {
    title: 'type: object dropped in a map',
    old: { type: 'object', additionalProperties: a },
    new: { type: 'object', additionalProperties: { properties: { a: text }, required: ['a'] } },
    gained: { a: 1 },
  },
  {
    title: 'type: object dropped in allOf',
    old: { allOf: [a, { maxProperties: 2 }] },
    new: { allOf: [{ properties: { a: text }, required: ['a'] }, { maxProperties: 2 }] },
    gained: 1,
  },
  {
    title: 'object or null to properties alone',
    old: { ...a, type: ['object', 'null'] },
    new: { properties: { a: text }, required: ['a'] },
    gained: 1,
  },
  {
    title: 'nullable dropped',
    old: { type: 'string', nullable: true },
    new: { anyOf: [text, { not: {} }] },
    lost: null,
  },
  {
    title: 'an enumeration beside nullable without null',
    old: { type: ['string', 'null'], enum: ['a', null] },
    new: { type: ['string', 'null'], enum: ['a'] },
    lost: null,
  },
  {
    title: 'oneOf beside a null that a branch takes',
    old: { oneOf: [{ type: ['string', 'null'] }, nothing] },
    new: { anyOf: [text, nothing] },
    gained: null,
  },
  {
    title: 'null in two branches of a oneOf',
    old: { oneOf: [{ type: ['string', 'null'] }, { type: ['number', 'null'] }] },
    new: { type: ['string', 'number', 'null'] },
    gained: null,
  },
  { title: 'a constant of another type', old: { const: 1 }, new: { enum: ['1'] }, lost: 1, gained: '1' },
  {
    title: 'a forbidden property in an open object',
    old: { ...a, properties: { a: text, b: { not: {} } } },
    new: a,
    gained: { a: 'a', b: 1 },
  },
  {
    title: 'a forbidden property that is allowed',
    old: { type: 'object', properties: { a: text, b: { not: {} } }, ...closed },
    new: { type: 'object', properties: { a: text, b: {} }, ...closed },
    gained: { b: 1 },
  },
  {
    title: 'keywords beside a union that are gone',
    old: { type: 'object', properties: { c: text }, anyOf: [a, b] },
    new: { anyOf: [a, b] },
    gained: { a: 'a', c: 1 },
  },
  {
    title: 'keywords beside a union in one branch only',
    old: { type: 'object', properties: { c: text }, anyOf: [a, b] },
    new: { anyOf: [{ ...a, properties: { a: text, c: text } }, b] },
    gained: { b: 1, c: 1 },
  },
  {
    title: 'a property unlike all others',
    old: { type: 'object', additionalProperties: number },
    new: { type: 'object', properties: { a: text }, additionalProperties: number },
    lost: { a: 1 },
    gained: { a: 'a' },
  },
  {
    title: 'an optional property of some type',
    old: { type: 'object' },
    new: { type: 'object', properties: { a: text } },
    lost: { a: 1 },
  },
  {
    title: 'contains of something',
    old: { type: 'array', minItems: 1 },
    new: { type: 'array', contains: text },
    lost: [1],
  },
  {
    title: 'null in two branches of a oneOf within a oneOf',
    old: { oneOf: [{ type: ['string', 'null'] }, { anyOf: [number, { anyOf: [{ type: 'boolean' }, nothing] }] }] },
    new: { anyOf: [{ type: ['string', 'null'] }, number, { type: 'boolean' }] },
    gained: null,
  },
  {
    title: 'a text that its properties do not forbid',
    old: { anyOf: [number, { allOf: [text, { properties: { a: text } }] }] },
    new: { anyOf: [number, { not: {} }] },
    lost: 'a',
  },
  {
    title: 'types grouped otherwise, and one less',
    old: { anyOf: [{ type: ['string', 'number'] }, { type: ['boolean', 'null'] }] },
    new: { anyOf: [{ type: ['string', 'boolean'] }, nothing] },
    lost: 1,
  },
  {
    title: 'a type that a branch needs, since the type beside it allows more',
    old: { type: ['object', 'string'], anyOf: [a, b] },
    new: { type: ['object', 'string'], anyOf: [{ properties: { a: text }, required: ['a'] }, b] },
    gained: 'a',
  },
  {
    title: 'a type that a condition needs',
    old: { if: { maxProperties: 1 }, then: { type: 'object', properties: { b: text } } },
    new: { if: { maxProperties: 1 }, then: { properties: { b: text } } },
    gained: 1,
  },
];
