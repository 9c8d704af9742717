import { describe, expect, it } from 'vitest';
import { buildSchema } from '../../src/assertions/judged/rubric.ts';
import type { JsonObject, JsonValue } from '../../src/json/json.ts';
import { fitSchema } from '../../src/providers/fit-schema.ts';
import {
  findSchemaMode,
  findSupport,
  type SchemaMode,
  schemaKeywords,
  schemaModes,
} from '../../src/providers/schema-modes.ts';

const names = [
  'openai',
  'openaiFineTuned',
  'azure',
  'groq',
  'anthropic',
  'bedrock',
  'gemini',
  'cohere',
  'xai',
] as const;

/** What the sources say, a letter an API in the order above: taken, ignored, refused, `?` for not said. */
const table = new Map(
  `
type ttttttttt
enum ttt?ttttt
const ttt?ttitt
$ref ttt?ttt?t
$defs ttt?ttt?t
definitions ttt?tti??
title ttt?ttt??
description ttt?ttt??
default ????t?i??
examples ??????i??
properties ttttttttt
required ttttttttt
additionalProperties ttttttt?t
patternProperties rrr?r?i??
propertyNames rrr?r?i??
minProperties rrr?r?i??
maxProperties rrr?r?i??
dependentRequired rrr?r?i??
dependentSchemas rrr?r?i??
unevaluatedProperties rrr?r?i??
items ttt?ttttt
prefixItems rrr?r?t?t
contains rrr?r?i??
minContains rrr?r?i?r
maxContains rrr?r?i?r
minItems trr?tttr?
maxItems trr?r?tr?
uniqueItems rrr?r?ir?
unevaluatedItems rrr?r?i??
minLength trr?rrir?
maxLength trr?rrir?
pattern trr?t?itt
format trr?ttttt
minimum trr?rrtr?
maximum trr?rrtr?
exclusiveMinimum trr?rri??
exclusiveMaximum trr?rri??
multipleOf trr?rri??
allOf rrr?ttirt
anyOf ttt?ttt?t
oneOf rrr?r?trt
not rrr?r?iri
if rrr?r?i?i
then rrr?r?i?i
else rrr?r?i?i
`
    .trim()
    .split('\n')
    .map((row) => row.split(' ') as [string, string]),
);

const letters = { t: 'taken', i: 'ignored', r: 'refused', '?': 'unknown' } as const;
const part = { type: 'string' };

/** A value that is fine wherever the keyword is. */
const values: Readonly<Record<string, JsonValue>> = {
  type: 'string',
  enum: ['a'],
  const: 'a',
  $ref: '#/$defs/a',
  $defs: { a: part },
  definitions: { a: part },
  examples: ['a'],
  properties: {},
  required: [],
  additionalProperties: false,
  patternProperties: { a: part },
  propertyNames: part,
  dependentRequired: { a: [] },
  dependentSchemas: { a: part },
  unevaluatedProperties: false,
  items: part,
  prefixItems: [part],
  contains: part,
  unevaluatedItems: false,
  uniqueItems: true,
  pattern: 'a+',
  format: 'date',
  allOf: [part],
  anyOf: [part],
  oneOf: [part],
  not: part,
};

/** An object whose property has the keyword, and that no mode refuses for another reason. */
function schemaWith(keyword: string): JsonObject {
  const value = values[keyword] ?? (/^(if|then|else)$/.test(keyword) ? part : 1);
  return {
    type: 'object',
    properties: { x: keyword === 'type' ? part : { [keyword]: value } },
    required: ['x'],
    additionalProperties: false,
    $defs: { a: part },
  };
}

it('every keyword has a row', () => {
  expect([...table.keys()]).toEqual([...schemaKeywords]);
});

describe.each(names.map((name, index) => [name, index] as const))('%s', (name, index) => {
  const mode: SchemaMode = schemaModes[name];

  it.each(schemaKeywords)('%s', (keyword) => {
    const expected = letters[(table.get(keyword)?.[index] ?? '') as keyof typeof letters];
    const { support, source, asOf } = findSupport(mode, keyword);
    expect(support).toBe(expected);
    expect(`${source ?? ''} ${asOf ?? ''}`).toMatch(support === 'unknown' ? /^ $/ : /^https:\/\/\S+ 2026-\d\d-\d\d$/);
    const { refusals, schema } = fitSchema(schemaWith(keyword), mode);
    const own = refusals.filter(({ reason }) => !reason.startsWith('demands'));
    expect(own.map(({ pointer }) => pointer)).toEqual(expected === 'refused' ? [`/properties/x/${keyword}`] : []);
    for (const refusal of own) expect(refusal).toMatchObject({ canLeaveOut: true, source, asOf });
    expect(fitSchema(schema, mode).refusals.filter(({ canLeaveOut }) => canLeaveOut)).toEqual([]);
  });

  it('takes the schemas of judges', () => {
    const verdicts = [{ type: 'boolean' }, { type: 'number' }, { type: 'string', enum: ['A', 'B', 'tie'] }];
    for (const verdict of verdicts) expect(fitSchema(buildSchema('v', verdict), mode).refusals).toEqual([]);
  });
});

const closed = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false };
const deep = (levels: number): JsonObject =>
  levels === 0 ? closed : { ...closed, properties: { a: deep(levels - 1) } };
const wide = (count: number, member: JsonValue = part): JsonObject => {
  const members = Array.from({ length: count }, (_, index) => [`p${index}`, member] as const);
  return { ...closed, properties: Object.fromEntries(members), required: members.map(([key]) => key) };
};
const withA = (a: JsonValue, more: JsonObject = {}): JsonObject => ({ ...closed, properties: { a }, ...more });

describe('beside keywords', () => {
  it.each<[keyof typeof schemaModes, JsonValue, readonly string[]]>([
    ['openai', closed, []],
    ['openai', { ...closed, required: [] }, ['/properties/a']],
    ['openai', { ...closed, additionalProperties: true }, ['/additionalProperties']],
    ['openai', { type: 'object', properties: {} }, ['']],
    ['openai', withA({ type: 'array', items: { type: 'object' } }), ['/properties/a/items']],
    ['openai', { ...closed, $defs: { b: { type: 'object' } } }, ['/$defs/b']],
    ['openai', { type: 'array', items: closed }, ['/type']],
    ['openai', true, ['']],
    ['openai', { ...closed, anyOf: [closed] }, ['/anyOf']],
    ['openai', withA({ type: 'string', format: 'uri' }), ['/properties/a/format']],
    // A property of that name is no keyword, and an enum holds no schemas.
    ['openai', withA({ enum: [{ type: 'object' }] }), []],
    ['openai', { ...closed, properties: { allOf: part, a: part }, required: ['allOf', 'a'] }, []],
    ['openai', withA({ $ref: '#' }), []],
    ['openai', deep(10), []],
    ['openai', deep(11), ['']],
    ['openai', wide(5000), []],
    ['openai', wide(5001), ['']],
    ['openai', withA({ enum: Array.from({ length: 1001 }, (_, index) => index) }), ['']],
    ['openai', withA({ const: 'a'.repeat(120_000) }), ['']],
    ['azure', wide(101), ['']],
    ['azure', deep(6), ['']],
    ['compatible', { ...closed, required: [] }, ['/properties/a']],
    ['anthropic', { ...closed, additionalProperties: { type: 'string' } }, ['/additionalProperties']],
    ['anthropic', { ...closed, required: [] }, []],
    ['anthropic', { type: 'array', items: closed }, []],
    ['anthropic', withA({ type: 'array', items: part, minItems: 2 }), ['/properties/a/minItems']],
    ['anthropic', withA({ enum: ['a', ['b']] }), ['/properties/a/enum']],
    ['anthropic', withA({ pattern: '^(?=a)' }), ['/properties/a/pattern']],
    ['anthropic', withA({ allOf: [{ $ref: '#/$defs/b' }] }, { $defs: { b: part } }), ['/properties/a/allOf']],
    ['anthropic', withA({ $ref: '#' }), ['/properties/a/$ref']],
    [
      'anthropic',
      withA({ $ref: '#/$defs/b' }, { $defs: { b: { items: { $ref: '#/$defs/b' } } } }),
      ['/$defs/b/items/$ref'],
    ],
    ['anthropic', withA({ $ref: '#/$defs/b' }, { $defs: { b: { items: { $ref: '#/$defs/c' } }, c: part } }), []],
    ['anthropic', { ...wide(25), required: [] }, ['']],
    ['anthropic', wide(17, { type: ['string', 'null'] }), ['']],
    ['bedrock', withA({ $ref: '#' }), ['/properties/a/$ref']],
    ['gemini', withA({ $ref: '#/$defs/b', description: 'b' }, { $defs: { b: part } }), ['/properties/a/description']],
    ['cohere', { ...closed, required: [] }, ['']],
    ['cohere', withA({ pattern: '^a' }), ['/properties/a/pattern']],
    ['cohere', withA({ format: 'email' }), ['/properties/a/format']],
    ['xai', withA(true), ['/properties/a']],
    ['xai', withA({ items: [part] }), ['/properties/a/items']],
    ['xai', withA({ anyOf: [] }), ['/properties/a/anyOf']],
  ])('%s: %j', (name, schema, pointers) => {
    expect(fitSchema(schema, schemaModes[name]).refusals.map(({ pointer }) => pointer)).toEqual(pointers);
  });

  it('what can be left out is, and an open object with properties is closed', () => {
    const open = { type: 'object', properties: { n: { type: 'number', minimum: 0 }, u: { oneOf: [part] } } };
    expect(fitSchema(open, schemaModes.anthropic).schema).toEqual({
      type: 'object',
      properties: { n: { type: 'number' }, u: { anyOf: [part] } },
      additionalProperties: false,
    });
  });
});

it.each<[Parameters<typeof findSchemaMode>[0], keyof typeof schemaModes | undefined]>([
  [{ adapter: 'openai', model: 'gpt-5-mini' }, 'openai'],
  [{ adapter: 'openai', model: 'ft:gpt-4o-mini:acme::a1' }, 'openaiFineTuned'],
  [{ adapter: 'openai', model: 'm', baseUrl: 'http://127.0.0.1:9000/v1' }, 'openai'],
  // The usual address of vLLM.
  [{ adapter: 'openai', model: 'm', baseUrl: 'http://127.0.0.1:8000/v1' }, 'compatible'],
  [{ adapter: 'openai', model: 'm', baseUrl: 'https://api.groq.com/openai/v1' }, 'groq'],
  [{ adapter: 'openai', model: 'm', baseUrl: 'https://api.x.ai/v1' }, 'xai'],
  [{ adapter: 'openai', model: 'm', baseUrl: 'https://api.anthropic.com/v1' }, 'compatible'],
  [{ adapter: 'vertex', model: 'gemini-2.5-flash' }, 'gemini'],
  [{ adapter: 'mistral', model: 'mistral-small-latest' }, 'compatible'],
  [{ adapter: 'exec', model: 'node agent.mjs' }, undefined],
  [{ adapter: 'http', model: 'app' }, undefined],
])('%j', (config, expected) => {
  expect(findSchemaMode(config)).toBe(expected === undefined ? undefined : schemaModes[expected]);
});
