import type { MetricComparison } from '../../src/model/comparison/comparison.ts';
import { describeContractWarnings } from '../../src/model/comparison/finding.ts';
import type { CaseEvidenceReport, Decision, DecisionKind } from '../../src/model/comparison/gate.ts';
import type {
  CaseReport,
  Report,
  ReportStyle,
  SuiteReport,
  VariantComparison,
  VariantReport,
} from '../../src/model/report/report.ts';
import { firstAcceptedTrial } from '../../src/model/run/cell.ts';
import type { CellRow } from '../../src/model/run/record.ts';
import { buildContract } from './build-contracts.ts';

export const plainStyle: ReportStyle = { color: false, width: 80, verbose: false, quiet: false };

/** A finished cell: by default a passed one, answered `billing`. */
export function buildRow(overrides: Partial<CellRow> = {}): CellRow {
  return {
    type: 'cell',
    suite: 'support-triage',
    prompt: 'v2',
    provider: 'openai:gpt-4o-mini',
    caseId: 'refund',
    trial: 0,
    cellHash: 'cell-hash',
    caseHash: 'caseHash',
    status: 'passed',
    at: { file: 'evals/triage.eval.yaml', line: 31, column: 5 },
    score: 1,
    output: 'billing',
    checks: [{ assertion: 'equals', pass: true, score: 1, reason: 'equals "billing"' }],
    latencyMs: 420,
    costUsd: 0.00031,
    spentUsd: 0.00031,
    usage: { inputTokens: 120, outputTokens: 4 },
    cached: false,
    attempts: 1,
    calls: [],
    ...overrides,
  };
}

/** A case whose rows carry its key; without rows it has one, of the case's own status. */
export function buildCase(
  overrides: Partial<Omit<CaseReport, 'trials'>> = {},
  rows: readonly Partial<CellRow>[] = [{}],
): CaseReport {
  const { caseId = 'refund', prompt = 'v2', provider = 'openai:gpt-4o-mini', status = 'passed' } = overrides;
  const at = overrides.at ?? { file: 'evals/triage.eval.yaml', line: 31, column: 5 };
  const key = { caseId, prompt, provider };
  const rowStatus = status === 'flaky' ? 'failed' : status;
  return {
    ...key,
    status,
    observe: overrides.observe ?? false,
    at,
    trials: rows.map((row, trial) => buildRow({ ...key, at, trial, status: rowStatus, ...row })),
    ...(overrides.mustPass === true && { mustPass: true as const }),
    ...(overrides.change !== undefined && { change: overrides.change }),
    ...(overrides.baseline !== undefined && { baseline: overrides.baseline }),
    ...(overrides.acceptedTrials !== undefined && { acceptedTrials: overrides.acceptedTrials }),
  };
}

/** A case of one trial to which no answer came. */
export function buildUnansweredCase(overrides: Partial<Omit<CaseReport, 'trials'>>, row: Partial<CellRow>): CaseReport {
  const { caseId = 'refund', prompt = 'v2', provider = 'openai:gpt-4o-mini', status = 'passed' } = overrides;
  const entry = buildCase(overrides);
  const trial: CellRow = {
    type: 'cell',
    suite: 'support-triage',
    prompt,
    provider,
    caseId,
    trial: 0,
    cellHash: 'cell-hash',
    caseHash: 'caseHash',
    status: status === 'flaky' ? 'failed' : status,
    at: entry.at,
    checks: [],
    cached: false,
    attempts: 1,
    calls: [],
    ...row,
  };
  return { ...entry, trials: [trial] };
}

export function buildVariant(overrides: Partial<VariantReport> = {}): VariantReport {
  return {
    prompt: 'v2',
    provider: 'openai:gpt-4o-mini',
    model: 'gpt-4o-mini',
    planned: 1,
    passed: 1,
    failed: 0,
    errored: 0,
    skipped: 0,
    observed: 0,
    confirmations: 0,
    cached: 0,
    passRate: { value: 1, low: 0.2065, high: 1, n: 1 },
    score: { mean: 1, low: 0.2065, high: 1 },
    costUsd: 0.00031,
    spentUsd: 0.00031,
    spentApartUsd: 0,
    latencyMs: { p50: 420, p95: 980 },
    ...overrides,
  };
}

/** Its variants name their failed cases, as those of a real report do. */
export function buildSuite(
  cases: readonly CaseReport[],
  overrides: Partial<Omit<SuiteReport, 'cases'>> = {},
): SuiteReport {
  const { variants = [buildVariant()] } = overrides;
  return {
    suite: 'support-triage',
    path: 'evals/triage.eval.yaml',
    ...overrides,
    variants: variants.map((variant) => ({ ...listFailed(variant, cases), ...variant })),
    *cases(filter) {
      for (const entry of cases) {
        if (filter === undefined || filter.statuses.includes(entry.status)) yield entry;
      }
    },
  };
}

function listFailed(
  { prompt, provider }: VariantReport,
  cases: readonly CaseReport[],
): Pick<VariantReport, 'failedCases' | 'erroredCases'> {
  const own = cases.filter((entry) => !entry.observe && entry.prompt === prompt && entry.provider === provider);
  const failed = own.filter(({ status }) => status === 'failed' || status === 'flaky');
  const erroredCases = own.filter(({ status }) => status === 'errored').length;
  return {
    ...(failed.length > 0 && { failedCases: failed.map(({ caseId, mustPass = false }) => ({ caseId, mustPass })) }),
    ...(erroredCases > 0 && { erroredCases }),
  };
}

/** A decision of the most usual kind for its outcome, if it says no other. */
export function buildDecision(parts: Partial<Decision> = {}): Decision {
  const { outcome = 'passed', incompleteBecause, certainty } = parts;
  const kinds = {
    passed: certainty?.kind ?? 'uncompared',
    failed: 'broken',
    inconclusive: 'unsettled',
    incomplete: incompleteKinds[incompleteBecause ?? 'stopped'],
  } as const satisfies Record<Decision['outcome'], DecisionKind>;
  return { outcome, kind: kinds[outcome], evidence: [], breaches: [], warnings: [], ...parts };
}

/** A case that broke, as the fresh trials of both sides show. */
export function buildEvidence(parts: Partial<CaseEvidenceReport> = {}): CaseEvidenceReport {
  const where = { suite: 'support-triage', prompt: 'v2', provider: 'openai:gpt-4o-mini', caseId: 'refund' };
  const trials = { planned: 1, plannedFailed: 1, asked: 6, failed: 6, acceptedAsked: 6, acceptedFailed: 0 };
  return { ...where, verdict: 'broken', ...trials, evidence: 4200, ...parts };
}

const incompleteKinds = {
  errors: 'errors',
  drift: 'drift',
  stopped: 'stopped',
  'nothing-evaluated': 'nothing-evaluated',
  unvalidated: 'unvalidated',
  inconclusive: 'uncertain',
  record: 'record',
} as const satisfies Record<NonNullable<Decision['incompleteBecause']>, DecisionKind>;

interface ReportParts extends Partial<Omit<Report, 'decision'>> {
  readonly decision?: Partial<Decision>;
}

export function buildReport(suites: readonly SuiteReport[], { decision, ...overrides }: ReportParts = {}): Report {
  const variants = suites.flatMap((suite) => suite.variants);
  const sum = (
    key: 'planned' | 'passed' | 'failed' | 'errored' | 'skipped' | 'observed' | 'confirmations' | 'cached',
  ): number => variants.reduce((total, variant) => total + variant[key], 0);
  return {
    tool: { name: 'llmcheck', version: '0.1.0' },
    run: { id: '20260301-101500-abcd', startedAt: '2026-03-01T10:15:00.000Z', durationMs: 12_345, complete: true },
    decision: buildDecision(decision),
    exitCode: 0,
    totals: {
      planned: sum('planned'),
      passed: sum('passed'),
      failed: sum('failed'),
      errored: sum('errored'),
      skipped: sum('skipped'),
      observed: sum('observed'),
      confirmations: sum('confirmations'),
      cached: sum('cached'),
      passRate: sum('planned') === 0 ? null : 0.5,
      costUsd: 0.0124,
      spentUsd: 0.004,
      spentApartUsd: 0,
      judgeCostUsd: 0,
    },
    suites,
    notes: [],
    ...overrides,
  };
}

const noMetric: MetricComparison = { baseline: null, candidate: null, delta: null, low: null, high: null, p: null };

export function buildComparison(overrides: Partial<VariantComparison> = {}): VariantComparison {
  return {
    outcome: 'passed',
    certainty: { kind: 'unseen', cases: 10, drop: 0.262 },
    against: { source: 'evals/triage.baseline.jsonl', prompt: 'v2' },
    passRate: noMetric,
    score: noMetric,
    costUsd: noMetric,
    latencyMs: noMetric,
    cases: {
      regressed: [],
      drifted: [],
      fixed: [],
      stillFailing: [],
      flaky: [],
      added: [],
      removed: [],
      redefined: [],
    },
    unmatched: [],
    advice: [],
    notes: [],
    accepted: [],
    ...overrides,
  };
}

/** Common runs, by theme. */
export function buildReports(): Readonly<Record<string, Report>> {
  return {
    passed: buildReport([buildSuite([buildCase()])]),
    compared: buildComparedReport(),
    failed: buildFailedReport(),
    regressed: buildRegressedReport(),
    inconclusive: buildInconclusiveReport(),
    accepted: buildAcceptedReport(),
    incomplete: buildIncompleteReport(),
    contract: buildContractReport(),
    empty: buildReport([], {
      decision: {
        outcome: 'incomplete',
        incompleteBecause: 'nothing-evaluated',
        warnings: [],
        breaches: [{ code: 'nothing-evaluated', message: 'no case matches --filter "refnd"' }],
      },
      exitCode: 4,
    }),
  };
}

/** Every case passes, and the contract is broken all the same. */
function buildContractReport(): Report {
  const contract = buildContract();
  const kept = buildContract({
    prompt: 'v3',
    findings: contract.findings.filter(({ severity }) => severity === 'info'),
  });
  const unchanged = { suite: 'support-triage', prompt: 'v4', against: contract.against, findings: [] };
  const place = { suite: 'support-triage', prompt: 'v2' };
  const message =
    'output contract, enum-value-added at /outputSchema/properties/queue: The value "fraud" is allowed as well.';
  const warnings = [...describeContractWarnings(contract), 'the model snapshot is another'];
  return buildReport([buildSuite([buildCase()])], {
    decision: { outcome: 'failed', breaches: [{ code: 'contract-broken', ...place, message }], warnings },
    exitCode: 1,
    contracts: [contract, { ...kept, observed: [] }, unchanged],
  });
}

/** Nothing got worse that ten cases can show. */
function buildComparedReport(): Report {
  const certainty = { kind: 'unseen', cases: 10, drop: 0.262 } as const;
  const comparison = buildComparison({
    certainty,
    passRate: { baseline: 1, candidate: 1, delta: 0, low: -0.262, high: 0.262, p: 0.5 },
    advice: ['pass rate: a drop of up to 26.2 pts is not excluded by 10 cases; to certify 5 pts: ~73 cases'],
  });
  const variant = buildVariant({
    planned: 10,
    passed: 10,
    passRate: { value: 1, low: 0.7225, high: 1, n: 10 },
    comparison,
  });
  return buildReport([buildSuite([buildCase({ change: 'stillPassing' })], { variants: [variant] })], {
    decision: { outcome: 'passed', certainty, breaches: [], warnings: [] },
  });
}

/** Trials, a diff of words and one of lines, an answer that the filter refused, an unpriced model. */
function buildFailedReport(): Report {
  const wrongQueue = {
    score: 0.5,
    output: 'sales',
    checks: [
      { assertion: 'json', pass: true, score: 1, reason: 'is JSON' },
      {
        assertion: 'equals',
        name: 'queue',
        pass: false,
        score: 0,
        reason: 'found "sales", expected "billing"',
        diff: { expected: 'billing', found: 'sales' },
      },
    ],
  };
  const summary = {
    output: 'Dear customer,\nwe are sorry to hear that.\nYour order is on its way.\nBest,\nThe team',
    checks: [
      {
        assertion: 'equals',
        pass: false,
        score: 0,
        reason: 'line 3 differs',
        diff: {
          expected: 'Dear customer,\nwe are sorry to hear that.\nYour refund is on its way.\nBest,\nThe team',
          found: 'Dear customer,\nwe are sorry to hear that.\nYour order is on its way.\nBest,\nThe team',
        },
      },
    ],
  };
  const filtered: Partial<CellRow> = {
    error: { kind: 'contentFilter', message: 'the provider refused to answer', status: 400, attempts: 1 },
  };
  const cases = [
    buildCase({ caseId: 'greeting' }),
    buildCase({ caseId: 'letter', status: 'failed', at: { file: 'evals/triage.eval.yaml', line: 44, column: 5 } }, [
      summary,
    ]),
    buildCase({ caseId: 'refund', status: 'flaky' }, [wrongQueue, { status: 'passed' }, wrongQueue]),
    buildUnansweredCase({ caseId: 'violent', status: 'failed' }, filtered),
  ];
  const variant = buildVariant({
    planned: 6,
    passed: 2,
    failed: 4,
    cached: 2,
    passRate: { value: 0.3333, low: 0.0968, high: 0.7, n: 4 },
    costUsd: null,
  });
  return buildReport([buildSuite(cases, { variants: [variant] })], {
    decision: {
      outcome: 'failed',
      warnings: ['the price of gpt-4o-mini is not known'],
      breaches: [
        {
          code: 'pass-rate-min',
          suite: 'support-triage',
          prompt: 'v2',
          provider: 'openai:gpt-4o-mini',
          metric: 'passRate',
          candidate: 0.3333,
          message: 'pass rate 33.3 % is below the minimum of 90.0 %',
        },
      ],
    },
    exitCode: 1,
    notes: ['2 of 6 answers came from the cache'],
  });
}

/** Two prompt versions, a broken case, a known failure, one case observed, and a cost beyond its limit. */
function buildRegressedReport(): Report {
  const failing = {
    score: 0,
    output: 'I cannot help with that.',
    checks: [
      { assertion: 'contains', pass: false, score: 0, reason: '"refund" is not in the output' },
      { assertion: 'length', pass: false, score: 0, reason: '24 characters, at least 40 wanted', weight: 0 },
    ],
  };
  const failed = (caseId: string, overrides: Partial<CaseReport> = {}): CaseReport =>
    buildCase({ caseId, status: 'failed', ...overrides }, [failing]);
  const before = { status: 'passed', output: 'I am sorry to hear that. Your refund is on its way.' } as const;
  const wordy = {
    ...failing,
    output: 'Your order 4711 was sent on Monday by airmail and should be with you within ten days.',
  };
  const calling = { ...failing, output: '', toolCalls: [{ name: 'close', arguments: {}, rawArguments: '{"id":1}' }] };
  const rowOfAccepted = buildRow({
    ...failing,
    caseId: 'weather',
    trial: firstAcceptedTrial,
    status: 'failed',
    confirmation: true,
    side: 'accepted',
  });
  const cases = [
    failed('broken', { change: 'regressed', baseline: before }),
    failed('curious', { observe: true }),
    buildCase({ caseId: 'known', prompt: 'v1' }),
    failed('known', { change: 'stillFailing', baseline: { ...before, status: 'failed' } }),
    failed('newcomer', { change: 'added' }),
    failed('old', { prompt: 'v1' }),
    buildCase({ caseId: 'old', change: 'fixed' }),
    buildCase(
      {
        caseId: 'order',
        status: 'failed',
        change: 'regressed',
        at: { file: 'evals/cases/orders.jsonl', line: 3, column: 1 },
        baseline: {
          status: 'passed',
          output: 'Your order 4711 was sent on Monday by airmail and should be with you within two days.',
        },
      },
      [wordy],
    ),
    buildCase({ caseId: 'shaky', status: 'flaky', change: 'flaky', baseline: before }, [
      failing,
      { status: 'passed', output: before.output },
    ]),
    buildCase(
      {
        caseId: 'tool',
        status: 'failed',
        change: 'regressed',
        baseline: {
          status: 'passed',
          output: '',
          toolCalls: [{ name: 'refund', arguments: {}, rawArguments: '{"id":1}' }],
        },
      },
      [calling],
    ),
    failed('weather', { change: 'drifted', baseline: before, acceptedTrials: [rowOfAccepted] }),
  ];
  const comparison = buildComparison({
    outcome: 'failed',
    certainty: { kind: 'unseen', cases: 100, drop: 0.076 },
    against: { source: 'git:main', prompt: 'v1' },
    passRate: { baseline: 0.98, candidate: 0.96, delta: -0.02, low: -0.076, high: 0.028, p: 0.19 },
    score: { baseline: 0.98, candidate: 0.96, delta: -0.02, low: null, high: 0.028, p: null },
    costUsd: { baseline: 0.01, candidate: 0.0125, delta: 0.25, low: 0.21, high: 0.29, p: 0.001 },
    cases: {
      regressed: ['broken', 'order', 'tool'],
      drifted: ['weather'],
      fixed: ['old'],
      stillFailing: ['known'],
      flaky: ['shaky'],
      added: ['newcomer'],
      removed: [],
      redefined: [],
    },
    unmatched: ['params.temperature: 0 → 0.7'],
    advice: ['score: a drop of up to 7.6 pts is not excluded by 100 cases; to certify 5 pts: ~300 cases'],
    notes: [
      '38 of 40 answers are the very ones the baseline holds',
      'case weather passed 1 of 1 trials on the baseline and now failed all 6; the accepted prompt failed 5 of 5: the model or the data changed, not this prompt',
    ],
    prompts: {
      baseline: [
        { role: 'system', content: 'You answer customers.\nOffer a refund where one is due.\nBe brief.' },
        { role: 'user', content: '{{ email }}' },
      ],
      candidate: [
        { role: 'system', content: 'You answer customers.\nNever offer a refund where one is due.\nBe brief.' },
        { role: 'user', content: '{{ email }}' },
      ],
    },
  });
  const variants = [
    buildVariant({
      prompt: 'v1',
      planned: 2,
      passed: 1,
      failed: 1,
      passRate: { value: 0.5, low: 0.0945, high: 0.9055, n: 2 },
      replacedBy: 'v2',
    }),
    buildVariant({
      planned: 9,
      passed: 2,
      failed: 7,
      observed: 1,
      passRate: { value: 0.1875, low: 0.0445, high: 0.5332, n: 8 },
      comparison,
    }),
  ];
  const variantKey = { suite: 'support-triage', prompt: 'v2', provider: 'openai:gpt-4o-mini' };
  return buildReport([buildSuite(cases, { variants })], {
    decision: {
      outcome: 'failed',
      warnings: [],
      breaches: [
        {
          code: 'case-broken',
          ...variantKey,
          caseId: 'broken',
          message:
            'case broken passed 1 of 1 trials on the baseline and now failed all 6; the accepted prompt failed 0 of 5',
        },
        {
          code: 'case-added-failed',
          ...variantKey,
          caseId: 'newcomer',
          message: 'new case newcomer failed in 1 of 1 trials',
        },
        {
          code: 'cost-regressed',
          ...variantKey,
          metric: 'cost',
          baseline: 0.01,
          candidate: 0.0125,
          message: 'cost +25.0 % [+21.0, +29.0], at most +10.0 % allowed',
        },
      ],
    },
    exitCode: 1,
  });
}

/** Nothing is shown and nothing excluded: a case that was not asked again, and an interval that is too wide; another suite has no baseline. */
function buildInconclusiveReport(): Report {
  const key = { suite: 'support-triage', prompt: 'v2', provider: 'openai:gpt-4o-mini' };
  const unsettled =
    'case refund passed 1 of 1 trials on the baseline and now failed all 1; the calls for fresh trials were used up before it was settled';
  const failing = {
    score: 0,
    output: 'sales',
    checks: [{ assertion: 'equals', pass: false, score: 0, reason: 'found "sales", expected "billing"' }],
  };
  const comparison = buildComparison({
    outcome: 'inconclusive',
    passRate: { baseline: 1, candidate: 0.9, delta: -0.1, low: -0.262, high: 0.062, p: 0.08 },
    costUsd: { baseline: 0.01, candidate: 0.01, delta: 0, low: 0, high: 0, p: 1 },
    cases: {
      regressed: ['refund'],
      drifted: [],
      fixed: [],
      stillFailing: [],
      flaky: [],
      added: [],
      removed: [],
      redefined: [],
    },
    advice: ['pass rate: a drop of up to 26.2 pts is not excluded by 10 cases; to certify 5 pts: ~420 cases'],
    notes: [unsettled],
    unsettled: 1,
  });
  const variant = buildVariant({
    planned: 10,
    passed: 9,
    failed: 1,
    passRate: { value: 0.9, low: 0.5958, high: 0.9821, n: 10 },
    comparison,
  });
  const entry = buildCase(
    { status: 'failed', change: 'regressed', baseline: { status: 'passed', output: 'billing' } },
    [failing],
  );
  const suites = [
    buildSuite([entry], { variants: [variant] }),
    buildSuite([buildCase()], { suite: 'summaries', path: 'evals/summaries.eval.yaml' }),
  ];
  return buildReport(suites, {
    decision: {
      outcome: 'inconclusive',
      breaches: [{ code: 'unsettled', ...key, caseId: 'refund', message: unsettled }],
      evidence: [buildEvidence({ verdict: 'unsettled', why: 'budget', asked: 0, failed: 0, acceptedAsked: 0 })],
      warnings: [`support-triage · v2 × openai:gpt-4o-mini: ${unsettled}`],
    },
    exitCode: 4,
  });
}

/** A change that brings its own baseline: what differs is listed and passes. */
function buildAcceptedReport(): Report {
  const comparison = buildComparison({
    certainty: { kind: 'unchanged', cases: 2 },
    against: { source: 'git:main...', prompt: 'v2' },
    passRate: { baseline: 1, candidate: 0.5, delta: -0.5, low: -0.9, high: -0.1, p: 0.01 },
    cases: {
      regressed: ['refund'],
      drifted: [],
      fixed: [],
      stillFailing: [],
      flaky: [],
      added: [],
      removed: [],
      redefined: [],
    },
    accepted: [{ caseId: 'refund', change: 'regressed' }, { metric: 'pass rate fell: −50.0 pts [−90.0, −10.0]' }],
  });
  const variant = buildVariant({ planned: 2, passed: 1, failed: 1, comparison });
  const entry = buildCase(
    { status: 'failed', change: 'regressed', baseline: { status: 'passed', output: 'billing' } },
    [{ score: 0, output: 'sales', checks: [{ assertion: 'equals', pass: false, score: 0, reason: 'found "sales"' }] }],
  );
  return buildReport([buildSuite([entry, buildCase({ caseId: 'thanks' })], { variants: [variant] })]);
}

/** The budget ended the run; a provider could not be reached; nothing is known of cost and latency. */
function buildIncompleteReport(): Report {
  const unreachable = {
    error: { kind: 'network' as const, message: 'connect ECONNREFUSED 127.0.0.1:11434', attempts: 4 },
  };
  const provider = 'local';
  const cases = [
    buildUnansweredCase({ caseId: 'a', provider, status: 'errored' }, unreachable),
    buildUnansweredCase({ caseId: 'b', provider, status: 'errored' }, unreachable),
    buildUnansweredCase({ caseId: 'c', provider, status: 'skipped' }, { skip: { reason: 'budget' } }),
    buildUnansweredCase(
      { caseId: 'd', provider, status: 'skipped' },
      { skip: { reason: 'case', message: 'the API is down until May' } },
    ),
  ];
  const variant = buildVariant({
    provider,
    model: 'qwen2.5:7b',
    planned: 4,
    passed: 0,
    errored: 2,
    skipped: 2,
    passRate: { value: null, low: null, high: null, n: 0 },
    score: { mean: null, low: null, high: null },
    costUsd: null,
    spentUsd: null,
    latencyMs: { p50: null, p95: null },
  });
  const report = buildReport([buildSuite(cases, { variants: [variant] })], { exitCode: 4 });
  return {
    ...report,
    run: {
      ...report.run,
      complete: false,
      stopReason: 'budget',
      recordPath: '.llmcheck/runs/20260301-101500-abcd.jsonl',
    },
    decision: buildDecision({
      outcome: 'incomplete',
      incompleteBecause: 'stopped',
      breaches: [{ code: 'errors-exceeded', message: '2 cells could not be judged, 0 are allowed' }],
    }),
    totals: { ...report.totals, costUsd: null, spentUsd: null, judgeCostUsd: null },
  };
}

const checks = [{ assertion: 'contains', pass: false, score: 0, reason: 'not found' }];

/** One case of each end besides passing, and the check that fails in it. */
export const sampleCases = {
  checks,
  failing: buildCase({ status: 'failed' }, [{ checks }]),
  flaky: buildCase({ status: 'flaky' }, [{ checks }, { status: 'passed' }]),
  errored: buildUnansweredCase(
    { status: 'errored' },
    { error: { kind: 'timeout', message: 'no answer in 60 s', attempts: 3 } },
  ),
  skipped: buildUnansweredCase({ status: 'skipped' }, { skip: { reason: 'case', message: 'later' } }),
};
