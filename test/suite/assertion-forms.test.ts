import { join } from 'node:path';
import { expect, test } from 'vitest';
import { casesOf, fixtureFolder, loadAt, onlySuite } from './load-fixture.ts';

async function checksOf(id: string) {
  const suite = onlySuite(await loadAt(join(fixtureFolder, 'assertions'), ['evals']));
  return casesOf(suite)[id]?.checks ?? [];
}

test('the value is the main parameter, or a map of parameters, and templates keep their types', async () => {
  const checks = await checksOf('forms');
  expect(checks.map(({ assertion, params }) => [assertion, params])).toMatchObject([
    ['contains', { value: 'refund', ignoreCase: false }],
    ['contains', { value: 'refunds', ignoreCase: true }],
    ['equals', { value: { queue: 'billing' } }],
    ['equals', { value: { queue: 'billing' } }],
    ['equals', { value: [1, 2] }],
    ['containsAll', { value: ['a', 'refund'] }],
    ['length', { max: 80 }],
    ['jsonSchema', { value: { type: 'array' } }],
    ['jsonSchema', { value: { type: 'object', properties: { value: { const: 'refund' } } } }],
    ['regex', { value: String.raw`^\d{2}$` }],
  ]);
});

test('the source is what was written, rendered: the content of a file in place of its path', async () => {
  const sources = (await checksOf('forms')).map(({ source }) => source);
  expect(sources.slice(0, 3)).toEqual([
    { contains: 'refund' },
    { contains: { value: 'refunds', ignoreCase: true } },
    { equals: { queue: 'billing' } },
  ]);
  expect(sources[7]).toEqual({ jsonSchema: { type: 'array' } });
});

test('select has one form for each part of an answer', async () => {
  expect((await checksOf('select')).map(({ select }) => select)).toEqual([
    { kind: 'text' },
    { kind: 'json' },
    { kind: 'jsonPath', path: '$.a' },
    { kind: 'regex', pattern: 'x(.)', flags: 'i', group: 1, match: 'last' },
    { kind: 'regex', pattern: 'x', flags: '', group: 0, match: 'first' },
    { kind: 'codeBlock', language: 'json' },
    { kind: 'xmlTag', tag: 'answer' },
    { kind: 'trim' },
    { kind: 'replace', pattern: 'a', flags: 'i', with: 'b', match: 'all' },
    {
      kind: 'steps',
      steps: [
        { kind: 'codeBlock', language: 'json' },
        { kind: 'replace', pattern: 'a', flags: '', with: '', match: 'first' },
        { kind: 'jsonPath', path: '$.a' },
      ],
    },
    { kind: 'toolCalls' },
    { kind: 'reasoning' },
  ]);
});

test('children check what their combinator selects, unless they select for themselves', async () => {
  const [anyOf] = await checksOf('inherited');
  const path = { kind: 'jsonPath', path: '$.a' };
  expect(anyOf?.children?.map(({ select }) => select)).toEqual([path, { kind: 'reasoning' }, path]);
  expect(anyOf?.children?.[2]?.children?.[0]?.select).toEqual(path);
});
