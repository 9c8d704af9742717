import { expect, test } from 'vitest';
import { judgeSwaps } from '../../src/assessing/judge-swap.ts';
import type { ComparedSide, SwapReport } from '../../src/model/comparison/comparison.ts';
import type { Breach, Certainty, Decision } from '../../src/model/comparison/gate.ts';
import type { RunSettings } from '../../src/model/run/record.ts';
import type { RowSummary, SuiteSummary } from '../../src/model/run/summary.ts';
import type { GatePolicy } from '../../src/model/suite/gate-policy.ts';
import { summarizeRun } from '../../src/record/summarize-run.ts';
import type { JudgedComparison, JudgedRun } from '../../src/verdict/gate/judge-comparisons.ts';
import { judgeGated } from '../support/build-gated.ts';
import { compareSides } from '../support/build-side.ts';
import {
  buildHeader,
  buildRecordedSuite,
  buildRowSummary,
  buildVariant,
  end,
  rowsOf,
  settings,
} from '../support/build-summary.ts';

interface Options {
  /** Outcomes by candidate, as in `rowsOf`. */
  readonly candidates?: Readonly<Record<string, string>>;
  readonly provider?: string;
  readonly costs?: Readonly<Record<string, number | null>>;
  readonly latencies?: Readonly<Record<string, number>>;
  /** Planned cells of each variant; by default as many as there are rows. */
  readonly planned?: Readonly<Record<string, number>>;
  readonly row?: Partial<RowSummary>;
  readonly settings?: Partial<RunSettings>;
  readonly gate?: Partial<GatePolicy>;
  readonly breaches?: readonly Breach[];
  /** Of each comparison. */
  readonly judged?: (comparison: JudgedComparison) => Partial<JudgedComparison>;
  /** What fresh trials of averages showed. */
  readonly looks?: (suite: SuiteSummary) => Partial<JudgedRun>;
  /** Candidates that were not compared. */
  readonly uncompared?: readonly string[];
  readonly swapped?: readonly string[];
  readonly isTimed?: boolean;
}

const certain: Certainty = { kind: 'certain', cases: 40 };
const forty = 'p '.repeat(40);

/** The swap of `mini` in a suite of one prompt version, or in several suites. */
function judge(options: Options = {}, ...more: readonly Options[]): SwapReport {
  const parts = [options, ...more].map((one, index) => buildPart(one, index === 0 ? 'triage' : `suite-${index}`));
  const suites = parts.map(({ suite }) => suite);
  const comparisons = parts.flatMap((part) => part.judged.comparisons);
  const ids = options.swapped ?? Object.keys(options.candidates ?? { good: forty });
  const run: RunSettings = { ...settings, swap: [{ provider: 'mini', candidates: ids }], ...options.settings };
  const decision: Decision = { ...passed, breaches: options.breaches ?? [] };
  const judged = { ...judgeGated([]), ...parts[0]?.judged, comparisons };
  const [report] = judgeSwaps({
    summary: { suites, stopReason: undefined, ended: true },
    settings: run,
    judged,
    decision,
  });
  if (report === undefined) throw new Error('one swap');
  return report;
}

function buildPart(options: Options, suiteId: string) {
  const { candidates = { good: forty }, provider = forty, costs = {}, latencies = {}, planned = {} } = options;
  const outcomes = { mini: provider, ...candidates };
  const rows = Object.entries(outcomes).flatMap(([id, words]) =>
    rowsOf(words, { suite: suiteId, provider: id, ...options.row }).map((row) => ({
      ...row,
      ...(id in costs && row.costUsd !== undefined ? { costUsd: costs[id] ?? null } : {}),
      ...(id in latencies && row.latencyMs !== undefined ? { latencyMs: latencies[id] } : {}),
    })),
  );
  const variants = Object.keys(outcomes).map((id) => {
    const own = rows.filter((row) => row.provider === id);
    return buildVariant(planned[id] ?? own.length, { provider: id, model: `model-of-${id}` });
  });
  const { gate, uncompared = [], isTimed = false } = options;
  const summary = summarizeRun(buildHeader([buildRecordedSuite(variants, gate, { suite: suiteId })]), rows, end);
  const [suite] = summary.suites;
  const [mini, ...others] = suite?.variants ?? [];
  if (suite === undefined || mini === undefined) throw new Error('one suite with a provider');
  const side = (variant: typeof mini): ComparedSide => ({
    source: 'test',
    kind: 'run',
    recorded: variant.recorded,
    cases: variant.cases,
    models: [],
    checksOf: () => [],
    answerOf: () => undefined,
  });
  const compared = others.filter(({ recorded }) => !uncompared.includes(recorded.provider));
  const judged = judgeGated(
    compared.map((variant) => ({
      suite,
      variant,
      compared: compareSides(side(mini), side(variant), { latencyComparable: isTimed }),
      isOfRecords: true,
    })),
  );
  const comparisons = judged.comparisons.map((one) => ({
    ...one,
    certainty: certain,
    ...options.judged?.(one),
  }));
  return { suite, judged: { ...judged, ...options.looks?.(suite), comparisons } };
}

function rowOf(options: Options = {}) {
  const [row] = judge(options).rows;
  return row;
}

/** The verdict of the first row, and why. */
function verdictOf(options: Options = {}) {
  const row = rowOf(options);
  return [row?.verdict, ...(row?.reasons ?? [])];
}

const passed: Decision = { outcome: 'passed', kind: 'unseen', evidence: [], breaches: [], warnings: [] };
const none = { baseline: null, candidate: null, delta: null, low: null, high: null, p: null };

test('a run without swaps has no report of one', () => {
  const summary = summarizeRun(buildHeader([]), [], end);
  expect(judgeSwaps({ summary, settings, judged: judgeGated([]), decision: passed })).toEqual([]);
});

test('a candidate that answers as the provider holds, with its row, model and costs', () => {
  const report = judge({ costs: { mini: 0.002, good: 0.001 }, latencies: { mini: 100, good: 50 }, isTimed: true });
  // Of all compared cases together.
  const costUsd = {
    baseline: expect.closeTo(0.08),
    candidate: expect.closeTo(0.04),
    delta: -0.5,
    low: -0.5,
    high: -0.5,
    p: 1,
  };
  const latencyMs = expect.objectContaining({ baseline: 100, candidate: 50, delta: -0.5 });
  expect(report).toEqual({
    provider: 'mini',
    rows: [
      {
        candidate: 'good',
        suite: 'triage',
        prompt: 'v1',
        verdict: 'holds',
        reasons: [],
        cases: 40,
        broken: [],
        passRate: {
          baseline: 1,
          candidate: 1,
          delta: 0,
          low: expect.closeTo(-0.0876),
          high: expect.closeTo(0.0876),
          p: 0.5,
        },
        costUsd,
        latencyMs,
      },
    ],
    candidates: [
      {
        candidate: 'good',
        model: 'openai:model-of-good',
        verdict: 'holds',
        cellCostUsd: expect.closeTo(0.001),
        costUsd,
        latencyMs,
      },
    ],
    cheapest: ['good'],
    conclusion: 'good is the cheapest that holds; −50.0 % in cost against mini',
  });
  const [row] = report.rows;
  expect(Object.keys(row?.passRate ?? {})).toEqual(['baseline', 'candidate', 'delta', 'low', 'high', 'p']);
});

test('latencies are compared only where both sides ran in this run', () => {
  const [candidate] = judge({ latencies: { mini: 100, good: 50 } }).candidates;
  expect(candidate?.latencyMs).toMatchObject({ delta: null });
});

const ofGood = { suite: 'triage', prompt: 'v1', provider: 'good' } as const;
const broken: Breach = { code: 'case-broken', ...ofGood, caseId: 'case-1', message: 'case-1 broke' };
const rate: Breach = { code: 'pass-rate-regressed', ...ofGood, message: 'the rate fell' };

test.each([
  ['of another suite', { ...rate, suite: 'other' }, ['holds']],
  ['of another prompt', { ...rate, prompt: 'v2' }, ['holds']],
  ['of another candidate', { ...rate, provider: 'dear' }, ['holds']],
  ['of the candidate', rate, ['worse', 'the rate fell']],
  ['of the whole suite', { code: 'erosion', suite: 'triage', message: 'eroded' }, ['worse', 'eroded']],
  ['of every suite', { code: 'stopped', message: 'the run stopped' }, ['holds']],
  ['that says nothing', { ...rate, code: 'unpriced', message: 'no price' }, ['undecided', 'no price']],
] as const)('a breach %s', (_, breach, said) => {
  expect(verdictOf({ breaches: [breach] })).toEqual(said);
});

test('each broken case is named once, and a failure outweighs what is missing', () => {
  const breaches = [broken, { ...broken, code: 'must-pass', message: 'again' } as const, rate];
  const row = rowOf({ breaches, planned: { good: 50 } });
  expect([row?.verdict, row?.broken, row?.reasons]).toEqual([
    'worse',
    ['case-1'],
    ['case-1 broke', 'again', 'the rate fell'],
  ]);
});

const errors = (count: number) => `${'e '.repeat(count)}${'p '.repeat(40 - count)}`;

test.each([
  ['an error', { candidates: { good: errors(1) } }, ['partial', '1 of 40 cells errored']],
  [
    'as many errors as are allowed',
    { candidates: { good: errors(2) }, provider: errors(2), settings: { maxErrors: { count: 2 } } },
    ['holds'],
  ],
  [
    'one error more',
    { candidates: { good: errors(3) }, settings: { maxErrors: { count: 2 } } },
    ['partial', '3 of 40 cells errored'],
  ],
  [
    'as many errors as the share allows',
    { candidates: { good: errors(4) }, provider: errors(4), settings: { maxErrors: { fraction: 0.1 } } },
    ['holds'],
  ],
  [
    'more errors than the share allows',
    { candidates: { good: errors(5) }, settings: { maxErrors: { fraction: 0.1 } } },
    ['partial', '5 of 40 cells errored'],
  ],
  [
    'cells without a result',
    { candidates: { good: `s ${'p '.repeat(39)}` } },
    ['partial', '1 of 40 cells have no result'],
  ],
  [
    'errors and cells without a result',
    { candidates: { good: `s e ${'p '.repeat(38)}` } },
    ['partial', '1 of 40 cells errored', '1 of 40 cells have no result'],
  ],
  [
    'a case that the suite skips',
    { candidates: { good: `c ${'p '.repeat(39)}` }, provider: `c ${'p '.repeat(39)}` },
    ['holds'],
  ],
  ['no comparison', { uncompared: ['good'] }, ['partial', 'no case was compared']],
  ['no planned cell', { candidates: { good: '' } }, ['partial', 'it was not asked here']],
  ['no such variant', { swapped: ['other'] }, ['partial', 'it was not asked here']],
  [
    'a case without an answer of the provider',
    { provider: 'p '.repeat(39) },
    ['partial', '1 of 40 cases have no answer of the provider'],
  ],
  [
    'a failed case without an answer of the provider',
    { candidates: { good: `${'p '.repeat(39)}f` }, provider: 'p '.repeat(39) },
    ['partial', '1 of 40 cases have no answer of the provider'],
  ],
] as const)('%s', (_, options: Options, said) => {
  const quiet = { isInconclusive: false, unsettled: [] };
  expect(verdictOf({ ...options, judged: () => quiet })).toEqual(said);
});

const unseen = (drop: number | null): Certainty => ({ kind: 'unseen', cases: 40, drop });

test.each<readonly [string, Options, readonly [string, ...string[]]]>([
  [
    'unsettled failures',
    { judged: () => ({ unsettled: [unsettledCase('case-1 failed'), unsettledCase('case-2 failed')] }) },
    ['undecided', 'case-1 failed', 'case-2 failed'],
  ],
  [
    'an unsettled failure',
    { judged: () => ({ unsettled: [unsettledCase('case-1 failed')] }) },
    ['undecided', 'case-1 failed'],
  ],
  [
    'a look that stays open',
    { judged: () => ({ isInconclusive: true }) },
    ['undecided', 'neither confirmed nor cleared: pass rate 100.0 % → 100.0 %, 0.0 pts [−8.8, +8.8]'],
  ],
  [
    'a drop that --require-conclusive asks about',
    { settings: { requireConclusive: true }, judged: () => ({ certainty: unseen(0.063) }) },
    ['undecided', 'a drop of up to 6.3 % is not excluded'],
  ],
  [
    'a drop that the gate asks about',
    { gate: { certify: true }, judged: () => ({ certainty: unseen(null) }) },
    ['undecided', 'a drop of any size is not excluded'],
  ],
  ['a drop that is excluded', { gate: { certify: true } }, ['holds']],
  ['a drop that nobody asks about', { judged: () => ({ certainty: unseen(0.063) }) }, ['holds']],
])('%s', (_, options, said) => {
  expect(verdictOf(options)).toEqual(said);
});

test.each([
  ['a drop of some size', unseen(0.063), {}, 0.063],
  ['a drop of any size', unseen(null), {}, null],
  ['a drop of unknown size', { kind: 'unseen', cases: 40 }, {}, null],
  ['an excluded drop', certain, {}, 'absent'],
  ['a worse candidate', unseen(0.063), { breaches: [rate] }, 'absent'],
] as const)('what could go unnoticed: %s', (_, certainty, options, drop) => {
  const row = rowOf({ ...options, judged: () => ({ certainty }) });
  expect(row !== undefined && 'unseen' in row ? row.unseen : 'absent').toBe(drop);
});

const below = (failures: number) => `${'f '.repeat(failures)}${'p '.repeat(40 - failures)}`;
const quietly = ({ compared }: JudgedComparison, judgedMargin?: { margin: number }) => ({
  isInconclusive: false,
  unsettled: [],
  compared: judgedMargin === undefined ? compared : { ...compared, judgedMargin: { ...ofJudge, ...judgedMargin } },
});
const ofJudge = { maxDrop: 0.2, judged: 1, unmeasured: [] };

test.each([
  ['within the default margin', 2, {}, undefined, 'holds'],
  ['beyond the default margin', 3, {}, undefined, 'undecided'],
  ['within the margin of the gate', 4, { passRate: { maxDrop: 0.1 } }, undefined, 'holds'],
  ['beyond the margin of the gate', 5, { passRate: { maxDrop: 0.1 } }, undefined, 'undecided'],
  ['within the margin of judges', 6, { passRate: { maxDrop: 0.1 } }, 0.15, 'holds'],
  ['beyond the margin of judges', 7, { passRate: { maxDrop: 0.2 } }, 0.15, 'undecided'],
] as const)('a drop %s', (_, failures, gate, margin, verdict) => {
  const row = rowOf({
    candidates: { good: below(failures) },
    gate,
    judged: (one) => quietly(one, margin === undefined ? undefined : { margin }),
  });
  expect(row?.verdict).toBe(verdict);
  const said =
    /^below by more than is tolerated, which these cases can't tell from chance: pass rate 100\.0 % → \d+\.\d %, −/;
  expect(row?.reasons.map((reason) => said.test(reason))).toEqual(verdict === 'holds' ? [] : [true]);
});

test.each([
  [10, 'better'],
  [3, 'holds'],
])(
  'a candidate that passes %i of 40 cases more is said to be better where chance does not explain it',
  (more, said) => {
    expect(judge({ provider: below(more) }).candidates[0]?.verdict).toBe(said);
  },
);

test('the more candidates, the more must one pass to be better', () => {
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`m${index}`, below(9)]));
  const verdicts = (candidates: Readonly<Record<string, string>>) =>
    judge({ provider: below(9), candidates }).candidates[0]?.verdict;
  expect([verdicts({ good: forty }), verdicts({ good: forty, ...many })]).toEqual(['better', 'holds']);
});

test('the cheapest are all that hold at the least price of a judged cell', () => {
  const dropping = below(10);
  const report = judge({
    candidates: { dear: forty, near: forty, good: forty, twin: forty, free: forty, poor: dropping },
    costs: { mini: 0.01, dear: 0.02, near: 0.0015, good: 0.001, twin: 0.001, free: null, poor: 0.0001 },
    breaches: [{ ...rate, provider: 'poor' }],
  });
  expect(report.cheapest).toEqual(['good', 'twin']);
  expect(report.candidates.map(({ candidate, verdict, cellCostUsd }) => [candidate, verdict, cellCostUsd])).toEqual([
    ['dear', 'holds', expect.closeTo(0.02)],
    ['near', 'holds', expect.closeTo(0.0015)],
    ['good', 'holds', expect.closeTo(0.001)],
    ['twin', 'holds', expect.closeTo(0.001)],
    ['free', 'holds', null],
    ['poor', 'worse', expect.closeTo(0.0001)],
  ]);
});

test('an errored cell has no price, and where every cell errored none is known', () => {
  const part = judge({ candidates: { good: errors(20) }, costs: { good: 0.002 } });
  expect(part.candidates[0]?.cellCostUsd).toBeCloseTo(0.002, 6);
  const failing = judge({ candidates: { good: `${'f '.repeat(20)}${'p '.repeat(20)}` }, costs: { good: 0.002 } });
  expect(failing.candidates[0]?.cellCostUsd).toBeCloseTo(0.002, 6);
  const all = judge({ candidates: { good: errors(40) } });
  expect(all.candidates[0]).toMatchObject({ verdict: 'partial', cellCostUsd: null, costUsd: none, latencyMs: none });
});

test('the price of an answer is unknown where it is in one of the suites', () => {
  const report = judge({ costs: { good: null } }, { costs: { good: 0.001 } });
  expect(report.candidates[0]?.cellCostUsd).toBeNull();
  expect(judge({ costs: { good: 0.001 } }, { costs: { good: null } }).candidates[0]?.cellCostUsd).toBeNull();
});

test('a candidate that was not compared has no cases', () => {
  expect(rowOf({ uncompared: ['good'] })).toMatchObject({ cases: 0, passRate: none, costUsd: none, latencyMs: none });
});

test('a prompt version of which no cell of the provider was planned has no row', () => {
  expect(judge({ provider: '' }).rows).toEqual([]);
  expect(judge({ provider: '' }).candidates).toMatchObject([{ candidate: 'good', model: '', verdict: 'partial' }]);
});

test('observed cases need no answer of the provider', () => {
  const observed = buildRowSummary({ observe: true });
  expect(verdictOf({ row: { observe: observed.observe }, planned: { mini: 40, good: 40 } })).toEqual([
    'partial',
    '40 of 40 cells have no result',
  ]);
});

function unsettledCase(message: string) {
  const counts = { planned: 1, plannedFailed: 1, asked: 0, failed: 0, acceptedAsked: 0, acceptedFailed: 0 };
  const evidence = { caseId: 'case-1', verdict: 'unsettled', ...counts, evidence: null } as const;
  return { kind: 'unsettled', caseId: 'case-1', because: 'case-broken', why: 'budget', message, evidence } as const;
}

test.each([
  ['cleared', {}, 'holds'],
  ['confirmed', {}, 'undecided'],
  ['cleared of another metric', { metric: 'score' }, 'undecided'],
  ['cleared in a slice', { slice: 'urgent' }, 'undecided'],
  ['cleared of another average', { id: 'other' }, 'undecided'],
  ['cleared of another variant', { provider: 'mini' }, 'undecided'],
] as const)('a drop beyond the margin that fresh trials have %s', (kind, look, verdict) => {
  const { id = 'rate', provider = 'good', ...about } = look as { readonly id?: string; readonly provider?: string };
  const looks = ({ variants }: SuiteSummary): Partial<JudgedRun> => {
    const { suspicions, settled } = judgeGated([]);
    const variant = variants.find(({ recorded }) => recorded.provider === provider);
    if (variant === undefined) throw new Error('a variant of this provider');
    const looked = { id, hypothesis: { ...hypothesis, ...about }, average: undefined, isAccepted: false };
    const verdictOfLook = {
      kind: kind === 'confirmed' ? 'confirmed' : 'cleared',
      p: 0.5,
      pairs: 40,
      cases: 40,
      wanted: [],
    } as const;
    return {
      suspicions: { ...suspicions, claims: new Map([[variant, [looked]]]) },
      settled: { ...settled, averages: new Map([['rate', verdictOfLook]]) },
    };
  };
  expect(rowOf({ candidates: { good: below(3) }, judged: (one) => quietly(one), looks })?.verdict).toBe(verdict);
});

const hypothesis = {
  metric: 'passRate',
  code: 'pass-rate-regressed',
  evidence: { ...none, n: 40 },
  margin: 0.05,
  isRatio: false,
  level: 'fail',
  p: 0.01,
} as const;

test('a candidate is better at a quarter of the level of the gate', () => {
  // Six of forty pass more, by chance with this p.
  const p = 0.0078125;
  const at = (alpha: number) => judge({ provider: below(6), gate: { alpha } }).candidates[0]?.verdict;
  expect([at(4.01 * p), at(3.99 * p)]).toEqual(['better', 'holds']);
});

test('costs and latencies are those of the compared cases of all suites', () => {
  const report = judge(
    { costs: { mini: 0.004, good: 0.001 }, latencies: { mini: 400, good: 300 }, isTimed: true },
    { costs: { mini: 0.002, good: 0.003 }, latencies: { mini: 200, good: 100 }, isTimed: true },
  );
  expect(report.rows.map(({ suite, verdict }) => [suite, verdict])).toEqual([
    ['triage', 'holds'],
    ['suite-1', 'holds'],
  ]);
  const [candidate] = report.candidates;
  expect([candidate?.cellCostUsd, candidate?.costUsd.baseline, candidate?.costUsd.candidate]).toEqual([
    expect.closeTo(0.002),
    expect.closeTo(0.24),
    expect.closeTo(0.16),
  ]);
  // Medians over both.
  expect(candidate?.latencyMs).toMatchObject({ baseline: 300, candidate: 200 });
});

test('the intervals over all suites are those of the strictest gate, in whatever order the suites are', () => {
  const totals = (first: number, second: number) => {
    const { costUsd } =
      judge(
        { gate: { alpha: first }, costs: { mini: 0.004, good: 0.001 } },
        { gate: { alpha: second }, costs: { mini: 0.004, good: 0.002 } },
      ).candidates[0] ?? {};
    return [costUsd?.low, costUsd?.high];
  };
  expect(totals(0.2, 0.01)).toEqual(totals(0.01, 0.01));
  expect(totals(0.01, 0.2)).toEqual(totals(0.01, 0.01));
  expect(totals(0.2, 0.2)).not.toEqual(totals(0.01, 0.01));
});

test('a candidate is judged in each suite at the level of its own gate, and once for all of them', () => {
  const p = 0.0078125;
  // Two comparisons share the level.
  const verdicts = (alpha: number) => {
    const { rows, candidates } = judge({}, { provider: below(6), gate: { alpha } });
    return [...rows.map(({ verdict }) => verdict), candidates[0]?.verdict];
  };
  expect(verdicts(8.01 * p)).toEqual(['holds', 'better', 'holds']);
  expect(verdicts(7.99 * p)).toEqual(['holds', 'holds', 'holds']);
  const open: Breach = { ...rate, suite: 'suite-1', code: 'unpriced', message: 'no price' };
  const { rows, candidates } = judge({ planned: { mini: 40, good: 41 }, breaches: [open] }, {});
  expect([rows.map(({ verdict }) => verdict), candidates[0]?.verdict]).toEqual([['partial', 'undecided'], 'partial']);
});

test('costs and latencies of all suites are unknown where they are in one', () => {
  for (const parts of [
    [{ costs: { good: null }, isTimed: true }, {}],
    [{}, { costs: { good: null }, isTimed: true }],
  ] as const) {
    const [candidate] = judge(...parts).candidates;
    expect([candidate?.costUsd.delta, candidate?.latencyMs.delta]).toEqual([null, null]);
  }
});
