// oxlint-disable unicorn/no-thenable -- `then` is a keyword of JSON Schema
import { expect, test } from 'vitest';
import type { JsonValue } from '../../src/json/json.ts';
import { compareSchemas } from '../../src/schema-diff/compare-schemas.ts';
import { acceptValue, areDisjoint, isMultiple } from '../../src/schema-diff/schema/accept-value.ts';
import { findSchemaFaults, openSchema } from '../../src/schema-diff/schema/schema-document.ts';
import { createNodeFactory, openNodes } from '../../src/schema-diff/schema/schema-nodes.ts';
import { brokenPairs } from './support/broken-pairs.ts';
import { equivalentPairs } from './support/equivalent-pairs.ts';
import { ruleRows } from './support/rule-rows.ts';

type Pair = readonly [JsonValue, JsonValue];

const tables: readonly (readonly [string, readonly Pair[]])[] = [
  ['rules', ruleRows.map((row) => [row.old, row.new])],
  ['broken', brokenPairs.map((pair) => [pair.old, pair.new])],
  ['equivalent', equivalentPairs.map(([, one, other]) => [one, other])],
];

const show = (value: JsonValue) => JSON.stringify(value);

function describePair([old, replacement]: Pair, index: number): readonly string[] {
  const policies = ['practical', 'formal', 'lenient'] as const;
  return (['input', 'output'] as const).flatMap((direction) => {
    const found = compareSchemas(old, replacement, {
      direction,
      policy: policies[index % 3] ?? 'practical',
      strictConsumers: index % 2 === 0,
      defaulted: ['b'],
    });
    const lines = found.map(
      (one) =>
        `${direction} ${one.severity} ${one.ruleId} ${one.path} ${one.message} ${show(one.old)} → ${show(one.new)}`,
    );
    return lines.length === 0 ? [`${direction} nothing`] : lines;
  });
}

test.each(tables)(
  'each pair of the table of %s has its findings, word for word',
  { tags: 'slow' },
  async (name, pairs) => {
    const lines = pairs.flatMap((pair, index) => [
      `${show(pair[0])} → ${show(pair[1])}`,
      ...describePair(pair, index).map((line) => `  ${line}`),
      ...describePair([pair[1], pair[0]], index + 1).map((line) => `  back ${line}`),
    ]);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`snapshots/pairs-${name}.txt`);
  },
);

test('a snapshot lists the values that each schema takes or can not decide', async () => {
  const values: readonly JsonValue[] = [
    null,
    true,
    false,
    0,
    0.3,
    1,
    1.5,
    2,
    5,
    -1,
    '',
    'a',
    'ab',
    '😀',
    [],
    [1],
    [1, 1],
    [1, 'a'],
    ['a', 2, 3],
    [[], {}],
    {},
    { a: 1 },
    { a: 'x' },
    { a: null, b: 2 },
    { b: 1 },
    { c: 'a', ab: 1 },
    { kind: 'x', a: 2 },
  ];
  const lines = takenSchemas.map((schema) => {
    const factory = createNodeFactory();
    const node = openNodes(openSchema(schema), factory, false);
    const taken = values.filter((value) => acceptValue(node, value) === true).map(show);
    const unclear = values.filter((value) => acceptValue(node, value) === undefined).map(show);
    return `${show(schema)}\n  takes ${taken.join(' ')}${unclear.length > 0 ? `\n  unclear ${unclear.join(' ')}` : ''}`;
  });
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('snapshots/taken.txt');
});

const takenSchemas: readonly JsonValue[] = [
  {},
  true,
  { type: 'integer' },
  { type: 'number', minimum: 1, maximum: 2 },
  { type: 'number', exclusiveMinimum: 1, exclusiveMaximum: 2 },
  { exclusiveMinimum: 0 },
  { exclusiveMaximum: 1 },
  { multipleOf: 0.1 },
  { multipleOf: 0.5 },
  { type: 'string', minLength: 1, maxLength: 1 },
  { type: 'string', minLength: 2 },
  { type: 'string', pattern: '^a' },
  { type: ['string', 'null'] },
  { enum: ['a', 1, null, { a: 1 }] },
  { const: [1, 1] },
  { type: 'array', minItems: 1, maxItems: 2 },
  { type: 'array', uniqueItems: true },
  { type: 'array', items: { type: 'number' } },
  { type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'number' } },
  { type: 'array', prefixItems: [{}], items: false },
  { type: 'array', contains: { type: 'string' } },
  { type: 'array', contains: { const: 1 }, minContains: 2 },
  { type: 'array', contains: { const: 1 }, minContains: 0, maxContains: 1 },
  { type: 'array', contains: { unknownKeyword: 1, unevaluatedProperties: false } },
  { type: 'object', minProperties: 1, maxProperties: 1 },
  { type: 'object', required: ['a'] },
  { type: 'object', properties: { a: { type: 'number' } } },
  { type: 'object', properties: { a: { type: 'number' } }, additionalProperties: false },
  { type: 'object', patternProperties: { '^a': { type: 'number' } }, additionalProperties: { type: 'string' } },
  { type: 'object', patternProperties: { '^a$': {}, b: false } },
  { type: 'object', properties: { a: {} }, patternProperties: { '^a': { type: 'string' } } },
  { type: 'object', propertyNames: { maxLength: 1 } },
  { type: 'object', dependentRequired: { a: ['b'] } },
  { type: 'object', dependentSchemas: { a: { required: ['b'] }, b: { maxProperties: 1 } } },
  { type: 'object', additionalProperties: { type: 'number' } },
  { type: 'object', unevaluatedProperties: false },
  { anyOf: [{ type: 'string' }, { minimum: 1 }] },
  { anyOf: [{ type: 'string' }, { unevaluatedProperties: false }] },
  { oneOf: [{ type: 'number' }, { minimum: 1 }] },
  { oneOf: [{ type: 'string' }, { unevaluatedProperties: false }, { type: 'number' }] },
  { oneOf: [{ type: 'null' }, { type: 'string' }] },
  { anyOf: [{ type: 'null' }, { type: 'object', required: ['a'] }] },
  { allOf: [{ minimum: 1 }, { type: ['number', 'string'] }] },
  { not: { type: 'number' } },
  { not: { unevaluatedProperties: false, type: 'object' } },
  { if: { type: 'string' }, then: { minLength: 1 }, else: { type: 'number' } },
  { if: { type: 'string' }, then: false },
  { if: { unevaluatedItems: false, type: 'array' }, then: { minItems: 1 }, else: { type: 'object' } },
  { $ref: '#/$defs/a', $defs: { a: { type: 'object', properties: { a: { $ref: '#/$defs/a' } } } } },
];

test('a snapshot lists the schemas that are proven to share no value', async () => {
  const object = (properties: Record<string, JsonValue>, more: Record<string, JsonValue> = {}): JsonValue => ({
    type: 'object',
    properties,
    required: Object.keys(properties),
    ...more,
  });
  const shared: readonly Pair[] = [
    [{ type: 'string' }, { type: 'number' }],
    [{ type: ['string', 'null'] }, { type: ['number', 'null'] }],
    [{ const: 1 }, { const: 1 }],
    [{ const: 1 }, { const: 2 }],
    [{ enum: [1, 2] }, { enum: [2, 3] }],
    [{ const: 'a' }, { type: 'string', minLength: 2 }],
    [{ type: 'string', minLength: 2 }, { const: 'ab' }],
    [
      { type: 'string', maxLength: 1 },
      { type: 'string', minLength: 2 },
    ],
    [
      { type: 'string', maxLength: 2 },
      { type: 'string', minLength: 2 },
    ],
    [
      { type: 'number', maximum: 1 },
      { type: 'number', minimum: 1 },
    ],
    [
      { type: 'number', exclusiveMaximum: 1 },
      { type: 'number', minimum: 1 },
    ],
    [
      { type: 'number', maximum: 1 },
      { type: 'number', exclusiveMinimum: 1 },
    ],
    [
      { type: 'number', minimum: 3 },
      { type: 'number', maximum: 2 },
    ],
    [
      { type: 'number', minimum: 3, multipleOf: 2 },
      { type: 'number', multipleOf: 4 },
    ],
    [
      { type: 'number', exclusiveMinimum: 4, multipleOf: 4 },
      { type: 'number', minimum: 8 },
    ],
    [
      { type: 'number', exclusiveMaximum: 8, multipleOf: 4 },
      { type: 'number', maximum: 4 },
    ],
    [
      { type: 'number', maximum: 9, multipleOf: 4 },
      { type: 'number', minimum: 8 },
    ],
    [
      { type: 'array', maxItems: 1 },
      { type: 'array', minItems: 2 },
    ],
    [
      { type: 'array', minItems: 2, items: { const: 1 } },
      { type: 'array', minItems: 1, items: { type: 'number' } },
    ],
    [
      { type: 'array', minItems: 2, prefixItems: [{ const: 'a' }] },
      { type: 'array', prefixItems: [{ type: 'string' }] },
    ],
    [{ type: 'boolean' }, { type: 'boolean' }],
    [{ type: 'null' }, { type: 'null' }],
    [
      { type: 'object', maxProperties: 1 },
      { type: 'object', minProperties: 2 },
    ],
    [
      { type: 'object', minProperties: 2 },
      { type: 'object', maxProperties: 1 },
    ],
    [object({ kind: { const: 'a' } }), object({ kind: { const: 'b' } })],
    [object({ kind: { const: 'a' } }), object({ kind: { const: 'a' } })],
    [object({ kind: { const: 'a' } }), { type: 'object', properties: { kind: { const: 'b' } } }],
    [object({ kind: { type: 'string' } }), object({ b: {} }, { additionalProperties: false })],
    [object({ kind: { type: 'string' } }), object({ b: {} }, { patternProperties: { k: { type: 'number' } } })],
    [object({ a: object({ b: { const: 1 } }) }), object({ a: object({ b: { const: 2 } }) })],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, { type: 'string' }],
    [{ anyOf: [{ const: 1 }, { const: 2 }] }, { const: 2 }],
    [{ anyOf: [object({ a: {} }), object({ b: {} })] }, object({ a: {} })],
    [{}, {}],
    [false, {}],
  ];
  const lines = shared.map(([one, other]) => {
    const factory = createNodeFactory();
    const [a, b] = [openNodes(openSchema(one), factory, false), openNodes(openSchema(other), factory, false)];
    return `${show(one)} & ${show(other)}: ${String(areDisjoint(a, b))}, ${String(areDisjoint(b, a))}`;
  });
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('snapshots/disjoint.txt');
});

test('each multiple, in decimals as written', () => {
  const rows = [
    [0.3, 0.1],
    [0.35, 0.1],
    [6, 3],
    [7, 3],
    [1e21, 10],
    [1, 1e-7],
    [0, 5],
    [-4, 2],
    [5, 0],
  ] as const;
  expect(rows.map(([value, step]) => isMultiple(value, step))).toEqual([
    true,
    false,
    true,
    false,
    true,
    true,
    true,
    true,
    false,
  ]);
});

test('schemas that can not be read say where, why and what was meant', async () => {
  const long = 'x'.repeat(58);
  const broken: readonly unknown[] = [
    5,
    null,
    undefined,
    'x',
    [],
    { type: 'strng' },
    { type: ['string', 'nul'] },
    { type: [] },
    { type: 5 },
    { type: ['strng', 'nul', 5] },
    { properties: [] },
    { properties: { a: 5 } },
    { minLength: -1, maxLength: 1.5, maxItems: 'x' },
    { minimum: '1' },
    { exclusiveMinimum: true },
    { multipleOf: 0 },
    { uniqueItems: 1 },
    { nullable: 'yes' },
    { pattern: '(' },
    { pattern: '' },
    { patternProperties: { '(': {} } },
    { format: 5 },
    { enum: 'a' },
    { enum: [] },
    { required: 'a' },
    { required: [1] },
    { anyOf: [] },
    { oneOf: {} },
    { anyOf: [5] },
    { dependencies: { a: 1 } },
    { dependencies: { a: ['b'], c: {}, d: true } },
    { dependentRequired: { a: 'b' } },
    { items: 5 },
    { items: [] },
    { title: ['x'] },
    { $ref: 5 },
    { $ref: '#/nowhere' },
    { $ref: '#nowhere' },
    { $ref: 'https://example.com/x.json' },
    { $ref: '#' },
    { title: 'x', items: { $ref: '#/title' } },
    { title: 'x', items: { $ref: '#/title' }, not: { $ref: '#/title' } },
    { $id: 'https://example.com/a', $ref: 'b.json', $defs: { b: { $id: 'b.json', type: 'string' } } },
    { $defs: { b: { $anchor: 'c' } }, $ref: '#c' },
    { $defs: { b: { $anchor: 'c' }, d: { $anchor: 'c' } }, $ref: '#c' },
    { $defs: { 'a/b': {}, 'c d': {} }, allOf: [{ $ref: '#/$defs/a~1b' }, { $ref: '#/$defs/c%20d' }] },
    { $ref: '#/$defs/%zz' },
    { $schema: 'http://json-schema.org/draft-04/schema#' },
    { $schema: 'zzz' },
    { format: { a: long } },
    { format: { a: long.slice(0, 52) } },
    { format: { a: long.slice(0, 53) } },
    { const: undefined },
    { enum: [undefined] },
    { const: Number.NaN },
    { items: undefined },
    { $ref: '#/toString' },
    { $ref: '#/$defs/a/b', $defs: { a: 5 } },
    { definitions: { a: { $id: '#a' } }, $ref: '#a' },
    { $id: 'https://example.com/a#', items: { $ref: 'https://example.com/a' } },
    { items: { $ref: '#' }, allOf: [{ type: 'zzz' }, { $ref: '#/gone' }] },
  ];
  const lines = broken.map((schema) => {
    const faults = findSchemaFaults(schema).map(
      ({ pointer, message, hint }) => `\n  at "${pointer}": ${message}${hint === undefined ? '' : ` (${hint})`}`,
    );
    return `${JSON.stringify(schema) ?? 'undefined'}${faults.join('') || ' can be read'}`;
  });
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('snapshots/unreadable.txt');
});
