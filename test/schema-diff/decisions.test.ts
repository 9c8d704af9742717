import { expect, test } from 'vitest';
import { checkJsonPathAgainstSchema, checkVariable } from '../../src/schema-diff/check-paths.ts';
import { compareSchemas } from '../../src/schema-diff/compare-schemas.ts';

const [text, number, whole] = [{ type: 'string' }, { type: 'number' }, { type: 'integer' }];

function objectOf(properties: object, more: object = {}) {
  return { type: 'object', properties, ...more };
}

function tagged(kind: string, more: object = {}) {
  return objectOf({ kind: { const: kind }, a: text, ...more }, { required: ['kind'] });
}

function otherTag(kind: string) {
  return objectOf({ type: { const: kind }, a: text }, { required: ['type'] });
}

/** Without a required tag, so that both may take one value. */
function loose(kind: string, a: object = text) {
  return objectOf({ kind: { const: kind }, a });
}

function conditional(c: object) {
  // Written as text: an object with a `then` could be awaited by mistake.
  const rest = JSON.parse(
    '{"if":{"properties":{"k":{"const":"a"}}},"then":{"properties":{"b":{"type":"string"}}}}',
  ) as object;
  return { ...objectOf({ k: text }), ...rest, else: { properties: { c } } };
}

function wholeIn(minimum: number, maximum: number) {
  return { ...whole, minimum, maximum };
}

/** In a property, so that the definition is no part of its text. */
function elsewhere(other: object) {
  const part = { allOf: [objectOf({ a: { ...text } })], unevaluatedProperties: { $ref: '#/$defs/other' } };
  return objectOf({ p: part }, { $defs: { other } });
}

const shortText = { ...text, maxLength: 3 };
const mixed = { type: ['object', 'string'] };

const pairs: readonly (readonly [title: string, old: unknown, replacement: unknown])[] = [
  ['other types beside null', { type: ['string', 'null'] }, { type: ['number', 'null'] }],
  ['whole numbers become a list', whole, { ...number, enum: [1, 2] }],
  ['a list becomes whole numbers', { ...number, enum: [1, 2] }, whole],
  ['a constant becomes a list', { const: 'a' }, { enum: ['b', 'c'] }],
  ['a list becomes a constant', { enum: ['b', 'c'] }, { const: 'a' }],
  ['a constant beside null', { enum: ['a', null] }, { enum: ['b', null] }],
  ['of two equal branches one changes', { anyOf: [text, text] }, { anyOf: [text, number] }],
  ['another tag', { anyOf: [tagged('a'), tagged('b')] }, { anyOf: [tagged('a'), tagged('c')] }],
  [
    'a branch without the tag',
    { anyOf: [tagged('a'), objectOf({ b: number })] },
    { anyOf: [tagged('a'), objectOf({ b: text })] },
  ],
  [
    'a tagged branch of oneOf',
    { oneOf: [tagged('a'), tagged('b')] },
    { oneOf: [tagged('a', { a: number }), tagged('b')] },
  ],
  [
    'oneOf loses a branch that overlapping ones cover',
    { oneOf: [wholeIn(0, 5), wholeIn(10, 15), text] },
    { oneOf: [wholeIn(0, 20), { type: ['string', 'integer'], minimum: 3 }] },
  ],
  [
    'oneOf gets a branch that overlapping ones covered',
    { oneOf: [wholeIn(0, 20), { type: ['string', 'integer'], minimum: 3 }] },
    { oneOf: [wholeIn(0, 5), wholeIn(10, 15), text] },
  ],
  [
    'oneOf of values refuses one that is listed twice',
    { oneOf: [{ const: 'a' }, { enum: ['a', 'b'] }] },
    { enum: ['a', 'b'] },
  ],
  [
    'null in a union beside a type',
    { ...text, anyOf: [{ minLength: 1 }, { pattern: 'a' }, { type: 'null' }] },
    { ...text, anyOf: [{ minLength: 1 }, { pattern: 'a' }] },
  ],
  [
    'null in a union beside a type within a union',
    { anyOf: [{ ...text, anyOf: [shortText, { ...text, pattern: 'a' }, { type: 'null' }] }, number] },
    { anyOf: [shortText, { ...text, pattern: 'a' }, number] },
  ],
  [
    'a branch of several types that refuses null',
    { anyOf: [{ type: ['string', 'integer', 'null'], not: { const: null } }, { type: 'boolean' }] },
    { anyOf: [text, whole, { type: ['boolean', 'null'] }] },
  ],
  [
    'null that was refused beside several types is a branch',
    { type: ['string', 'integer', 'null'], not: { enum: ['', null] } },
    { anyOf: [{ ...text, not: { const: '' } }, whole, { type: 'null' }] },
  ],
  [
    'a branch of several types is written as several, and another one takes more',
    { anyOf: [{ type: ['string', 'integer'] }, { type: 'object' }] },
    { anyOf: [text, whole, { type: ['object', 'null'] }] },
  ],
  ['halves become whole numbers', { ...number, multipleOf: 0.5 }, whole],
  ['what else is refused changes behind a reference', elsewhere(text), elsewhere(number)],
  [
    'what else is refused, beside a property with a name of a keyword',
    objectOf({}, { allOf: [objectOf({ title: text })], unevaluatedProperties: false }),
    objectOf({}, { allOf: [objectOf({ title: { ...text, minLength: 0 } })], unevaluatedProperties: false }),
  ],
  [
    'branches that share a name are paired by what else they share',
    { anyOf: [objectOf({ k: text, a: text }), objectOf({ k: text, b: text, c: text, d: text })] },
    { anyOf: [objectOf({ k: text, b: text, c: text, e: text }), objectOf({ k: text, a: whole })] },
  ],
  ['oneOf loses its tag', { oneOf: [tagged('a'), tagged('b')] }, { oneOf: [loose('a', number), loose('b')] }],
  ['oneOf has no tag', { oneOf: [loose('a'), loose('b')] }, { oneOf: [loose('a', number), loose('b')] }],
  [
    'a tagged branch of oneOf takes texts too',
    { oneOf: [{ ...tagged('a'), ...mixed }, tagged('b')] },
    { oneOf: [{ ...tagged('a', { a: number }), ...mixed }, tagged('b')] },
  ],
  [
    'oneOf becomes anyOf',
    { oneOf: [objectOf({ a: text }), objectOf({ b: text })] },
    { anyOf: [objectOf({ a: text }), objectOf({ b: text })] },
  ],
  ['oneOf becomes its first', { oneOf: [objectOf({ a: text }), objectOf({ b: text })] }, objectOf({ a: text })],
  ['constants of oneOf become a list', { oneOf: [{ const: 'a' }, { const: 'b' }] }, { oneOf: [{ enum: ['a', 'b'] }] }],
  [
    'overlapping branches take the place of one',
    { oneOf: [{ const: 'a' }, number] },
    { oneOf: [text, { ...text, minLength: 1 }, number] },
  ],
  ['of overlapping branches one goes', { oneOf: [text, shortText] }, { oneOf: [shortText, number] }],
  ['the tag is renamed', { anyOf: [tagged('a'), tagged('b')] }, { anyOf: [otherTag('a'), otherTag('b')] }],
  ['one branch stays, with another tag', { anyOf: [tagged('a'), tagged('b')] }, { anyOf: [otherTag('a')] }],
  [
    'may be left out, and what it holds be null',
    objectOf({ a: objectOf({ b: text }) }, { required: ['a'] }),
    objectOf({ a: objectOf({ b: { type: ['string', 'null'] } }) }),
  ],
  [
    'may be left out or null',
    objectOf({ a: text }, { required: ['a'] }),
    objectOf({ a: { type: ['string', 'null'] } }),
  ],
  ['two go and one alike comes', objectOf({ a: text, b: text }), objectOf({ c: text })],
  ['one goes and two alike come', objectOf({ a: text }), objectOf({ b: text, c: text })],
  [
    'renamed with other examples',
    objectOf({ a: { ...text, examples: ['x'] } }),
    objectOf({ b: { ...text, examples: ['y'] } }),
  ],
  [
    'an item that no list reaches',
    { type: 'array', prefixItems: [text, text], maxItems: 1 },
    { type: 'array', prefixItems: [text, number], maxItems: 1 },
  ],
  [
    'the items behind a first one',
    { type: 'array', prefixItems: [text], items: text, maxItems: 2 },
    { type: 'array', prefixItems: [text], items: number, maxItems: 2 },
  ],
  [
    'a limit of contains comes',
    { type: 'array', contains: shortText },
    { type: 'array', contains: text, maxContains: 2 },
  ],
  [
    'a limit of contains goes',
    { type: 'array', contains: shortText, maxContains: 2 },
    { type: 'array', contains: text },
  ],
  ['an unknown keyword comes as null', text, { ...text, myKeyword: null }],
  ['an unknown keyword goes', { ...text, myKeyword: 1 }, text],
  ['what holds where a condition does not', conditional(text), conditional(number)],
];

test('each decision of a comparison has its finding, in both directions', { tags: ['slow'] }, async () => {
  const shown = pairs.flatMap(([title, old, replacement]) => [
    title,
    ...(['input', 'output'] as const).flatMap((direction) => [
      `  ${direction}`,
      ...compareSchemas(old, replacement, { direction }).map((found) => {
        const sides = [found.old, found.new].map((side) => JSON.stringify(side)).join(' → ');
        return `    ${found.severity} ${found.ruleId} ${found.path} ${sides}`;
      }),
    ]),
  ]);
  await expect(`${shown.join('\n')}\n`).toMatchFileSnapshot('snapshots/decisions.txt');
});

test('rules, places and removals of a schema within a contract go by its own place', () => {
  const [old, replacement] = [objectOf({ a: { enum: ['x'] }, b: text }), objectOf({ a: { enum: ['x', 'y'] } })];
  const base = { direction: 'output', at: '/outputSchema', rulePrefix: 'tool-parameter-' } as const;
  const grade = (more: object) =>
    compareSchemas(old, replacement, { ...base, ...more }).map(({ severity, path }) => `${severity} ${path}`);
  const [widened, removed] = ['error /outputSchema/properties/a', 'warn /outputSchema/properties/b'];
  const override = (part: object) => ({ overrides: [{ ...part, severity: 'info' }] });
  const lowered = ['info /outputSchema/properties/a', removed];
  expect(grade({})).toEqual([widened, removed]);
  expect(grade(override({ rule: 'enum-value-added' }))).toEqual(lowered);
  expect(grade(override({ rule: 'tool-parameter-enum-value-added' }))).toEqual(lowered);
  expect(grade(override({ path: '/outputSchema/properties/a' }))).toEqual(lowered);
  expect(grade(override({ path: '/properties/a' }))).toEqual([widened, removed]);
  expect(grade({ ignore: ['/outputSchema/properties/a'] })).toEqual([removed]);
  expect(grade({ ignore: ['/properties/a'] })).toEqual([widened, removed]);
  const announced = [widened, 'info /outputSchema/properties/b'];
  expect(grade({ removed: ['b'] })).toEqual(announced);
  expect(grade({ removed: ['/outputSchema/properties/b'] })).toEqual(announced);
  expect(grade({ removed: ['/properties/b'] })).toEqual([widened, removed]);
});

test.each([
  ['an open object', '$.b', objectOf({ a: text }), false],
  ['a closed object', '$.b', objectOf({ a: text }, { additionalProperties: false }), true],
  ['what is closed as a whole', '$.b', objectOf({ a: text }, { unevaluatedProperties: false }), true],
  ['a listed object', '$.b', objectOf({ a: text }, { enum: [{ b: 1 }] }), undefined],
  ['a name that is only required', '$.b', objectOf({ a: text }, { required: ['b'] }), undefined],
  ['names by a pattern', '$.b', objectOf({ a: text }, { patternProperties: { '^x': text } }), undefined],
  ['the last item', '$[-1].b', { type: 'array', items: objectOf({ a: text }) }, false],
  ['the last item behind a first one', '$[-1].b', { type: 'array', prefixItems: [text], items: whole }, undefined],
  ['nothing at all', '$.a', false, true],
])('a path into %s', (_title, path, schema, closed) => {
  expect(checkJsonPathAgainstSchema(path, schema)?.closed).toBe(closed);
});

test('a variable may be named as what templates compute', () => {
  const schema = objectOf({ a: text }, { additionalProperties: false });
  expect(['size', 'a.size', 'b'].map((name) => checkVariable(name, schema)?.closed)).toEqual([true, undefined, true]);
});
