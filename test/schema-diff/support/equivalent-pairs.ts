// oxlint-disable unicorn/no-thenable -- `then` is a keyword of JSON Schema

import type { JsonValue } from '../../../src/json/json.ts';

/** What it shows, and two spellings of one type. */
export type EquivalentPair = readonly [title: string, one: JsonValue, other: JsonValue];

const draft7 = { $schema: 'http://json-schema.org/draft-07/schema#' };
const draft2020 = { $schema: 'https://json-schema.org/draft/2020-12/schema' };
const text = { type: 'string' };
const number = { type: 'number' };
const nothing = { type: 'null' };
const safe = { minimum: -9_007_199_254_740_991, maximum: 9_007_199_254_740_991 };
const closed = { additionalProperties: false };
const a = { type: 'object', properties: { a: text }, required: ['a'] };
const b = { type: 'object', properties: { b: number }, required: ['b'] };
const tagged = (tag: string, more: Record<string, JsonValue> = {}): Record<string, JsonValue> => ({
  type: 'object',
  properties: { a: { type: 'string', const: tag }, b: text },
  required: ['a'],
  ...more,
});
const taggedByEnum = (tag: string): JsonValue => ({
  ...tagged(tag),
  properties: { a: { type: 'string', enum: [tag] }, b: text },
});
const within = (schema: JsonValue): Record<string, JsonValue> => ({
  type: 'object',
  properties: { a: schema },
  required: ['a'],
});

const zod: readonly EquivalentPair[] = [
  ['int', { ...draft7, ...within({ type: 'integer' }) }, { ...draft2020, ...within({ type: 'integer', ...safe }) }],
  [
    'int().positive()',
    { type: 'integer', exclusiveMinimum: 0 },
    { type: 'integer', exclusiveMinimum: 0, maximum: safe.maximum },
  ],
  ['int().min(1)', { type: 'integer', minimum: 1 }, { type: 'integer', minimum: 1, maximum: safe.maximum }],
  ['int().max(4)', { type: 'integer', maximum: 4 }, { type: 'integer', minimum: safe.minimum, maximum: 4 }],
  [
    'array of int',
    { type: 'array', items: { type: 'integer' } },
    { type: 'array', items: { type: 'integer', ...safe } },
  ],
  ['int().nullable()', { type: ['integer', 'null'] }, { anyOf: [{ type: 'integer', ...safe }, nothing] }],
  ['int() or string', { type: ['integer', 'string'] }, { anyOf: [{ type: 'integer', ...safe }, text] }],
  ['string().nullable()', { type: ['string', 'null'] }, { anyOf: [text, nothing] }],
  ['object().nullable()', { anyOf: [a, nothing] }, { ...a, type: ['object', 'null'] }],
  [
    'record',
    { type: 'object', additionalProperties: number },
    { type: 'object', propertyNames: text, additionalProperties: number },
  ],
  ['record of any', { type: 'object' }, { type: 'object', propertyNames: text, additionalProperties: {} }],
  [
    'record of int in a record',
    { type: 'object', additionalProperties: { type: 'object', additionalProperties: { type: 'integer' } } },
    {
      type: 'object',
      propertyNames: text,
      additionalProperties: { type: 'object', propertyNames: text, additionalProperties: { type: 'integer', ...safe } },
    },
  ],
  [
    'partialRecord with listed keys',
    { type: 'object', additionalProperties: text, propertyNames: { enum: ['a', 'b'] } },
    { type: 'object', additionalProperties: text, propertyNames: { type: 'string', enum: ['a', 'b'] } },
  ],
  [
    'union of literals',
    { type: 'string', enum: ['a', 'b'] },
    {
      anyOf: [
        { type: 'string', const: 'a' },
        { type: 'string', const: 'b' },
      ],
    },
  ],
  ['union of primitives', { type: ['string', 'number'] }, { anyOf: [text, number] }],
  ['union within a union', { anyOf: [text, { anyOf: [number, nothing] }] }, { anyOf: [text, number, nothing] }],
  [
    'union within a union, by type',
    { type: ['string', 'number', 'null'] },
    { anyOf: [text, { anyOf: [number, nothing] }] },
  ],
  [
    'objects in unions of unions',
    { anyOf: [{ anyOf: [a, text] }, { anyOf: [b, number] }] },
    { anyOf: [a, text, b, number] },
  ],
  ['discriminatedUnion', { anyOf: [tagged('a'), tagged('b')] }, { oneOf: [tagged('a'), tagged('b')] }],
  [
    'discriminatedUnion within a union',
    { anyOf: [{ anyOf: [tagged('a'), tagged('b')] }, text] },
    { anyOf: [{ oneOf: [tagged('a'), tagged('b')] }, text] },
  ],
  [
    'discriminatedUnion within a discriminatedUnion',
    { oneOf: [{ oneOf: [tagged('a'), tagged('b')] }, tagged('c')] },
    { oneOf: [tagged('a'), tagged('b'), tagged('c')] },
  ],
  ['optional() outside an object', { anyOf: [{ not: {} }, text] }, text],
  ['undefined in a union', { anyOf: [text, { not: {} }, number] }, { anyOf: [text, number] }],
  ['nullish()', { anyOf: [{ anyOf: [{ not: {} }, text] }, nothing] }, { anyOf: [text, nothing] }],
  ['never()', { type: 'object', properties: { a: { not: {} } } }, { type: 'object', properties: { a: false } }],
  ['any()', within({}), within(true)],
  [
    'tuple',
    { ...draft7, type: 'array', minItems: 2, maxItems: 2, items: [text, number] },
    { ...draft2020, type: 'array', prefixItems: [text, number], items: false, minItems: 2, maxItems: 2 },
  ],
  [
    'tuple for draft-07',
    { ...draft7, type: 'array', minItems: 2, maxItems: 2, items: [text, number] },
    { ...draft7, type: 'array', items: [text, number], additionalItems: false, minItems: 2, maxItems: 2 },
  ],
  [
    'tuple without a length',
    { type: 'array', prefixItems: [text, number], items: false, minItems: 2 },
    { type: 'array', prefixItems: [text, number], minItems: 2, maxItems: 2 },
  ],
  ['passthrough()', { ...a, additionalProperties: true }, { ...a, additionalProperties: {} }],
  ['strict() in a nullable', { anyOf: [{ ...a, ...closed }, nothing] }, { ...a, ...closed, type: ['object', 'null'] }],
  ['nativeEnum', { type: 'number', enum: [0, 1] }, { enum: [0, 1] }],
  [
    'literal list with null',
    { type: ['string', 'null'], enum: ['a', null] },
    { anyOf: [{ type: 'string', const: 'a' }, nothing] },
  ],
  [
    'enum().nullable()',
    { anyOf: [{ type: 'string', enum: ['a', 'b'] }, nothing] },
    { type: ['string', 'null'], enum: ['a', 'b', null] },
  ],
  ['intersection', { allOf: [a, b] }, { type: 'object', properties: { a: text, b: number }, required: ['a', 'b'] }],
  [
    'recursion by a path and by a name',
    { type: 'object', properties: { a: { type: 'array', items: { $ref: '#' } } }, ...closed },
    {
      $ref: '#/$defs/__schema0',
      $defs: {
        __schema0: {
          type: 'object',
          properties: { a: { type: 'array', items: { $ref: '#/$defs/__schema0' } } },
          ...closed,
        },
      },
    },
  ],
];

const pydantic: readonly EquivalentPair[] = [
  [
    'a nested model',
    {
      title: 'M',
      type: 'object',
      properties: { a: { $ref: '#/definitions/A' } },
      required: ['a'],
      definitions: { A: { title: 'A', ...a } },
    },
    {
      $defs: { A: { ...a, title: 'A' } },
      properties: { a: { $ref: '#/$defs/A' } },
      required: ['a'],
      title: 'M',
      type: 'object',
    },
  ],
  [
    'a nested model with a title of its own',
    {
      type: 'object',
      properties: { a: { title: 'The A', allOf: [{ $ref: '#/definitions/A' }] } },
      definitions: { A: a },
    },
    { type: 'object', properties: { a: { $ref: '#/$defs/A', title: 'The A' } }, $defs: { A: a } },
  ],
  ['Literal of one', { enum: ['a'], type: 'string' }, { const: 'a', type: 'string' }],
  ['Literal of one before 2.10', { const: 'a', enum: ['a'], type: 'string' }, { const: 'a', type: 'string' }],
  ['Literal of strings', { enum: ['a', 'b'] }, { enum: ['a', 'b'], type: 'string' }],
  [
    'Literal of strings and numbers',
    {
      anyOf: [
        { enum: ['a'], type: 'string' },
        { enum: [1], type: 'integer' },
      ],
    },
    { enum: ['a', 1] },
  ],
  [
    'an Enum',
    {
      type: 'object',
      properties: { a: { $ref: '#/definitions/E' } },
      definitions: { E: { title: 'E', description: 'An enumeration.', enum: ['a', 'b'], type: 'string' } },
    },
    {
      type: 'object',
      properties: { a: { $ref: '#/$defs/E' } },
      $defs: { E: { enum: ['a', 'b'], title: 'E', type: 'string' } },
    },
  ],
  [
    'Tuple[str, float]',
    { type: 'array', minItems: 2, maxItems: 2, items: [text, number] },
    { type: 'array', minItems: 2, maxItems: 2, prefixItems: [text, number] },
  ],
  ['Dict[str, Any]', { type: 'object' }, { additionalProperties: true, type: 'object' }],
  [
    'a discriminated union',
    {
      discriminator: { propertyName: 'a', mapping: { a: '#/definitions/A', b: '#/definitions/B' } },
      oneOf: [{ $ref: '#/definitions/A' }, { $ref: '#/definitions/B' }],
      definitions: { A: taggedByEnum('a'), B: taggedByEnum('b') },
    },
    {
      discriminator: { propertyName: 'a', mapping: { a: '#/$defs/A', b: '#/$defs/B' } },
      oneOf: [{ $ref: '#/$defs/A' }, { $ref: '#/$defs/B' }],
      $defs: { A: tagged('a'), B: tagged('b') },
    },
  ],
  ['Optional[Union]', { anyOf: [{ anyOf: [text, number] }, nothing] }, { anyOf: [text, number, nothing] }],
  [
    'Optional[Model] as a field',
    { type: 'object', properties: { a: { anyOf: [{ $ref: '#/$defs/A' }, nothing], default: null } }, $defs: { A: a } },
    { type: 'object', properties: { a: { ...a, type: ['object', 'null'], default: null } } },
  ],
  [
    'constr',
    { type: 'string', minLength: 1, maxLength: 2 },
    { allOf: [{ type: 'string', minLength: 1 }, { maxLength: 2 }] },
  ],
  [
    'conint',
    { type: 'integer', exclusiveMinimum: 0, maximum: 3 },
    { type: 'integer', minimum: 1, exclusiveMaximum: 4 },
  ],
  ['extra = forbid', { ...a, additionalProperties: false }, { ...a, additionalProperties: { not: {} } }],
  [
    'Set[str]',
    { type: 'array', items: text, uniqueItems: true },
    { type: 'array', uniqueItems: true, items: { type: ['string'] } },
  ],
  [
    'a union of models',
    { anyOf: [{ $ref: '#/definitions/A' }, { $ref: '#/definitions/B' }], definitions: { A: a, B: b } },
    { anyOf: [{ $ref: '#/$defs/A' }, { $ref: '#/$defs/B' }], $defs: { A: a, B: b } },
  ],
  ['a root model', { $ref: '#/definitions/A', definitions: { A: a } }, { ...a, $defs: {} }],
  [
    'RootModel[list]',
    { title: 'L', type: 'array', items: text },
    { items: { type: 'string' }, title: 'L', type: 'array' },
  ],
  ['Any with a default', within({ title: 'A', default: 1 }), within({ default: 1 })],
];

const typescript: readonly EquivalentPair[] = [
  [
    'TypeBox Record',
    { type: 'object', patternProperties: { '^(.*)$': number } },
    { type: 'object', additionalProperties: number },
  ],
  [
    'TypeBox Record, newer',
    { type: 'object', patternProperties: { '^.*$': number } },
    { type: 'object', additionalProperties: number },
  ],
  [
    'a pattern for every name',
    { type: 'object', patternProperties: { '.*': number } },
    { type: 'object', additionalProperties: number },
  ],
  [
    'an empty pattern',
    { type: 'object', patternProperties: { '': number }, additionalProperties: false },
    { type: 'object', additionalProperties: number },
  ],
  [
    'TypeBox Record, closed',
    { type: 'object', patternProperties: { '^(.*)$': number }, ...closed },
    { type: 'object', propertyNames: text, additionalProperties: number },
  ],
  [
    'TypeBox Record and zod record of objects',
    { type: 'object', patternProperties: { '^(.*)$': { ...a, ...closed } } },
    { type: 'object', propertyNames: text, additionalProperties: { ...a, ...closed } },
  ],
  [
    'TypeBox union of literals',
    {
      anyOf: [
        { const: 'a', type: 'string' },
        { const: 'b', type: 'string' },
      ],
    },
    { type: 'string', enum: ['b', 'a'] },
  ],
  [
    'TypeBox Tuple',
    { type: 'array', items: [text, number], additionalItems: false, minItems: 2, maxItems: 2 },
    { type: 'array', prefixItems: [text, number], minItems: 2, maxItems: 2 },
  ],
  ['TypeBox Intersect', { type: 'object', allOf: [a, b] }, { allOf: [a, b] }],
  [
    'TypeBox Composite',
    { allOf: [a, b] },
    { type: 'object', required: ['a', 'b'], properties: { a: text, b: number } },
  ],
  ['TypeBox Never in a Union', { anyOf: [{ not: {} }, text, number] }, { type: ['string', 'number'] }],
  ['TypeBox Not of Not', { not: { not: { type: 'string' } } }, text],
  ['TypeBox empty Tuple', { type: 'array', minItems: 0, maxItems: 0 }, { type: 'array', items: false }],
  ['valibot nullable', { anyOf: [text, nothing] }, { type: ['null', 'string'] }],
  ['valibot picklist', { enum: ['a', 'b'] }, { type: 'string', enum: ['a', 'b'] }],
  ['valibot variant', { oneOf: [{ ...tagged('a') }, { ...tagged('b') }] }, { anyOf: [tagged('b'), tagged('a')] }],
  [
    'valibot tuple',
    { ...draft7, type: 'array', items: [text, number], additionalItems: false, minItems: 2 },
    { ...draft7, type: 'array', items: [text, number], minItems: 2, maxItems: 2 },
  ],
  ['valibot strictObject', { ...a, ...closed }, { ...a, unevaluatedProperties: false }],
  ['valibot undefinedable', { anyOf: [text, { not: {} }] }, { type: ['string'] }],
  [
    'ts-json-schema-generator root',
    { $ref: '#/definitions/M', definitions: { M: { ...a, ...closed } } },
    { ...a, ...closed },
  ],
  [
    'ts-json-schema-generator alias of an alias',
    { $ref: '#/definitions/M', definitions: { M: { $ref: '#/definitions/N' }, N: a } },
    a,
  ],
  ['typescript-json-schema boolean', { enum: [false, true], type: 'boolean' }, { type: 'boolean' }],
  [
    'typescript-json-schema union',
    { anyOf: [{ type: 'array', items: text }, text] },
    { oneOf: [text, { type: 'array', items: text }] },
  ],
  [
    'optional never',
    { type: 'object', properties: { a: text, b: { not: {} } }, ...closed },
    { type: 'object', properties: { a: text }, ...closed },
  ],
  [
    'union with undefined as a property',
    { type: 'object', properties: { a: { anyOf: [text, { not: {} }] } } },
    { type: 'object', properties: { a: text } },
  ],
];

const openApi: readonly EquivalentPair[] = [
  ['nullable', { type: 'string', nullable: true }, { type: ['string', 'null'] }],
  ['nullable integer', { type: 'integer', nullable: true }, { anyOf: [{ type: 'integer', ...safe }, nothing] }],
  [
    'nullable enum',
    { type: 'string', nullable: true, enum: ['a', null] },
    { type: ['string', 'null'], enum: ['a', null] },
  ],
  ['nullable: false', { type: 'string', nullable: false }, text],
  ['nullable object', { ...a, nullable: true }, { oneOf: [nothing, a] }],
  [
    'nullable array',
    { type: 'array', nullable: true, items: text },
    { anyOf: [{ type: 'array', items: text }, nothing] },
  ],
  ['nullable union', { anyOf: [{ type: 'string', nullable: true }, number] }, { anyOf: [text, number, nothing] }],
  [
    'a reference in allOf',
    { allOf: [{ $ref: '#/$defs/A' }], description: 'x', $defs: { A: a } },
    { ...a, description: 'x' },
  ],
  [
    'inheritance',
    { allOf: [{ $ref: '#/$defs/A' }, { type: 'object', properties: { b: number }, required: ['b'] }], $defs: { A: a } },
    { type: 'object', properties: { a: text, b: number }, required: ['a', 'b'] },
  ],
  [
    'nullable reference in allOf',
    { type: 'object', properties: { a: { allOf: [{ $ref: '#/$defs/A' }], nullable: true } }, $defs: { A: a } },
    { type: 'object', properties: { a: { anyOf: [{ $ref: '#/$defs/A' }, nothing] } }, $defs: { A: a } },
  ],
  [
    'nullable union of references',
    {
      oneOf: [{ $ref: '#/$defs/A' }, { $ref: '#/$defs/B' }],
      nullable: true,
      $defs: { A: tagged('a'), B: tagged('b') },
    },
    { oneOf: [nothing, { $ref: '#/$defs/A' }, { $ref: '#/$defs/B' }], $defs: { A: tagged('a'), B: tagged('b') } },
  ],
  ['example', { type: 'string', example: 'a' }, { type: 'string', examples: ['a'] }],
  [
    'a discriminator beside tags',
    { oneOf: [tagged('a'), tagged('b')], discriminator: { propertyName: 'a' } },
    { oneOf: [tagged('a'), tagged('b')] },
  ],
  ['externalDocs and xml', { ...a, xml: { name: 'a' }, externalDocs: { url: 'https://example.com' } }, a],
  ['type as a list', { type: ['string'] }, text],
  ['one branch', { oneOf: [a] }, a],
  ['one branch beside a type', { type: 'object', anyOf: [a] }, a],
  ['free-form object', { type: 'object', additionalProperties: {} }, { type: 'object', additionalProperties: true }],
  [
    'components and defs',
    { type: 'object', properties: { a: { $ref: '#/components/schemas/A' } }, components: { schemas: { A: a } } },
    { type: 'object', properties: { a } },
  ],
];

const json = (branches: readonly JsonValue[]): JsonValue => ({ $ref: '#/$defs/J', $defs: { J: { anyOf: branches } } });

const handwritten: readonly EquivalentPair[] = [
  ['null as a constant', { const: null }, { type: 'null' }],
  ['all booleans', { enum: [false, true] }, { type: 'boolean' }],
  ['all booleans and null', { enum: [null, true, false] }, { type: ['boolean', 'null'] }],
  ...[0, 1].map((turn): EquivalentPair => {
    const limits = { minimum: 3, exclusiveMaximum: 9 };
    const parts = [{ type: 'integer' }, limits];
    return [
      `limits in part ${turn + 1} of allOf`,
      { allOf: turn === 0 ? parts.toReversed() : parts },
      { type: 'integer', ...limits },
    ];
  }),
  [
    'the tighter of two limits',
    { allOf: [{ type: 'number', minimum: 1, maximum: 9 }, { exclusiveMinimum: 1, maximum: 8 }, { minimum: 0 }] },
    { type: 'number', exclusiveMinimum: 1, maximum: 8 },
  ],
  ['values in one part of allOf', { allOf: [{ enum: ['a', 1] }, { type: 'string' }] }, { const: 'a' }],
  ['values in both parts of allOf', { allOf: [{ enum: ['a', 'b'] }, { enum: ['b', 'c'] }] }, { const: 'b' }],
  [
    'a type that each branch repeats',
    { type: 'object', oneOf: [tagged('a'), tagged('b')] },
    {
      type: 'object',
      oneOf: ['a', 'b'].map((tag) => ({ properties: { a: { const: tag }, b: text }, required: ['a'] })),
    },
  ],
  [
    'a type that a condition repeats',
    { type: 'object', if: { properties: { a: { const: 'a' } } }, then: { properties: { b: text } } },
    {
      type: 'object',
      if: { type: 'object', properties: { a: { const: 'a' } } },
      then: { type: 'object', properties: { b: text } },
    },
  ],
  [
    'a type that a negation repeats',
    { type: 'object', not: { properties: { a: number }, required: ['a'] } },
    { type: 'object', not: { type: 'object', properties: { a: number }, required: ['a'] } },
  ],
  [
    'a type that a dependency repeats',
    { dependentSchemas: { a: { properties: { b: text } } } },
    { dependentSchemas: { a: { type: 'object', properties: { b: text } } } },
  ],
  [
    'any JSON, by itself',
    json([text, number, { type: 'boolean' }, nothing, { type: 'array', items: { $ref: '#/$defs/J' } }]),
    json([{ type: 'array', items: { $ref: '#/$defs/J' } }, { type: ['string', 'number', 'boolean', 'null'] }]),
  ],
  [
    'null in another branch',
    { anyOf: [{ type: ['string', 'null'] }, number] },
    { anyOf: [text, { type: ['number', 'null'] }] },
  ],
  [
    'a named union in a union',
    { anyOf: [{ $ref: '#/$defs/U' }, text], $defs: { U: { title: 'U', anyOf: [a, b] } } },
    { anyOf: [a, b, text] },
  ],
  [
    'a nullable tagged union in a union',
    { anyOf: [text, { anyOf: [{ oneOf: [tagged('a'), tagged('b')] }, nothing] }] },
    { anyOf: [text, tagged('a'), tagged('b'), nothing] },
  ],
  [
    'a type that only the inner schema leaves out',
    { type: ['object', 'null'], allOf: [{ properties: { a: text } }] },
    { type: ['object', 'null'], properties: { a: text } },
  ],
  ['empty lists and zeros', { type: 'object', properties: {}, required: [], minProperties: 0 }, { type: 'object' }],
  ['idle keywords of strings', { type: 'string', minLength: 0, maximum: 3 }, text],
  ['idle keywords of arrays', { type: 'array', items: {}, minItems: 0, uniqueItems: false }, { type: 'array' }],
  ['a pattern for every text', { type: 'string', pattern: '.*' }, text],
  ['an empty pattern for texts', { type: 'string', pattern: '' }, text],
  ['minItems in contains', { type: 'array', contains: true }, { type: 'array', minItems: 1 }],
  ['propertyNames that take every name', { type: 'object', propertyNames: { minLength: 0 } }, { type: 'object' }],
  [
    'propertyNames by pattern',
    { type: 'object', propertyNames: { type: 'string', pattern: '^a' } },
    { type: 'object', propertyNames: { pattern: '^a' } },
  ],
  [
    'quicktype root',
    { $schema: draft7.$schema, $ref: '#/definitions/W', definitions: { W: { ...a, ...closed, title: 'W' } } },
    { ...a, ...closed },
  ],
  [
    'quicktype union class',
    { anyOf: [{ $ref: '#/definitions/A' }, nothing, text], definitions: { A: { ...a, ...closed } } },
    { anyOf: [text, { ...a, ...closed }, nothing] },
  ],
  [
    'schemars enum',
    {
      oneOf: [
        { type: 'string', enum: ['a'] },
        { type: 'string', enum: ['b'] },
      ],
    },
    { type: 'string', enum: ['a', 'b'] },
  ],
  [
    'schemars enum with descriptions',
    {
      oneOf: [
        { description: 'A', type: 'string', enum: ['a'] },
        { description: 'B', type: 'string', const: 'b' },
      ],
    },
    { type: 'string', enum: ['a', 'b'] },
  ],
  [
    'schemars Option',
    { anyOf: [{ $ref: '#/definitions/A' }, nothing], definitions: { A: a } },
    { ...a, type: ['object', 'null'] },
  ],
  [
    'a list of types and a union of them',
    { anyOf: [{ type: ['string', 'number'] }, nothing] },
    { type: ['string', 'number', 'null'] },
  ],
  ['the type beside the union', { type: 'object', anyOf: [a, b] }, { anyOf: [a, b] }],
  [
    'common properties beside the union',
    { type: 'object', properties: { c: text }, anyOf: [a, b] },
    {
      anyOf: [
        { ...a, properties: { a: text, c: text } },
        { ...b, properties: { b: number, c: text } },
      ],
    },
  ],
  ['a branch twice', { anyOf: [a, a] }, a],
  ['an enumeration within its type', { type: 'string', enum: ['a', 'b', 1] }, { enum: ['a', 'b'] }],
  [
    'allOf of allOf',
    { allOf: [{ allOf: [{ type: 'string' }, { minLength: 1 }] }, { maxLength: 3 }] },
    { type: 'string', minLength: 1, maxLength: 3 },
  ],
  ['negation of a negation', { type: 'string', not: { not: { minLength: 1 } } }, { type: 'string', minLength: 1 }],
  ['not: false', { type: 'string', not: false }, text],
  ['an unsatisfiable branch', { anyOf: [text, { type: 'number', enum: ['a'] }] }, text],
  ['a condition without a consequence', { type: 'string', if: { minLength: 2 } }, text],
  ['an empty dependency', { type: 'object', dependentRequired: { a: [] } }, { type: 'object' }],
  ['an array that may have nothing', { type: 'array', maxItems: 0, items: text }, { type: 'array', maxItems: 0 }],
  ['a whole number as a multiple', { type: 'number', multipleOf: 1, ...safe }, { type: 'integer' }],
  ['a property of anything, not required', { type: 'object', properties: { a: {} } }, { type: 'object' }],
  [
    'a property like all others',
    { type: 'object', properties: { a: number }, additionalProperties: number },
    { type: 'object', additionalProperties: number },
  ],
  ['a required property counts', { ...a, minProperties: 1 }, a],
  ['items for every position', { type: 'array', prefixItems: [text], items: text }, { type: 'array', items: text }],
];

export const equivalentPairs: readonly EquivalentPair[] = [
  ...zod.map(([title, one, other]) => [`zod 3 and 4: ${title}`, one, other] as const),
  ...pydantic.map(([title, one, other]) => [`pydantic 1 and 2: ${title}`, one, other] as const),
  ...typescript,
  ...openApi.map(([title, one, other]) => [`OpenAPI 3.0 and 3.1: ${title}`, one, other] as const),
  ...handwritten,
];
