import type { MetricComparison, SwapCandidate, SwapRow } from '../../src/model/comparison/comparison.ts';
import type { ErosionFinding, TrendPoint } from '../../src/model/report/history.ts';
import type { Report } from '../../src/model/report/report.ts';
import { firstAcceptedTrial } from '../../src/model/run/cell.ts';
import type { AgentStep } from '../../src/model/run/completion.ts';
import type { CellRow } from '../../src/model/run/record.ts';
import {
  buildCase,
  buildComparison,
  buildReport,
  buildRow,
  buildSuite,
  buildUnansweredCase,
  buildVariant,
} from './build-report.ts';

/** Reports with the parts that few runs have, by theme. */
export function buildFullReports(): Readonly<Record<string, Report>> {
  return {
    classified: buildClassifiedReport(),
    agents: buildAgentReport(),
    swapped: buildSwapReport(),
    eroded: buildErodedReport(),
    first: buildFirstReport(),
    crowded: buildCrowdedReport(),
    unsettled: buildUnsettledReport(),
    unjudged: buildUnjudgedReport(),
  };
}

const noMetric: MetricComparison = { baseline: null, candidate: null, delta: null, low: null, high: null, p: null };
const noCases = {
  regressed: [],
  drifted: [],
  fixed: [],
  stillFailing: [],
  flaky: [],
  added: [],
  removed: [],
  redefined: [],
};
const mini = 'openai:gpt-4o-mini';
const place = { suite: 'support-triage', prompt: 'v2', provider: mini };

function metric(baseline: number, candidate: number, delta: number, low: number | null, high: number | null) {
  return { baseline, candidate, delta, low, high, p: 0.04 };
}

/** Classes and slices beside their baseline on one variant, without one on the other; answers are streamed. */
function buildClassifiedReport(): Report {
  const found = (output: string, truth: string): Partial<CellRow> => ({
    score: 0,
    output,
    classified: { truth, found: output, by: 'text' },
    checks: [{ assertion: 'classIs', pass: false, score: 0, reason: `found "${output}", expected "${truth}"` }],
  });
  const cases = [
    {
      ...buildCase({ caseId: 'bill-2', status: 'failed', change: 'stillPassing' }, [found('sales', 'billing')]),
      class: 'billing',
    },
    {
      ...buildCase({ caseId: 'bill-10', status: 'failed' }, [found('legal', 'billing')]),
      class: 'billing',
      slices: ['vip'],
    },
    { ...buildCase({ caseId: 'legal-1', status: 'failed' }, [found('sales', 'legal')]), class: 'legal' },
    {
      ...buildCase({ caseId: 'sales-1', status: 'failed' }, [found('?', 'sales')]),
      class: 'sales',
      slices: ['vip', 'eu'],
    },
  ];
  const names = ['billing', 'legal', 'sales', 'unused'];
  const classes = {
    names,
    cells: [
      { truth: 'billing', found: 'billing', cases: 12 },
      { truth: 'billing', found: 'legal', cases: 1 },
      { truth: 'billing', found: 'sales', cases: 2.3333 },
      { truth: 'legal', found: 'sales', cases: 1 },
      { truth: 'sales', found: 'sales', cases: 7 },
      { truth: 'sales', found: null, cases: 0.5 },
    ],
    scores: [
      {
        class: 'billing',
        cases: 15,
        recall: { value: 0.8, low: 0.5481, high: 0.9295 },
        precision: { value: 1, low: 0.7575, high: 1 },
        f1: { value: 0.8889, low: null, high: null },
      },
      {
        class: 'legal',
        cases: 1,
        recall: { value: 0, low: 0, high: 0.7935 },
        precision: { value: null, low: null, high: null },
        f1: { value: 0, low: null, high: 0.6 },
      },
      {
        class: 'sales',
        cases: 7,
        recall: { value: 0.9333, low: 0.6, high: 0.99 },
        precision: { value: 0.7, low: 0.39, high: 0.89 },
        f1: { value: 0.8, low: 0.55, high: null },
      },
    ],
    macro: { precision: 0.85, recall: 0.5778, f1: { value: 0.563, low: 0.41, high: 0.7 } },
    others: [
      { found: 'complaint', answers: 3 },
      { found: null, answers: 1 },
    ],
  };
  const comparison = buildComparison({
    outcome: 'failed',
    certainty: { kind: 'unseen', cases: 20, drop: 0.111 },
    against: {
      source: 'evals/triage.baseline.jsonl',
      prompt: 'v1',
      acceptedAt: '2026-02-01T09:00:00.000Z',
      ageDays: 28,
    },
    passRate: metric(0.95, 0.8, -0.15, -0.3, -0.01),
    score: metric(0.95, 0.8, -0.15, -0.3, null),
    judgedMargin: { maxDrop: 0.05, margin: 0.03, judged: 0.5, unmeasured: [] },
    slices: [{ slice: 'vip', cases: 1, maxDrop: 0.1, passRate: metric(1, 0.625, -0.375, -0.698, -0.021) }],
    classes: {
      cases: 20,
      f1: { ...metric(0.9, 0.563, -0.337, -0.5, -0.1), maxDrop: 0.05 },
      recall: [
        { class: 'billing', cases: 15, maxDrop: 0.1, ...metric(1, 0.8, -0.2, -0.4, -0.02) },
        { class: 'legal', cases: 1, ...noMetric },
      ],
      cells: [
        {
          truth: 'billing',
          found: 'sales',
          baseline: 0,
          candidate: 2.3333,
          entered: ['bill-2', 'bill-3', 'bill-4', 'bill-5'],
        },
        { truth: 'sales', found: null, baseline: 0.04, candidate: 0.5, entered: ['sales-1'] },
        { truth: 'billing', found: 'billing', baseline: 15, candidate: 12, entered: [] },
        { truth: 'legal', found: 'legal', baseline: 1, candidate: 1.05, entered: [] },
      ],
    },
  });
  const variants = [
    buildVariant({
      planned: 23,
      passed: 19,
      failed: 4,
      passRate: { value: 0.826, low: 0.6289, high: 0.9302, n: 23 },
      firstTokenMs: { p50: 180, p95: 1250 },
      slices: [
        { slice: 'vip', passRate: { value: 0.625, low: 0.3057, high: 0.8632, n: 8 }, maxDrop: 0.1 },
        { slice: 'eu', passRate: { value: 0, low: 0, high: 0.7935, n: 1 }, min: 0.9 },
      ],
      classes,
      comparison,
    }),
    buildVariant({
      provider: 'big',
      model: 'gpt-4o',
      classes: { ...classes, cells: [], scores: classes.scores.slice(0, 1), others: [] },
    }),
  ];
  const suite = buildSuite(cases, { variants, passRateMin: 0.9 });
  return buildReport([suite], {
    decision: {
      outcome: 'failed',
      warnings: [],
      breaches: [
        {
          code: 'recall-regressed',
          ...place,
          metric: 'recall',
          class: 'billing',
          message: 'recall of billing fell by 20.0 pts',
        },
        {
          code: 'slice-min',
          ...place,
          slice: 'eu',
          metric: 'passRate',
          candidate: 0,
          message: 'slice eu: pass rate 0.0 % is below 90.0 %',
        },
        {
          code: 'precision-min',
          ...place,
          provider: 'big',
          metric: 'precision',
          class: 'sales',
          message: 'precision of sales is below 80.0 %',
        },
      ],
    },
    exitCode: 1,
  });
}

function step(
  text: string,
  calls: readonly (readonly [name: string, rawArguments: string, content?: string])[] = [],
): AgentStep {
  return {
    text,
    calls: calls.map(([name, rawArguments, content], at) => ({
      id: `call-${at}`,
      name,
      arguments: JSON.parse(rawArguments) as Record<string, string>,
      rawArguments,
      ...(content !== undefined && {
        result: { content, ...(content.startsWith('no ') && { isError: true as const }), latencyMs: 12 },
      }),
    })),
    latencyMs: 320,
    usage: { inputTokens: 200, outputTokens: 30 },
  };
}

/** Agents that take another path, with what they were asked, judged and answered over several turns. */
function buildAgentReport(): Report {
  const before = [
    step('', [['find_order', '{"id":7}', '{"state":"sent"}']]),
    step('', [['refund', '{"id":7}', 'done']]),
    step('Refunded.'),
  ];
  const now = [
    step('Let me look.', [
      ['find_order', '{"id":7}', '{"state":"sent"}'],
      ['find_order', '{"id":8}', 'no such order'],
    ]),
    step('', [['close', '{}']]),
    step('Closed.'),
  ];
  const asked = {
    messages: [
      { role: 'system', content: 'You help customers.', ofChars: 12_000 },
      { role: 'user', content: 'A long text.\n\nI want my money back.\n', attach: ['evals/bill.pdf'] },
    ],
    turns: [
      { role: 'tool' as const, name: 'find_order', content: '{"state":"sent"}' },
      { role: 'user' as const, content: 'Are you sure?' },
    ],
    tags: ['vip', 'refund'],
    description: 'A customer who wants a refund.',
  };
  const failing: Partial<CellRow> = {
    score: 0.25,
    output: 'Closed.',
    reasoning: 'The customer is angry.',
    refusal: 'I cannot do that.',
    trajectory: now,
    steps: 3,
    state: { orders: { 7: 'closed' } },
    finishReason: 'stop',
    model: 'gpt-4o-mini-2024-07-18',
    firstTokenMs: 90,
    asked,
    calls: [
      { requestHash: 'a', cached: false, attempts: 1, costUsd: 0.1, text: 'First answer.' },
      { requestHash: 'b', cached: false, attempts: 1, costUsd: 0.1, text: 'Closed.' },
    ],
    checks: [
      { assertion: 'toolCalled', name: 'refunds', pass: false, score: 0, reason: 'refund was not called', turn: 1 },
      {
        assertion: 'rubric',
        pass: false,
        score: 0.2,
        reason: 'impolite',
        weight: 0,
        required: true,
        judgement: { judge: 'strict', model: 'gpt-4o', votes: 3, agreement: 0.67, check: 'hash' },
      },
      { assertion: 'cost', pass: false, score: 0, reason: 'not known', error: 'the price is not known' },
      { assertion: 'length', pass: false, score: 0, reason: 'too long', weight: 0 },
    ],
  };
  const cases = [
    {
      ...buildCase(
        {
          caseId: 'refund',
          status: 'failed',
          mustPass: true,
          change: 'regressed',
          at: { file: 'evals/triage.eval.yaml', line: 7, column: 3 },
          baseline: { status: 'passed', output: 'Refunded.', trajectory: before, state: { orders: { 7: 'refunded' } } },
          acceptedTrials: [
            buildRow({ trial: firstAcceptedTrial, side: 'accepted', confirmation: true, status: 'passed' }),
            buildRow({ trial: firstAcceptedTrial + 1, side: 'accepted', confirmation: true, status: 'failed' }),
            buildRow({ trial: firstAcceptedTrial + 2, side: 'accepted', confirmation: true, status: 'errored' }),
          ],
        },
        [
          { ...failing, mustPass: true },
          { ...failing, confirmation: true },
          {
            status: 'errored',
            confirmation: true,
            error: { kind: 'timeout', message: 'no answer in 60 s', attempts: 3 },
            costUsd: null,
          },
          { status: 'skipped', confirmation: true, skip: { reason: 'deadline' } },
        ],
      ),
      blame: {
        sentence: 'line 3 of the system message breaks it',
        at: { file: 'prompts/triage.md', line: 3, column: 1 },
      },
    },
    buildCase(
      {
        caseId: 'same-path',
        status: 'failed',
        change: 'stillFailing',
        at: { file: 'evals/triage.eval.yaml', line: 9, column: 3, url: 'https://git.example/triage#L9' },
        baseline: { status: 'failed', trajectory: before, reason: 'it was slow' },
      },
      [{ trajectory: before, output: 'Refunded.', score: 0.4, checks: [] }],
    ),
    buildCase({ caseId: 'calls', status: 'failed' }, [
      {
        output: 'I close it.',
        toolCalls: [
          { name: 'close', arguments: {}, rawArguments: '{}' },
          { id: 'x', name: 'mail', arguments: undefined, rawArguments: 'to: ann' },
        ],
        score: undefined,
        checks: [],
      },
    ]),
  ];
  const comparison = buildComparison({
    outcome: 'failed',
    certainty: { kind: 'certain', cases: 2 },
    against: { source: 'run 20260201-090000-abcd', prompt: 'v2', acceptedAt: '2026-02-28', ageDays: 1 },
    isWithinRun: true,
    passRate: metric(1, 1, 0, 0, 0),
    costUsd: metric(0, 0.002, 0, null, null),
    steps: metric(2.5, 3, 0.2, 0.2, 0.2),
    latencyMs: metric(1200, 900, -0.25, -0.4, -0.1),
    cases: { ...noCases, regressed: ['refund'], stillFailing: ['same-path'] },
  });
  const variant = buildVariant({
    planned: 3,
    passed: 0,
    failed: 3,
    confirmations: 3,
    observed: 1,
    costUsd: 0,
    passRate: { value: 0, low: null, high: null, n: 3 },
    latencies: () => ({ candidate: [100, 200, 400, 800, 1600, 3200, 90_000], baseline: [50, 100, 400] }),
    comparison: { ...comparison, costUsd: { ...noMetric, baseline: 0, candidate: 0.002 } },
  });
  const report = buildReport([buildSuite(cases, { variants: [variant] })], {
    decision: {
      outcome: 'failed',
      warnings: [],
      breaches: [
        { code: 'must-pass', ...place, caseId: 'refund', message: 'case refund must pass' },
        { code: 'steps-regressed', ...place, metric: 'steps', baseline: 2.5, candidate: 3, message: 'steps +20.0 %' },
      ],
    },
    exitCode: 1,
  });
  return {
    ...report,
    totals: { ...report.totals, costUsd: 0.5, spentUsd: 0.75, spentApartUsd: 0.2, judgeCostUsd: 0.05 },
  };
}

/** Two suites, four candidates: one of each verdict but `undecided`, and one that is in no table of prices. */
function buildSwapReport(): Report {
  const row = (candidate: string, suite: string, overrides: Partial<SwapRow>): SwapRow => ({
    candidate,
    suite,
    prompt: 'v2',
    verdict: 'holds',
    reasons: [],
    cases: 40,
    broken: [],
    passRate: metric(0.95, 0.95, 0, -0.05, 0.05),
    unseen: 0.05,
    costUsd: metric(0.01, 0.0038, -0.62, -0.641, -0.602),
    latencyMs: metric(900, 450, -0.5, -0.5, -0.5),
    ...overrides,
  });
  const candidate = (name: string, overrides: Partial<SwapCandidate>): SwapCandidate => ({
    candidate: name,
    model: name,
    verdict: 'holds',
    cellCostUsd: 0.0001,
    costUsd: metric(0.01, 0.0038, -0.62, -0.641, -0.602),
    latencyMs: noMetric,
    ...overrides,
  });
  const rows = [
    row('small', 'support-triage', {}),
    row('small', 'summaries', { verdict: 'better', passRate: metric(0.9, 1, 0.1, 0.02, 0.2), unseen: null }),
    row('other', 'support-triage', {
      verdict: 'worse',
      reasons: ['case refund broke', 'case order broke', 'the cost rose by 12.0 %'],
      broken: ['refund', 'order'],
      passRate: metric(0.95, 0.9, -0.05, -0.1, 0),
      costUsd: metric(0.01, 0.0112, 0.12, 0.12, 0.14),
    }),
    row('other', 'support-triage', { prompt: 'v1', verdict: 'undecided', reasons: ['case refund is not confirmed'] }),
    row('local', 'summaries', {
      verdict: 'partial',
      reasons: ['2 cases were not compared'],
      passRate: noMetric,
      costUsd: noMetric,
      latencyMs: noMetric,
    }),
  ];
  const candidates = [
    candidate('small', { model: 'gpt-4.1-nano' }),
    candidate('other', { verdict: 'worse', model: '', costUsd: noMetric }),
    candidate('local', { verdict: 'partial', cellCostUsd: null }),
  ];
  const comparison = buildComparison({ isWithinRun: true, certainty: { kind: 'unchanged', cases: 1 } });
  const report = buildReport(
    [
      buildSuite([buildCase()], { variants: [buildVariant(), buildVariant({ provider: 'small', comparison })] }),
      buildSuite([buildCase()], { suite: 'summaries', path: 'evals/summaries.eval.yaml' }),
    ],
    {
      swaps: [
        { provider: mini, rows, candidates, cheapest: ['small'], conclusion: 'small can take its place' },
        {
          provider: 'big',
          rows: [row('local', 'summaries', { verdict: 'worse', reasons: ['case a broke'] })],
          candidates: [candidate('local', { verdict: 'worse' })],
          cheapest: [],
          conclusion: 'no candidate holds',
        },
      ],
    },
  );
  return { ...report, run: { ...report.run, baseline: 'none' } };
}

/** Below its pinned reference after 32 runs; decided early; the change loosens its own gate. */
function buildErodedReport(): Report {
  const since = Array.from({ length: 32 }, (_, at) => ({
    run: `run-${at}`,
    startedAt: `2026-02-${String((at % 28) + 1).padStart(2, '0')}T10:00:00.000Z`,
    passRate: at === 31 ? null : 1 - at / 100,
    ...(at % 2 === 0 && { commit: '0123456789abcdef'.slice(at % 8), branch: 'main' }),
    ...(at % 3 === 0 && { pullRequest: at }),
  }));
  const finding: ErosionFinding = {
    kind: 'erosion',
    ...place,
    outcome: 'eroded',
    source: 'evals/triage.pinned.jsonl',
    until: '2026-02-01T00:00:00.000Z',
    cases: 40,
    of: 42,
    passRate: { reference: 0.99, candidate: 0.7, delta: -0.29 },
    margin: 0.05,
    z: -2.7,
    message: 'pass rate 99.0 % → 70.0 % on 40 of 42 cases',
    since,
  };
  const point = (runId: string, value: number | null, isPartial: boolean): TrendPoint => ({
    runId,
    startedAt: '2026-02-27T10:00:00.000Z',
    isPartial,
    passRate: { value, low: null, high: null, n: 40 },
    costUsd: 0.01,
    latencyMs: { p50: 400, p95: null },
  });
  const certainty = { kind: 'unseen', cases: 40, drop: null, slice: { name: 'vip', cases: 4, drop: null } } as const;
  const comparison = buildComparison({
    certainty,
    cases: { ...noCases, fixed: ['a', 'b'], flaky: ['c'], added: ['d'], removed: ['e', 'f'], redefined: ['g'] },
    lostCases: { lost: 22, of: 42 },
    notes: ['26 of 40 answers are the very ones the baseline holds', 'case c is flaky'],
    advice: ['nothing to ask again'],
    latencyMs: { ...noMetric, baseline: 400, candidate: 420 },
  });
  const variants = [
    buildVariant({
      planned: 42,
      passed: 30,
      failed: 2,
      skipped: 10,
      notAsked: 10,
      passRate: { value: 0.9375, low: 0.7985, high: 0.9827, n: 32 },
      comparison,
    }),
    buildVariant({
      prompt: 'v1',
      comparison: buildComparison({ certainty: { kind: 'unchanged', cases: 3 }, lostCases: { lost: 2, of: 3 } }),
    }),
  ];
  const cases = [
    buildCase({ caseId: 'c', status: 'failed', change: 'flaky' }, [
      { checks: [{ assertion: 'equals', pass: false, score: 0, reason: 'no' }] },
    ]),
    buildUnansweredCase({ caseId: 'z', status: 'skipped' }, { skip: { reason: 'decided' } }),
  ];
  const loosenedCase = {
    ...place,
    mustPass: false,
    before: ['equals "billing"', 'length {"max":40}'],
    after: ['length {"min":1}'],
    reason: 'found "sales", expected "billing"',
  };
  const loosened = ['the change removes gate.passRate.min', 'the change skips case z'];
  const report = buildReport([buildSuite(cases, { variants, passRateMin: 1 })], {
    decision: {
      outcome: 'passed',
      kind: 'loosened',
      certainty,
      loosenedCases: ['c', 'd'].map((caseId) => ({ ...loosenedCase, caseId })),
      warnings: [...loosened, `support-triage · v2 × ${mini}: case c is flaky`],
      loosened,
    },
    erosion: [
      finding,
      { ...finding, prompt: 'v1', outcome: 'held', since: [] },
      { ...finding, suite: 'other', since: [] },
    ],
    trends: () => [
      { ...place, points: [point('run-1', 0.99, false), point('run-2', null, true), point('run-3', 0.7, false)] },
      { ...place, prompt: 'v1', points: [] },
    ],
  });
  return {
    ...report,
    run: { ...report.run, complete: false, stopReason: 'decided', recordPath: '.llmcheck/runs/a.jsonl' },
    totals: { ...report.totals, notAsked: 10 },
  };
}

/** A change that adds the first baselines of two suites, with cases that fail in one. */
function buildFirstReport(): Report {
  const comparison = (cases: number, stillFailing: readonly string[]) =>
    buildComparison({ isFirst: true, certainty: { kind: 'unchanged', cases }, cases: { ...noCases, stillFailing } });
  const failing = ['a', 'b', 'c', 'd', 'e', 'f'];
  const variant = buildVariant({ planned: 10, passed: 4, failed: 6, comparison: comparison(10, failing) });
  const cases = failing.map((caseId) =>
    buildCase({ caseId, status: 'failed', change: 'stillFailing' }, [
      { checks: [{ assertion: 'equals', pass: false, score: 0, reason: 'no' }] },
    ]),
  );
  return buildReport([
    buildSuite(cases, { variants: [variant, { ...variant, provider: 'big', replacedBy: 'small' }] }),
    buildSuite([buildCase()], {
      suite: 'summaries',
      path: 'evals/summaries.eval.yaml',
      variants: [buildVariant({ comparison: comparison(1, []) })],
    }),
  ]);
}

/** More failures, reasons, remarks, breaches and variants than any report shows at once. */
function buildCrowdedReport(): Report {
  const providers = ['mini', 'big', 'local'];
  const reasons = (count: number): CellRow['checks'] =>
    Array.from({ length: count }, (_, at) => ({
      assertion: 'contains',
      pass: false,
      score: 0,
      reason: `reason ${at + 1}`,
    }));
  const cases = Array.from({ length: 26 }, (_, at) =>
    providers.map((provider, index) =>
      buildCase(
        {
          caseId: `ticket-${at + 1}`,
          provider,
          status: at % 5 === 4 && index === 0 ? 'flaky' : 'failed',
          ...(at === 25 && { mustPass: true as const }),
          change: at < 20 ? 'regressed' : 'redefined',
          baseline: { status: 'passed', output: 'billing' },
        },
        [
          { output: index === 2 ? 'legal' : `answer ${at}`, checks: reasons((at % 6) + 1) },
          ...(at % 5 === 4 && index === 0 ? [{ status: 'passed' as const }] : []),
        ],
      ),
    ),
  ).flat();
  const ids = Array.from({ length: 20 }, (_, at) => `ticket-${at + 1}`);
  const variants = providers.map((provider, at) =>
    buildVariant({
      provider,
      planned: 26,
      passed: at === 0 ? 5 : 0,
      failed: at === 0 ? 21 : 26,
      passRate: { value: at === 0 ? 0.1 : 0, low: 0, high: 0.13, n: 26 },
      comparison: buildComparison({
        outcome: 'failed',
        passRate: metric(1, at === 0 ? 0.1 : 0, at === 0 ? -0.9 : -1, -1, -0.8),
        cases: {
          ...noCases,
          regressed: ids,
          redefined: ['ticket-21', 'ticket-22'],
          added: at === 0 ? [] : ['ticket-26'],
        },
        notes: ['one', 'two', 'three', 'four'],
        unmatched: ['params.seed: 1 → 2'],
        advice: ['ask again'],
      }),
    }),
  );
  const breaches = [
    ...providers.flatMap((provider) =>
      ids.slice(0, 12).map((caseId) => ({
        code: 'case-broken' as const,
        ...place,
        provider,
        caseId,
        message: `case ${caseId} passed 1 of 1 trials on the baseline and now failed all 6`,
      })),
    ),
    {
      code: 'case-added-failed' as const,
      ...place,
      provider: 'big',
      caseId: 'ticket-26',
      message: 'new case ticket-26 failed',
    },
    {
      code: 'case-added-failed' as const,
      ...place,
      provider: 'big',
      caseId: 'ticket-21',
      message: 'redefined case ticket-21 failed',
    },
    {
      code: 'pass-rate-regressed' as const,
      ...place,
      provider: 'big',
      metric: 'passRate' as const,
      baseline: 1,
      candidate: 0,
      message: 'pass rate fell',
    },
    {
      code: 'cost-max' as const,
      suite: 'support-triage',
      prompt: 'v2',
      metric: 'cost' as const,
      candidate: 2,
      message: 'cost $2.00 is above $1.00',
    },
    {
      code: 'latency-p95-max' as const,
      ...place,
      provider: 'big',
      metric: 'latency' as const,
      candidate: 9000,
      message: 'p95 9.0 s is above 5.0 s',
    },
  ];
  const warnings = providers.flatMap((provider) =>
    ['one', 'two', 'three'].map((note) => `support-triage · v2 × ${provider}: ${note}`),
  );
  return buildReport([buildSuite(cases, { variants })], {
    decision: { outcome: 'failed', breaches, warnings },
    exitCode: 1,
    notes: ['the first note', 'the second note'],
  });
}

/** Undecided: a suite with failures that are not confirmed, one without a compared case, and one whose average looks worse. */
function buildUnsettledReport(): Report {
  const inconclusive = { outcome: 'inconclusive' } as const;
  const suite = (name: string, ...comparisons: Parameters<typeof buildComparison>) =>
    buildSuite([buildCase()], {
      suite: name,
      path: `evals/${name}.eval.yaml`,
      variants: [
        buildVariant({
          passRate: { value: 0.9, low: 0.6, high: 1, n: 10 },
          comparison: buildComparison(...comparisons),
        }),
      ],
    });
  return buildReport(
    [
      suite('unconfirmed', { ...inconclusive, unsettled: 2 }),
      suite('apart', { ...inconclusive, certainty: { kind: 'unseen', cases: 0, drop: null } }),
      suite('average', {
        ...inconclusive,
        certainty: { kind: 'unseen', cases: 12, drop: 0.2, slice: { name: 'eu', cases: 0, drop: null } },
        passRate: metric(1, 0.9, -0.1, -0.2, 0.01),
        advice: ['pass rate: ~420 cases', 'score: ~80 cases'],
      }),
      suite('sure', { certainty: { kind: 'certain', cases: 300 } }),
    ],
    {
      decision: {
        outcome: 'incomplete',
        incompleteBecause: 'inconclusive',
        certainty: { kind: 'unseen', cases: 322, drop: 0.2 },
        breaches: [
          ...['a', 'b'].map((caseId) => ({
            code: 'unsettled' as const,
            ...place,
            suite: 'unconfirmed',
            caseId,
            message: `case ${caseId} failed all trials; both prompts fail it at times`,
          })),
          { code: 'unsettled', ...place, suite: 'average', metric: 'passRate', message: 'pass rate fell: -10 pts' },
          { code: 'inconclusive', message: 'gate.certify asks for 5 points' },
        ],
      },
      exitCode: 4,
    },
  );
}

/** Errors of many kinds in three suites, alike and not, in one and in several variants. */
function buildUnjudgedReport(): Report {
  const stale = (caseId: string, provider: string) =>
    buildUnansweredCase(
      { caseId, provider, status: 'errored' },
      {
        error: {
          kind: 'recording',
          message: `the recorded answer at evals/rec.jsonl:${caseId.length} is stale; llmcheck run --record --filter support-triage/${caseId}`,
          attempts: 0,
        },
      },
    );
  const check = buildCase({ caseId: 'judge', status: 'errored' }, [
    { checks: [{ assertion: 'rubric', pass: false, score: 0, reason: '', error: 'the judge answered nothing' }] },
  ]);
  const quota = buildUnansweredCase(
    { caseId: 'late', status: 'errored' },
    {
      error: {
        kind: 'quota',
        message: 'not sent, since the provider was stopped: the quota is used up',
        status: 429,
        attempts: 1,
      },
    },
  );
  const unknown = buildUnansweredCase({ caseId: 'silent', status: 'errored' }, {});
  const variants = (errored: number, erroredCases: number) => [
    buildVariant({ planned: 4, passed: 4 - errored, errored, erroredCases }),
  ];
  const two = (['a', 'bb'] as const).flatMap((caseId) => [stale(caseId, 'big'), stale(caseId, mini)]);
  const skips = (['case', 'budget', 'bail', 'queue', 'storage', 'interrupted'] as const).map((reason) =>
    buildUnansweredCase({ caseId: `skipped-${reason}`, status: 'skipped' }, { skip: { reason } }),
  );
  return buildReport(
    [
      buildSuite([...two, ...skips], {
        variants: [
          buildVariant({ provider: 'big', planned: 4, passed: 2, errored: 2, erroredCases: 2 }),
          buildVariant({ planned: 8, passed: 0, errored: 2, skipped: 6, erroredCases: 2 }),
        ],
      }),
      buildSuite([check], { suite: 'judged', path: 'evals/judged.eval.yaml', variants: variants(1, 1) }),
      buildSuite([quota, unknown], { suite: 'late', path: 'evals/late.eval.yaml', variants: variants(2, 2) }),
    ],
    {
      decision: {
        outcome: 'incomplete',
        incompleteBecause: 'errors',
        breaches: [{ code: 'errors-exceeded', message: '7 cells could not be judged, 0 are allowed' }],
        warnings: [],
      },
      exitCode: 4,
    },
  );
}
