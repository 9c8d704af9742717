import { describe, expect, test } from 'vitest';
import type { CaseReport } from '../../../src/model/report/report.ts';
import type { CellRow } from '../../../src/model/run/record.ts';
import type { RecordedCheck } from '../../../src/model/run/verdict.ts';
import {
  describeError,
  explainCase,
  isAnswerDiff,
  reasonText,
  skipReasonOf,
} from '../../../src/reports/cases/explain-case.ts';
import { buildCase, buildRow } from '../../support/build-report.ts';

const check = (more: Partial<RecordedCheck> = {}): RecordedCheck => ({
  assertion: 'equals',
  pass: false,
  score: 0,
  reason: 'other',
  ...more,
});
const failing = (more: Partial<CellRow> = {}, ...checks: readonly Partial<RecordedCheck>[]): Partial<CellRow> => ({
  status: 'failed',
  checks: checks.map(check),
  ...more,
});
const explain = (rows: readonly Partial<CellRow>[], more: Partial<CaseReport> = {}) =>
  explainCase({ ...buildCase({ status: 'failed' }, rows), ...more });
const reasons = (rows: readonly Partial<CellRow>[]) =>
  explain(rows).reasons.map(({ label, reason, count }) => `${count} ${label}: ${reason}`);

describe('why a case failed', () => {
  test('is explained by the checks that decide, each reason once', () => {
    expect(
      reasons([
        failing(
          {},
          { reason: 'one' },
          { reason: 'two', pass: true },
          { reason: 'free', weight: 0 },
          { reason: 'must', weight: 0, required: true },
        ),
        failing({}, { reason: 'one' }, { reason: 'half', weight: 0.5, name: 'tone', turn: 0 }),
        { status: 'passed', checks: [check({ reason: 'passed all the same' })] },
      ]),
    ).toEqual(['2 equals: one', '1 equals: must', '1 tone (equals), turn 1: half']);
    expect(reasons([failing({}, { reason: 'one' }), failing({}, { reason: 'one', name: 'other' })])).toHaveLength(2);
  });

  test('is an error where there is one, also of a check', () => {
    const error = { kind: 'timeout', message: 'late', attempts: 1 } as never;
    expect(reasons([{ status: 'errored', error, checks: [check()] }])).toEqual(['1 timeout: late']);
    expect(
      reasons([{ status: 'errored', checks: [check({ error: 'no price', assertion: 'cost' }), check()] }]),
    ).toEqual(['1 cost: no price']);
    expect(reasons([failing({ error }, { reason: 'and this' })])).toEqual(['1 timeout: late', '1 equals: and this']);
    expect(describeError(buildRow({ error }))).toBe('timeout: late');
    expect(describeError(buildRow({ checks: [check(), check({ error: 'no price', name: 'cheap' })] }))).toBe(
      'cheap (equals): no price',
    );
    expect(describeError(buildRow({ checks: [check()] }))).toBe('no reason was recorded');
  });

  test('is the score where every check passed', () => {
    expect(reasons([failing({ score: 0.456 }, { pass: true })])).toEqual(['1 score: 0.46 is too low']);
    const { score: _score, ...unscored } = buildRow(failing({}, { pass: true }));
    const entry = buildCase({ status: 'failed' });
    expect(explainCase({ ...entry, trials: [unscored] }).reasons).toEqual([
      { label: 'score', reason: 'no reason was recorded', count: 1 },
    ]);
    expect(reasons([{ status: 'passed' }, { status: 'skipped' }])).toEqual([]);
  });

  test('begins with the line that is to blame', () => {
    const blame = { sentence: 'line 3 breaks it' } as never;
    expect(explain([failing({}, {})], { blame }).reasons.map(({ label, reason }) => [label, reason])).toEqual([
      ['bisect', 'line 3 breaks it'],
      ['equals', 'other'],
    ]);
  });

  test('is shown without what the answer beside it says already', () => {
    const diff = { expected: 'sales', found: 'billing' };
    const beside = explain([failing({ output: 'billing' }, { diff, reason: 'found billing' })], {
      baseline: { status: 'passed', output: 'sales' },
    });
    const [reason] = beside.reasons;
    if (reason === undefined) throw new Error('one reason');
    expect([reasonText(reason, beside), isAnswerDiff(reason, beside)]).toEqual(['equals: expected "sales"', true]);
    const other = { ...beside, answer: 'else' };
    expect([reasonText(reason, other), isAnswerDiff(reason, other)]).toEqual(['equals: found billing', false]);
    expect(isAnswerDiff(reason, { ...beside, before: 'else' })).toBe(false);
    const { diff: _diff, ...plain } = reason;
    expect([reasonText(plain, beside), isAnswerDiff(plain, beside)]).toEqual(['equals: found billing', false]);
  });
});

describe('the answers beside it', () => {
  const call = { name: 'pay', arguments: {}, rawArguments: '{"id":7}' };

  test('are the first that failed, and that of the baseline, with their calls', () => {
    const both = explain(
      [{ output: 'passed', status: 'passed' }, failing({ output: 'first' }), failing({ output: 'second' })],
      {
        baseline: { status: 'passed', output: 'was' },
      },
    );
    expect([both.answer, both.before, both.isAgent]).toEqual(['first', 'was', false]);
    expect(explain([failing({ output: 'x', toolCalls: [call, call] })]).answer).toBe('x\npay({"id":7})\npay({"id":7})');
    expect(explain([failing({ output: '', toolCalls: [call] })]).answer).toBe('pay({"id":7})');
    expect(explain([failing({ output: '' })]).answer).toBe('');
    const { output: _output, ...silent } = buildRow(failing());
    const found = explainCase({ ...buildCase({ status: 'failed' }), trials: [silent] });
    expect(found).not.toHaveProperty('answer');
    expect(found).not.toHaveProperty('before');
    expect(explainCase({ ...buildCase({ status: 'failed' }), trials: [{ ...silent, toolCalls: [call] }] }).answer).toBe(
      'pay({"id":7})',
    );
  });

  test('of an agent are its steps', () => {
    const steps = [
      { text: 'Let me', calls: [call, call] },
      { text: 'Done.', calls: [] },
    ];
    const found = explain([failing({ output: 'Done.', trajectory: steps })]);
    expect([found.answer, found.isAgent]).toEqual(['1 pay({"id":7}) + pay({"id":7})\n→ 2 Done.', true]);
    const without = explain([failing({ output: 'Done.', trajectory: steps.slice(1) })]);
    expect([without.answer, without.isAgent]).toEqual(['Done.', false]);
  });

  test('answer the last paragraph of the question, or the first and the last of a conversation', () => {
    const input = (asked: object | undefined) =>
      explain([failing(asked === undefined ? {} : { asked: asked as never })]).input;
    const user = (content: string) => ({ role: 'user', content });
    expect(input({ messages: [{ role: 'system', content: 's' }, user('old'), user('Intro.\n \nWhy? \n')] })).toBe(
      'Why?',
    );
    expect(
      input({ messages: [user('First')], turns: [user('mid'), user('Last'), { role: 'tool', content: 'x' }] }),
    ).toBe('First\n→ Last');
    expect(input({ turns: [user('Only')] })).toBe('Only');
    expect(input({ messages: [user(' ')] })).toBeUndefined();
    expect(input(undefined)).toBeUndefined();
  });
});

describe('the trials of a case', () => {
  const trials = (words: string, acceptedTrials?: string) => {
    const letters = { p: 'passed', f: 'failed', e: 'errored', s: 'skipped' } as const;
    const rows = (word: string, confirmation: boolean) =>
      word.split('').map((letter) => ({
        status: letters[letter as keyof typeof letters],
        ...(confirmation && { confirmation: true as const }),
      }));
    const [planned = '', fresh = ''] = words.split('+');
    const accepted =
      acceptedTrials === undefined ? {} : { acceptedTrials: rows(acceptedTrials, true).map((row) => buildRow(row)) };
    return explain([...rows(planned, false), ...rows(fresh, true)], accepted).trials;
  };

  test.each([
    ['f', undefined, ''],
    ['pff', undefined, '2 of 3 trials failed'],
    ['ffes', undefined, '2 of 4 trials failed, 1 errored, 1 skipped'],
    ['f+f', undefined, '1 of 1 fresh trial failed'],
    ['pf+ffp', undefined, '1 of 2 trials failed, 2 of 3 fresh trials failed'],
    ['f+ff', 'pp', '2 of 2 fresh trials failed, accepted prompt passed 2 of 2'],
    ['f', 'fpe', 'accepted prompt passed 1 of 2'],
    ['f', 'e', ''],
  ])('%s beside the accepted prompt’s %s are %j', (words, accepted, said) => {
    expect(trials(words, accepted)).toBe(said);
  });
});

test('a case that was skipped says why', () => {
  const skipped = (...skips: readonly CellRow['skip'][]) =>
    skipReasonOf(
      buildCase(
        { status: 'skipped' },
        skips.map((skip) => (skip === undefined ? {} : { skip })),
      ),
    );
  expect([
    skipped({ reason: 'budget' }),
    skipped({ reason: 'case', message: 'too slow' }),
    skipped(undefined, { reason: 'bail' }),
    skipped(undefined),
  ]).toEqual(['the budget was used up', 'too slow', 'the run was stopped at its failures', 'skipped']);
});
