// oxlint-disable unicorn/no-thenable -- `then` is a keyword of JSON Schema

import type { JsonValue } from '../../../src/json/json.ts';
import fc from '../../support/property.ts';

type Keywords = Record<string, JsonValue>;

const names = ['a', 'b', 'c'];
const scalars: readonly JsonValue[] = [null, true, false, 0, 1, 2, 2.5, 4, '', 'a', 'b', 'ab', 'abc'];

/** A value from a small world, so that random schemas often tell two of them apart. */
export const arbitraryValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 4, arbitrary: fc.constantFrom(...scalars) },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    {
      weight: 3,
      arbitrary: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 3, noNullPrototype: true }),
    },
  ),
})).value;

const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 });

function compact(record: Record<string, JsonValue | undefined>, type?: string): Keywords {
  const entries: [string, JsonValue][] = type === undefined ? [] : [['type', type]];
  for (const [keyword, value] of Object.entries(record)) if (value !== undefined) entries.push([keyword, value]);
  return Object.fromEntries(entries);
}

/** Schemas with every keyword whose containment the comparison claims to decide. */
export const arbitrarySchema: fc.Arbitrary<JsonValue> = fc.letrec<{ schema: JsonValue }>((tie) => {
  const schema = tie('schema');
  const type = fc.constantFrom<JsonValue>(
    'string',
    'number',
    'integer',
    'boolean',
    'null',
    'array',
    'object',
    ['string', 'null'],
    ['string', 'integer'],
    ['object', 'null'],
  );
  const text = fc
    .record({ minLength: some(fc.nat(2)), maxLength: some(fc.nat(3)), pattern: some(fc.constantFrom('^a', 'b$')) })
    .map((facets) => compact(facets, 'string'));
  const number = fc
    .record({
      type: fc.constantFrom('number', 'integer'),
      minimum: some(fc.nat(3)),
      exclusiveMinimum: some(fc.nat(3)),
      maximum: some(fc.nat(4)),
      multipleOf: some(fc.constantFrom(1, 2, 0.5)),
    })
    .map(compact);
  const array = fc
    .record({
      items: some(schema),
      prefixItems: some(fc.array(schema, { minLength: 1, maxLength: 2 })),
      contains: some(schema),
      minContains: some(fc.nat(2)),
      maxContains: some(fc.nat(2)),
      minItems: some(fc.nat(2)),
      maxItems: some(fc.nat(3)),
      uniqueItems: some(fc.boolean()),
      unevaluatedItems: fc.option(fc.constant(false), { nil: undefined, freq: 8 }),
    })
    .map((facets) => compact(facets, 'array'));
  const object = fc
    .record({
      properties: some(fc.dictionary(fc.constantFrom(...names), schema, { maxKeys: 3, noNullPrototype: true })),
      required: some(fc.subarray(names)),
      additionalProperties: some(fc.oneof(fc.boolean(), schema)),
      patternProperties: fc.option(
        fc.dictionary(fc.constantFrom('^a', '[bc]'), schema, { maxKeys: 2, noNullPrototype: true }),
        {
          nil: undefined,
          freq: 4,
        },
      ),
      propertyNames: fc.option(fc.constantFrom<JsonValue>({ maxLength: 0 }, { enum: ['a', 'b'] }), {
        nil: undefined,
        freq: 4,
      }),
      minProperties: some(fc.nat(2)),
      maxProperties: some(fc.nat(2)),
      dependentRequired: fc.option(fc.constantFrom<JsonValue>({ a: ['b'] }, { a: ['c'], b: ['c'] }), {
        nil: undefined,
        freq: 4,
      }),
      dependentSchemas: fc.option(
        fc.dictionary(fc.constantFrom(...names), schema, { maxKeys: 1, noNullPrototype: true }),
        {
          nil: undefined,
          freq: 6,
        },
      ),
      unevaluatedProperties: fc.option(fc.oneof(fc.constant(false), schema), { nil: undefined, freq: 8 }),
    })
    .map((facets) => compact(facets, 'object'));
  const listed = fc.oneof(
    fc.constantFrom(...scalars).map((value) => ({ const: value })),
    fc.subarray([...scalars], { minLength: 1 }).map((values) => ({ enum: values })),
  );
  const branches = fc.array(schema, { minLength: 1, maxLength: 3 });
  const combined = fc
    .record({
      anyOf: some(branches),
      oneOf: some(branches),
      allOf: some(branches),
      not: fc.option(schema, { nil: undefined, freq: 4 }),
      if: fc.option(schema, { nil: undefined, freq: 4 }),
      then: some(schema),
      else: some(schema),
      unevaluatedProperties: fc.option(fc.constant(false), { nil: undefined, freq: 8 }),
    })
    .map(compact);
  const mixed = fc.tuple(
    fc.oneof(
      text,
      number,
      array,
      object,
      listed,
      type.map((word) => ({ type: word })),
    ),
    combined,
  );
  const tagged = fc
    .subarray(names, { minLength: 1 })
    .chain((tags) =>
      fc.tuple(
        ...tags.map((tag) =>
          schema.map((value) => ({ type: 'object', properties: { a: { const: tag }, b: value }, required: ['a'] })),
        ),
      ),
    )
    .map((list) => ({ oneOf: list }));
  return {
    schema: fc.oneof(
      { maxDepth: 2, depthSize: 'small' },
      { weight: 3, arbitrary: type.map((word): JsonValue => ({ type: word })) },
      { weight: 2, arbitrary: listed },
      { weight: 1, arbitrary: fc.constantFrom<JsonValue>(true, false, {}) },
      { weight: 2, arbitrary: text },
      { weight: 2, arbitrary: number },
      { weight: 3, arbitrary: array },
      { weight: 5, arbitrary: object },
      { weight: 3, arbitrary: combined },
      { weight: 2, arbitrary: mixed.map(([own, more]): JsonValue => Object.assign({}, own, more)) },
      { weight: 2, arbitrary: tagged },
    ),
  };
}).schema;

/** Ties some places of a schema back to its root, where a value has to go on first, so that validating ends. */
function tieKnots(schema: JsonValue): JsonValue {
  if (Array.isArray(schema)) return schema.map((item: JsonValue) => tieKnots(item));
  if (!isRecord(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => {
      if (['const', 'enum', 'required'].includes(keyword)) return [keyword, value];
      if (keyword !== 'properties' || !isRecord(value)) return [keyword, tieKnots(value)];
      const members = Object.entries(value).map(([name, member]) => [
        name,
        isLeaf(member) ? { $ref: '#' } : tieKnots(member),
      ]);
      return [keyword, Object.fromEntries(members) as JsonValue];
    }),
  );
}

function isLeaf(schema: JsonValue): boolean {
  return schema === true || (isRecord(schema) && ['null', 'boolean', undefined].includes(schema['type'] as string));
}

/** Two schemas of which the second is usually the first with one place changed. */
const arbitraryFlatPair: fc.Arbitrary<readonly [JsonValue, JsonValue]> = fc.oneof(
  { weight: 1, arbitrary: fc.tuple(arbitrarySchema, arbitrarySchema) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(arbitrarySchema, fc.nat(), arbitrarySchema)
      .map(([schema, place, graft]): readonly [JsonValue, JsonValue] => [schema, replaceAt(schema, place, graft)]),
  },
);

/** Such pairs, some of them recursive. */
export const arbitraryPair: fc.Arbitrary<readonly [JsonValue, JsonValue]> = fc
  .tuple(arbitraryFlatPair, fc.boolean())
  .map(([pair, tied]) => (tied ? [tieKnots(pair[0]), tieKnots(pair[1])] : pair));

/** Replaces one subschema, drops or adds a keyword or a branch, at a place counted through the schema. */
function replaceAt(schema: JsonValue, place: number, graft: JsonValue): JsonValue {
  const places: (() => JsonValue)[] = [];
  visit(schema, (replaced) => replaced);
  return places[place % places.length]?.() ?? graft;

  function visit(value: JsonValue, rebuild: (replaced: JsonValue) => JsonValue): void {
    places.push(() => rebuild(graft));
    if (!isRecord(value)) return;
    if (isRecord(graft)) places.push(() => rebuild({ ...value, ...graft }));
    for (const [keyword, item] of Object.entries(value)) {
      const { [keyword]: _, ...others } = value;
      const put = (replaced: JsonValue): JsonValue => rebuild({ ...value, [keyword]: replaced });
      places.push(() => rebuild(others));
      if (listKeywords.has(keyword) && Array.isArray(item)) visitList(item, put);
      else if (mapKeywords.has(keyword) && isRecord(item)) visitMap(item, put);
      else if (schemaKeywords.has(keyword)) visit(item, put);
    }
  }

  function visitList(list: readonly JsonValue[], rebuild: (replaced: JsonValue) => JsonValue): void {
    places.push(
      () => rebuild([...list, graft]),
      () => rebuild(list.toReversed()),
    );
    for (const [index, item] of list.entries()) {
      if (list.length > 1) places.push(() => rebuild(list.filter((_, position) => position !== index)));
      visit(item, (replaced) => rebuild(list.with(index, replaced)));
    }
  }

  function visitMap(map: Keywords, rebuild: (replaced: JsonValue) => JsonValue): void {
    for (const [name, item] of Object.entries(map)) {
      const { [name]: _, ...others } = map;
      places.push(
        () => rebuild(others),
        () => rebuild({ ...others, c: item }),
        () => rebuild({ ...map, b: graft }),
      );
      visit(item, (replaced) => rebuild({ ...map, [name]: replaced }));
    }
  }
}

const listKeywords = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const mapKeywords = new Set(['properties', 'patternProperties', 'dependentSchemas']);
const schemaKeywords = new Set([
  'items',
  'contains',
  'additionalProperties',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedProperties',
  'unevaluatedItems',
]);

function isRecord(value: JsonValue): value is Keywords {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
