import { describe, expect, test } from 'vitest';
import type { Breach } from '../../../src/model/comparison/gate.ts';
import type { CaseReport, Report, VariantComparison, VariantReport } from '../../../src/model/report/report.ts';
import {
  countHidden,
  describeErrored,
  readFailedCases,
  type SuiteSurvey,
  surveyCases,
  worstFirst,
} from '../../../src/reports/cases/failed-cases.ts';
import { createFindGateEffect, rankCase, rankWord } from '../../../src/reports/cases/gate-effect.ts';
import {
  buildCase,
  buildComparison,
  buildDecision,
  buildReport,
  buildSuite,
  buildVariant,
} from '../../support/build-report.ts';

const mini = 'openai:gpt-4o-mini';
const breach = (code: Breach['code'], more: Partial<Breach> = {}): Breach => ({ code, message: code, ...more });

interface SuiteOptions {
  readonly variant?: Partial<VariantReport>;
  readonly breaches?: readonly Breach[];
  readonly comparison?: Partial<VariantComparison>;
}

function reportOf(cases: readonly CaseReport[], { variant, breaches = [], comparison }: SuiteOptions = {}): Report {
  const variants = [
    buildVariant({
      failed: 1,
      ...variant,
      ...(comparison !== undefined && { comparison: buildComparison(comparison) }),
    }),
  ];
  return buildReport([buildSuite(cases, { variants })], { decision: { outcome: 'failed', breaches, warnings: [] } });
}

/** What the first case means for the gate. */
function effectOf(found: Parameters<typeof buildCase>[0], options: SuiteOptions = {}, more: Partial<CaseReport> = {}) {
  const entry = { ...buildCase({ status: 'failed', ...found }), ...more };
  const report = reportOf([entry], options);
  const [suite] = report.suites;
  if (suite === undefined) throw new Error('one suite');
  const effect = createFindGateEffect(report, suite)(entry);
  const reason =
    effect.kind === 'tolerated' ? effect.reason : effect.kind === 'failure' && effect.isNamed ? 'named' : '';
  const rank = rankCase(entry, effect);
  return [effect.kind, reason, rank, rank === undefined ? '' : rankWord(entry, rank)].join(' | ');
}

const stillFailing = { cases: { ...buildComparison().cases, stillFailing: ['refund'] } };

describe('what a case means for the gate', () => {
  test.each<[string, Parameters<typeof effectOf>]>([
    ['passed |  |  | ', [{ status: 'passed' }]],
    ['skipped |  |  | ', [{ status: 'skipped' }]],
    ['error |  |  | ', [{ status: 'errored' }]],
    ['tolerated | observed only: outside the gate | tolerated | ', [{ observe: true }]],
    ['tolerated | observed only: outside the gate | tolerated | ', [{ observe: true, status: 'errored' }]],
    ['tolerated | replaced by v3: shown, not gated | tolerated | ', [{}, { variant: { replacedBy: 'v3' } }]],
    [
      'tolerated | replaced by v3: shown, not gated | tolerated | ',
      [{ status: 'errored' }, { variant: { replacedBy: 'v3' } }],
    ],
    [
      'tolerated | replaced by v3: shown, not gated | tolerated | regressed',
      [{ change: 'regressed' }, { variant: { replacedBy: 'v3' } }],
    ],
    ['failure | named | broken | broken', [{ prompt: 'other' }]],
    ['failure | named | broken | broken', [{}, { breaches: [breach('must-pass', { caseId: 'refund' })] }]],
    [
      'failure | named | regressed | regressed',
      [{ change: 'regressed' }, { breaches: [breach('case-broken', { caseId: 'refund' })] }],
    ],
    [
      'failure | named | broken | drifted',
      [{ change: 'drifted' }, { breaches: [breach('case-drifted', { caseId: 'refund' })] }],
    ],
    [
      'failure | named | broken | new',
      [{ change: 'added' }, { breaches: [breach('case-added-failed', { caseId: 'refund' })] }],
    ],
    [
      'tolerated | not enough to fail the gate | tolerated | ',
      [{}, { breaches: [breach('must-pass', { caseId: 'other' })] }],
    ],
    [
      'tolerated | not enough to fail the gate | tolerated | ',
      [{}, { breaches: [breach('must-pass', { caseId: 'refund', suite: 'other' })] }],
    ],
    [
      'tolerated | not enough to fail the gate | tolerated | ',
      [{}, { breaches: [breach('must-pass', { caseId: 'refund', prompt: 'other' })] }],
    ],
    [
      'tolerated | not enough to fail the gate | tolerated | ',
      [{}, { breaches: [breach('must-pass', { caseId: 'refund', provider: 'other' })] }],
    ],
    [
      'failure | named | broken | broken',
      [
        {},
        {
          breaches: [breach('must-pass', { caseId: 'refund', suite: 'support-triage', prompt: 'v2', provider: mini })],
        },
      ],
    ],
    ...(
      [
        'pass-rate-min',
        'score-min',
        'pass-rate-regressed',
        'score-regressed',
        'precision-min',
        'f1-min',
        'f1-regressed',
      ] as const
    ).map((code): [string, Parameters<typeof effectOf>] => [
      'failure |  | failing | failing',
      [{}, { breaches: [breach(code)] }],
    ]),
    ...(['cost-max', 'latency-regressed', 'contract-broken', 'recall-min'] as const).map(
      (code): [string, Parameters<typeof effectOf>] => [
        'tolerated | not enough to fail the gate | tolerated | ',
        [{}, { breaches: [breach(code)] }],
      ],
    ),
    [
      'tolerated | not enough to fail the gate | tolerated | ',
      [{}, { breaches: [breach('pass-rate-min', { caseId: 'other' })] }],
    ],
    [
      'failure |  | failing | failing',
      [{}, { breaches: [breach('slice-min', { slice: 'vip' })] }, { slices: ['eu', 'vip'] }],
    ],
    [
      'tolerated | not enough to fail the gate | tolerated | ',
      [{}, { breaches: [breach('slice-min', { slice: 'vip' })] }, { slices: ['eu'] }],
    ],
    [
      'failure |  | failing | failing',
      [{}, { breaches: [breach('recall-min', { metric: 'recall', class: 'legal' })] }, { class: 'legal' }],
    ],
    [
      'tolerated | not enough to fail the gate | tolerated | ',
      [{}, { breaches: [breach('recall-min', { metric: 'recall', class: 'legal' })] }, { class: 'spam' }],
    ],
    ['failure |  | flaky | flaky', [{ status: 'flaky' }, { breaches: [breach('pass-rate-min')] }]],
    ['failure |  | flaky | flaky', [{ change: 'flaky' }, { breaches: [breach('pass-rate-min')] }]],
    ['failure |  | new | new', [{ change: 'added' }, { breaches: [breach('pass-rate-min')] }]],
    ['failure |  | new | redefined', [{ change: 'redefined' }, { breaches: [breach('pass-rate-min')] }]],
    ['tolerated | not confirmed | regressed | regressed', [{ change: 'regressed' }]],
    ['tolerated | it fails with the accepted prompt too | tolerated | drifted', [{ change: 'drifted' }]],
    ['tolerated | not enough to fail the gate | flaky | flaky', [{ status: 'flaky' }]],
    ['tolerated | not enough to fail the gate | new | new', [{ change: 'added' }]],
    [
      'tolerated | known failure: it fails in the baseline too | tolerated | ',
      [{}, { comparison: stillFailing, breaches: [breach('pass-rate-min')] }],
    ],
    [
      'tolerated | accepted in this change, which adds the first baseline | tolerated | ',
      [{}, { comparison: { ...stillFailing, isFirst: true } }],
    ],
    [
      'tolerated | it fails with v2 in this run too | tolerated | ',
      [{}, { comparison: { ...stillFailing, isWithinRun: true } }],
    ],
    [
      'failure |  | failing | failing',
      [{}, { comparison: { ...stillFailing, isWithinRun: true }, breaches: [breach('score-min')] }],
    ],
    [
      'tolerated | accepted in this change | accepted | regressed',
      [
        { change: 'regressed' },
        { comparison: { accepted: [{ caseId: 'refund', change: 'regressed' }] }, breaches: [breach('score-min')] },
      ],
    ],
    [
      'failure |  | regressed | regressed',
      [
        { change: 'regressed' },
        { comparison: { accepted: [{ caseId: 'refund', change: 'added' }] }, breaches: [breach('score-min')] },
      ],
    ],
  ])('is %s', (line, args) => {
    expect(effectOf(...args)).toBe(line);
  });
});

const limits = { maxEntries: 10, maxNames: 2, maxGroups: 2 };
const failed = (caseId: string, more: Parameters<typeof buildCase>[0] = {}, output = 'x') =>
  buildCase({ caseId, status: 'failed', ...more }, [{ output }]);
const shorten = ({ failed: list }: Pick<SuiteSurvey, 'failed'>) =>
  list.map(({ caseIds, rank, mustPass, outcomes }) => {
    const variants = outcomes.map((one) => `${one.rank} ${one.variants.map(({ prompt }) => prompt).join('+')}`);
    return `${mustPass ? '!' : ''}${rank} ${caseIds.join(',')} (${variants.join('; ')})`;
  });

function surveyOf(report: Report, more: Partial<typeof limits & { isEachAlone: boolean }> = {}): SuiteSurvey {
  const [survey] = surveyCases(report, { ...limits, ...more });
  if (survey === undefined) throw new Error('one suite');
  return survey;
}

describe('the failed cases of a report', () => {
  const rate = { breaches: [breach('pass-rate-min')] };

  test('come with must-pass cases first, then by rank, then in natural order', () => {
    const report = reportOf(
      [
        failed('c10', { change: 'added' }, 'a'),
        failed('c2', { change: 'added' }, 'b'),
        failed('flaky', { status: 'flaky' }),
        failed('must', { mustPass: true }),
        failed('worse', { change: 'regressed' }),
        failed('plain'),
      ],
      rate,
    );
    const survey = surveyOf(report);
    const order = [
      '!failing must (failing v2)',
      'regressed worse (regressed v2)',
      'new c2 (new v2)',
      'new c10 (new v2)',
      'failing plain (failing v2)',
      'flaky flaky (flaky v2)',
    ];
    expect(shorten(survey)).toEqual(order);
    expect(shorten({ failed: worstFirst(survey.failed.toReversed()) })).toEqual(order);
    expect(survey.counts).toEqual({ regressed: 1, broken: 0, new: 2, failing: 2, flaky: 1, accepted: 0, tolerated: 0 });
    // Of all of them, cases of one rank stay in the order of the report.
    expect(shorten({ failed: [...readFailedCases(report, survey)] })).toEqual([
      order[0],
      order[1],
      order[3],
      order[2],
      order[4],
      order[5],
    ]);
    const few = surveyOf(report, { maxEntries: 2 });
    expect(shorten(few)).toEqual(order.slice(0, 2));
    expect(countHidden(few)).toEqual([
      ['new', 2],
      ['failing', 1],
      ['flaky', 1],
    ]);
  });

  test('share an entry where they failed alike, unless each must have its own', () => {
    const report = reportOf(
      [failed('c2'), failed('c10'), failed('c1'), failed('other', {}, 'y'), failed('must', { mustPass: true })],
      rate,
    );
    expect(shorten(surveyOf(report))).toEqual([
      '!failing must (failing v2)',
      'failing c1,c2,c10 (failing v2)',
      'failing other (failing v2)',
    ]);
    expect(shorten(surveyOf(report, { isEachAlone: true }))).toHaveLength(5);
  });

  test('have an outcome for each way in which the variants failed, the worst first', () => {
    const [plain, other] = [buildVariant({ prompt: 'v1', failed: 1 }), buildVariant({ failed: 1 })];
    const both = (caseId: string, one: string, two: string, more = {}) => [
      failed(caseId, { prompt: 'v1' }, one),
      failed(caseId, more, two),
    ];
    const cases = [
      ...both('alike', 'x', 'x'),
      ...both('apart', 'x', 'y'),
      ...both('worse', 'x', 'x', { change: 'regressed' }),
      failed('one', { prompt: 'v1' }, 'z'),
    ];
    const report = buildReport([buildSuite(cases, { variants: [plain, other] })], {
      decision: { outcome: 'failed', breaches: [breach('pass-rate-min', { prompt: 'v2' })], warnings: [] },
    });
    const survey = surveyOf(report);
    expect(shorten(survey)).toEqual([
      'regressed worse (regressed v2; tolerated v1)',
      'failing alike (failing v2; tolerated v1)',
      'failing apart (failing v2; tolerated v1)',
      'tolerated one (tolerated v1)',
    ]);
    const all = { decision: buildDecision({ outcome: 'failed', breaches: [breach('pass-rate-min')] }) };
    expect(shorten(surveyOf({ ...report, ...all }))).toEqual([
      'regressed worse (regressed v2; failing v1)',
      'failing alike (failing v1+v2)',
      'failing apart (failing v1; failing v2)',
      'failing one (failing v1)',
    ]);
  });

  test('say the trials of a variant that has several, where variants failed alike', () => {
    const of = (prompt: string, trials: number) =>
      buildCase(
        { caseId: 'a', prompt, status: 'failed' },
        Array.from({ length: trials }, () => ({ output: 'x' })),
      );
    const trialsOf = (...counts: readonly number[]) => {
      const variants = counts.map((_, index) => buildVariant({ prompt: `v${index}`, failed: 1 }));
      const cases = counts.map((count, index) => of(`v${index}`, count));
      const report = buildReport([buildSuite(cases, { variants })], {
        decision: { outcome: 'failed', ...rate, warnings: [] },
      });
      return surveyOf(report).failed.flatMap(({ outcomes }) => outcomes.map(({ explanation }) => explanation.trials));
    };
    expect(trialsOf(1, 1)).toEqual(['']);
    expect(trialsOf(2, 2)).toEqual(['2 of 2 trials failed']);
    expect(trialsOf(1, 2)).toEqual(['up to 2 of 2 trials failed']);
    expect(trialsOf(2, 1, 1)).toEqual(['up to 2 of 2 trials failed']);
  });

  test('are apart from those that fail alike and are accepted', () => {
    const cases = [failed('a', { change: 'regressed' }), failed('b', { change: 'regressed' })];
    expect(
      shorten(surveyOf(reportOf(cases, { ...rate, comparison: { accepted: [{ caseId: 'a', change: 'regressed' }] } }))),
    ).toEqual(['regressed b (regressed v2)', 'accepted a (accepted v2)']);
  });

  test('that the gate tolerates or that errored are grouped', () => {
    const errored = (caseId: string, message: string, kind = 'timeout') =>
      buildCase({ caseId, status: 'errored' }, [{ error: { kind, message, attempts: 1 } as never }]);
    const report = reportOf(
      [
        failed('w3', { observe: true }),
        failed('w10', { observe: true }),
        failed('w1', { observe: true }),
        failed('soft'),
        errored('e1', 'no answer in 60 s'),
        errored('e2', 'no answer in 90 s'),
        errored('e3', 'broken'),
        errored('e4', 'again'),
        errored('e5', 'and again'),
      ],
      { variant: { errored: 5, observed: 3 } },
    );
    const survey = surveyOf(report);
    expect(shorten(survey)).toEqual(['tolerated soft (tolerated v2)']);
    const groups = (list: SuiteSurvey['errored']) =>
      list.map(({ reason, cases, count }) => `${count} ${reason}: ${cases.map(({ caseId }) => caseId).join(',')}`);
    expect(groups(survey.tolerated)).toEqual(['3 observed only: outside the gate: w1,w3']);
    expect(groups(survey.errored)).toMatchInlineSnapshot(`
      [
        "2 timeout: no answer in 90 s: e1,e2",
        "1 timeout: broken: e3",
        "2 other messages: e4,e5",
      ]
    `);
    expect(shorten({ failed: [...readFailedCases(report, survey)] })).toHaveLength(4);
  });

  test('are listed where all are tolerated, too', () => {
    const report = reportOf([{ ...failed('a'), observe: true }]);
    const survey = surveyOf(report);
    expect([survey.failed, survey.tolerated.map(({ count }) => count)]).toEqual([[], [1]]);
    expect([...readFailedCases(report, survey)].map(({ caseIds, rank }) => [caseIds, rank])).toEqual([
      [['a'], 'tolerated'],
    ]);
  });

  test('are not read where no variant failed', () => {
    const suite = { ...buildSuite([failed('a')]), variants: [buildVariant()] };
    const read = () => {
      throw new Error('read');
    };
    expect(surveyOf(buildReport([{ ...suite, cases: read as never }])).failed).toEqual([]);
    for (const more of [{ failed: 1 }, { errored: 1 }, { observed: 1 }]) {
      expect(() => surveyOf(buildReport([{ ...suite, variants: [buildVariant(more)], cases: read as never }]))).toThrow(
        'read',
      );
    }
  });
});

test('error messages that differ in names, numbers and hashes are of one kind', () => {
  const [suite] = reportOf([]).suites;
  if (suite === undefined) throw new Error('one suite');
  const describeOf = (message: string, caseId = 'a') =>
    describeErrored(
      suite,
      buildCase({ caseId, status: 'errored' }, [{ error: { kind: 'x', message, attempts: 1 } as never }]),
    );
  const one = describeOf('case "a" of evals/x.ts:12 failed after 3 s, run --filter support-triage/a');
  expect([one.own, one.shared, one.key]).toMatchInlineSnapshot(`
    [
      "x: case "a" of evals/x.ts:12 failed after 3 s, run --filter support-triage/a",
      "x: each case of evals/x.ts failed after 3 s, run",
      "x: each case of evals/x.ts failed after 0 s, run",
    ]
  `);
  expect(describeOf('case "b" of evals/x.ts:99 failed after 4 s, run --filter support-triage/b', 'b').key).toBe(
    one.key,
  );
  expect(describeOf('prompt "v2", provider "openai:gpt-4o-mini", fails').shared).not.toContain('v2');
  expect(describeErrored(suite, buildCase({ status: 'failed' })).own).toBe('no reason was recorded');
});
