import { describe, expect, test } from 'vitest';
import { judgeAccepted } from '../../src/assessing/judge-stored.ts';
import type { Baseline, BaselineTrial } from '../../src/model/comparison/baseline.ts';
import type { Cell } from '../../src/model/run/cell.ts';
import type { CaseSummary, RowSummary } from '../../src/model/run/summary.ts';
import type { ClassPolicy } from '../../src/model/suite/classes.ts';
import { selectionId } from '../../src/record/count-classes.ts';
import { findStoredSide } from '../../src/verdict/compare-record.ts';
import { withJudged } from '../../src/verdict/edited-checks.ts';
import { buildCell, buildCheck } from '../support/build-case.ts';
import { buildCaseSummary } from '../support/build-side.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';
import { recordOf } from './compared-run.ts';

interface Stored {
  readonly before: readonly CaseSummary[];
  readonly now: readonly CaseSummary[];
  readonly readCase: (caseId: string) => { readonly trials: readonly Partial<BaselineTrial>[] } | undefined;
  readonly cell?: Cell | undefined;
  readonly classes?: ClassPolicy | undefined;
}

const byId = (cases: readonly CaseSummary[]) => new Map(cases.map((found) => [found.caseId, found]));

/** Judges accepted answers, and applies the verdicts to them. */
async function judgeStored({ before, now, readCase, cell, classes }: Stored) {
  const recorded = buildVariant(1);
  const { planned: _planned, observed: _observed, ...settings } = recorded;
  const baseline = {
    variants: [{ type: 'variant', ...settings, models: [] }],
    casesOf: () => byId(before),
    readCase: (_key: object, caseId: string) => readCase(caseId),
  } as unknown as Baseline;
  const record = recordOf();
  const [suite] = record.summary.suites;
  const [variant] = suite?.variants ?? [];
  if (suite === undefined || variant === undefined) throw new Error('a record of one variant');
  const ran = { ...variant, cases: byId(now) };
  const recordedSuite = buildRecordedSuite([recorded], {}, classes === undefined ? {} : { classes });
  const summary = { ...record.summary, suites: [{ ...suite, recorded: recordedSuite, variants: [ran] }] };
  const found = { source: 'file', baseline };
  const costOf = () => undefined;
  const lines = await judgeAccepted({
    record: { ...record, summary },
    findBaseline: () => found,
    costOf,
    cellOf: () => cell,
    ports: {},
  });
  const side = findStoredSide(ran, found, costOf);
  if (side === undefined) throw new Error('the baseline has the variant');
  return { lines, judged: withJudged(side, lines, ran.cases) };
}

interface Rejudged {
  /** Planned trials of the baseline's case, as in `buildCaseSummary`. */
  readonly outcomes?: string;
  /** Empty where the baseline does not have the case. */
  readonly answers?: readonly Partial<BaselineTrial>[];
  readonly cell?: Partial<Cell> | null;
  readonly before?: Partial<CaseSummary> | null;
  readonly candidate?: Partial<CaseSummary> | null;
}

const contains = (value: string) =>
  buildCheck({ assertion: 'contains', params: { value }, source: { contains: value } });

const caseOf = (outcomes: string, more: Partial<CaseSummary>): CaseSummary => ({
  ...buildCaseSummary('refund', outcomes),
  ...more,
});

async function judge({
  outcomes = 'pf',
  answers = [{ output: 'ask billing' }, { output: 'billing' }],
  ...rest
}: Rejudged = {}) {
  const before = rest.before === null ? undefined : caseOf(outcomes, { caseHash: 'in.old', ...rest.before });
  const candidate = rest.candidate === null ? undefined : caseOf('p', { caseHash: 'in.new', ...rest.candidate });
  const cell =
    rest.cell === null ? undefined : buildCell({ caseHash: 'in.new', checks: [contains('billing')], ...rest.cell });
  const { judged: found } = await judgeStored({
    before: before === undefined ? [] : [before],
    now: candidate === undefined ? [] : [candidate],
    readCase: () =>
      answers.length === 0
        ? undefined
        : { trials: answers.map((one, trial) => ({ trial, status: 'passed', checks: [], ...one })) },
    cell,
  });
  const judged = found.side.cases.get('refund');
  return {
    cases: [...found.edited],
    trials: judged?.trials.map(({ status, score, caseHash }) => [status, score, caseHash]),
    judged,
  };
}

const untouched = { cases: [] };

describe('stored answers', () => {
  test('are judged by the checks of today', async () => {
    const { cases, trials, judged } = await judge();
    expect(cases).toEqual(['refund']);
    expect(trials).toEqual([
      ['passed', 1, 'in.new'],
      ['passed', 1, 'in.new'],
    ]);
    expect([judged?.status, judged?.caseHash]).toEqual(['passed', 'in.new']);
    const failing = await judge({ cell: { checks: [contains('ask')] } });
    expect(failing.trials).toEqual([
      ['passed', 1, 'in.new'],
      ['failed', 0, 'in.new'],
    ]);
  });

  test('take part in the score by weight and threshold', async () => {
    const checks = [contains('ask'), { ...contains('billing'), weight: 3 }];
    const { trials } = await judge({ cell: { checks, threshold: 0.75 } });
    expect(trials).toEqual([
      ['passed', 1, 'in.new'],
      ['passed', 0.75, 'in.new'],
    ]);
    expect((await judge({ cell: { checks, threshold: 0.8 } })).trials?.[1]).toEqual(['failed', 0.75, 'in.new']);
  });

  test.each<[string, Rejudged]>([
    ['of a case that the baseline lacks', { before: null }],
    ['of a case that the run lacks', { candidate: null }],
    ['of a case with other inputs', { before: { caseHash: 'other.old' } }],
    [
      'of a case with another file',
      { before: { caseHash: 'in.old@file:cat' }, candidate: { caseHash: 'in.new@file:dog' } },
    ],
    ['of a case that is gone since', { cell: null }],
    [
      'of a case whose file has changed since',
      { candidate: { caseHash: 'in.new@file:cat' }, cell: { caseHash: 'in.new@file:dog' } },
    ],
    ['of a case that has changed since', { cell: { caseHash: 'in.newer' } }],
    ['that are not there', { answers: [] }],
    ['of which one was not kept', { answers: [{ output: 'billing' }, {}] }],
    ['of which one trial is missing', { answers: [{ output: 'billing' }] }],
    [
      'whose check can not be made',
      { cell: { checks: [buildCheck({ assertion: 'rubric', params: {}, asks: 'strict', source: null })] } },
    ],
  ])('are left alone: %s', async (_name, options) => {
    expect(await judge(options)).toMatchObject(untouched);
  });

  test('of trials without a verdict need no answer', async () => {
    const { cases, trials } = await judge({ outcomes: 'pes', answers: [{ output: 'billing' }] });
    expect(cases).toEqual(['refund']);
    expect(trials).toEqual([
      ['passed', 1, 'in.new'],
      ['errored', undefined, 'in.new'],
      ['skipped', undefined, 'in.new'],
    ]);
  });

  test.each(['tools', 'turns'])(
    'of a conversation that could not go on (%s) fail, whatever they say',
    async (assertion) => {
      const ended = (pass: boolean) => [{ assertion, pass, score: 0, reason: 'why' }];
      const { trials } = await judge({
        answers: [
          { output: 'billing', checks: ended(false) },
          { output: 'billing', checks: ended(true) },
        ],
      });
      expect(trials).toEqual([
        ['failed', 0, 'in.new'],
        ['passed', 1, 'in.new'],
      ]);
    },
  );

  test('keep what the case is: group and must-pass, and lose fresh trials', async () => {
    const { judged } = await judge({ outcomes: 'pp+ff', before: { mustPass: true, group: 'g' } });
    expect([judged?.mustPass, judged?.group, judged?.confirmations]).toEqual([true, 'g', []]);
  });
});

describe('stored answers of a suite with classes', () => {
  const classes: ClassPolicy = {
    truth: '{{ class }}',
    found: { kind: 'jsonPath', path: '$.class' },
    names: ['ham', 'spam'],
    recall: {},
    precision: {},
    f1: {},
  };
  const by = selectionId(classes.found);
  const old = { truth: 'spam', found: 'ham', by: 'another way' };

  interface Classify {
    readonly outcomes?: string;
    readonly stored?: Partial<RowSummary>;
    readonly now?: Partial<RowSummary>;
    readonly output?: string | undefined;
    readonly classes?: ClassPolicy | undefined;
  }

  async function classify({
    outcomes = 'p',
    stored = {},
    now = { classified: { truth: 'ham', found: 'ham', by } },
    ...rest
  }: Classify) {
    let reads = 0;
    const before = [buildCaseSummary('!', 'p'), buildCaseSummary('a', outcomes, { row: stored })];
    const { lines, judged } = await judgeStored({
      before,
      now: [buildCaseSummary('a', 'p', { row: now })],
      readCase(caseId) {
        if (caseId === 'a') reads += 1;
        const output = 'output' in rest ? rest.output : '{"class":"spam"}';
        return { trials: outcomes.split('').map((_, trial) => ({ trial, ...(output !== undefined && { output }) })) };
      },
      classes: 'classes' in rest ? rest.classes : classes,
    });
    const found = judged.unedited.cases.get('a')?.trials.map(({ classified }) => classified);
    return { isSame: lines.every(({ caseId }) => caseId !== 'a'), reads, found };
  }

  test('are classified as those of today, by the class that they were accepted with', async () => {
    const found = { truth: 'spam', found: 'spam', by };
    expect(await classify({ stored: { classified: old } })).toEqual({ isSame: false, reads: 1, found: [found] });
    expect((await classify({ stored: { classified: old }, output: 'no JSON' })).found).toEqual([
      { ...found, found: null },
    ]);
  });

  test('that had no class get that of the case now', async () => {
    expect((await classify({})).found).toEqual([{ truth: 'ham', found: 'spam', by }]);
  });

  test.each<[string, Classify]>([
    ['where the suite has no classes', { classes: undefined }],
    ['where they were classified so already', { stored: { classified: { ...old, by } } }],
    ['where the case has no class', { now: {} }],
    ['where no trial has a verdict', { outcomes: 'es' }],
  ])('are left as they are %s', async (_name, options) => {
    expect(await classify(options)).toMatchObject({ isSame: true, reads: 0 });
  });

  test('stay as they are where the answer was not kept, and trials without a verdict have none', async () => {
    const { found } = await classify({ stored: { classified: old }, output: undefined });
    expect(found).toEqual([old]);
    const classified = { truth: 'ham', found: 'spam', by };
    expect((await classify({ outcomes: 'pef', stored: { classified: undefined } })).found).toEqual([
      classified,
      undefined,
      classified,
    ]);
  });
});
