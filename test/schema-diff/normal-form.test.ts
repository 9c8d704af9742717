import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/json/json.ts';
import { compareSchemas } from '../../src/schema-diff/compare-schemas.ts';
import { acceptValue } from '../../src/schema-diff/schema/accept-value.ts';
import { openSchema } from '../../src/schema-diff/schema/schema-document.ts';
import { createNodeFactory, openNodes } from '../../src/schema-diff/schema/schema-nodes.ts';
import fc from '../support/property.ts';
import { arbitrarySchema, arbitraryValue } from './support/arbitrary-schema.ts';
import { brokenPairs } from './support/broken-pairs.ts';
import { equivalentPairs } from './support/equivalent-pairs.ts';

const directions = ['input', 'output'] as const;
const policies = ['practical', 'formal', 'lenient'] as const;

const options = { strict: false, validateFormats: false, logger: false } as const;
// An Ajv compiles its meta-schema at the first use, which takes longer than any schema here.
const metaSchemas = [new Ajv(options), new Ajv2020(options)] as const;

/** A list under `items` is a tuple of draft-07, and no schema of 2020-12. */
function compile(schema: JsonValue): (value: JsonValue) => boolean {
  const isDraft7 = /"items":\s*\[|draft-07/u.test(JSON.stringify(schema));
  void metaSchemas[isDraft7 ? 0 : 1].validateSchema(schema as object | boolean, true);
  const quick = { ...options, meta: false, validateSchema: false, code: { optimize: false } };
  const ajv = isDraft7 ? new Ajv(quick) : new Ajv2020(quick);
  const validate = ajv.compile(schema as object | boolean);
  return (value) => validate(value);
}

describe('two spellings of one type', () => {
  const pool = fc.sample(arbitraryValue, { numRuns: 400, seed: 11 });

  test.each(equivalentPairs)('%s: no error in either direction under any policy', (_, one, other) => {
    const errors = directions.flatMap((direction) =>
      policies.flatMap((policy) =>
        [compareSchemas(one, other, { direction, policy }), compareSchemas(other, one, { direction, policy })].flatMap(
          (findings, turn) =>
            findings
              .filter(({ severity }) => severity === 'error')
              .map(({ ruleId, path }) => `${ruleId} ${direction} ${policy} ${turn === 0 ? 'there' : 'back'} ${path}`),
        ),
      ),
    );
    expect(errors).toEqual([]);
  });

  // Ajv refuses "nullable" where no type is beside it.
  const judged = equivalentPairs.filter(([title]) => !/nullable (?:reference|union of)/u.test(title));

  test.each(judged)('%s: Ajv takes the same values', (_, one, other) => {
    const [takesOne, takesOther] = [compile(one), compile(other)];
    expect(pool.filter((value) => takesOne(value) !== takesOther(value))).toEqual([]);
  });
});

describe('two schemas that are alike, and not the same', () => {
  const rows = brokenPairs.flatMap((pair) => [
    ...('lost' in pair ? [[pair.title, pair, 'input', pair.lost ?? null] as const] : []),
    ...('gained' in pair ? [[pair.title, pair, 'output', pair.gained ?? null] as const] : []),
  ]);

  test.each(rows)('%s: a value that Ajv takes on one side only breaks a contract', (_, pair, direction, witness) => {
    const takes = [compile(pair.old)(witness), compile(pair.new)(witness)];
    expect(takes).toEqual(direction === 'input' ? [true, false] : [false, true]);
    const severities = compareSchemas(pair.old, pair.new, { direction, policy: 'formal' }).map((it) => it.severity);
    expect(severities).toContain('error');
    expect(compareSchemas(pair.old, pair.new, { direction })).not.toEqual([]);
    expect(compareSchemas(pair.old, pair.new, { direction, policy: 'lenient' })).not.toEqual([]);
  });
});

describe('a path leads into the schema as written', () => {
  const text = { type: 'string' };
  const entry = (value: JsonValue): JsonValue => ({ type: 'object', properties: { a: value }, required: ['a'] });

  test.each<readonly [string, JsonValue, JsonValue, readonly string[]]>([
    [
      'in a union within a union',
      { anyOf: [text, { anyOf: [{ type: 'number' }, entry(text)] }] },
      { anyOf: [text, { type: 'number' }, entry({ type: 'boolean' })] },
      ['/anyOf/1/anyOf/1/properties/a'],
    ],
    [
      'beside a branch that nothing satisfies',
      { anyOf: [{ not: {} }, entry(text), { type: 'number' }] },
      { anyOf: [{ not: {} }, entry({ type: 'boolean' }), { type: 'number' }] },
      ['/anyOf/1/properties/a'],
    ],
    [
      'under a pattern for every name',
      { type: 'object', patternProperties: { '^(.*)$': text } },
      { type: 'object', patternProperties: { '^(.*)$': { type: 'number' } } },
      ['/patternProperties/^(.*)$'],
    ],
    [
      'in a schema that is negated twice',
      { not: { not: entry(text) } },
      { not: { not: entry({ type: 'boolean' }) } },
      ['/not/not/properties/a'],
    ],
  ])('%s', (_, old, replacement, paths) => {
    expect(compareSchemas(old, replacement, { direction: 'output' }).map(({ path }) => path)).toEqual(paths);
  });
});

const choices = fc.infiniteStream(fc.nat());

/** Other spellings of a schema that every generator knows. */
const spellings: readonly ((schema: JsonValue) => JsonValue)[] = [
  (schema) => schema,
  (schema) => ({ not: { not: schema } }),
  (schema) => ({ anyOf: [schema, { not: {} }] }),
  (schema) => ({ oneOf: [false, schema] }),
  (schema) => ({ allOf: [schema, true] }),
  (schema) => ({ anyOf: [{ anyOf: [schema] }] }),
];

/** Spells a schema and those within it in other ways, as a stream of numbers chooses. */
function respell(schema: JsonValue, next: () => number): JsonValue {
  const own = isRecord(schema) ? respellKeywords(schema, next) : schema;
  return spellings[next() % spellings.length]?.(own) ?? own;
}

function respellKeywords(schema: Readonly<Record<string, JsonValue>>, next: () => number): JsonValue {
  const entries = Object.entries(schema).map(([keyword, value]): readonly [string, JsonValue] => {
    if (['additionalProperties', 'items', 'contains'].includes(keyword)) return [keyword, respell(value, next)];
    if (['properties', 'dependentSchemas'].includes(keyword) && isRecord(value)) {
      return [keyword, Object.fromEntries(Object.entries(value).map(([name, item]) => [name, respell(item, next)]))];
    }
    if (keyword === 'anyOf' && Array.isArray(value) && value.length > 2 && next() % 2 === 0) {
      return [keyword, [...value.slice(0, 1), { anyOf: value.slice(1) }]];
    }
    return [keyword, value];
  });
  const respelled = Object.fromEntries(entries);
  const { patternProperties, additionalProperties, properties, unevaluatedProperties, ...others } = respelled;
  const isMap = additionalProperties !== undefined && !properties && !patternProperties && !unevaluatedProperties;
  if (isMap && next() % 2 === 0) return { ...others, patternProperties: { '.*': additionalProperties } };
  const isFree = !('propertyNames' in schema) && next() % 3 === 0;
  return isFree ? { ...respelled, propertyNames: { type: 'string' } } : respelled;
}

function isRecord(value: JsonValue): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

test('a random schema in another spelling has no error under any policy', { tags: 'slow' }, () => {
  fc.assert(
    fc.property(arbitrarySchema, choices, fc.constantFrom(...directions), (schema, stream, direction) => {
      // What unevaluated… keywords see is compared as text.
      fc.pre(!JSON.stringify(schema).includes('unevaluated'));
      const other = respell(schema, () => stream.next().value);
      const errors = policies.flatMap((policy) =>
        compareSchemas(schema, other, { direction, policy }).filter(({ severity }) => severity === 'error'),
      );
      expect(errors).toEqual([]);
    }),
    { numRuns: 250, seed: 3 },
  );
});

test('the normal form of a random schema takes what Ajv takes', { tags: 'slow' }, () => {
  fc.assert(
    fc.property(arbitrarySchema, choices, fc.array(arbitraryValue, { minLength: 20 }), (schema, stream, values) => {
      const other = respell(schema, () => stream.next().value);
      fc.pre(!JSON.stringify(schema).includes('unevaluated'));
      const takes = compile(schema);
      const node = openNodes(openSchema(other), createNodeFactory(), false);
      const wrong = values.filter((value) => (acceptValue(node, value) ?? takes(value)) !== takes(value));
      expect(wrong).toEqual([]);
    }),
    { numRuns: 250, seed: 4 },
  );
});
