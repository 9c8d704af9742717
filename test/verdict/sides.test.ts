import { expect, test } from 'vitest';
import type { Baseline, BaselineCase, BaselineTrial, BaselineVariant } from '../../src/model/comparison/baseline.ts';
import type { CellRow } from '../../src/model/run/record.ts';
import type { CaseSummary, RowSummary } from '../../src/model/run/summary.ts';
import type { RecordedCheck } from '../../src/model/run/verdict.ts';
import { pairSides, sideOfBaseline, sideOfVariant } from '../../src/verdict/pair-cases.ts';
import { buildCaseSummary, buildSide } from '../support/build-side.ts';

/** Thirty answers of 10 input tokens that were booked at so much each; the last one has no answer. */
function costsOf(booked: number | null, table: number | undefined) {
  const usage = { inputTokens: 10, outputTokens: 0 };
  const cases = Object.fromEntries(
    Array.from({ length: 30 }, (_, rowIndex) => [
      `c${String(rowIndex).padStart(2, '0')}`,
      buildCaseSummary('c', 'p', { row: { usage, costUsd: rowIndex === 29 ? undefined : booked } }),
    ]),
  );
  const { recorded } = buildSide({});
  const side = sideOfVariant(
    { recorded, cases: new Map(Object.entries(cases)) },
    {
      source: 'test',
      kind: 'run',
      readRow: (rowIndex) => {
        throw new Error(`row ${rowIndex} was read`);
      },
      costOf: (_variant, usage) => (table === undefined || usage === undefined ? undefined : table * usage.inputTokens),
    },
  );
  return new Set(Object.values(cases).map(({ trials: [row] }) => (row === undefined ? null : side.costOf?.(row))));
}

test('costs are as they were booked where the table says so of the first answers, and no row is read', () => {
  expect(costsOf(0.1 * 10, 0.1)).toEqual(new Set([1, undefined]));
});

test('costs that the table has another price for are priced again, answer by answer', () => {
  expect(costsOf(1, 0.2)).toEqual(new Set([2, undefined]));
});

test('a price that is not known any more, or was not known then, is taken from the table too', () => {
  expect(costsOf(1, undefined)).toEqual(new Set([null, undefined]));
  expect(costsOf(null, 0.1)).toEqual(new Set([1, undefined]));
  expect(costsOf(null, undefined)).toEqual(new Set([null, undefined]));
});

test('only the first twenty answers are compared with the table', () => {
  const usage = { inputTokens: 10, outputTokens: 0 };
  const pricesOf = (other: number) => {
    const cases = new Map(
      Array.from({ length: 30 }, (_, index) => {
        const id = `c${String(index).padStart(2, '0')}`;
        return [id, buildCaseSummary(id, 'p', { row: { usage, costUsd: index === other ? 5 : 1 } })] as const;
      }),
    );
    const readRow = () => {
      throw new Error('no row is read');
    };
    const { recorded } = buildSide({});
    const side = sideOfVariant({ recorded, cases }, { source: 'test', kind: 'run', readRow, costOf: () => 1 });
    return new Set([...cases.values()].flatMap(({ trials }) => trials.map((row) => side.costOf?.(row))));
  };
  expect(pricesOf(19)).toEqual(new Set([1]));
  expect(pricesOf(20)).toEqual(new Set([1, 5]));
});

test('a cost that was summed in another order is no other cost, whichever is larger', () => {
  expect(costsOf(1 + 5e-10, 0.1)).toEqual(new Set([1 + 5e-10, undefined]));
  expect(costsOf(1 - 5e-10, 0.1)).toEqual(new Set([1 - 5e-10, undefined]));
  expect(costsOf(1 + 5e-9, 0.1)).toEqual(new Set([1, undefined]));
});

const failing: RecordedCheck = { assertion: 'contains', pass: false, score: 0, reason: 'no refund' };
const passing: RecordedCheck = { ...failing, pass: true, score: 1, reason: 'ok' };

test('the answer of a case on a run is that of its first judged trial, with the reason of its first failure', () => {
  const rows: Partial<CellRow>[] = [
    { output: 'zero', checks: [], error: { message: 'timeout' } as unknown as NonNullable<CellRow['error']> },
    { output: 'one', checks: [passing, failing, { ...failing, reason: 'too long' }] },
    { checks: [passing], state: { paid: true }, toolCalls: [] },
  ];
  const withRows = (caseId: string, word: string, from: number): CaseSummary => {
    const found = buildCaseSummary(caseId, word);
    const model = (index: number) => ['b', 'a', undefined, 'b'][index];
    const trials = found.trials.map((row, index) => ({ ...row, rowIndex: from + index, model: model(from + index) }));
    return { ...found, trials };
  };
  const cases = new Map([
    ['broken', withRows('broken', 'ef', 0)],
    ['errored', withRows('errored', 'e', 0)],
    ['passed', withRows('passed', 'p', 2)],
    ['none', withRows('none', '', 0)],
  ]);
  const side = sideOfVariant(
    { recorded: buildSide({}).recorded, cases },
    { source: 'run 1', kind: 'stored', readRow: (index) => rows[index] as CellRow, costOf: () => undefined },
  );
  expect([side.source, side.models]).toEqual(['run 1', ['a', 'b']]);
  expect([side.cases, side.recorded]).toEqual([cases, buildSide({}).recorded]);
  expect(side.answerOf('broken')).toEqual({ status: 'failed', output: 'one', reason: 'no refund' });
  expect(side.answerOf('errored')).toEqual({ status: 'errored', output: 'zero', reason: 'timeout' });
  expect(side.answerOf('passed')).toEqual({ status: 'passed', state: { paid: true }, toolCalls: [] });
  expect([side.answerOf('none'), side.answerOf('missing')]).toEqual([undefined, undefined]);
  expect(side.checksOf({ rowIndex: 1 } as RowSummary)).toHaveLength(3);
});

test('a side of a baseline is the variant of that prompt and that provider', () => {
  const trial = (index: number, more: Partial<BaselineTrial>): BaselineTrial => ({
    trial: index,
    status: 'passed',
    checks: [],
    ...more,
  });
  const variant = (prompt: string, provider: string): BaselineVariant => {
    const { planned: _planned, observed: _observed, ...recorded } = buildSide({}, { prompt, provider }).recorded;
    return { ...recorded, type: 'variant', models: [`${prompt} on ${provider}`] };
  };
  const stored: Readonly<Record<string, readonly BaselineTrial[]>> = {
    a: [
      trial(0, { status: 'errored', checks: [failing] }),
      trial(1, { status: 'failed', checks: [failing], output: 'x' }),
    ],
    b: [trial(0, { checks: [passing] })],
  };
  const cases = new Map([
    ['a', buildCaseSummary('a', 'ef')],
    ['b', buildCaseSummary('b', 'p')],
    ['c', buildCaseSummary('c', 'p')],
  ]);
  const baseline = {
    suite: 'triage',
    variants: [variant('v1', 'p'), variant('v1', 'q'), variant('v2', 'p')],
    cases: [],
    casesOf: ({ prompt, provider }) => (prompt === 'v1' && provider === 'q' ? cases : new Map()),
    readCase: (_, caseId) => {
      const trials = stored[caseId];
      return trials === undefined ? undefined : ({ trials } as unknown as BaselineCase);
    },
    hasOtherPrompt: () => false,
    checksOf: () => undefined,
  } satisfies Baseline;
  const options = { source: 'file', costOf: ({ provider }: BaselineVariant) => (provider === 'q' ? 2 : 1) };
  const side = sideOfBaseline(baseline, { prompt: 'v1', provider: 'q' }, options);
  expect(side?.models).toEqual(['v1 on q']);
  expect(side?.recorded).toMatchObject({ prompt: 'v1', provider: 'q', planned: 3, observed: 0 });
  expect(side?.recorded).not.toHaveProperty('type');
  expect(side?.recorded).not.toHaveProperty('models');
  expect([side?.source, side?.cases]).toEqual(['file', cases]);
  expect(side?.answerOf('a')).toEqual({ status: 'failed', output: 'x', reason: 'no refund' });
  expect(side?.answerOf('b')).toEqual({ status: 'passed' });
  expect([side?.answerOf('c'), side?.answerOf('d')]).toEqual([undefined, undefined]);
  const rowOf = (caseId: string, index: number, costUsd?: number | null) =>
    ({ caseId, trial: index, costUsd }) as unknown as RowSummary;
  expect([rowOf('a', 1), rowOf('a', 2), rowOf('d', 0)].map((row) => side?.checksOf(row))).toEqual([[failing], [], []]);
  expect([rowOf('a', 0), rowOf('a', 0, null), rowOf('a', 0, 7)].map((row) => side?.costOf?.(row))).toEqual([
    undefined,
    2,
    2,
  ]);
  const unknown = sideOfBaseline(baseline, { prompt: 'v2', provider: 'p' }, { ...options, costOf: () => undefined });
  expect([unknown?.recorded.planned, unknown?.costOf?.(rowOf('a', 0, 7))]).toEqual([0, null]);
  expect(sideOfBaseline(baseline, { prompt: 'v2', provider: 'q' }, options)).toBeUndefined();
});

test('a case that was accepted under other checks counts for the rates, and is no suspect', () => {
  const pairs = pairSides(
    buildSide({ a: 'p', b: 'p', c: 'p', d: 'ff' }),
    buildSide({ a: 'f', b: 'p', c: 'f', d: 'fp' }),
    { redefined: new Set(['a', 'b', 'd']), isWhole: true },
  );
  expect(
    Array.from(pairs.values(), ({ caseId, change, suspect, rejudged }) => [caseId, change, suspect, rejudged]),
  ).toEqual([
    ['a', 'redefined', false, true],
    ['b', 'stillPassing', false, true],
    ['c', 'regressed', true, false],
    ['d', 'redefined', false, true],
  ]);
});
