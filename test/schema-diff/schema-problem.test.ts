import { expect, test } from 'vitest';
import { compareSchemas } from '../../src/schema-diff/compare-schemas.ts';
import { SchemaProblem } from '../../src/schema-diff/schema/schema-document.ts';

function findProblem(run: () => unknown): SchemaProblem | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof SchemaProblem) return error;
    throw error;
  }
}

const problemOf = (schema: unknown): SchemaProblem | undefined =>
  findProblem(() => compareSchemas(true, schema, { direction: 'input' }));

const cyclic: Record<string, unknown> = { type: 'object' };
cyclic['properties'] = { self: cyclic };

function nest(levels: number): unknown {
  let schema: unknown = { type: 'string' };
  for (let level = 0; level < levels; level += 1) schema = { items: schema };
  return schema;
}

test.each<readonly [string, unknown, string]>([
  ['a number for a schema', 5, ''],
  ['null for a schema', null, ''],
  ['a list for a schema', { properties: { a: [] } }, '/properties/a'],
  ['an unknown type', { properties: { a: { type: 'strng' } } }, '/properties/a/type'],
  ['a bad regex', { pattern: '(' }, '/pattern'],
  ['a bad regex for names', { patternProperties: { '(': true } }, '/patternProperties'],
  ['required that is not a list', { properties: { 'a/b': { required: true } } }, '/properties/a~1b/required'],
  ['a negative length', { minLength: -1 }, '/minLength'],
  ['a step of 0', { multipleOf: 0 }, '/multipleOf'],
  ['a boolean bound of draft-04', { exclusiveMinimum: true }, '/exclusiveMinimum'],
  ['properties that are a list', { properties: [] }, '/properties'],
  ['an empty union', { anyOf: [] }, '/anyOf'],
  ['dependencies on a number', { dependencies: { a: 1 } }, '/dependencies'],
  ['dependent names that are no list', { dependentRequired: { a: 'b' } }, '/dependentRequired'],
  ['a reference to nowhere', { properties: { a: { $ref: '#/$defs/A' } } }, '/properties/a/$ref'],
  ['a reference out of the schema', { items: { $ref: 'https://example.com/a.json' } }, '/items/$ref'],
  ['a reference to an unknown anchor', { items: { $ref: '#a' } }, '/items/$ref'],
  ['a reference to what is no schema', { title: 'x', items: { $ref: '#/title' } }, '/title'],
  ['a reference to itself', { $ref: '#' }, '/$ref'],
  [
    'references in a ring',
    { $ref: '#/$defs/A', $defs: { A: { $ref: '#/$defs/B' }, B: { $ref: '#/$defs/A' } } },
    '/$defs/B/$ref',
  ],
  ['a branch that is the whole', { allOf: [{ $ref: '#' }, { type: 'string' }] }, '/allOf/0/$ref'],
  ['a choice that is the whole', { oneOf: [{ type: 'null' }, { $ref: '#', minimum: 1 }] }, '/oneOf/1/$ref'],
  ['a negation of the whole', { items: { not: { $ref: '#/items' } } }, '/items/not/$ref'],
  ['a condition that is the whole', { properties: { a: { if: { $ref: '#/properties/a' } } } }, '/properties/a/if/$ref'],
  ['a dependent schema that is the whole', { dependentSchemas: { a: { $ref: '#' } } }, '/dependentSchemas/a/$ref'],
  ['an object that contains itself', cyclic, '/properties/self'],
])('%s is named with its place', (_, schema, pointer) => {
  expect(problemOf(schema)).toMatchObject({ pointer, side: 'new' });
});

test('nesting that would overflow the stack is refused', () => {
  expect(problemOf(nest(5_000))?.message).toBe('The schema is nested deeper than 400 levels.');
});

test('branches that refer to each other without end are refused', () => {
  const $defs: Record<string, unknown> = { A2000: { type: 'string' } };
  for (let level = 0; level < 2_000; level += 1)
    $defs[`A${level}`] = { allOf: [{ $ref: `#/$defs/A${level + 1}` }, { minLength: 1 }] };
  expect(problemOf({ $ref: '#/$defs/A0', $defs })?.message).toContain('references lead into each other');
});

test('a problem of the old schema names its side', () => {
  const problem = findProblem(() => compareSchemas({ type: 'strng' }, true, { direction: 'output' }));
  expect(problem).toMatchObject({ side: 'old', pointer: '/type' });
});

test('a message names what was found and the next step', () => {
  expect(problemOf({ items: { $ref: 'https://example.com/a.json' } })?.message).toBe(
    '$ref "https://example.com/a.json" leads out of the schema and nothing is fetched; copy its target under $defs.',
  );
  expect(problemOf({ type: 'strng' })?.message).toBe(
    '"type" must be one of array, boolean, integer, null, number, object, string, or a list of them; found "strng".',
  );
  const long = 'x'.repeat(100);
  expect(problemOf({ type: long })?.message).toContain(`found "${'x'.repeat(59)}….`);
});

test('recursion through smaller values is fine, as are two ways to one schema', () => {
  const text = { type: 'string' };
  expect(
    problemOf({
      anyOf: [{ $ref: '#/$defs/text' }, { items: { $ref: '#' } }, { allOf: [{ $ref: '#/$defs/text' }] }],
      properties: { not: { $ref: '#' }, allOf: { not: { properties: { deeper: { $ref: '#' } } } } },
      $defs: { text },
    }),
  ).toBeUndefined();
});
