import { describe, expect, test } from 'vitest';
import type { RecordedJudge } from '../../src/model/run/record.ts';
import type { RowSummary } from '../../src/model/run/summary.ts';
import type { RecordedCheck } from '../../src/model/run/verdict.ts';
import { compareRates, findJudgedMargin } from '../../src/verdict/compare-rates.ts';
import { pairSides } from '../../src/verdict/pair-cases.ts';
import { buildSide } from '../support/build-side.ts';

const check = (more: Partial<RecordedCheck> = {}): RecordedCheck => ({
  assertion: 'rubric',
  pass: false,
  score: 0,
  reason: '',
  judgement: { judge: 'kind' } as unknown as NonNullable<RecordedCheck['judgement']>,
  ...more,
});
const rule = (more: Partial<RecordedCheck> = {}): RecordedCheck => {
  const { judgement: _judgement, ...plain } = check({ assertion: 'contains', ...more });
  return plain;
};
const judge = (name: string, youdenLow?: number, assertion = 'rubric'): RecordedJudge => ({
  judge: name,
  assertion,
  ...(youdenLow !== undefined && { measured: { labels: 40, youdenLow } }),
});

/** By case and trial, the checks of a side. */
type Checks = Readonly<Record<string, readonly RecordedCheck[]>>;

interface MarginOptions {
  readonly judges?: readonly RecordedJudge[];
  readonly maxDrop?: number;
  readonly before?: Readonly<Record<string, string>>;
  readonly after?: Readonly<Record<string, string>>;
  readonly checksBefore?: Checks;
  readonly checksAfter?: Checks;
}

function marginOf({
  judges = [judge('kind', 0.8)],
  maxDrop = 0.1,
  before = { a: 'p' },
  after = { a: 'f' },
  checksBefore = {},
  checksAfter = {},
}: MarginOptions) {
  const readBy =
    (checks: Checks) =>
    ({ caseId, trial }: RowSummary) =>
      checks[`${caseId}${trial}`] ?? [];
  const baseline = { ...buildSide(before), checksOf: readBy(checksBefore) };
  const candidate = { ...buildSide(after), checksOf: readBy(checksAfter) };
  const cases = pairSides(baseline, candidate, { redefined: new Set(), isWhole: true });
  return findJudgedMargin(cases, { baseline, candidate }, { judges, maxDrop });
}

describe('the tolerated drop where judges decide', () => {
  test('is that of the gate where only rules decide', () => {
    expect(marginOf({ judges: [] })).toBeUndefined();
    expect(marginOf({ checksAfter: { a0: [rule()] } })).toBeUndefined();
    expect(marginOf({ checksAfter: { a0: [] } })).toBeUndefined();
    expect(marginOf({ checksAfter: { a0: [rule(), check()] } })).toBeUndefined();
  });

  test('shrinks by the least accurate judge that was measured, and names those that were not', () => {
    const least = { judge: 'short', labels: 40, youdenLow: 0.5 };
    const judges = [
      judge('kind', 0.8),
      judge('short', 0.5),
      judge('new'),
      judge('new', undefined, 'factual'),
      judge('x', 0.9),
    ];
    expect(marginOf({ judges, checksAfter: { a0: [check()] } })).toEqual({
      maxDrop: 0.1,
      margin: 0.05,
      judged: 1,
      least,
      unmeasured: ['new'],
    });
    expect(marginOf({ judges: [judge('kind')], checksAfter: { a0: [check()] } })).toEqual({
      maxDrop: 0.1,
      margin: 0.1,
      judged: 1,
      unmeasured: ['kind'],
    });
  });

  test('holds of every failure where none was seen yet', () => {
    expect(marginOf({ judges: [judge('kind', 0.5)], after: { a: 'p' } })).toMatchObject({ judged: 1, margin: 0.05 });
    expect(marginOf({ after: { a: 'e' } })).toMatchObject({ judged: 1 });
  });

  test('shrinks by the share of failed trials on both sides that only judges failed', () => {
    const before = { a: 'fp', b: 'p', gone: 'f' };
    const after = { a: 'ff', b: 'f', added: 'f' };
    const checksBefore = { a0: [check(), rule({ pass: true })], gone0: [rule()] };
    const checksAfter = { a0: [rule()], a1: [check()], b0: [rule(), check()], added0: [rule()] };
    expect(marginOf({ before, after, checksBefore, checksAfter })).toMatchObject({ judged: 0.5 });
    // The same trials of the other side are other answers.
    expect(marginOf({ before, after, checksBefore: checksAfter, checksAfter: checksBefore })).toMatchObject({
      judged: 0.25,
    });
  });

  test('counts a check that weighs nothing only where it is required', () => {
    const judgedWith = (...checks: readonly RecordedCheck[]) => marginOf({ checksAfter: { a0: checks } })?.judged;
    expect(judgedWith(check(), rule({ weight: 0 }))).toBe(1);
    expect(judgedWith(check(), rule({ weight: 0, required: true }))).toBeUndefined();
    expect(judgedWith(check(), rule({ weight: 0.5 }))).toBeUndefined();
    expect(judgedWith(check({ weight: 0 }))).toBeUndefined();
    // Below the threshold although every check passed.
    expect(judgedWith(check({ pass: true }))).toBe(1);
    expect(judgedWith(check({ pass: true }), rule({ pass: true }))).toBeUndefined();
    expect(judgedWith(check({ pass: true }), check())).toBe(1);
    expect(judgedWith(rule({ pass: true }), check())).toBe(1);
    expect(judgedWith(check({ pass: true }), rule())).toBeUndefined();
  });

  test('takes a combination as judged, and a judge only with its own assertion', () => {
    const judgedBy = (one: RecordedCheck) => marginOf({ checksAfter: { a0: [one] } })?.judged;
    for (const assertion of ['not', 'anyOf', 'allOf']) expect(judgedBy(rule({ assertion }))).toBe(1);
    expect(judgedBy(check({ assertion: 'factual' }))).toBeUndefined();
    expect(
      judgedBy(check({ judgement: { judge: 'other' } as unknown as NonNullable<RecordedCheck['judgement']> })),
    ).toBeUndefined();
    expect(judgedBy(rule({ assertion: 'rubric' }))).toBeUndefined();
  });
});

describe('the rates of two sides', () => {
  const policy = { alpha: 0.05, margin: 0.05, scope: 'population', binary: true } as const;
  const rates = (before: readonly number[][], after: readonly number[][], errors: readonly [number[], number[]]) =>
    compareRates({ baseline: before, candidate: after, baselineErrors: errors[0], candidateErrors: errors[1] }, policy);
  const quiet: readonly [number[], number[]] = [
    [0, 0, 0],
    [0, 0, 0],
  ];

  test('are over the cases of which both have a result', () => {
    const { evidence } = rates([[1, 0], [1], []], [[1], [], [0]], quiet);
    expect([evidence.baseline, evidence.candidate, evidence.delta, evidence.n]).toEqual([0.5, 1, 0.5, 1]);
    expect(rates([[], [], []], [[1], [1], [1]], quiet).evidence).toMatchObject({
      baseline: null,
      candidate: null,
      n: 0,
    });
  });

  test('have a bound with errors only where there are some, on either side', () => {
    expect(rates([[1], [1], [1]], [[1], [1], [1]], quiet).evidence).not.toHaveProperty('worstLow');
    const before = rates([[1], [1], [1]], [[1], [1], [1]], [[0, 1, 0], quiet[1]]).evidence;
    const after = rates([[1], [1], [1]], [[1], [1], [1]], [quiet[0], [0, 1, 0]]).evidence;
    const both = rates(
      [[1], [1], [1]],
      [[1], [1], [1]],
      [
        [0, 1, 0],
        [0, 1, 0],
      ],
    ).evidence;
    expect(before.worstLow).toBe(before.low);
    expect(after.worstLow).toBeLessThan(after.low ?? -1);
    expect(both.worstLow).toBe(after.worstLow);
  });

  test('need no more cases once a drop beyond the margin is excluded', () => {
    const many = (count: number) => Array.from({ length: count }, () => [1]);
    const none = (count: number) => Array.from({ length: count }, () => 0);
    const adviceOf = (count: number) => rates(many(count), many(count), [none(count), none(count)]).planning;
    expect([adviceOf(73), adviceOf(72)]).toEqual([
      { cases: null, repeats: null },
      { cases: 73, repeats: null },
    ]);
    // An errored trial leaves a drop possible.
    expect(rates(many(73), many(73), [none(73), [1, ...none(72)]]).planning.cases).toBe(74);
  });
});
