import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/json/json.ts';
import { compareSchemas } from '../../src/schema-diff/compare-schemas.ts';
import fc from '../support/property.ts';
import { arbitrarySchema } from './support/arbitrary-schema.ts';

const text = { type: 'string' };
const address = { type: 'object', properties: { zip: text }, required: ['zip'] };

const groups: readonly (readonly [string, readonly JsonValue[]])[] = [
  [
    'null has many spellings',
    [
      { type: ['string', 'null'] },
      { type: 'string', nullable: true },
      { anyOf: [text, { type: 'null' }] },
      { oneOf: [{ type: 'null' }, text] },
      { anyOf: [text, { const: null }] },
    ],
  ],
  [
    'a reference beside null is nullable',
    [
      { $defs: { A: address }, anyOf: [{ $ref: '#/$defs/A' }, { type: 'null' }] },
      { ...address, type: ['object', 'null'] },
    ],
  ],
  ['a constant is an enumeration of one', [{ const: 'a' }, { enum: ['a'] }, { type: 'string', const: 'a' }]],
  ['a constant null is the type null', [{ const: null }, { type: 'null' }, { enum: [null] }]],
  ['both booleans are the type boolean', [{ type: 'boolean' }, { enum: [true, false] }]],
  ['an integer is a multiple of 1', [{ type: 'integer' }, { type: 'number', multipleOf: 1 }]],
  [
    'whole numbers above 0 start at 1',
    [
      { type: 'integer', exclusiveMinimum: 0 },
      { type: 'integer', minimum: 1 },
    ],
  ],
  [
    'whole numbers between fractions begin and end at whole ones, excluded or not',
    [
      { type: 'integer', exclusiveMinimum: 2.5, exclusiveMaximum: 6.5 },
      { type: 'integer', minimum: 2.5, maximum: 6.5 },
      { type: 'integer', minimum: 3, maximum: 6 },
      { type: 'integer', exclusiveMinimum: 2, exclusiveMaximum: 7 },
    ],
  ],
  ['a list with a single branch is the branch', [text, { allOf: [text] }, { anyOf: [text] }, { oneOf: [text] }]],
  ['true is the empty schema', [true, {}]],
  ['an integer beside a number is a number', [{ type: 'number' }, { type: ['integer', 'number'] }]],
  [
    'a value that two branches of oneOf accept is refused',
    [{ const: 'bb' }, { enum: ['a', 'bb'], oneOf: [text, { ...text, maxLength: 1 }] }],
  ],
  ['a choice of anything is no choice', [{ anyOf: [true, text] }, { anyOf: [{ minimum: 3 }, {}] }, true]],
  ['refusing what the type refuses refuses nothing', [text, { ...text, not: { type: 'integer' } }]],
  ['required properties are so many properties at least', [address, { ...address, minProperties: 1 }]],
  ['types are a union of types', [{ type: ['string', 'number'] }, { anyOf: [{ type: 'number' }, text] }]],
  [
    'types beside a value that is refused are a union of types, each with what it refuses',
    [
      { type: ['string', 'integer', 'null'], not: { const: '' } },
      { anyOf: [{ type: ['string', 'null'], not: { const: '' } }, { type: 'integer' }] },
      { anyOf: [{ type: ['string', 'null'] }, { type: 'integer' }], not: { const: '' } },
      { anyOf: [{ type: ['string', 'integer'], not: { const: '' } }, { type: 'null' }] },
      { anyOf: [{ type: 'string', minLength: 0, not: { const: '' } }, { type: 'integer' }, { type: 'null' }] },
    ],
  ],
  [
    'a type that is refused is no type',
    [
      { type: ['number', 'null'] },
      { type: ['string', 'number', 'null'], not: text },
      { type: ['string', 'number', 'null', 'array'], not: { type: ['string', 'array'] } },
      { not: { type: ['string', 'array', 'boolean', 'object'] } },
    ],
  ],
  [
    'null that is refused is no type',
    [
      { type: ['string', 'integer'], not: { const: '' } },
      { type: ['string', 'integer', 'null'], not: { enum: ['', null] } },
      { anyOf: [{ type: ['string', 'null'], not: { enum: [null, ''] } }, { type: 'integer' }] },
    ],
  ],
  ['constants in a union are an enumeration', [{ enum: ['a', 'b'] }, { anyOf: [{ const: 'b' }, { const: 'a' }] }]],
  ['keywords that refuse nothing are idle', [text, { type: 'string', minLength: 0, minimum: 3, required: ['a'] }]],
  ['values that other keywords refuse do not count', [{ enum: ['a', 'abc', 1], maxLength: 2 }, { enum: ['a', 1] }]],
  [
    'order in lists of alternatives',
    [
      { enum: ['a', 'b'], type: ['string', 'null'] },
      { type: ['null', 'string'], enum: ['b', 'a'] },
    ],
  ],
  [
    'order of required',
    [
      { type: 'object', required: ['a', 'b'] },
      { type: 'object', required: ['b', 'a'] },
    ],
  ],
  ['disjoint oneOf is anyOf', [{ oneOf: [text, { type: 'number' }] }, { anyOf: [text, { type: 'number' }] }]],
  [
    'references are what they lead to',
    [
      { type: 'object', properties: { home: address } },
      { type: 'object', properties: { home: { $ref: '#/$defs/A' } }, $defs: { A: address } },
      { type: 'object', properties: { home: { $ref: '#/definitions/A' } }, definitions: { A: address } },
      { type: 'object', properties: { home: { $ref: '#here' } }, $defs: { A: { $anchor: 'here', ...address } } },
      {
        type: 'object',
        properties: { home: { $ref: 'a.json' } },
        $id: 'https://example.com/s',
        $defs: { A: { $id: 'a.json', ...address } },
      },
      { type: 'object', properties: { home: { allOf: [{ $ref: '#/$defs/A' }] } }, $defs: { A: address } },
    ],
  ],
  [
    'inherited properties are own properties',
    [
      { $defs: { A: address }, allOf: [{ $ref: '#/$defs/A' }, { properties: { city: text } }] },
      { type: 'object', properties: { zip: text, city: text }, required: ['zip'] },
    ],
  ],
  [
    'draft-07 tuples and dependencies are those of 2020-12',
    [
      {
        $schema: 'http://json-schema.org/draft-07/schema#',
        items: [text],
        additionalItems: false,
        dependencies: { a: ['b'], c: { required: ['d'] } },
      },
      {
        prefixItems: [text],
        items: false,
        dependentRequired: { a: ['b'] },
        dependentSchemas: { c: { required: ['d'] } },
      },
    ],
  ],
  [
    'unevaluatedProperties alone is additionalProperties',
    [
      { type: 'object', unevaluatedProperties: false },
      { type: 'object', additionalProperties: false },
    ],
  ],
  [
    'a branch that another one covers says nothing',
    [{ anyOf: [{ type: 'number' }, text] }, { anyOf: [{ type: 'number' }, text, { type: 'integer' }] }],
  ],
];

describe.each(groups)('%s', (_, spellings) => {
  test.each(['input', 'output'] as const)('no finding between any two spellings under %s', (direction) => {
    const findings = spellings.flatMap((old) =>
      spellings.flatMap((replacement) =>
        compareSchemas(old, replacement, { direction }).map(({ ruleId }) => [ruleId, old, replacement]),
      ),
    );
    expect(findings).toEqual([]);
  });
});

test('moving subschemas under $defs changes nothing', () => {
  fc.assert(
    fc.property(arbitrarySchema, (schema) => {
      // What unevaluated… keywords see is compared as text.
      fc.pre(!JSON.stringify(schema).includes('unevaluated'));
      expect(compareSchemas(schema, moveToDefs(schema), { direction: 'output', policy: 'formal' })).toEqual([]);
    }),
    { numRuns: 300, seed: 7 },
  );
});

/** Replaces the members of the root's `properties` and its `items` by references. */
function moveToDefs(schema: JsonValue): JsonValue {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema;
  const record = schema as Record<string, JsonValue>;
  const $defs: Record<string, JsonValue> = {};
  const move = (name: string, value: JsonValue): JsonValue => {
    $defs[name] = value;
    return { $ref: `#/$defs/${name}` };
  };
  const { properties, items } = record;
  const moved =
    typeof properties === 'object' && properties !== null
      ? { properties: Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, move(name, value)])) }
      : {};
  return { ...record, ...moved, ...(items === undefined ? {} : { items: move('items', items) }), $defs };
}
