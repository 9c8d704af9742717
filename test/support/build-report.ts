import type { CellRow } from '../../src/model/record.ts';
import type {
  CaseReport,
  MetricComparison,
  Report,
  ReportStyle,
  SuiteReport,
  VariantComparison,
  VariantReport,
} from '../../src/model/report.ts';

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
    identity: 'identity',
    stamp: 'stamp',
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
    identity: 'identity',
    stamp: 'stamp',
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
    cached: 0,
    passRate: { value: 1, low: 0.2065, high: 1, n: 1 },
    score: { mean: 1, low: 0.2065, high: 1 },
    costUsd: 0.00031,
    spentUsd: 0.00031,
    latencyMs: { p50: 420, p95: 980 },
    ...overrides,
  };
}

export function buildSuite(
  cases: readonly CaseReport[],
  overrides: Partial<Omit<SuiteReport, 'cases'>> = {},
): SuiteReport {
  return {
    suite: 'support-triage',
    path: 'evals/triage.eval.yaml',
    variants: [buildVariant()],
    ...overrides,
    *cases(filter) {
      for (const entry of cases) {
        if (filter === undefined || filter.statuses.includes(entry.status)) yield entry;
      }
    },
  };
}

export function buildReport(suites: readonly SuiteReport[], overrides: Partial<Report> = {}): Report {
  const variants = suites.flatMap((suite) => suite.variants);
  const sum = (key: 'planned' | 'passed' | 'failed' | 'errored' | 'skipped' | 'observed' | 'cached'): number =>
    variants.reduce((total, variant) => total + variant[key], 0);
  return {
    tool: { name: 'llmcheck', version: '0.1.0' },
    run: { id: '20260301-101500-abcd', startedAt: '2026-03-01T10:15:00.000Z', durationMs: 12_345, complete: true },
    decision: { outcome: 'passed', breaches: [], warnings: [] },
    exitCode: 0,
    totals: {
      planned: sum('planned'),
      passed: sum('passed'),
      failed: sum('failed'),
      errored: sum('errored'),
      skipped: sum('skipped'),
      observed: sum('observed'),
      cached: sum('cached'),
      costUsd: 0.0124,
      spentUsd: 0.004,
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
    against: { source: 'evals/triage.baseline.jsonl', prompt: 'v2' },
    passRate: noMetric,
    score: noMetric,
    costUsd: noMetric,
    latencyMs: noMetric,
    cases: { regressed: [], fixed: [], stillFailing: [], flaky: [], added: [], removed: [], redefined: [] },
    residue: [],
    advice: [],
    ...overrides,
  };
}

/** The runs that every reporter is shown, by theme. */
export function buildReports(): Readonly<Record<string, Report>> {
  return {
    passed: buildReport([buildSuite([buildCase()])]),
    failed: buildFailedReport(),
    regressed: buildRegressedReport(),
    incomplete: buildIncompleteReport(),
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
  const failed = (caseId: string, prompt = 'v2', observe = false): CaseReport =>
    buildCase({ caseId, prompt, status: 'failed', observe }, [failing]);
  const cases = [
    failed('broken'),
    failed('curious', 'v2', true),
    buildCase({ caseId: 'known', prompt: 'v1' }),
    failed('known'),
    failed('old', 'v1'),
    buildCase({ caseId: 'old' }),
  ];
  const comparison = buildComparison({
    outcome: 'failed',
    against: { source: 'git:main', prompt: 'v1' },
    passRate: { baseline: 0.98, candidate: 0.96, delta: -0.02, low: -0.076, high: 0.028, p: 0.19 },
    score: { baseline: 0.98, candidate: 0.96, delta: -0.02, low: null, high: 0.028, p: null },
    costUsd: { baseline: 0.01, candidate: 0.0125, delta: 0.25, low: 0.21, high: 0.29, p: 0.001 },
    cases: {
      regressed: ['broken'],
      fixed: ['old'],
      stillFailing: ['known'],
      flaky: [],
      added: ['curious'],
      removed: [],
      redefined: [],
    },
    residue: ['temperature 0 → 0.7'],
    advice: ['about 300 cases, or 3 trials on 100 cases, would certify 5 points'],
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
      planned: 3,
      passed: 1,
      failed: 2,
      observed: 1,
      passRate: { value: 0.3333, low: 0.0615, high: 0.7923, n: 3 },
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
          message: 'failed in all 5 trials, passed in the baseline',
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
    decision: {
      outcome: 'incomplete',
      incompleteBecause: 'stopped',
      warnings: [],
      breaches: [{ code: 'errors-exceeded', message: '2 cells could not be judged, 0 are allowed' }],
    },
    totals: { ...report.totals, costUsd: null, spentUsd: null, judgeCostUsd: null },
  };
}
