// oxlint-disable vitest/expect-expect -- expectEach asserts.
import { describe, test } from 'vitest';
import { canonicalJson, spell, writeJson } from '../../src/json/canonical-json.ts';
import { describePath, describeValue, findDifference } from '../../src/json/deep-equal.ts';
import { compileJsonPath } from '../../src/json/json-path.ts';
import { appendPointer, splitPointer } from '../../src/json/json-pointer.ts';
import { compileJsonSchema } from '../../src/json/json-schema.ts';
import { findArgumentMismatch } from '../../src/json/match-arguments.ts';
import {
  findInJson,
  parseExactJson,
  parseJson,
  parseJsonNodes,
  parseJsonText,
  tryParseJson,
} from '../../src/json/parse-json.ts';
import { dropPaths, parsePlainPath } from '../../src/json/plain-path.ts';
import { JsonSchemaError } from '../../src/json/schema-errors.ts';
import { toZodSchema } from '../../src/json/to-zod-schema.ts';
import { expectShown } from '../support/expect-shown.ts';

function expectEach(name: string, values: readonly unknown[], ...functions: readonly ((value: never) => unknown)[]) {
  const show = (value: unknown) => shorten(writeJson(value) ?? 'undefined');
  return expectShown(name, values, functions, { show, showError });
}

function shorten(text: string): string {
  return text.length > 6000 ? `${text.slice(0, 80)}… ${text.length}` : text;
}

function showError(error: unknown): string {
  if (!(error instanceof JsonSchemaError)) return `! ${error instanceof Error ? error.message : String(error)}`;
  const { message, hint, place, others } = error;
  const rest = others.length === 0 ? [] : [`    with ${others.map(showError).join(' | ')}`];
  return [`! ${message}; ${hint ?? '–'} at ${writeJson(place) ?? ''}`, ...rest].join('\n');
}

const x = (length: number) => 'x'.repeat(length);
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('every result stays what it is', () => {
  test('what a schema says of values', { tags: ['slow'] }, () => {
    const values: readonly unknown[] = [
      null,
      0,
      1.5,
      'a',
      '',
      [],
      [1, 1],
      ['a', 2],
      {},
      { a: 1 },
      { a: 'x', b: 2 },
      { 'a b': { c: [1] } },
      parseExactJson('12345678901234567890'),
      parseExactJson('[12345678901234567890,12345678901234567891]'),
      parseExactJson('0.12345678901234567891'),
      parseExactJson('[12345678901234567890,12345678901234567891,12345678901234567890]'),
      parseExactJson('2251799813685249.50000000001'),
      parseExactJson('2251799813685248.00000000001'),
      parseExactJson('1e400'),
      parseExactJson('-1e400'),
    ];
    const schemas: readonly unknown[] = [
      true,
      false,
      {},
      { type: 'string' },
      { type: ['number', 'null'] },
      { type: 'integer' },
      { enum: ['a', 1] },
      { enum: [x(400)] },
      { const: x(298) },
      { const: x(299) },
      { const: { a: 1 } },
      { type: 'object', required: ['a'], properties: { a: { type: 'number' } }, additionalProperties: false },
      { properties: { 'a b': { properties: { c: { items: { type: 'string' } } } } } },
      { unevaluatedProperties: false, properties: { a: true } },
      { items: { type: 'number' }, minItems: 1, uniqueItems: true },
      { uniqueItems: true },
      { prefixItems: [{ type: 'string' }], unevaluatedItems: false },
      { contains: { const: 2 } },
      { anyOf: [{ type: 'string' }, { type: 'object', required: ['a'] }] },
      { oneOf: [{ type: 'number' }, { minimum: 1 }] },
      { allOf: [{ type: 'string' }, { minLength: 1 }] },
      { not: { type: 'string' } },
      JSON.parse('{"if":{"type":"string"},"then":{"minLength":1},"else":{"type":"object"}}'),
      { propertyNames: { maxLength: 1 } },
      { patternProperties: { '^a': { type: 'string' } } },
      { dependentRequired: { a: ['b'] } },
      { minimum: 1, maximum: 1e19 },
      { minimum: 12345678901234567000 },
      { minimum: Number.NEGATIVE_INFINITY, maximum: Number.POSITIVE_INFINITY },
      { exclusiveMinimum: 0.1, multipleOf: 0.5 },
      { multipleOf: 1 },
      { format: 'email' },
      { format: 'zzz', zzz: 1 },
      { $defs: { a: { type: 'string' } }, $ref: '#/$defs/a' },
      { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }], additionalItems: false },
      { $schema: 'https://json-schema.org/draft-07/schema', dependencies: { a: ['b'] } },
      { $schema: 'https://json-schema.org/draft/2020-12/schema', dependentRequired: { a: ['b'] } },
      { $ref: 'https://json-schema.org/draft/2020-12/schema' },
    ];
    return expectEach(
      'schemas',
      schemas,
      (schema: unknown) => values.map((value) => attempt(() => compileJsonSchema(schema).findViolation(value) ?? null)),
      (schema: unknown) => values.map((value) => attempt(() => compileJsonSchema(schema).findViolations(value).length)),
      (schema: unknown) => compileJsonSchema(schema).findViolations({ a: true, b: [], c: 'x' }),
      (schema: unknown) => compileJsonSchema(schema).findViolations(['x', 'x', {}]),
    );
  });

  test('schemas that can not be used', { tags: ['slow'] }, () =>
    expectEach(
      'broken-schemas',
      [
        null,
        5,
        'x',
        [],
        { type: 'strnig' },
        { type: 'zzz' },
        { type: ['string', 'nubmer'] },
        { type: 5, minLength: -1, properties: { a: { type: 'objekt' } } },
        { properties: [] },
        { properties: { 'a b': { enum: 5 } } },
        { items: { anyOf: [] } },
        { required: 'a' },
        { $ref: '#/$defs/gone' },
        { $ref: 'http://127.0.0.1:9/x.json' },
        { $ref: '#' },
        { $async: true },
        { $schema: 'zzz' },
        { $schema: 5 },
        { pattern: '(' },
        { $id: 'a', $defs: { b: { $id: 'a' } } },
        { additionalProperties: 5 },
      ],
      (schema: unknown) => compileJsonSchema(schema).findViolation({}) ?? null,
    ),
  );

  test('schemas that are surely fast', { tags: ['slow'] }, () =>
    expectEach(
      'costs',
      [
        {},
        { pattern: '^a+$' },
        { pattern: '(a+)+' },
        { properties: { a: { pattern: '(a+)+' } } },
        { items: [{ patternProperties: { '(a+)+': {} } }] },
        { items: { patternProperties: { '(a+)+': {} } } },
        { properties: { '(a+)+': { type: 'string' } } },
        { patternProperties: { a: {} } },
        { patternProperties: 5 },
        { $defs: { a: {} }, $ref: '#/$defs/a' },
        { $defs: { a: {} }, anyOf: [{ $ref: '#/$defs/a' }] },
        { $defs: { a: {} }, contains: { $ref: '#/$defs/a' } },
        { $dynamicAnchor: 'a', not: { $dynamicRef: '#a', type: 'string' } },
        { anyOf: [{}] },
        true,
      ],
      (schema: unknown) =>
        [0, 100, 4000, 4001].map((length) => attempt(() => compileJsonSchema(schema).isCheap(length))),
    ),
  );

  test('what a path selects', () => {
    const root = {
      a: [1, 2, 3, 'x', null, { b: 1, c: [true] }],
      'a b': { d: { b: 2 } },
      s: '😀b',
      n: 1.5,
      e: {},
      l: parseExactJson('12345678901234567890'),
    };
    return expectEach(
      'paths',
      [
        '$',
        '$.a',
        '$.gone',
        "$['a b']",
        '$["a b"].d.b',
        '$.a[0]',
        '$.a[-1]',
        '$.a[-6]',
        '$.a[-7]',
        '$.a[6]',
        '$.a[5]',
        '$.a.b',
        '$.s[0]',
        '$.*',
        '$.a[*]',
        '$..b',
        '$..*',
        '$..a[0]',
        '$..[0,1]',
        '$.a[0,2]',
        '$.a[1:3]',
        '$.a[:2]',
        '$.a[4:]',
        '$.a[::2]',
        '$.a[::-1]',
        '$.a[3:0:-1]',
        '$.a[-2:]',
        '$.a[::0]',
        '$.a[9:]',
        '$.a[:-9:-2]',
        '$.s[0:1]',
        '$.a[?@ == 2]',
        '$.a[?@ != 2]',
        '$.a[?@ < 2]',
        '$.a[?@ <= 2]',
        '$.a[?@ > 2]',
        '$.a[?@ >= 2]',
        '$.a[?@ == "x"]',
        '$.a[?@ < "y"]',
        '$.a[?@ == null]',
        '$.a[?@.b]',
        '$.a[?!@.b]',
        '$.a[?@.b == 1 && @.c]',
        '$.a[?@.b == 1 || @ == 1]',
        '$.a[?@.gone == @.none]',
        '$.a[?@.c[0] == true]',
        '$.a[?@ == $.a[1]]',
        '$.a[?@.b == $.n]',
        '$[?length(@) == 2]',
        '$[?length(@) == 6]',
        '$[?length(@) == 0]',
        '$[?length(@.gone) == 0]',
        '$[?count(@.*) == 6]',
        '$[?count(@.*) > 0]',
        '$[?value(@..b) == 2]',
        '$[?match(@, ".b")]',
        '$[?match(@, "b")]',
        '$[?search(@, "b")]',
        '$[?search(@, "[")]',
        '$[?search(@, "\\\\.|.")]',
        '$[?match(@, $.s)]',
        '$[?@ > 12345678901234500000]',
        '$.l',
        '$[?@ == 1.5]',
        '$[?@ > 1]',
        '',
        'a',
        '$.',
        '$.a[',
        '$[a]',
        '$.a b',
        `$.a ${x(30)}`,
        '$.a[01]',
        '$[?@ = 1]',
        '$[?length(@)]',
        '$[?match(@, "a") == true]',
        '$[?count(1) == 1]',
        '$[?length() == 1]',
        '$[?match(@) ]',
        '$[?length(@.*) == 1]',
        '$[?zzz(@)]',
        '$[?length(@.a == 1) == 1]',
        '$[?length(match(@, "a")) == 1]',
        '$[?@.a == 12345678901234567890]',
        '$["12345678901234567890"]',
        "$['1234567890123456789']",
        `$.${x(998)}`,
        `$.${x(999)}`,
        `$.a.long.${x(30)} oh`,
      ],
      (path: string) => compileJsonPath(path).query(root),
      (path: string) => [compileJsonPath(path).steps ?? null, compileJsonPath(path).costly],
    );
  });

  test('what plain paths are and drop', () =>
    expectEach(
      'plain-paths',
      [
        '',
        '$',
        '$.',
        '$.a',
        '$.a.b',
        '$.a[0]',
        '$.a[*]',
        '$.a[*].b',
        '$.*',
        '$["a"]',
        "$['a b']",
        'a',
        '$..a',
        '$.a[01]',
        '$.a[-1]',
        '$.a[',
        '$.a]',
        '$[*][*]',
        '$.l[1]',
      ],
      parsePlainPath as (path: string) => unknown,
      (path: string) => {
        const steps = parsePlainPath(path);
        return steps === undefined
          ? null
          : dropPaths({ a: [{ b: 1, c: 2 }, { b: 3 }], l: [1, 2, 3], 'a b': 1 }, [steps]);
      },
    ));

  test('where values differ, and values in words', async () => {
    const pairs: readonly (readonly [unknown, unknown])[] = [
      [1, 1],
      [1, parseExactJson('1')],
      [1, 2],
      ['a', 1],
      [null, undefined],
      [[1, 2], [1]],
      [[1], [1, 2]],
      [
        [1, [2, 3]],
        [1, [2, 4]],
      ],
      [{ a: 1 }, {}],
      [{}, { a: 1 }],
      [{ a: { b: [1] } }, { a: { b: [2], c: 1 } }],
      [{ a: { b: [1] } }, { c: 2, a: { d: 1, b: [1] } }],
      [[], {}],
      [parseExactJson('12345678901234567890'), parseExactJson('12345678901234567891')],
      [parseExactJson('12345678901234567890'), parseExactJson('12345678901234567890.0')],
      [parseExactJson('12345678901234567890'), '12345678901234567890'],
    ];
    await expectEach(
      'differences',
      pairs,
      ([expected, found]: [unknown, unknown]) => findDifference(expected, found) ?? null,
      ([expected, found]: [unknown, unknown]) => findDifference(expected, found, true) ?? null,
    );
    const twenty = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, index]));
    await expectEach(
      'values',
      [
        null,
        true,
        1,
        'a',
        x(200),
        x(201),
        [],
        [1, 'a'],
        {},
        { a: { b: [1] } },
        Array.from({ length: 19 }, () => 1),
        Array.from({ length: 20 }, () => 1),
        Array.from({ length: 41 }, () => 1),
        [x(120)],
        [x(121)],
        { a: x(118) },
        { a: x(120) },
        twenty,
        { ...twenty, '': 1 },
        ['"'.repeat(119)],
        ['\\"'.repeat(60)],
        parseExactJson('[12345678901234567890]'),
      ],
      describeValue,
      (value: unknown) =>
        [
          describeValue(undefined),
          describeValue(Symbol.iterator),
          describeValue(parseExactJson('12345678901234567890')),
        ].slice(value === null ? 0 : 3),
    );
    await expectEach(
      'pointers',
      [[], ['a'], ['a', 0], ['a b', 'c~d/e', ''], [0, 1], ['_x', '1x'], ['ü']],
      describePath,
      (path: (string | number)[]) => appendPointer('', ...path),
      (path: (string | number)[]) => splitPointer(appendPointer('', ...path)) ?? null,
      (path: (string | number)[]) => splitPointer(path.join('/')) ?? null,
    );
  });

  test('values as JSON', () => {
    const many = Object.fromEntries(Array.from({ length: 22 }, (_, index) => [`k${(index * 7) % 22}`, index]));
    const values: readonly (readonly [string, unknown])[] = [
      ['sorted', { b: 1, a: { d: [1, { f: 1, e: 2 }], c: null } }],
      ['many', many],
      ['twenty', Object.fromEntries(Object.entries(many).slice(0, 20))],
      ['own', { toJSON: 5 }],
      ['undefined', { a: undefined, b: [undefined], c: () => 1 }],
      ['odd', [Number.NaN, Number.POSITIVE_INFINITY, -0, 1e21, true]],
      ['dates', { d: new Date(0), e: { toJSON: (key: string) => key } }],
      ['empty', [[], {}, '', { a: [] }]],
      ['long', parseExactJson('[12345678901234567890, 1.0, 1e400, 0.10]')],
      ['text', 'a"b\u2028'],
      ['bigint', 1n],
      ['nothing', undefined],
    ];
    return expectEach(
      'written',
      values.map(([name]) => name),
      (name: string) => canonicalJson(new Map(values).get(name)),
      (name: string) => [0, 2, 10, 11].map((indent) => writeJson(new Map(values).get(name), indent) ?? null),
      (name: string) => spell(new Map(values).get(name)),
    );
  });

  test('JSON texts', () =>
    expectEach(
      'texts',
      [
        '',
        ' ',
        'null',
        ' 1 ',
        '1.0',
        '-0',
        '01',
        '1.',
        '.5',
        '+1',
        '1e5',
        '1E400',
        '12345678901234567890',
        '"a"',
        '"a',
        '"\\x"',
        '"\\u00e9\\n"',
        '"a\nb"',
        "'a'",
        '[1, 2',
        '[1,]',
        '[1 2]',
        '[,]',
        '{"a": 1}',
        '{"a": 1, "a": 2}',
        '{"a" 1}',
        '{"a": }',
        '{a: 1}',
        '{"a": 1,}',
        '{"a": 1',
        '{"a"',
        '{1: 2}',
        'tru',
        'true1',
        'nulll',
        '1 2',
        '{}\n  x',
        '[😀]',
        '["#", "##1", 12345678901234567890, "\\u0023"]',
        '"hash0123456789abcdef"',
        '0.1000000000000000055',
        `[1.0${',[]'.repeat(501)}]`,
        nested(500),
        nested(501),
        nested(1001),
        '\ufeff1',
      ],
      parseJson,
      (text: string) => tryParseJson(text) ?? null,
      parseJsonText,
      (text: string) => parseJsonNodes(text),
      // The words of a fault are the runtime's own.
      (text: string) => attempt(() => parseExactJson(text), 'no JSON'),
    ));

  test('places in JSON', () => {
    const node = parseJsonNodes('{"a": [1, {"b": 2, "b": 3}],\n "c": {}}');
    return expectEach(
      'places',
      [[], ['a'], ['a', 0], ['a', 1, 'b'], ['a', 9], ['c'], ['c', 'd'], ['gone', 'more'], ['a', 'x']],
      (path: PropertyKey[]) =>
        'error' in node ? null : [findInJson(node, path, 'key'), findInJson(node, path, 'value')],
    );
  });

  test('arguments of calls', { tags: ['slow'] }, () => {
    const mismatch = (wanted: Omit<Parameters<typeof findArgumentMismatch>[0], 'compare'>) =>
      ['{"a":1,"b":[2,3]}', '{"a":1}', '{"a":2,"b":[2,3],"c":null}', '[1]', 'x', '{"a":12345678901234567890}'].map(
        (text) => findArgumentMismatch({ compare: 'exact', ...wanted }, text, (_cheap, run) => run()) ?? null,
      );
    return expectEach(
      'arguments',
      [
        {},
        { args: { a: 1, b: [2, 3] } },
        { args: { a: 1 }, compare: 'subset' },
        { args: { a: 1 }, ignore: [['b']] },
        { schema: { required: ['b'] } },
        { args: { a: 1 }, compare: 'subset', schema: { required: ['b'] } },
        { schema: { type: 'zzz' } },
        { schema: { multipleOf: 3, properties: { a: { multipleOf: 3 } } } },
      ],
      mismatch,
    );
  });

  test('schemas for zod', () =>
    expectEach(
      'zod',
      [
        { type: 'string' },
        { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
        { enum: ['a', 1] },
        { anyOf: [{ type: 'string' }, { type: 'null' }] },
        { $ref: '#/$defs/gone' },
        { type: 'zzz' },
        true,
        5,
      ],
      (schema: unknown) => ['a', 1, {}, { a: 1 }, null].map((value) => toZodSchema(schema).safeParse(value).success),
    ));
});

function attempt(make: () => unknown, otherwise?: string): unknown {
  try {
    return make();
  } catch (error) {
    return otherwise ?? showError(error);
  }
}
