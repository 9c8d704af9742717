import { expect, test } from 'vitest';
import { judgeAsAccepted } from '../../src/baseline/acceptable-record.ts';
import { type Cell, firstAcceptedTrial } from '../../src/model/run/cell.ts';
import type { CellRow } from '../../src/model/run/record.ts';
import { summarizeRow } from '../../src/record/case-summaries.ts';
import { summarizeRun } from '../../src/record/summarize-run.ts';
import { buildHeader, buildRow } from '../record/build-rows.ts';
import { buildCell, buildCheck } from '../support/build-case.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';

const snapshot = buildCheck({ assertion: 'snapshot', params: { value: 'exact' }, source: { snapshot: true } });
const equals = buildCheck({ assertion: 'equals', params: { value: 'x' }, source: { equals: 'x' } });

const failedSnapshot = { assertion: 'snapshot', pass: false, score: 0, reason: 'is not the accepted answer' };
const passedEquals = { assertion: 'equals', pass: true, score: 1, reason: 'equal' };
const failedEquals = { ...passedEquals, pass: false, score: 0 };

/** A row whose snapshot failed. */
const changed = (caseId: string, more: Partial<CellRow> = {}): CellRow =>
  buildRow(caseId, {
    suite: 'one',
    provider: 'p',
    caseHash: 'h.deps.judges',
    status: 'failed',
    score: 0.5,
    output: `said ${caseId}`,
    answerHash: `hash ${caseId}`,
    checks: [failedSnapshot, passedEquals],
    ...more,
  });

async function judge(rows: readonly CellRow[], cell: Partial<Cell> | null = {}) {
  const recorded = buildRecordedSuite([buildVariant(rows.length)], {}, { suite: 'one', path: 'evals/one.eval.yaml' });
  const header = { ...buildHeader(), suites: [recorded] };
  const [suite] = summarizeRun(header, rows.map(summarizeRow), undefined).suites;
  if (suite === undefined) throw new Error('there is no suite');
  const asked: string[] = [];
  const readRow = (index: number) => {
    const row = rows[index];
    if (row === undefined) throw new Error(`there is no row ${index}`);
    return row;
  };
  const accepted = await judgeAsAccepted(suite, {
    readRow,
    cellOf: (...names) => {
      asked.push(names.join(' '));
      return cell === null ? undefined : buildCell({ checks: [snapshot, equals], caseHash: 'h.deps.others', ...cell });
    },
    ports: {},
  });
  const told = accepted.suite.variants.flatMap(({ cases, errored }) => [
    ...[...cases.values()].map(
      ({ caseId, status, trials, confirmations }) =>
        `${caseId} ${status}: ${[...trials, ...confirmations].map((row) => `${row.status} ${row.score}`).join(', ')}`,
    ),
    `${errored} errored`,
  ]);
  const checksOf = (index: number) =>
    accepted.readRow(index).checks.map(({ assertion, pass }) => `${assertion} ${pass}`);
  return { told, asked, checksOf, readRow: accepted.readRow };
}

test('an answer that only differed from the accepted one passes once it is accepted, with its other verdicts', async () => {
  const { told, asked, checksOf, readRow } = await judge([
    changed('a'),
    changed('b', { status: 'passed', checks: [] }),
  ]);
  expect(told).toEqual(['a passed: passed 1', 'b passed: passed 0.5', '0 errored']);
  expect(asked).toEqual(['one v1 p a']);
  expect([checksOf(0), checksOf(1)]).toEqual([['snapshot true', 'equals true'], []]);
  expect(readRow(0)).toMatchObject({ status: 'passed', score: 1, output: 'said a' });
});

test('an answer that could not be judged passes too, and does not count as errored', async () => {
  const error = { kind: 'check', message: 'no accepted answer' } as CellRow['error'];
  const { told, readRow } = await judge([
    changed('a', { status: 'errored', ...(error === undefined ? {} : { error }) }),
    changed('b', { status: 'errored', checks: [passedEquals] }),
    changed('c', { status: 'errored', checks: [passedEquals], observe: true }),
  ]);
  expect(told).toEqual(['a passed: passed 1', 'b errored: errored 0.5', 'c errored: errored 0.5', '1 errored']);
  expect(readRow(0).error).toBeUndefined();
});

test('fresh trials are compared with the first answer, planned trials with themselves', async () => {
  const again = { confirmation: true } as const;
  const { told } = await judge([
    changed('a'),
    changed('a', { trial: 1, output: 'said otherwise', answerHash: 'o' }),
    changed('a', { trial: 2, ...again }),
    changed('a', { trial: 3, output: 'said otherwise', answerHash: 'o', ...again }),
    changed('a', { trial: firstAcceptedTrial, side: 'accepted', ...again }),
  ]);
  expect(told).toEqual(['a passed: passed 1, passed 1, passed 1, failed 0.5', '0 errored']);
});

test.each<[string, Partial<CellRow>, Partial<Cell> | null]>([
  ['whose case is gone', {}, null],
  ['whose case changed', {}, { caseHash: 'other.deps.judges' }],
  ['whose case attaches another file', { caseHash: 'h.deps.judges@file:cat' }, { caseHash: 'h.deps.others@file:dog' }],
  ['whose case compares nothing any more', {}, { checks: [equals, equals] }],
  ['whose case has another number of checks', {}, { checks: [snapshot] }],
  ['that another check fails', { checks: [failedSnapshot, failedEquals] }, {}],
  ['of which only another check failed', { checks: [{ ...failedSnapshot, pass: true }, failedEquals] }, {}],
  ['that was not kept', { answerHash: undefined }, {}],
])('an answer %s stays as it was judged', async (_what, row, cell) => {
  const { told, checksOf } = await judge([changed('a', row)], cell);
  expect(told).toEqual(['a failed: failed 0.5', '0 errored']);
  expect(checksOf(0)).toEqual(
    (row.checks ?? [failedSnapshot, passedEquals]).map(({ assertion, pass }) => `${assertion} ${pass}`),
  );
});

test('checks of turns keep their verdicts', async () => {
  const ofTurn = { ...passedEquals, turn: 1 };
  const { told, checksOf } = await judge([changed('a', { checks: [ofTurn, failedSnapshot, passedEquals] })]);
  expect([told[0], checksOf(0)]).toEqual(['a passed: passed 1', ['equals true', 'snapshot true', 'equals true']]);
  const failing = await judge([
    changed('a', { checks: [{ ...failedEquals, turn: 1, required: true }, failedSnapshot, passedEquals] }),
  ]);
  expect(failing.told[0]).toBe('a failed: failed 0.5');
});

test('a check that compares below a combinator is made again', async () => {
  const anyOf = buildCheck({ assertion: 'anyOf', params: {}, children: [snapshot, equals], source: { anyOf: [] } });
  const failedAny = { ...failedSnapshot, assertion: 'anyOf' };
  const { told } = await judge([changed('a', { checks: [failedAny] })], { checks: [anyOf] });
  expect(told[0]).toBe('a passed: passed 1');
});

test('a check that compares with the other side is met by the answer itself', async () => {
  const pairwise = buildCheck({ assertion: 'pairwise', params: { value: 'Which is kinder?' }, asks: 'strict' });
  const { told } = await judge([changed('a', { checks: [{ ...failedSnapshot, assertion: 'pairwise' }] })], {
    checks: [pairwise],
  });
  expect(told[0]).toMatch(/^a passed: passed /);
});
