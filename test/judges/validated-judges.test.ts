import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  describeJudges,
  describeUnvalidated,
  hashLabels,
  readValidations,
  writeValidations,
} from '../../src/judges/validated-judges.ts';
import type { JudgeValidation } from '../../src/model/run/verdict.ts';
import type { Criterion, LabelledAnswer, Suite } from '../../src/model/suite/suite.ts';
import { catchUserError, makeFolder } from '../record/build-rows.ts';
import { buildCheck, buildProvider } from '../support/build-case.ts';

const at = { file: 'evals/s.eval.yaml', line: 1, column: 1 };
const criterionOf = (minKappa: number | undefined, more: Partial<Criterion> = {}): Criterion => ({
  judge: { ...buildProvider({ id: 'strict' }), ...(minKappa !== undefined && { judging: { minKappa } }) },
  assertion: 'rubric',
  criterionHash: 'h1',
  at,
  ...more,
});
const measured = (more: Partial<JudgeValidation> = {}): JudgeValidation => ({
  judge: 'strict',
  assertion: 'rubric',
  criterionHash: 'h1',
  cases: 40,
  agreement: 0.9,
  kappa: 0.8,
  low: 0.6,
  high: 0.95,
  ...more,
});

describe('why a judge may not decide', () => {
  const lead = 'judge "strict" may not decide by rubric';
  const next = 'run llmcheck judge check evals/s.eval.yaml';
  const found = 'kappa 0.80 [0.60, 0.95] over 40 labelled answers';
  const none: readonly JudgeValidation[] = [];
  const never = `${lead}: its agreement with people was never measured, and minKappa is 0.6; ${next}`;
  const before = `${lead}: it was measured before the judge or the check changed, and minKappa is 0.6; ${next}`;

  test.each<[string, number | undefined, readonly JudgeValidation[], string | undefined]>([
    ['it need not be measured', undefined, none, undefined],
    ['it was never measured', 0.6, none, never],
    ['another judge was', 0.6, [measured({ judge: 'other' })], never],
    [
      'another judge was, by an older form of the check',
      0.6,
      [measured({ judge: 'other', criterionHash: 'h0' })],
      never,
    ],
    ['it was, by another check', 0.6, [measured({ assertion: 'factual', criterionHash: 'h0' })], never],
    ['it was, by a check with a name', 0.6, [measured({ name: 'tone', criterionHash: 'h0' })], never],
    ['it was, by an older form of the check', 0.6, [measured({ criterionHash: 'h0' })], before],
    ['it agrees well enough', 0.6, [measured()], undefined],
    [
      'its lower bound is just below',
      0.61,
      [measured()],
      `${lead}: ${found}, and its lower bound must reach minKappa, which is 0.61; label more answers, then ${next}`,
    ],
    ['its kappa is the minimum', 0.8, [measured()], `${lead}: ${found}, and minKappa is 0.8`],
    ['its kappa is below', 0.81, [measured()], `${lead}: ${found}, and minKappa is 0.81`],
    [
      'it has no bounds',
      0.6,
      [measured({ low: null, high: null })],
      `${lead}: kappa 0.80 [–, –] over 40 labelled answers, and its lower bound must reach minKappa, which is 0.6; label more answers, then ${next}`,
    ],
    [
      'its kappa is unknown',
      0.6,
      [measured({ kappa: null, low: null, high: null })],
      `${lead}: its kappa over 40 labelled answers can't be said, and minKappa is 0.6`,
    ],
    ['thirty labels are enough', 0.6, [measured({ cases: 30 })], undefined],
    [
      'one is missing',
      0.6,
      [measured({ cases: 29 })],
      `${lead}: it was measured on 29 labelled answers, and minKappa needs at least 30; label 1 more answer, then ${next}`,
    ],
    [
      '29 are missing',
      0.6,
      [measured({ cases: 1 })],
      `${lead}: it was measured on 1 labelled answer, and minKappa needs at least 30; label 29 more answers, then ${next}`,
    ],
    ['its labels are the same', 0.6, [measured({ labels: hashLabels([], criterionOf(0.6)) })], undefined],
    [
      'its labels changed',
      0.6,
      [measured({ labels: 'other' })],
      `${lead}: it was measured before its labels changed, and minKappa is 0.6; ${next}`,
    ],
  ])('%s', (_, minKappa, validations, reason) => {
    const suite = { path: 'evals/s.eval.yaml', labels: [] };
    expect(describeUnvalidated(criterionOf(minKappa), validations, suite)).toBe(reason);
  });

  test('a check is called by its name', () => {
    const criterion = criterionOf(0.6, { name: 'tone' });
    const suite = { path: 'evals/s.eval.yaml', labels: [] };
    expect(describeUnvalidated(criterion, [], suite)).toContain('may not decide by "tone":');
  });
});

describe('the labels of a criterion', () => {
  const criterion = criterionOf(undefined);
  const of = (id: string, more: Partial<LabelledAnswer> = {}): LabelledAnswer => ({
    id,
    criterion,
    check: buildCheck(),
    vars: {},
    answer: 'x',
    label: 'pass',
    at,
    ...more,
  });
  const hash = (...labels: readonly LabelledAnswer[]) => hashLabels(labels, criterion);

  test('are distinguished by all that they hold, in any order', () => {
    expect(hash(of('a'), of('b'))).toBe(hash(of('b'), of('a')));
    expect(hash(of('a'))).toMatch(/^[0-9a-f]{12}$/);
    const drawn = { stratum: 1, of: 5 };
    const others = [
      of('a', { label: 'fail' }),
      of('a', { answer: 'y' }),
      of('a', { vars: { q: 1 } }),
      of('a', { other: 'z' }),
      of('a', { drawn }),
      of('a', { drawn: { ...drawn, of: 6 } }),
      of('b'),
    ].map((label) => hash(label));
    expect(new Set([hash(of('a')), ...others]).size).toBe(8);
  });

  test('are those of the same judge and question alone', () => {
    const other = criterionOf(undefined, { criterionHash: 'h2' });
    const judge = criterionOf(undefined, { judge: buildProvider({ id: 'mild' }) });
    expect(hash(of('a'), of('b', { criterion: other }), of('c', { criterion: judge }))).toBe(hash(of('a')));
    expect(hash(of('a'), of('b'))).not.toBe(hash(of('a')));
  });
});

describe('what a record keeps of judges', () => {
  const counts = { passesFound: 19, passes: 20, failuresFound: 18, failures: 20 };

  function describeFor(criteria: readonly Criterion[], validations: readonly JudgeValidation[]) {
    const root = makeFolder();
    const suite = { criteria, labels: [], path: 's.eval.yaml' } as unknown as Suite;
    const path = join(root, 's.judges.json');
    if (validations.length > 0) writeValidations(path, validations);
    return describeJudges(suite, root, root);
  }

  test('is nothing where none is asked', () => {
    expect(describeFor([], [])).toEqual({});
  });

  test('is how well each was measured, and why it may not decide', () => {
    const [measuredJudge, named] = [criterionOf(0.5), criterionOf(0.5, { name: 'tone', criterionHash: 'h2' })];
    const kept = describeFor([measuredJudge, named], [measured({ counts })]);
    expect(kept.judges).toEqual([
      {
        judge: 'strict',
        assertion: 'rubric',
        measured: { labels: 40, youdenLow: expect.closeTo(0.7581, 4) as number },
      },
      { judge: 'strict', assertion: 'rubric', name: 'tone' },
    ]);
    expect(kept.unvalidated).toEqual([expect.stringContaining('by "tone": its agreement with people was never')]);
    expect(describeFor([measuredJudge], [measured({ counts })])).not.toHaveProperty('unvalidated');
  });

  test.each<[string, Partial<JudgeValidation>]>([
    ['without counts', {}],
    ['of other labels', { counts, labels: 'other' }],
    ['of no bad answer', { counts: { ...counts, failures: 0, failuresFound: 0 } }],
    ['of no good answer', { counts: { ...counts, passes: 0, passesFound: 0 } }],
    ['of another criterion', { counts, criterionHash: 'h9' }],
    ['of another judge', { counts, judge: 'mild' }],
  ])('is not a measurement %s', (_, more) => {
    expect(describeFor([criterionOf(undefined)], [measured(more)]).judges).toEqual([
      { judge: 'strict', assertion: 'rubric' },
    ]);
  });

  const writeCounts = (found: NonNullable<JudgeValidation['counts']>) => {
    const path = join(makeFolder(), 's.judges.json');
    writeValidations(path, [measured({ counts: found })]);
    return () => readValidations(path, 's.judges.json');
  };
  test('is read with counts that can be', () => {
    const perfect = { ...counts, passesFound: 20, failuresFound: 20 };
    expect(writeCounts(perfect)()).toEqual([measured({ counts: perfect })]);
  });

  test('is kept of each check by its name', () => {
    const path = join(makeFolder(), 's.judges.json');
    const all = [measured(), measured({ name: 'brief' }), measured({ name: 'tone' })];
    writeValidations(path, all.toReversed());
    expect(readValidations(path, 's.judges.json')).toEqual(all);
  });

  test.each([
    { ...counts, passesFound: 21 },
    { ...counts, failuresFound: 21 },
    { ...counts, passes: -1, passesFound: -1 },
  ])('is a mistake with the counts %j', (found) => {
    expect(catchUserError(writeCounts(found)).problems).toHaveLength(1);
  });

  test('is none where there is no file, and a mistake where it is no list', () => {
    const path = join(makeFolder(), 's.judges.json');
    expect(readValidations(path, 's.judges.json')).toEqual([]);
    writeFileSync(path, 'nonsense');
    const [problem] = catchUserError(() => readValidations(path, 's.judges.json')).problems;
    expect(problem?.message).toContain('s.judges.json');
  });
});
