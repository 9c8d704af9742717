// oxlint-disable unicorn/no-thenable -- `then` is a keyword of JSON Schema
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/json/json.ts';
import type { Direction } from '../../src/model/comparison/finding.ts';
import { compareSchemas, type SchemaComparisonOptions } from '../../src/schema-diff/compare-schemas.ts';
import { mustEnd } from '../support/growth.ts';

const text = { type: 'string' };
const number = { type: 'number' };

function list(
  old: JsonValue,
  replacement: JsonValue,
  direction: Direction,
  options: Partial<SchemaComparisonOptions> = {},
): readonly string[] {
  return compareSchemas(old, replacement, { ...options, direction }).map(
    ({ ruleId, severity, path }) => `${ruleId} ${severity} ${path}`,
  );
}

function object(properties: Record<string, JsonValue>, more: Record<string, JsonValue> = {}): JsonValue {
  return { type: 'object', properties, ...more };
}

describe('several differences', () => {
  test('a condition is compared by its parts, each in its direction', () => {
    const when = (whenTrue: JsonValue, whenFalse: JsonValue) => ({
      if: { required: ['a'] },
      then: object({ a: whenTrue }),
      else: object({ b: whenFalse }),
    });
    const wide = { type: 'string', maxLength: 9 };
    const narrow = { type: 'string', maxLength: 5 };
    expect(list(when(wide, narrow), when(narrow, narrow), 'input')).toEqual([
      'max-length-lowered error /then/properties/a',
    ]);
    expect(list(when(wide, narrow), when(wide, wide), 'input')).toEqual(['max-length-raised info /else/properties/b']);
  });

  test('a swapped enumeration value narrows and widens', () => {
    expect(list({ enum: ['a', 'b'] }, { enum: ['a', 'c'] }, 'input')).toEqual([
      'enum-value-removed error ',
      'enum-value-added info ',
    ]);
  });

  test('a nullable property that changes its type is one change of type', () => {
    const [old, replacement] = [
      object({ a: { type: ['string', 'null'] } }),
      object({ a: { type: ['number', 'null'] } }),
    ];
    expect(list(old, replacement, 'output')).toEqual(['type-changed error /properties/a']);
  });

  test('a property made optional and nullable in one stroke is one finding', () => {
    const old = object({ a: text }, { required: ['a'] });
    expect(list(old, object({ a: { type: ['string', 'null'] } }), 'output')).toEqual([
      'property-became-optional error /properties/a',
    ]);
  });

  test('a property made optional is another finding than one made optional and nullable', () => {
    const found = ['string', ['string', 'null']].flatMap((type) =>
      compareSchemas(object({ a: text }, { required: ['a'] }), object({ a: { type } }), { direction: 'output' }),
    );
    expect(found.map((finding) => [finding.message, finding.new])).toEqual([
      ['"a" may be left out.', 'optional'],
      ['"a" may be left out, and may be null.', 'optional or null'],
    ]);
  });

  test('nested changes are reported at their own places', () => {
    const wrap = (inner: JsonValue): JsonValue =>
      object({ 'a/b': { type: 'array', items: object({ m: { type: 'object', additionalProperties: inner } }) } });
    expect(list(wrap(object({ x: text })), wrap(object({ x: text }, { required: ['x'] })), 'input')).toEqual([
      'property-became-required error /properties/a~1b/items/properties/m/additionalProperties/properties/x',
    ]);
  });

  test('an enumeration that becomes a type keeps saying which values are refused', () => {
    expect(list({ enum: ['a', 'abc'] }, { type: 'string', maxLength: 2 }, 'input')).toEqual([
      'enum-dropped info ',
      'enum-value-removed error ',
    ]);
  });

  test('values that a hostile pattern would have to judge are undecided', () => {
    const slow = { type: 'string', pattern: '^(a+)+$' };
    expect(list({ enum: [`${'a'.repeat(40)}!`, 'b'] }, slow, 'input')).toEqual(
      ['const-removed info ', 'enum-value-removed error ', 'undecided warn '].map((line) =>
        line.replace('const-removed', 'enum-dropped'),
      ),
    );
  });

  test('a changed condition is undecided, a changed consequence is compared', () => {
    const when = (condition: JsonValue, consequence: JsonValue): JsonValue => ({
      ...text,
      if: condition,
      then: consequence,
    });
    expect(list(when({ minLength: 1 }, { maxLength: 5 }), when({ minLength: 2 }, { maxLength: 5 }), 'input')).toEqual([
      'undecided warn /if',
    ]);
    expect(list(when({ minLength: 1 }, { maxLength: 5 }), when({ minLength: 1 }, { maxLength: 4 }), 'input')).toEqual([
      'max-length-lowered error /then',
    ]);
  });

  test('what maxContains does with another item schema is undecided', () => {
    const few = (item: JsonValue): JsonValue => ({ type: 'array', contains: item, maxContains: 2 });
    expect(list(few(text), few({ type: 'string', minLength: 1 }), 'input')).toEqual(['undecided warn /contains']);
  });

  test('unevaluatedProperties beside a reference is undecided when anything near it changes', () => {
    const closed = (base: JsonValue): JsonValue => ({
      $defs: { B: base },
      allOf: [{ $ref: '#/$defs/B' }],
      unevaluatedProperties: false,
    });
    expect(list(closed(object({ a: text })), closed(object({ a: text, b: text })), 'output')).toContain(
      'undecided warn /unevaluatedProperties',
    );
    expect(list(closed(object({ a: text })), closed(object({ a: { ...text, description: 'x' } })), 'output')).toEqual([
      'description-or-title-changed info /properties/a',
    ]);
  });
});

describe('renames', () => {
  test('one removed and one added property of equal schema are a rename, whatever their descriptions', () => {
    const [old, replacement] = [
      object({ a: { ...text, title: 'A' }, n: number }),
      object({ b: { ...text, title: 'B' }, n: number }),
    ];
    expect(list(old, replacement, 'output')).toEqual(['property-renamed error /properties/a']);
  });

  test('two candidates are no rename', () => {
    const findings = list(object({ a: text }), object({ b: text, c: text }), 'output');
    expect(findings).toEqual([
      'property-removed-optional warn /properties/a',
      'property-added-optional info /properties/b',
      'property-added-optional info /properties/c',
    ]);
  });

  test('a required property does not become an optional one by renaming', () => {
    expect(list(object({ a: text }, { required: ['a'] }), object({ b: text }), 'output')).toEqual([
      'property-removed-required error /properties/a',
      'property-added-optional info /properties/b',
    ]);
  });
});

describe('maps and patterns', () => {
  test('a declared property of a map is compared with the map', () => {
    const map = { type: 'object', additionalProperties: text };
    expect(list(map, { ...map, properties: { a: number } }, 'output')).toEqual([
      'property-added-optional info /properties/a',
      'type-changed error /properties/a',
    ]);
    expect(list({ ...map, properties: { a: number } }, map, 'input')).toEqual([
      'property-removed-optional warn /properties/a',
      'type-changed error /properties/a',
    ]);
  });

  test('a pattern in a closed object that may match known names works both ways', () => {
    const closed = { type: 'object', properties: { 'x-a': text }, additionalProperties: false };
    const patterned = { ...closed, patternProperties: { '^x-': { type: 'string', maxLength: 3 } } };
    expect(list(closed, patterned, 'input')).toEqual(['pattern-property-added error /patternProperties/^x-']);
    expect(list(closed, patterned, 'output')).toEqual(['pattern-property-added error /patternProperties/^x-']);
  });

  test('a pattern that is slow to match leaves the property undecided', { tags: 'slow' }, () => {
    const slow = { type: 'object', patternProperties: { '^(a+)+$': text } };
    const name = `${'a'.repeat(60)}!`;
    expect(list(slow, { ...slow, properties: { [name]: text } }, 'input')).toContain(
      `undecided warn /properties/${name}`,
    );
  });
});

describe('references and recursion', () => {
  const node = (value: JsonValue): JsonValue => ({
    $ref: '#/$defs/Node',
    $defs: {
      Node: object({
        value,
        next: { anyOf: [{ $ref: '#/$defs/Node' }, { type: 'null' }] },
        kids: { type: 'array', items: { $ref: '#/$defs/Node' } },
      }),
    },
  });

  test('a change in a recursive definition is reported once, at the definition', () => {
    expect(list(node({ enum: ['a'] }), node({ enum: ['a', 'b'] }), 'output')).toEqual([
      'enum-value-added error /$defs/Node/properties/value',
    ]);
  });

  test('two recursive schemas that differ in nothing have no finding, though written differently', () => {
    const unrolled = object({
      value: text,
      next: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
      kids: { type: 'array', items: { $ref: '#' } },
    });
    expect(list(node(text), unrolled, 'input')).toEqual([]);
    expect(list(unrolled, node(text), 'output')).toEqual([]);
  });

  test('a difference deep in a recursion that is spelled apart is found', () => {
    const unrolled = object({
      value: text,
      next: { anyOf: [object({ value: number, next: { $ref: '#' } }), { type: 'null' }] },
      kids: { type: 'array', items: { $ref: '#' } },
    });
    expect(list(node(text), unrolled, 'output').some((line) => line.startsWith('type-changed error'))).toBe(true);
  });

  test('what was assumed while trying a pair of branches is not taken for granted later', () => {
    const ref = (name: string): JsonValue => ({ $ref: `#/$defs/${name}` });
    const old = {
      ...(object({ u: { anyOf: [ref('A'), text] }, x: ref('X') }) as object),
      $defs: { A: object({ n: ref('X'), t: text }), X: object({ back: ref('A') }) },
    };
    const replacement = {
      ...(object({ u: { anyOf: [ref('C'), ref('B'), text] }, x: ref('X') }) as object),
      $defs: {
        B: object({ n: object({ back: ref('B') }), t: text }),
        C: object({ n: ref('X'), t: number }),
        X: object({ back: ref('C') }),
      },
    };
    expect(list(old, replacement, 'input')).toEqual([
      'any-of-branch-added info /properties/u/anyOf',
      'type-changed error /$defs/A/properties/t',
    ]);
  });

  test('a nullable reference is one change of nullability', () => {
    const at = (use: JsonValue): JsonValue => ({ ...(object({ a: use }) as object), $defs: { A: text } });
    const [plain, nullable] = [at({ $ref: '#/$defs/A' }), at({ anyOf: [{ $ref: '#/$defs/A' }, { type: 'null' }] })];
    expect(list(plain, nullable, 'output')).toEqual(['became-nullable error /properties/a']);
    expect(list(nullable, plain, 'input')).toEqual(['became-not-nullable error /properties/a']);
  });

  test('a definition used many times within others is compared once', () => {
    const doubling = (leaf: JsonValue): JsonValue => {
      const $defs: Record<string, JsonValue> = { A30: leaf };
      for (let level = 0; level < 30; level += 1) {
        const next = { $ref: `#/$defs/A${level + 1}` };
        $defs[`A${level}`] = object({ left: next, right: next });
      }
      return { $ref: '#/$defs/A0', $defs };
    };
    expect(list(doubling(text), doubling(number), 'input')).toEqual(['type-changed error /$defs/A30']);
  });

  test('a description beside a reference is compared at the reference', () => {
    const at = (description: string): JsonValue => ({
      ...(object({ a: { $ref: '#/$defs/A', description } }) as object),
      $defs: { A: text },
    });
    expect(list(at('x'), at('y'), 'output')).toEqual(['description-or-title-changed info /properties/a']);
  });
});

describe('unions', () => {
  const tagged = (tag: string, more: Record<string, JsonValue> = {}): JsonValue =>
    object({ kind: { const: tag }, ...more }, { required: ['kind'] });

  test('tagged branches are matched by tag, not by position', () => {
    const old = { oneOf: [tagged('a', { x: text }), tagged('b', { x: text })] };
    const replacement = { oneOf: [tagged('b', { x: text }), tagged('a', { x: number })] };
    expect(list(old, replacement, 'input')).toEqual(['type-changed error /oneOf/0/properties/x']);
  });

  test('a renamed tag hides no other change', () => {
    const old = { oneOf: [tagged('a', { x: text }), tagged('b')] };
    const rename = (tag: string, more: Record<string, JsonValue> = {}): JsonValue =>
      object({ type: { const: tag }, ...more }, { required: ['type'] });
    expect(list(old, { oneOf: [rename('a', { x: number }), rename('b')] }, 'output')).toEqual([
      'discriminator-property-renamed error /oneOf',
      'type-changed error /oneOf/0/properties/x',
    ]);
  });

  test('branches that differ wholly are removed and added', () => {
    expect(list({ anyOf: [text, number] }, { anyOf: [text, { type: 'boolean' }] }, 'input')).toEqual([
      'any-of-branch-removed error /anyOf',
      'any-of-branch-added info /anyOf',
    ]);
  });

  test('a branch that changes is compared with its likeliest ancestor', () => {
    const old = { anyOf: [object({ a: text, b: text }), object({ c: text })] };
    const replacement = { anyOf: [object({ c: text, d: text }), object({ a: text, b: number })] };
    expect(list(old, replacement, 'output')).toEqual([
      'type-changed error /anyOf/0/properties/b',
      'property-added-optional info /anyOf/1/properties/d',
    ]);
  });

  test('a union that comes beside what was there is an addition', () => {
    const old = object({ id: text }, { required: ['id'] });
    const replacement = { ...(old as object), anyOf: [{ required: ['a'] }, { required: ['b'] }] };
    expect(list(old, replacement, 'input')).toEqual(['union-added error /anyOf']);
    expect(list(replacement, old, 'output')).toEqual(['union-removed error /anyOf']);
  });

  test('an overlap that a changed branch may have with another is undecided', () => {
    const old = {
      oneOf: [
        { type: 'string', maxLength: 3 },
        { type: 'string', pattern: '^b' },
      ],
    };
    const replacement = {
      oneOf: [
        { type: 'string', maxLength: 4 },
        { type: 'string', pattern: '^b' },
      ],
    };
    expect(list(old, replacement, 'input')).toEqual(['max-length-raised info /oneOf/0', 'undecided warn /oneOf']);
  });

  test('a new branch whose overlap is unknown warns callers', () => {
    const old = { oneOf: [{ type: 'string', pattern: '^b' }, number] };
    expect(list(old, { oneOf: [...old.oneOf, { type: 'string', pattern: '^a' }] }, 'input')).toEqual([
      'one-of-branch-added warn /oneOf',
    ]);
  });

  test('anyOf that becomes an overlapping oneOf is undecided', () => {
    const branches = [
      { type: 'string', maxLength: 3 },
      { type: 'string', minLength: 2 },
    ];
    expect(list({ anyOf: branches }, { oneOf: branches }, 'input')).toEqual(['undecided warn /oneOf']);
  });

  test.each<[why: string, first: JsonValue, second: JsonValue, isDisjoint: boolean]>([
    ['lengths', { type: 'string', maxLength: 3 }, { type: 'string', minLength: 4 }, true],
    ['numbers', { type: 'number', maximum: 3 }, { type: 'number', minimum: 4 }, true],
    ['an open end', { type: 'number', exclusiveMaximum: 3 }, { type: 'number', minimum: 3 }, true],
    ['an open start', { type: 'number', exclusiveMinimum: 3 }, { type: 'number', maximum: 3 }, true],
    ['a number that both take', { type: 'number', maximum: 3 }, { type: 'number', minimum: 3 }, false],
    ['numbers that both take', { type: 'number', maximum: 5 }, { type: 'number', minimum: 3 }, false],
    ['items', { type: 'array', maxItems: 1 }, { type: 'array', minItems: 2 }, true],
    ['a count of items that both take', { type: 'array', maxItems: 2 }, { type: 'array', minItems: 2 }, false],
    ['counts of members', { type: 'object', maxProperties: 1 }, { type: 'object', minProperties: 2 }, true],
    ['a constant', { const: 5 }, { type: 'number', maximum: 4 }, true],
    ['a constant at a bound', { const: 5 }, { type: 'number', maximum: 5 }, false],
    ['types', { type: ['string', 'null'] }, { type: ['number', 'boolean'] }, true],
    ['a type that both take', { type: ['string', 'null'] }, { type: ['number', 'null'] }, false],
  ])('an anyOf becomes an equal oneOf where its branches share no value: %s', (_, first, second, isDisjoint) => {
    const [old, replacement] = [{ anyOf: [first, second] }, { oneOf: [first, second] }];
    expect(list(old, replacement, 'input')).toEqual(isDisjoint ? [] : ['undecided warn /oneOf']);
  });

  test('a union of null alone takes null', () => {
    const nulls = {
      anyOf: [
        { type: 'null', title: 'a' },
        { type: 'null', minLength: 1 },
      ],
    };
    expect(list(nulls, { type: 'null' }, 'input')).toEqual([]);
    expect(list({ type: 'null' }, nulls, 'output')).toEqual([]);
  });

  test('described constants are an enumeration whose descriptions changed', () => {
    const described = {
      oneOf: [
        { const: 'a', description: 'first' },
        { const: 'b', description: 'second' },
      ],
    };
    expect(list({ enum: ['a', 'b'] }, described, 'output')).toEqual(['description-or-title-changed info ']);
    expect(list({ enum: ['a', 'b', 'c'] }, described, 'input')).toEqual(['enum-value-removed error ']);
  });
});

describe('limits', () => {
  const listInTime = (old: JsonValue, replacement: JsonValue): readonly string[] =>
    mustEnd(() => list(old, replacement, 'input'));
  const nest = (leaf: JsonValue, levels: number): JsonValue => {
    let schema = leaf;
    for (let level = 0; level < levels; level += 1) schema = object({ x: schema }, { required: ['x'] });
    return schema;
  };
  const wide = (make: (index: number) => JsonValue): JsonValue =>
    object(Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`p${index}`, make(index)])));

  test('200 levels are compared', () => {
    expect(listInTime(nest(text, 200), nest(number, 200))).toEqual([
      `type-changed error ${'/properties/x'.repeat(200)}`,
    ]);
  });

  test('1,000 properties are compared', () => {
    const findings = listInTime(
      wide(() => text),
      wide((index) => (index % 10 === 0 ? number : text)),
    );
    expect(findings).toHaveLength(100);
  });

  test('100 tagged branches are compared', () => {
    const union = (count: number, make: (index: number) => JsonValue): JsonValue => ({
      oneOf: Array.from({ length: count }, (_, index) =>
        object({ kind: { const: `t${index}` }, a: make(index) }, { required: ['kind'] }),
      ),
    });
    expect(
      listInTime(
        union(100, () => text),
        union(101, (index) => (index === 7 ? number : text)),
      ),
    ).toEqual(['type-changed error /oneOf/7/properties/a', 'one-of-branch-added info /oneOf']);
  });

  test('a chain of definitions too deep for the stack is undecided, not a crash', { tags: ['slow'] }, () => {
    const chain = (leaf: JsonValue): JsonValue => {
      const $defs: Record<string, JsonValue> = { A3000: leaf };
      for (let level = 0; level < 3_000; level += 1)
        $defs[`A${level}`] = object({ next: { $ref: `#/$defs/A${level + 1}` } });
      return { $ref: '#/$defs/A0', $defs };
    };
    expect(listInTime(chain(text), chain(number))).toEqual(['undecided warn ']);
  });

  test('branches within branches end in a finding or in doubt, not in a crash', { tags: ['slow'] }, () => {
    const nest = (leaf: JsonValue): JsonValue => {
      let schema = leaf;
      for (let level = 0; level < 198; level += 1) schema = { anyOf: [object({ next: schema }), text] };
      return { properties: { deep: schema, flat: leaf } };
    };
    const findings = compareSchemas(nest(text), nest(number), { direction: 'output' });
    expect(findings.map(({ path }) => path)).toContain('/properties/flat');
    expect(findings.length).toBeGreaterThan(1);
  });

  test('a chain of bare references is followed to its end', () => {
    const chain = (leaf: JsonValue): JsonValue => {
      const $defs: Record<string, JsonValue> = { A3000: leaf };
      for (let level = 0; level < 3_000; level += 1) $defs[`A${level}`] = { $ref: `#/$defs/A${level + 1}` };
      return { $ref: '#/$defs/A0', $defs };
    };
    expect(listInTime(chain(text), chain(number))).toEqual(['type-changed error /$defs/A3000']);
  });

  test('names that objects inherit are names like others', () => {
    const make = (type: string): JsonValue =>
      JSON.parse(
        `{"type":"object","properties":{"__proto__":{"type":"${type}"},"constructor":{"type":"${type}"}}}`,
      ) as JsonValue;
    expect(list(make('string'), make('number'), 'input')).toEqual([
      'type-changed error /properties/__proto__',
      'type-changed error /properties/constructor',
    ]);
  });
});

test.each<readonly [string, JsonValue, JsonValue, string]>([
  ['a value beside null', { enum: [null] }, { enum: [null, 'b'] }, 'enum-value-added info'],
  ['null alone', { enum: ['b', null] }, { type: 'null' }, 'enum-value-removed error'],
  [
    'more properties than are required',
    { required: ['a'] },
    { required: ['a'], minProperties: 2 },
    'min-properties-raised error',
  ],
])('%s is one finding', (_, old, replacement, expected) => {
  const findings = compareSchemas(old, replacement, { direction: 'input' });
  expect(findings.map(({ ruleId, severity }) => `${ruleId} ${severity}`)).toEqual([expected]);
});

test('a hundred tagged branches that all change are distinguished by their tags', () => {
  const union = (type: string): JsonValue => ({
    oneOf: Array.from({ length: 100 }, (_, index) => ({
      type: 'object',
      required: ['kind'],
      properties: { kind: { const: `k${index}` }, value: { type } },
    })),
  });
  const findings = compareSchemas(union('string'), union('number'), { direction: 'output' });
  expect(findings.map(({ ruleId }) => ruleId)).toEqual(Array.from({ length: 100 }, () => 'type-changed'));
});

test('a reference that the way to it redirects is a doubt where anything changed', () => {
  const list = (type: string): JsonValue => ({
    $id: 'https://example.com/root',
    $ref: 'list',
    $defs: {
      item: { $dynamicAnchor: 'T', type },
      list: { $id: 'list', items: { $dynamicRef: '#T' }, $defs: { any: { $dynamicAnchor: 'T' } } },
    },
  });
  const compare = (old: JsonValue, replacement: JsonValue) =>
    compareSchemas(old, replacement, { direction: 'input' }).map(({ ruleId, path }) => `${ruleId} ${path}`);
  expect(compare(list('string'), list('number'))).toEqual(['undecided /$defs/list/items/$dynamicRef']);
  expect(compare(list('string'), list('string'))).toEqual([]);
});

test('a tuple of draft-07 is named as it is written', () => {
  const tuple = (type: string): JsonValue => ({ items: [{ type }], additionalItems: { type } });
  const findings = compareSchemas(tuple('string'), tuple('number'), { direction: 'output' });
  expect(findings.map(({ path }) => path)).toEqual(['/items/0', '/additionalItems']);
});

test('a bound is rounded to a whole number only where both sides are whole', () => {
  const messagesOf = (old: object, replacement: object) =>
    compareSchemas(old, replacement, { direction: 'output' }).map(({ message }) => message);
  expect(messagesOf({ type: 'integer', minimum: 3 }, { type: 'number', exclusiveMinimum: 2 })).toEqual([
    'Numbers with a fraction are allowed; they had to be whole.',
    'The lower bound changed from >= 3 to > 2.',
  ]);
  expect(messagesOf({ type: 'number', exclusiveMaximum: 4 }, { type: 'integer', maximum: 3 })).toEqual([
    'Numbers have to be whole; they could have a fraction.',
    'The upper bound changed from < 4 to <= 3.',
  ]);
  expect(messagesOf({ type: 'integer', minimum: 3 }, { type: 'integer', exclusiveMinimum: 2 })).toEqual([]);
});
