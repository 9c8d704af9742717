import { describe, expect, test } from 'vitest';
import { compileJsonSchema } from '../../src/json/json-schema.ts';
import { parseExactJson } from '../../src/json/parse-json.ts';
import { JsonSchemaError } from '../../src/json/schema-errors.ts';

describe('cost', () => {
  test.each<[unknown, number, boolean]>([
    [{ type: 'object' }, 1000, true],
    [{ type: 'array', uniqueItems: true }, 100_000, false],
    [{ properties: { a: { pattern: '^(a+)+$' } } }, 10, false],
    [{ patternProperties: { '^(a+)+$': true } }, 10, false],
    [{ properties: { pattern: { type: 'string' } } }, 10, true],
    [{ pattern: '^a+$' }, 10, true],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, 10, true],
    [{ anyOf: [{ items: { $ref: '#' } }, { type: 'null' }] }, 10, false],
    [{ properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: { type: 'string' } } }, 10, true],
  ])('%j on %d characters: cheap is %s', (schema, textLength, cheap) => {
    expect(compileJsonSchema(schema).isCheap(textLength)).toBe(cheap);
  });
});

test.each<[unknown, RegExp]>([
  [null, /not null/],
  [[], /not a list/],
  [{ $async: true }, /\$async/],
  [{ $schema: 3 }, /\$schema 3 is not supported/],
  [{ $ref: '#' }, /without end/],
  [{ $ref: 'other.json' }, /never fetched/],
  [{ required: 'a' }, /not valid at \$\.required/],
])('%j is refused', (schema, message) => {
  expect(() => compileJsonSchema(schema)).toThrow(JsonSchemaError);
  expect(() => compileJsonSchema(schema)).toThrow(message);
});

test('the alternative of a keyword that comes nearest says what is wrong', () => {
  expect(() => compileJsonSchema({ type: ['string', 'nul'] })).toThrow(
    expect.objectContaining({ place: ['type', 1], hint: 'did you mean "null"?' }),
  );
});

test('a schema object is compiled once', () => {
  const schema = { type: 'string' };
  expect(compileJsonSchema(schema)).toBe(compileJsonSchema(schema));
});

test('a violation names its place and what is wrong there', () => {
  const schema = { properties: { a: { items: { additionalProperties: false } } }, required: ['a'] };
  const compiled = compileJsonSchema(schema);
  expect(compiled.findViolation({ a: [{}, { 'b/c': 1 }] })).toEqual({
    path: '$.a[1]',
    message: 'must not have the property "b/c"',
  });
  expect(compiled.findViolation({ a: [] })).toBeUndefined();
});

test.each([
  [19.99, 0.01, true],
  [19.995, 0.01, false],
  [0.3, 0.1, true],
  [-0.3, 0.1, true],
  [0, 0.1, true],
  [1e21, 1e-7, true],
  [1.5, 1e300, false],
  [7, 3, false],
])('%d is a multiple of %d: %s', (value, multipleOf, isMultiple) => {
  const found = compileJsonSchema({ multipleOf }).findViolation(value);
  expect(found).toEqual(isMultiple ? undefined : { path: '$', message: `must be multiple of ${multipleOf}` });
});

describe('a number that no double keeps is checked exactly', () => {
  const long = '12345678901234567890';
  test.each<[schema: object, json: string, isValid: boolean]>([
    [{ type: 'integer' }, long, true],
    [{ multipleOf: 1 }, long, true],
    [{ type: 'integer' }, '0.12345678901234567890', false],
    [{ minimum: 12345678901234567000 }, '12345678901234500001', false],
    [{ minimum: 12345678901234567000 }, '12345678901234600001', true],
    [{ maximum: 12345678901234567000 }, '12345678901234500001', true],
    [{ maximum: 12345678901234567000 }, '12345678901234600001', false],
    [{ exclusiveMaximum: -12345678901234567000 }, '-12345678901234600001', true],
    [{ const: 12345678901234567000 }, '12345678901234600001', false],
    [{ maximum: 10 }, '1e999', false],
    [{ minimum: 10 }, '-1e999', false],
    [{ minimum: -1 }, '1e-999', true],
    [{ uniqueItems: true }, `[${long}, 12345678901234567890123, 9]`, true],
    [{ items: true }, `[${long}, 12345678901234567891, 12345678901234567892]`, true],
    [{ uniqueItems: true }, `[${long}, 12345678901234567890.0]`, false],
    [{ items: { minimum: 1 } }, `[${long}, 0]`, false],
  ])('%j on %s: %s', (schema, json, isValid) => {
    const compiled = compileJsonSchema(schema);
    expect(compiled.findViolation(parseExactJson(json)) === undefined).toBe(isValid);
    expect(compiled.findViolations(parseExactJson(json))).toHaveLength(Number(!isValid));
  });

  test.each([
    [{ multipleOf: 2 }, long],
    [{ items: { multipleOf: 0.5 } }, `[${long}]`],
    [{ exclusiveMinimum: 0 }, '1e-999'],
    [{ uniqueItems: true }, `[${long}, 12345678901234567891]`],
    [{ uniqueItems: true }, `[${long}, 12345678901234567891, 12345678901234567892]`],
    [{ type: 'integer' }, '4503599627370496.50000000000000001'],
  ])('%j can not be checked on %s', (schema, json) => {
    expect(() => compileJsonSchema(schema).findViolation(parseExactJson(json))).toThrow("can't be checked exactly");
  });
});

test('all violations are found, with the alternatives of one in its message', () => {
  const schema = {
    required: ['x'],
    anyOf: [{ required: ['a'] }, { required: ['b'] }],
    properties: { c: { const: 5 } },
  };
  const compiled = compileJsonSchema(schema);
  expect(
    compiled
      .findViolations({ c: 4 })
      .map(({ path, message }) => `${path} ${message}`)
      .toSorted(),
  ).toEqual([
    "$ must have required property 'x'",
    "$ must match a schema in anyOf; of the first alternative, $ must have required property 'a'",
    '$.c must be 5',
  ]);
  expect(compiled.findViolations({ x: 1, a: 1, c: 5 })).toEqual([]);
  const apart = { properties: { a: { type: 'string' }, b: { anyOf: [{ type: 'string' }, { type: 'null' }] } } };
  expect(
    compileJsonSchema(apart)
      .findViolations({ a: 1, b: 1 })
      .map(({ path }) => path),
  ).toEqual(['$.a', '$.b']);
});

test('draft-07 has its own meaning, and formats are checked in both drafts', () => {
  const draft7 = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    items: [{ type: 'string' }],
    additionalItems: false,
  };
  expect(compileJsonSchema(draft7).findViolation(['a'])).toBeUndefined();
  expect(compileJsonSchema(draft7).findViolation([1])?.path).toBe('$[0]');
  expect(compileJsonSchema(draft7).findViolation(['a', 1])?.path).toBe('$');
  for (const $schema of [draft7.$schema, 'https://json-schema.org/draft/2020-12/schema']) {
    expect(compileJsonSchema({ $schema, format: 'email' }).findViolation('nobody')?.message).toContain('email');
  }
});

test('alternatives give the reason of the first', () => {
  const compiled = compileJsonSchema({ oneOf: [{ type: 'string' }, { type: 'null' }] });
  expect(compiled.findViolation(3)?.message).toMatch(/oneOf; of the first alternative, \$ must be string/);
});

// Each schema is one that Ajv (8.20) decides wrongly by itself.
describe('a value is judged as the specification says', () => {
  const anyB = { properties: { b: true } };
  test.each<[schema: object, value: unknown, isValid: boolean]>([
    [{ items: { contains: { type: 'string' } } }, [['x'], []], false],
    [{ items: { contains: { type: 'string' } } }, [['x'], ['y']], true],
    [{ prefixItems: [{ type: 'string' }], contains: { type: 'string' } }, [], false],
    [{ prefixItems: [true, true, { type: 'string' }], uniqueItems: true }, ['a', 'a'], false],
    [{ $schema: 'http://json-schema.org/draft-07/schema#', items: { contains: { const: 1 } } }, [[1], []], false],
    [{ contains: { const: 1 }, minContains: 2, maxContains: 3 }, [1, 2, 1], true],
    [{ contains: { const: 1 }, minContains: 2, maxContains: 3 }, [1, 2], false],
    [{ contains: { const: 1 }, maxContains: 2 }, [1, 1, 1], false],
    [{ contains: { const: 1 }, minContains: 0 }, [], true],
    [{ contains: true }, [], false],
    [JSON.parse('{"if":true,"then":{"properties":{"b":true}},"unevaluatedProperties":false}'), { b: 1 }, true],
    [{ if: false, else: { properties: { b: true } }, unevaluatedProperties: false }, { b: 1 }, true],
    [{ prefixItems: [true], unevaluatedItems: { type: 'string' } }, [1, 2], false],
    [{ prefixItems: [true], unevaluatedItems: { type: 'string' } }, [1, 'a', 'b'], true],
    [{ not: { if: anyB, unevaluatedProperties: false } }, { b: 1 }, false],
    [{ if: { ...anyB, required: ['c'] }, else: true, unevaluatedProperties: false }, { b: 1 }, false],
    [{ if: { prefixItems: [{ const: 1 }] }, unevaluatedItems: false }, [1], true],
    [{ if: { prefixItems: [{ const: 1 }] }, unevaluatedItems: false }, [2], false],
    [{ anyOf: [{ items: { type: 'string' } }, true], unevaluatedItems: { type: 'boolean' } }, ['a', false], false],
    [{ anyOf: [{ items: { type: 'string' } }, true], unevaluatedItems: { type: 'boolean' } }, ['a', 'b'], true],
    [{ anyOf: [{ patternProperties: { b: { const: 1 } } }, true], unevaluatedProperties: false }, { b: 2 }, false],
    [
      { oneOf: [{ patternProperties: { b: { const: 1 } } }, { minProperties: 1 }], unevaluatedProperties: false },
      { b: 2 },
      false,
    ],
    [{ dependentSchemas: { a: anyB }, properties: { a: true }, unevaluatedProperties: false }, { a: 1, b: 1 }, true],
    [{ dependentSchemas: { a: anyB }, properties: { c: true }, unevaluatedProperties: false }, { c: 1 }, true],
    [{ prefixItems: [true], dependentSchemas: { a: { prefixItems: [true] } }, unevaluatedItems: false }, [1, 2], false],
    [
      {
        $ref: '#/$defs/list',
        $defs: { list: { $defs: { item: { $dynamicAnchor: 'T', type: 'string' } }, items: { $dynamicRef: '#T' } } },
      },
      [1],
      false,
    ],
    [
      {
        $ref: '#/$defs/list',
        $defs: { list: { $defs: { item: { $dynamicAnchor: 'T', type: 'string' } }, items: { $dynamicRef: '#T' } } },
      },
      ['a'],
      true,
    ],
    [{ $dynamicAnchor: 'T', properties: { next: { $dynamicRef: '#T' } }, required: ['v'] }, { v: 1, next: {} }, false],
    [
      {
        $dynamicRef: '#T',
        $defs: { t: { $dynamicAnchor: 'T', properties: { b: true } } },
        unevaluatedProperties: false,
      },
      { b: 1 },
      true,
    ],
    [
      {
        $schema: 'http://json-schema.org/draft-07/schema#',
        $id: 'a',
        $ref: '#/definitions/a',
        definitions: { a: { type: 'string' } },
        title: 'A',
      },
      1,
      false,
    ],
  ])('%j, of %j: %s', (schema, value, isValid) => {
    const compiled = compileJsonSchema(schema);
    expect(compiled.findViolation(value) === undefined).toBe(isValid);
    expect(compiled.findViolations(value).length === 0).toBe(isValid);
  });

  const draft7 = { $schema: 'http://json-schema.org/draft-07/schema#', definitions: { a: true } };
  test.each<[schema: object, message: RegExp, place: readonly (string | number)[]]>([
    [
      { allOf: [{ contains: { const: 1 } }], unevaluatedItems: false },
      /unevaluatedItems can't be checked/,
      ['unevaluatedItems'],
    ],
    [
      { properties: { a: { $ref: 'b' } }, $defs: { b: { $id: 'b', $dynamicRef: '#T' } } },
      /more than one "\$id"/,
      ['$defs', 'b', '$dynamicRef'],
    ],
    [{ ...draft7, items: { $ref: '#/definitions/a', maxItems: 1 } }, /ignores "maxItems"/, ['items', 'maxItems']],
    [{ ...draft7, not: { $ref: '#/definitions/a', type: 'string' } }, /ignores "type"/, ['not', 'type']],
    [{ ...draft7, not: { $ref: '#/definitions/a', $id: 'b' } }, /ignores "\$id"/, ['not', '$id']],
  ])('%j is refused, because its answer would be a guess', (schema, message, place) => {
    expect(() => compileJsonSchema(schema)).toThrow(message);
    expect(() => compileJsonSchema(schema)).toThrow(expect.objectContaining({ place, hint: expect.anything() }));
  });

  test.each([
    { properties: { contains: { type: 'string' } }, unevaluatedItems: false },
    { enum: [{ contains: 1 }], unevaluatedItems: false },
    { ...draft7, properties: { a: { $ref: '#/definitions/a', description: 'A', default: 1 } } },
    { ...draft7, properties: { $ref: { type: 'string' }, type: { type: 'string' } } },
    { ...draft7, const: { $ref: 'a', type: 'b' } },
  ])('%j is no such schema', (schema) => {
    expect(() => compileJsonSchema(schema)).not.toThrow();
  });
});
