import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import type { CompletionView } from '../../src/assertions/define.ts';
import { assertions } from '../../src/assertions/index.ts';
import { describeAssertions } from '../../src/listing/list-parts.ts';
import type { CheckSpec, SelectSpec } from '../../src/model/run/verdict.ts';
import { growsLinearly } from '../support/growth.ts';
import fc, { codePoint } from '../support/property.ts';
import { buildSpec, buildToolCall, buildView, combine, judgeOne, outcomeOf } from './judge-one.ts';

/** Parameters that some answers pass and others fail. */
const samples: Readonly<Record<string, readonly unknown[]>> = {
  equals: [{ value: 'a' }, { value: { a: 1 } }, { value: 1, trim: true, ignoreCase: true }],
  contains: [{ value: 'a' }, { value: 'A', ignoreCase: true }],
  containsAll: [{ value: ['a', 'b'] }],
  containsAny: [{ value: ['a', '}'] }],
  startsWith: [{ value: 'a' }],
  endsWith: [{ value: 'a', trim: true }],
  regex: [{ value: '[a-c]+\\s*$' }, { value: '(a|b)+c', flags: 'iu' }],
  length: [
    { max: 5 },
    { max: 2, unit: 'words' },
    { max: 1, unit: 'sentences' },
    { max: 1, unit: 'lines' },
    { max: 9, unit: 'tokens' },
  ],
  oneOf: [{ value: ['a', 1, null, { a: 1 }] }],
  json: [{}, { value: false }],
  jsonSchema: [
    { value: { type: 'object', required: ['a'] } },
    { value: { anyOf: [{ type: 'array', items: { $ref: '#' } }, { type: 'null' }] } },
  ],
  jsonPath: [{ path: '$..a' }, { path: '$[?@.a == 1]', count: 1 }, { path: '$.a', value: 1 }],
  number: [{ value: 1, tolerance: '10%' }, { max: 0 }],
  list: [{ value: ['a', 'b'] }, { value: ['a', 1], ordered: true, min: 0.5 }],
  refusal: [{}, { value: false }],
  finishReason: [{ value: 'stop' }],
  toolCalls: [
    { value: ['a', { name: 'b', args: { x: 1 } }] },
    { none: true },
    {
      value: [
        { name: 'a', count: { max: 1 } },
        { name: 'b', args: { x: 1 }, ignore: ['$.y[*]'], compare: 'exact' },
      ],
    },
    { count: { min: 1 }, names: ['a'], order: 'exact' },
  ],
  trajectory: [
    { calls: ['a', { name: 'b', args: { x: 1 } }], order: 'ordered', never: ['c'] },
    { counts: { a: 1 }, steps: { max: 2 }, noRepeats: true },
    { state: { a: 1 } },
  ],
  cost: [{ max: 0.001 }],
  latency: [{ max: '100ms' }],
  tokens: [{ max: 100 }],
  language: [{ value: 'en' }, { value: ['fr', 'zh'], min: 0.2 }],
  xml: [{}, { value: false }, { root: 'a', contains: ['a', '//b', '//a/@b'] }],
  html: [{}, { value: false }, { contains: ['a'] }],
  sql: [{}, { value: false }, { dialect: 'mysql', tables: ['a'], statements: ['select'] }],
  markdown: [{ lists: { min: 1 } }, { sections: ['a'], maxLevel: 2 }, { codeBlocks: 1, tables: 0, links: { max: 9 } }],
  levenshtein: [
    { value: 'ab', max: 3 },
    { value: 'b'.repeat(20_000), min: 0.01, ignoreCase: true },
  ],
  rouge: [
    { value: 'a b', min: 0.5 },
    { value: ['a', 'b a '.repeat(200)], n: 'L', measure: 'recall', min: 0.1 },
  ],
  bleu: [
    { value: 'a b', min: 0.5 },
    { value: ['a', 'b'], smoothing: 'exp', min: 0.1 },
  ],
  pii: [{ value: true }, { value: false, kinds: ['email', 'iban'], allow: ['a@b.cc'] }],
  secrets: [{ value: true }, { value: false, entropy: false }],
  module: [{ value: 'check.mjs' }],
  exec: [{ value: 'node check.mjs' }],
  files: [{ changed: ['a'] }, { untouched: ['**'] }],
  command: [{ value: 'node check.mjs' }],
  rubric: [
    { value: 'it has an a', votes: 3 },
    { value: 'it has an a', threshold: 0.5 },
  ],
  choice: [
    {
      value: 'Has {answer} an a?',
      choices: [
        { choice: 'yes', score: 1 },
        { choice: 'a', score: 0.2 },
      ],
    },
  ],
  factual: [{ value: 'a' }, { value: { a: 1 }, input: false }],
  pairwise: [{ value: 'which has more' }],
  similar: [
    { value: 'a b', provider: 'openai:m', min: 0.5 },
    { value: ['I want my money back'], min: 0.3 },
  ],
  snapshot: [{}, { value: 'normalised', min: 0.5 }],
};

const selects: readonly (SelectSpec | undefined)[] = [
  undefined,
  { kind: 'json' },
  { kind: 'jsonPath', path: '$..a' },
  { kind: 'regex', pattern: '([a-z]+)[^a]*', flags: 'i', group: 1, match: 'last' },
  { kind: 'codeBlock', language: '' },
  { kind: 'xmlTag', tag: 'a' },
  { kind: 'toolCalls' },
  { kind: 'reasoning' },
];

const specs: readonly CheckSpec[] = Object.entries(samples).flatMap(([name, list]) =>
  list.flatMap((params) => selects.map((select) => buildSpec(name, params, { select }))),
);

const text = fc.oneof(
  fc.string({ unit: codePoint }),
  fc.string({
    unit: fc.constantFrom('a', 'b', ' ', '\n', '1', '"', '{', '[', ',', '`', '<a>', '```\n', '\ud800', '.', '- '),
  }),
  fc.json(),
  fc.constantFrom(
    '{"a":1}',
    'select a from a',
    'DELETE FROM b;',
    '{"__proto__":{"a":1},"constructor":null}',
    "I'm sorry, but I can't help with that.",
  ),
);

const view: fc.Arbitrary<CompletionView> = fc
  .record({
    text,
    reasoning: text,
    refusal: fc.constantFrom('', 'No.'),
    finishReason: fc.constantFrom('stop', 'length', 'refusal'),
    latencyMs: fc.constantFrom(0, 100, 1e6),
    costUsd: fc.constantFrom(undefined, 0, 1),
    usage: fc.constantFrom({ inputTokens: 0, outputTokens: 0 }, { inputTokens: 1000, outputTokens: 1 }),
    toolCalls: fc.array(
      fc.oneof(
        fc
          .record({ name: fc.constantFrom('a', 'b', '__proto__'), args: fc.jsonValue() })
          .map(({ name, args }) => buildToolCall(name, args ?? null)),
        text.map((raw) => buildToolCall('b', raw)),
      ),
      { maxLength: 3 },
    ),
  })
  .map(buildView);

test('every assertion but the combinators has sample parameters here', () => {
  const leaves = Object.keys(assertions).filter((name) => assertions[name]?.children === undefined);
  expect(Object.keys(samples).sort()).toEqual(leaves.sort());
});

test('a check gives the same verdict twice, a score in [0, 1], a short reason, and not inverts it unless it is an error', {
  tags: 'slow',
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...specs), view, async (spec, answer) => {
      const verdict = await judgeOne(spec, answer);
      expect(await judgeOne(spec, answer)).toEqual(verdict);
      expect(verdict.score).toBeGreaterThanOrEqual(0);
      expect(verdict.score).toBeLessThanOrEqual(1);
      expect(verdict.reason).not.toBe('');
      expect(verdict.reason.length).toBeLessThan(2000);
      const inverse = await judgeOne(combine('not', spec), answer);
      // What is missing or in error comes through `not` as it was; all else is told apart by its reason.
      const inverted = inverse.reason !== verdict.reason;
      const opposite = verdict.pass ? 'fail' : 'pass';
      expect(outcomeOf(inverse)).toBe(inverted ? opposite : outcomeOf(verdict));
      expect(inverse.score).toBeCloseTo(inverted ? 1 - verdict.score : 0);
      expect(inverted || !verdict.pass).toBe(true);
      const [any, all] = [
        await judgeOne(combine('anyOf', spec), answer),
        await judgeOne(combine('allOf', spec), answer),
      ];
      expect([outcomeOf(any), outcomeOf(all)]).toEqual([outcomeOf(verdict), outcomeOf(verdict)]);
    }),
    { numRuns: 300 },
  );
});

describe('an answer is judged in time that grows with its length', { tags: 'slow' }, () => {
  const parts = [
    'a',
    ' ',
    '\n',
    'a.\n',
    '- a\n',
    '1,',
    '[',
    '"',
    '\\',
    '😀',
    '\ud800',
    '<a>',
    '```\n',
    "I can't ",
    '. ',
    '。',
    '0',
    'a@',
    '&amp;',
    '<a b="">',
    '</a>',
    '[a](b) ',
    'GB82 ',
    'aB3/',
    '(select ',
  ];
  type Build = (chars: number) => string;
  const answers: readonly Build[] = [
    ...parts.map(
      (part): Build =>
        (chars) =>
          part.repeat(Math.ceil(chars / part.length)),
    ),
    (chars) => JSON.stringify(Array.from({ length: chars / 10 }, (_, index) => ({ a: index }))),
    (chars) => JSON.stringify({ a: 'a'.repeat(chars) }),
    (chars) => `${'['.repeat(499)}1${']'.repeat(499)}`.padEnd(chars),
  ];
  const statements: readonly Build[] = [
    (chars) => `select ${'a, '.repeat(chars / 3)}a from a`,
    (chars) => `select a from a where ${'a = 1 or '.repeat(chars / 9)}1 = 1`,
  ];
  /** The beginnings of the answers whose time grows faster. */
  async function findSlow(spec: CheckSpec, builds: readonly Build[], chars = 8000): Promise<readonly string[]> {
    const slow: string[] = [];
    for (const build of builds) {
      const isLinear = await growsLinearly((size) => {
        const answer = build(size);
        return judgeOne(spec, { text: answer, reasoning: answer });
      }, chars);
      if (!isLinear) slow.push(build(100).slice(0, 20));
    }
    return slow;
  }

  // A regex takes as long as its author wants, up to its deadline.
  test.each(Object.entries(samples).filter(([name]) => name !== 'regex'))('%s', async (name, list) => {
    // A grammar for SQL takes a hundred times longer for each character.
    const [builds, chars] = name === 'sql' ? [[...answers, ...statements], 1000] : [answers, 8000];
    for (const params of list) {
      expect([params, await findSlow(buildSpec(name, params), builds, chars)]).toEqual([params, []]);
    }
  });

  test.each(selects.flatMap((select) => (select === undefined ? [] : [select])))('select %j', async (select) => {
    expect(await findSlow(buildSpec('contains', { value: 'b' }, { select }), answers)).toEqual([]);
  });
});

test('an answer of 1 MB with all that is hostile throws nothing', { tags: 'slow' }, async () => {
  const hostile = '\ud800\u0000\u001b[31m{"__proto__":"'.repeat(40_000);
  for (const spec of specs) expect((await judgeOne(spec, hostile)).reason.length).toBeLessThan(2000);
});

describe.each(Object.entries(assertions))('the declaration of %s', (name, assertion) => {
  test('has a JSON Schema for editors', () => {
    expect(z.toJSONSchema(assertion.params, { io: 'input' })).toMatchObject({
      type: 'object',
      additionalProperties: false,
    });
  });

  test('shows the reason that its example gives for a wrong answer, and where its meaning comes from', async () => {
    const described = (await describeAssertions(process.cwd())).find((one) => one.assertion === name);
    expect(described?.failure).toMatch(/\w/);
    expect(described?.definition).toMatch(/\w/);
    expect(described?.parameters.length).toBe(
      Object.keys(
        Object(Reflect.get(z.toJSONSchema(assertion.params, { io: 'input', unrepresentable: 'any' }), 'properties')),
      ).length,
    );
  });

  test('has an example of itself that is valid', () => {
    const example: unknown = parse(assertion.example);
    expect(Object.keys(Object(example))).toEqual([name]);
    if (assertion.children !== undefined) return;
    const value: unknown = Object(example)[name];
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value) && assertion.wholeValue !== true;
    expect(isMap || assertion.main !== undefined).toBe(true);
    expect(assertion.params.safeParse(isMap ? value : { [assertion.main ?? '']: value }).error).toBeUndefined();
  });
});

describe('ignoreCase', () => {
  const lower = 'the cat sat on a mat';
  test.each([
    ['equals', {}],
    ['contains', {}],
    ['containsAll', {}],
    ['containsAny', {}],
    ['startsWith', {}],
    ['endsWith', {}],
    ['levenshtein', { max: 0 }],
    ['bleu', { min: 1 }],
    ['rouge', { min: 1 }],
  ])('applies to both sides of %s: what is wanted and what was answered', async (name, more) => {
    const isList = name === 'containsAll' || name === 'containsAny';
    const passes = async (wanted: string, answer: string, ignoreCase: boolean) => {
      const params = { value: isList ? [wanted] : wanted, ignoreCase, ...more };
      return (await judgeOne(buildSpec(name, params), answer)).pass;
    };
    for (const ignoreCase of [true, false]) {
      const found = [
        await passes(lower, lower.toUpperCase(), ignoreCase),
        await passes(lower.toUpperCase(), lower, ignoreCase),
      ];
      expect([name, ...found]).toEqual([name, ignoreCase, ignoreCase]);
    }
  });
});
