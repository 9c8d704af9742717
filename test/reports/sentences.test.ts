import { describe, expect, test } from 'vitest';
import type { Breach, Decision, UnsettledReason } from '../../src/model/comparison/gate.ts';
import type { Report, VariantReport } from '../../src/model/report/report.ts';
import type { FailureKind } from '../../src/model/run/completion.ts';
import { nameCases, nameVariants } from '../../src/reports/cases/name-cases.ts';
import { describeDecision, headlineOf } from '../../src/reports/headline.ts';
import {
  describeAge,
  describeCounts,
  describeNextStep,
  describeSpending,
  findGateEntries,
} from '../../src/reports/run-facts.ts';
import {
  buildCase,
  buildComparison,
  buildEvidence,
  buildReport,
  buildSuite,
  buildUnansweredCase,
  buildVariant,
} from '../support/build-report.ts';

const mini = 'openai:gpt-4o-mini';
const place = { suite: 'support-triage', prompt: 'v2', provider: mini };
const noCases = buildComparison().cases;

function variantOf(cases: number, overrides: Partial<VariantReport> = {}): VariantReport {
  return buildVariant({ passRate: { value: 1, low: 0, high: 1, n: cases }, ...overrides });
}

function reportOf(
  variants: readonly VariantReport[],
  decision: Partial<Decision> = {},
  overrides: Partial<Report> = {},
): Report {
  return buildReport([buildSuite([], { variants })], {
    decision,
    ...overrides,
  });
}

function failedIds(...names: readonly string[]) {
  return names.map((caseId) => ({ caseId, mustPass: false }));
}

function inconclusive(overrides: Parameters<typeof buildComparison>[0] = {}) {
  return buildComparison({ outcome: 'inconclusive', ...overrides });
}

/** A run that these breaches leave open, each for the reason at its place. */
function unsettledBy(open: readonly Omit<Breach, 'code'>[], reasons: readonly UnsettledReason[] = []): Report {
  return reportOf([variantOf(2)], {
    outcome: 'inconclusive',
    breaches: open.map((breach) => ({ code: 'unsettled', ...breach })),
    evidence: reasons.map((why, index) => buildEvidence({ ...open[index], verdict: 'unsettled', why })),
  });
}

/** Answers of two variants, some without a latency. */
function untimed(latencies: VariantReport['latencies'], codes: readonly Breach['code'][]): Report {
  const variants = [
    buildVariant({ passed: 5, failed: 2, ...(latencies !== undefined && { latencies }) }),
    buildVariant({ provider: 'big', passed: 9, latencies: () => ({ candidate: [], baseline: [] }) }),
  ];
  return reportOf(variants, {
    outcome: 'incomplete',
    incompleteBecause: 'errors',
    breaches: codes.map((code) => ({ code, ...place, message: 'no' })),
  });
}

describe('the decision in one sentence', () => {
  test.each<[string, Report]>([
    ['passed: the case passes', reportOf([variantOf(1)])],
    ['passed: all 2 cases pass', reportOf([variantOf(2), variantOf(1, { provider: 'big' })])],
    ['passed: all 2 cases pass', reportOf([variantOf(2), variantOf(9, { provider: 'big', replacedBy: 'mini' })])],
    ['passed: no case was judged', reportOf([variantOf(0)])],
    ['passed: no case was judged; 1 case could not be judged', reportOf([variantOf(0, { erroredCases: 1 })])],
    ['passed: all 3 cases pass; 2 cases could not be judged', reportOf([variantOf(3, { erroredCases: 2 })])],
    [
      'passed: 3 of 5 cases pass, which is within the limits; 1 case could not be judged',
      reportOf([
        variantOf(5, { failedCases: failedIds('a', 'b'), erroredCases: 1 }),
        variantOf(5, { provider: 'big', failedCases: failedIds('b') }),
      ]),
    ],
    [
      'passed: 1 of 3 cases pass in every trial and 2 are flaky, which is within the limits',
      buildReport([
        buildSuite(
          ['a', 'b'].flatMap((caseId) => [
            buildCase({ caseId, status: 'flaky' }),
            // A version that another one replaces is not gated.
            buildCase({ caseId: `${caseId}-old`, provider: 'big', status: 'flaky' }),
          ]),
          {
            variants: [
              variantOf(3, { failedCases: failedIds('a', 'b') }),
              variantOf(3, { provider: 'big', replacedBy: 'mini', failedCases: failedIds('a-old', 'b-old') }),
            ],
          },
        ),
      ]),
    ],
    [
      'passed: 0 of 1 case passes in every trial and 1 is flaky, which is within the limits',
      buildReport([
        buildSuite([buildCase({ caseId: 'a', status: 'flaky' })], {
          variants: [variantOf(1, { failedCases: failedIds('a') })],
        }),
      ]),
    ],
    [
      'passed: all 2 cases pass; 1 average looks worse and is not settled',
      reportOf([variantOf(2, { comparison: buildComparison({ unsettledAverages: 1 }) })]),
    ],
    [
      'passed: all 2 cases pass; 1 case and 2 averages look worse and are not settled',
      reportOf([variantOf(2, { comparison: buildComparison({ unsettledAverages: 2 }) })], {
        evidence: [buildEvidence({ verdict: 'unsettled' })],
      }),
    ],
    [
      'failed: 2 accepted cases are judged no more, since the prompt or provider is not in the run',
      reportOf([variantOf(2)], {
        outcome: 'failed',
        breaches: ['a', 'b', 'b'].map((caseId) => ({
          code: 'case-loosened',
          ...place,
          prompt: 'v1',
          caseId,
          message: '',
        })),
      }),
    ],
    ['passed: nothing was planned', reportOf([buildVariant({ planned: 0, passed: 0 })])],
    [
      'passed: first baseline: the case passes',
      reportOf([
        variantOf(1, { comparison: buildComparison({ isFirst: true, certainty: { kind: 'unchanged', cases: 1 } }) }),
      ]),
    ],
    [
      'passed: first baseline: all 2 cases pass',
      reportOf([
        variantOf(2, { comparison: buildComparison({ isFirst: true, certainty: { kind: 'unchanged', cases: 2 } }) }),
      ]),
    ],
    [
      'passed: this change accepts 2 regressions (1 must-pass)',
      reportOf([
        variantOf(2, {
          failedCases: [{ caseId: 'a', mustPass: true }],
          comparison: buildComparison({
            accepted: [
              { caseId: 'a', change: 'regressed' },
              { caseId: 'b', change: 'regressed' },
              { caseId: 'c', change: 'added' },
            ],
          }),
        }),
      ]),
    ],
    [
      'passed: unchanged: the case asks and answers as on the baseline',
      reportOf([variantOf(1, { comparison: buildComparison({ certainty: { kind: 'unchanged', cases: 1 } }) })], {
        certainty: { kind: 'unchanged', cases: 7 },
      }),
    ],
    [
      'passed: no case broke; with 4 cases a drop of up to 13 points could go unnoticed',
      reportOf(
        [
          variantOf(9, { comparison: buildComparison({ certainty: { kind: 'unseen', cases: 9, drop: 0.02 } }) }),
          variantOf(4, {
            provider: 'big',
            comparison: buildComparison({ certainty: { kind: 'unseen', cases: 4, drop: 0.121 } }),
          }),
          variantOf(4, { provider: 'old' }),
        ],
        { certainty: { kind: 'unseen', cases: 13, drop: 0.121 } },
      ),
    ],
    [
      'passed: no case broke; with 9 cases a drop of up to 13 points could go unnoticed',
      reportOf(
        [variantOf(9, { comparison: buildComparison({ certainty: { kind: 'certain', cases: 9, drop: 0.121 } }) })],
        {
          certainty: { kind: 'unseen', cases: 13, drop: 0.121 },
        },
      ),
    ],
    [
      'passed: no case broke; with 9 cases a drop of up to 13 points could go unnoticed, and one of up to 31 points in the 3 cases of slice vip',
      reportOf(
        [
          variantOf(9, { comparison: buildComparison({ certainty: { kind: 'unseen', cases: 9, drop: 0.02 } }) }),
          variantOf(4, {
            provider: 'big',
            comparison: buildComparison({ certainty: { kind: 'unseen', cases: 4, drop: 0.121 } }),
          }),
        ],
        { certainty: { kind: 'unseen', cases: 13, drop: 0.121, slice: { name: 'vip', cases: 3, drop: 0.301 } } },
      ),
    ],
    ['interrupted: by SIGINT; what was done is kept', reportOf([variantOf(1)], { interrupted: 'SIGINT' })],
    ['inconclusive: limits of the gate are undecided', reportOf([variantOf(1)], { outcome: 'inconclusive' })],
    [
      'inconclusive: support-triage with v2 × openai:gpt-4o-mini: no case could be compared',
      unsettledBy([{ ...place, message: 'no case could be compared' }]),
    ],
    [
      'inconclusive: 1 support-triage case looks worse with v2 × openai:gpt-4o-mini and is not settled: the run stopped before it was settled',
      unsettledBy([
        { ...place, caseId: 'a', message: 'case a failed; it was worse; the run stopped before it was settled' },
      ]),
    ],
    [
      'inconclusive: 2 support-triage cases look worse with v2 × openai:gpt-4o-mini and are not settled: the calls for fresh trials were used up before they were settled, or the run stopped before they were settled',
      unsettledBy(
        ['a', 'b'].map((caseId) => ({ ...place, caseId, message: 'it failed' })),
        ['budget', 'stopped'],
      ),
    ],
    [
      'inconclusive: 2 cases look worse and are not settled: two records are compared, so they were not asked again',
      unsettledBy(
        ['a', 'b'].map((suite) => ({ ...place, suite, caseId: 'a', message: 'it failed' })),
        ['records'],
      ),
    ],
    [
      'inconclusive: pass rate fell: -10 pts',
      unsettledBy(['a', 'b'].map((suite) => ({ ...place, suite, message: 'pass rate fell: -10 pts' }))),
    ],
    [
      'not passed: not this change: the model or the data; the pass rate of the accepted prompt fell by 20 pts',
      reportOf([variantOf(1)], {
        outcome: 'incomplete',
        kind: 'drift',
        incompleteBecause: 'drift',
        drift: { cases: 0, of: 10, isBeyondMargin: true },
        breaches: [{ code: 'drift', ...place, message: 'the pass rate of the accepted prompt fell by 20 pts' }],
      }),
    ],
    [
      "passed: the case passes; the accepted prompt's own pass rate fell",
      reportOf([variantOf(1)], { drift: { cases: 0, of: 10, isBeyondMargin: false } }),
    ],
    [
      'failed: 1 of 3 support-triage cases fails with v2 × openai:gpt-4o-mini',
      reportOf([variantOf(3, { failedCases: failedIds('a') })], {
        outcome: 'failed',
        breaches: [
          { code: 'case-broken', ...place, caseId: 'a', message: 'it failed' },
          { code: 'pass-rate-min', ...place, message: 'too low' },
        ],
      }),
    ],
    ['incomplete: the run did not end', reportOf([variantOf(1)], { outcome: 'incomplete' })],
    [
      'incomplete: nothing was evaluated',
      reportOf([buildVariant({ passed: 0 })], { outcome: 'incomplete', incompleteBecause: 'nothing-evaluated' }),
    ],
    [
      'incomplete: a file, a suite or a slice of its gate has no case left',
      reportOf([buildVariant({ passed: 1, failed: 1 })], {
        outcome: 'incomplete',
        incompleteBecause: 'nothing-evaluated',
      }),
    ],
    [
      'incomplete: a judge may not decide before it is validated (llmcheck judge check)',
      reportOf([variantOf(1)], { outcome: 'incomplete', incompleteBecause: 'unvalidated' }),
    ],
    [
      'incomplete: --require-conclusive asks for more',
      reportOf([variantOf(1)], { outcome: 'incomplete', incompleteBecause: 'inconclusive' }),
    ],
    [
      'incomplete: no case broke; with 0 cases a drop of any size could go unnoticed; 5 points are asked for',
      reportOf([variantOf(1)], {
        outcome: 'incomplete',
        incompleteBecause: 'inconclusive',
        certainty: { kind: 'unseen', cases: 3, drop: null },
        breaches: [
          { code: 'cost-max', message: 'no' },
          { code: 'inconclusive', message: '5 points are asked for' },
        ],
      }),
    ],
    [
      'incomplete: what failed could not be confirmed',
      reportOf([variantOf(1)], { outcome: 'incomplete', incompleteBecause: 'errors' }),
    ],
    [
      "incomplete: a latency limit can't be judged because the latency of 4 answers is unknown",
      untimed(() => ({ candidate: [1, 2, 3], baseline: [] }), ['untimed']),
    ],
    [
      "incomplete: a latency limit can't be judged because the latency of some answers is unknown, and a cost limit can't be judged because the cost of some answers is unknown",
      untimed(undefined, ['untimed', 'unpriced']),
    ],
    [
      "incomplete: a cost limit can't be judged because the cost of some answers is unknown",
      untimed(undefined, ['unpriced']),
    ],
    ['incomplete: what failed could not be confirmed', untimed(undefined, ['unpriced', 'errors-exceeded'])],
  ])('%s', (text, report) => {
    expect(describeDecision(report)).toBe(text);
  });

  test.each([
    ['budget', 'the budget (--max-cost) stopped the run; llmcheck run --resume goes on'],
    ['bail', 'the run was stopped at the failures that --bail allows; llmcheck run --resume goes on'],
    ['queue', 'the queue (--queue) or its workers did not answer for too long; llmcheck run --resume goes on'],
    ['decided', 'what was asked (--early) does not decide the run; run again without it'],
  ] as const)('of a run that stopped: %s', (stopReason, text) => {
    const report = reportOf([variantOf(1)], { outcome: 'incomplete', incompleteBecause: 'stopped' });
    expect(describeDecision({ ...report, run: { ...report.run, complete: false, stopReason } })).toBe(
      `incomplete: ${text}`,
    );
  });

  test('names the largest loss of a baseline, what was not asked and what the change loosens', () => {
    const lost = (count: number, of: number) => buildComparison({ lostCases: { lost: count, of } });
    const variants = [
      variantOf(1, { comparison: lost(6, 10) }),
      variantOf(1, { provider: 'big', comparison: lost(9, 12) }),
      variantOf(1, { provider: 'old' }),
    ];
    const report = reportOf(variants, { loosened: ['a'] }, { exitCode: 0 });
    const totals = { ...report.totals, planned: 40, notAsked: 3 };
    expect(headlineOf({ ...report, totals })).toBe(
      'PASSED: the case passes; 3 of 40 planned cells were not asked (decided early); 9 of 12 cases of the baseline of support-triage are missing; this change loosens its gate (1 warning) (exit code 0)',
    );
  });

  test.each([
    ['timeout: no answer in 60 s; raise --timeout', 'no answer in 60 s'],
    ['network: connect ECONNREFUSED: is it up?', 'connect ECONNREFUSED'],
    ['check: rubric: the judge is silent', 'the judge is silent'],
  ])('names the reason of the first error: %s', (written, reason) => {
    const [kind = '', ...message] = written.split(': ');
    const error = { kind: kind as 'timeout', message: message.join(': '), attempts: 1 };
    const suite = (name: string) =>
      buildSuite([buildUnansweredCase({ status: 'errored' }, { error })], {
        suite: name,
        variants: [buildVariant({ errored: 1 }), buildVariant({ provider: 'big' })],
      });
    const report = buildReport([suite('a'), buildSuite([], { suite: 'whole' }), suite('b'), suite('c'), suite('d')], {
      decision: { outcome: 'incomplete', incompleteBecause: 'errors' },
    });
    const of = (name: string) => `1 ${name} case could not be judged with v2 × ${mini}: ${reason}`;
    expect(describeDecision(report)).toBe(`incomplete: ${of('a')}; ${of('b')}; and more in 2 other suites`);
  });
});

describe('the command to run next', () => {
  const resume = 'llmcheck run --resume 20260301-101500-abcd';
  const errored = (kind: FailureKind) => {
    const entry = buildUnansweredCase({ status: 'errored' }, { error: { kind, message: 'no', attempts: 1 } });
    const suites = [
      buildSuite([], { suite: 'whole', variants: [buildVariant()] }),
      buildSuite([entry], { variants: [buildVariant({ errored: 1 })] }),
    ];
    return buildReport(suites, {
      decision: { outcome: 'incomplete', incompleteBecause: 'errors' },
    });
  };
  const failed = (overrides: Partial<Report['run']>, variant: Partial<VariantReport> = {}, breaches: Breach[] = []) => {
    const report = reportOf([variantOf(1, { comparison: buildComparison(), ...variant })], {
      outcome: 'failed',
      breaches,
    });
    return { ...report, run: { ...report.run, ...overrides } };
  };
  const open = (overrides: Parameters<typeof buildComparison>[0]) =>
    reportOf([variantOf(1), variantOf(1, { comparison: inconclusive(overrides) })], { outcome: 'inconclusive' });
  const accept = 'to accept this on purpose: llmcheck baseline accept --run 20260301-101500-abcd';

  test.each<[string | undefined, Report]>([
    [undefined, reportOf([variantOf(1)])],
    [`go on: ${resume}`, reportOf([variantOf(1)], { interrupted: 'SIGTERM' })],
    [`to judge the rest: ${resume}`, failed({ complete: false, stopReason: 'budget' })],
    [`to judge the rest: ${resume}`, failed({}, { errored: 1 })],
    [accept, failed({})],
    [accept, failed({ complete: false, stopReason: 'decided' })],
    [`${accept} --force`, failed({}, {}, [{ code: 'must-pass', message: 'no' }])],
    [accept, failed({}, {}, [{ code: 'cost-max', message: 'no' }])],
    [undefined, failed({}, { comparison: buildComparison({ isWithinRun: true }) })],
    ['record again: llmcheck run --record', errored('recording')],
    ['ask the provider: llmcheck run --cache use', errored('cacheMiss')],
    [`ask again: ${resume}`, errored('timeout')],
    [`set a key that the provider accepts, then ask again: ${resume}`, errored('auth')],
    [`raise the quota of the account, then ask again: ${resume}`, errored('quota')],
    [
      'correct the model, the address or the command of the provider, then run again: llmcheck run',
      errored('notFound'),
    ],
    [
      'correct the model, the address or the command of the provider, then run again: llmcheck swap ID=MODEL',
      { ...errored('notFound'), swaps: [] },
    ],
    [`correct the check or its judge, then ask again: ${resume}`, errored('check')],
    ['correct what the provider refuses, then run again: llmcheck run', errored('badRequest')],
    [`ask again: ${resume}`, reportOf([variantOf(1)], { outcome: 'incomplete', incompleteBecause: 'errors' })],
    [undefined, reportOf([variantOf(1)], { outcome: 'incomplete', incompleteBecause: 'stopped' })],
    ['to settle it: llmcheck run --confirm-budget 1000', unsettledBy([{ ...place, message: '' }], ['budget'])],
    ['to settle it: llmcheck run --confirm-budget 1000', unsettledBy([{ ...place, message: '' }], ['no-budget'])],
    [`ask again: ${resume}`, unsettledBy([{ ...place, message: '' }], ['errors'])],
    ['to settle it: llmcheck run --trials 3', open({ cases: { ...noCases, regressed: ['a'] }, unsettled: 1 })],
    ['to settle it: llmcheck run --trials 3', open({})],
    ['to settle it: llmcheck run --baseline evals/triage.baseline.jsonl', open({ isOfRecords: true })],
    ['to settle it: llmcheck run --trials 3', open({ isOfRecords: true, isWithinRun: true })],
    [
      'to settle it: llmcheck run --compare v1,v2',
      open({ isOfRecords: true, isWithinRun: true, against: { source: 'this run', prompt: 'v1' } }),
    ],
    [`ask again: ${resume}`, open({ isOpenByErrors: true })],
    [undefined, open({ certainty: { kind: 'unseen', cases: 0 } })],
    ['to settle it: llmcheck run --trials 3', open({ certainty: { kind: 'unseen', cases: 1 } })],
    [undefined, open({ outcome: 'passed' })],
  ])('is %j', (text, report) => {
    expect(describeNextStep(report)).toBe(text);
  });
});

describe('facts of a run', () => {
  const { totals, ...rest } = reportOf([]);
  const withTotals = (overrides: Partial<Report['totals']>): Report => ({
    ...rest,
    totals: { ...totals, ...overrides },
  });

  test.each<[string, Partial<Report['totals']>]>([
    ['0 planned = 0 passed', {}],
    [
      '9 planned = 5 passed + 1 failed + 1 errored + 2 skipped · 3 observed apart · 1 extra call to confirm · 4 cached',
      { planned: 9, passed: 5, failed: 1, errored: 1, skipped: 2, observed: 3, confirmations: 1, cached: 4 },
    ],
  ])('count its cells: %s', (text, overrides) => {
    expect(describeCounts(withTotals(overrides))).toBe(text);
  });

  test.each<[string, Partial<Report['totals']>]>([
    ['spent $0.5000', { costUsd: 0.5, spentUsd: 0.5, spentApartUsd: 0.1 }],
    ['cost $0.5000, spent $0.2000', { costUsd: 0.5, spentUsd: 0.2 }],
    ['spent $0.5000 ($0.1000 to confirm)', { costUsd: 0.5, spentUsd: 0.5, spentApartUsd: 0.1, confirmations: 1 }],
    ['spent $0.5000 ($0.1000 on observed cells)', { costUsd: 0.5, spentUsd: 0.5, spentApartUsd: 0.1, observed: 1 }],
    [
      'cost unknown, spent $0.5000 (judges unknown)',
      { costUsd: null, spentUsd: 0.5, spentApartUsd: null, judgeCostUsd: null, confirmations: 1 },
    ],
    ['spent $0 (judges $0.2000)', { costUsd: 0, spentUsd: 0, spentApartUsd: 0, observed: 2, judgeCostUsd: 0.2 }],
  ])('say what it cost: %s', (text, overrides) => {
    expect(describeSpending(withTotals(overrides))).toBe(text);
  });

  test('name the oldest baseline', () => {
    const against = (against: object) =>
      buildVariant({ comparison: buildComparison({ against: { source: 's', prompt: 'v2', ...against } }) });
    expect(
      describeAge(reportOf([against({}), against({ ageDays: 9 }), against({ acceptedAt: '2026-01-01' })])),
    ).toEqual([]);
    const ages = [
      against({ acceptedAt: '2026-02-27T23:00:00Z', ageDays: 1 }),
      against({ acceptedAt: '2026-01-01T00:00:00Z', ageDays: 58 }),
      against({ acceptedAt: '2026-02-01T00:00:00Z', ageDays: 27 }),
    ];
    expect(describeAge(reportOf(ages))).toEqual(['baseline of 2026-01-01 (58 days old)']);
  });

  test('list what fails the gate besides single cases', () => {
    const breaches: readonly Breach[] = [
      { code: 'must-pass', ...place, caseId: 'refund', message: 'it must pass' },
      { code: 'contract-broken', suite: 'support-triage', prompt: 'v2', message: 'a break' },
      { code: 'slice-min', ...place, slice: 'vip', message: 'too low' },
      { code: 'stopped', message: 'it was stopped' },
    ];
    const entriesOf = (decision: Partial<Decision>, overrides: Partial<Report> = {}) =>
      findGateEntries(reportOf([], decision, overrides)).map(
        ({ kind, name, message }) => `${kind} ${name}: ${message}`,
      );
    const shown = [
      `failure slice-min · support-triage · v2 · ${mini} · vip: support-triage · v2 × ${mini}: too low`,
      'failure stopped: it was stopped',
    ];
    expect(entriesOf({ outcome: 'failed', breaches })).toEqual([
      'failure contract-broken · support-triage · v2: support-triage · v2: a break',
      ...shown,
    ]);
    expect(entriesOf({ outcome: 'failed', breaches }, { contracts: [] })).toEqual(shown);
    expect(entriesOf({ outcome: 'failed', breaches: breaches.slice(0, 1) })).toEqual([]);
    expect(entriesOf({ outcome: 'failed' })).toEqual(['failure decision: failed: the gate says no']);
    expect(entriesOf({ outcome: 'incomplete', breaches: breaches.slice(0, 1) })).toEqual([
      'error decision: incomplete: the run did not end',
    ]);
    expect(entriesOf({ outcome: 'incomplete', breaches: breaches.slice(3) })).toEqual([
      'error stopped: it was stopped',
    ]);
    const unsettled = { code: 'unsettled', ...place, caseId: 'refund', message: 'it looks worse' } as const;
    expect(entriesOf({ outcome: 'inconclusive', breaches: [unsettled] })).toEqual([
      expect.stringContaining('error decision: inconclusive: 1 support-triage case looks worse'),
    ]);
    const loosened = { code: 'case-loosened', ...place, caseId: 'refund', message: 'it passes' } as const;
    expect(entriesOf({ outcome: 'failed', breaches: [loosened] })).toEqual([
      `failure case-loosened · support-triage · v2 · ${mini} · refund: support-triage · v2 × ${mini} · refund: it passes`,
    ]);
    expect(entriesOf({ breaches })).toEqual([]);
  });
});

describe('names', () => {
  const write = (name: string) => `<${name}>`;
  const numbers = (prefix: string, ids: readonly number[], suffix = '') => ids.map((id) => `${prefix}${id}${suffix}`);

  test.each<[string, readonly string[]]>([
    ['no case', []],
    ['<a>', ['a']],
    ['<a>, <b>, <c>', ['a', 'b', 'c']],
    ['<a>, <b>, <c> and 1 more (4 cases)', ['a', 'b', 'c', 'd']],
    ['<t-1> … <t-4> (4 cases)', numbers('t-', [1, 2, 3, 4])],
    ['<t-1> … <t-8> (4 cases)', numbers('t-', [1, 2, 3, 8])],
    ['<t-1>, <t-2>, <t-3> and 1 more (4 cases)', numbers('t-', [1, 2, 3, 9])],
    ['<t1x> … <t5x> (4 cases)', numbers('t', [1, 2, 3, 5], 'x')],
    ['<a1>, <a2>, <a3> and 1 more (4 cases)', ['a1', 'a2', 'a3', 'b4']],
    ['<a1>, <a2>, <a3> and 1 more (4 cases)', ['a1', 'a2', 'a3', 'a4b']],
    ['<a1>, <a2>, <a3> and 1 more (4 cases)', ['a1', 'a2', 'a3', 'a']],
    ['<a>, <a1>, <a2> and 1 more (4 cases)', ['a', 'a1', 'a2', 'a3']],
  ])('of cases: %s', (text, caseIds) => {
    expect(nameCases(caseIds, write)).toBe(text);
  });

  test.each<[string, readonly (readonly [string, string])[]]>([
    ['<v2> × <a>', [['v2', 'a']]],
    [
      '<v2> (<a> and <b>)',
      [
        ['v2', 'a'],
        ['v2', 'b'],
      ],
    ],
    [
      '<v1> and <v2> (<a>)',
      [
        ['v1', 'a'],
        ['v2', 'a'],
      ],
    ],
    [
      '<v1> × <a> and <v2> × <b>',
      [
        ['v1', 'a'],
        ['v2', 'b'],
      ],
    ],
    [
      '<v2> (<a>, <b> and <c>)',
      [
        ['v2', 'a'],
        ['v2', 'b'],
        ['v2', 'c'],
      ],
    ],
    [
      '<v2> (<a>, <b> and 2 more)',
      [
        ['v2', 'a'],
        ['v2', 'b'],
        ['v2', 'c'],
        ['v2', 'd'],
      ],
    ],
    [
      'all 7 variants',
      [
        ['v1', 'a'],
        ['v1', 'b'],
        ['v1', 'c'],
        ['v2', 'a'],
        ['v2', 'b'],
        ['v2', 'c'],
        ['v2', 'd'],
      ],
    ],
  ])('of variants: %s', (text, found) => {
    const variants = ['v1', 'v2'].flatMap((prompt) =>
      ['a', 'b', 'c', 'd'].map((provider) =>
        buildVariant({ prompt, provider, ...(prompt + provider === 'v1d' && { replacedBy: 'v2' }) }),
      ),
    );
    const names = found.map(([prompt, provider]) => ({ prompt, provider }));
    expect(nameVariants(names, buildSuite([], { variants }), write)).toBe(text);
  });

  test('are never "all 2 variants"', () => {
    const variants = [buildVariant({ provider: 'a' }), buildVariant({ provider: 'b' })];
    expect(nameVariants(variants, buildSuite([], { variants }), write)).toBe('<v2> (<a> and <b>)');
  });
});
