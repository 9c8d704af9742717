import { expect, test } from 'vitest';
import type { CellRow } from '../../src/model/run/record.ts';
import { answerHashOf, hashAnswer, SortedCases, summarizeRow } from '../../src/record/case-summaries.ts';
import { buildRowSummary } from '../support/build-summary.ts';
import { buildRow } from './build-rows.ts';

const plain = {
  suite: 'support',
  prompt: 'v1',
  provider: 'openai:small',
  caseId: 'c',
  trial: 0,
  caseHash: 's',
  status: 'passed',
  observe: false,
  mustPass: false,
  confirmation: false,
  cached: false,
  score: 1,
  rowIndex: 7,
  answerHash: hashAnswer({ output: 'o' }),
};

test('a row is summarized by what it says, and has no member for what it leaves out', () => {
  const summary = summarizeRow(buildRow('c', { output: 'o' }), 7);
  expect(summary).toEqual(plain);
  for (const key of ['group', 'slices', 'classified', 'side', 'judgeCostUsd', 'firstTokenMs', 'steps', 'skipReason'])
    expect(summary).not.toHaveProperty(key);
  const more = {
    observe: true,
    mustPass: true,
    confirmation: true,
    latencyMs: 1,
    position: 2,
    costUsd: 3,
    spentUsd: 4,
    usage: { inputTokens: 1, outputTokens: 2 },
    answerId: 'i',
    model: 'm',
    group: 'g',
    slices: ['x'],
    classified: { truth: 't', by: 'b' },
    side: 'accepted',
    judgeCostUsd: 5,
    firstTokenMs: 6,
    steps: 7,
  } satisfies Partial<CellRow>;
  const { answerHash: _hash, ...rest } = plain;
  expect(summarizeRow(buildRow('c', { ...more, answerHash: 'h', skip: { reason: 'budget' } }), 7)).toEqual({
    ...rest,
    ...more,
    answerHash: 'h',
    skipReason: 'budget',
  });
});

test('a cost of judges that is not known stays unknown', () => {
  const costOf = (judgeCostUsd: number | null) => summarizeRow(buildRow('c', { judgeCostUsd }), 0).judgeCostUsd;
  expect([costOf(null), costOf(0.5)]).toEqual([null, 0.5]);
});

test('an answer is named by its text and its tool calls', () => {
  const toolCalls = [{ name: 'find', arguments: { a: 1 }, rawArguments: '{"a":1}' }];
  const hashes = [hashAnswer({ output: 'o' }), hashAnswer({ output: 'o', toolCalls }), hashAnswer({ output: 'p' })];
  expect(new Set(hashes).size).toBe(3);
  expect(hashes[0]).toMatch(/^[0-9a-f]{16}$/);
  expect([
    answerHashOf({ answerHash: 'known', output: 'o' }),
    answerHashOf({ output: 'o' }),
    answerHashOf({ output: 'o', toolCalls }),
    answerHashOf({ answerHash: 'known' }),
    answerHashOf({}),
  ]).toEqual(['known', hashes[0], hashes[1], 'known', undefined]);
});

test('the cases of a variant have their trials, their confirmations and the answers of the accepted side apart', () => {
  const cases = new SortedCases([
    buildRowSummary({ caseId: 'b', trial: 1, confirmation: true }),
    buildRowSummary({ caseId: 'b', trial: 2, confirmation: true, side: 'accepted' }),
    buildRowSummary({ caseId: 'b', trial: 0, mustPass: true, group: 'g', slices: ['x'] }),
    buildRowSummary({ caseId: 'a', observe: true, caseHash: 'h' }),
    buildRowSummary({ caseId: 'a', observe: true, caseHash: 'h', status: 'failed' }),
  ]);
  expect([...cases.keys(), cases.size]).toEqual(['a', 'b', 2]);
  expect(cases.get('c')).toBeUndefined();
  expect([cases.has('a'), cases.has('c'), cases.has('')]).toEqual([true, false, false]);
  expect(cases.get('a')).toMatchObject({
    caseId: 'a',
    status: 'failed',
    observe: true,
    mustPass: false,
    caseHash: 'h',
  });
  // The last row of a cell counts.
  expect(cases.get('a')?.trials).toHaveLength(1);
  const found = cases.get('b');
  expect(found).toMatchObject({ status: 'passed', observe: false, mustPass: true, group: 'g', slices: ['x'] });
  expect([found?.trials, found?.confirmations, found?.accepted].map((rows) => rows?.map(({ trial }) => trial))).toEqual(
    [[0], [1], [2]],
  );
  expect([...new SortedCases([])]).toEqual([]);
});
