import { expect, test } from 'vitest';
import { openBaselineText } from '../../src/baseline/open-baseline.ts';
import { renderBaseline } from '../../src/baseline/write-baseline.ts';
import type { RecordedSuite, RecordedVariant } from '../../src/model/run/record.ts';
import type { RowSummary } from '../../src/model/run/summary.ts';
import type { GatePolicy } from '../../src/model/suite/gate-policy.ts';
import { groupBy } from '../../src/text/group-by.ts';
import { judgeErosion } from '../../src/verdict/judge-erosion.ts';
import { contentOf } from '../support/baseline-rows.ts';
import { buildHeader, buildRecord, buildRecordedSuite, buildVariant, end, rowsOf } from '../support/build-summary.ts';

interface Options {
  /** Outcomes as in `rowsOf`. */
  readonly pinned?: string;
  readonly run?: string;
  readonly row?: (row: RowSummary) => Partial<RowSummary>;
  readonly variant?: Partial<RecordedVariant>;
  readonly pinnedVariant?: Partial<RecordedVariant>;
  readonly gate?: Partial<GatePolicy>;
  readonly suite?: Partial<RecordedSuite>;
  readonly isStopped?: boolean;
  readonly isPinned?: boolean;
}

const source = 'evals/triage.reference.jsonl';
const until = '2026-11-01T00:00:00.000Z';
const passed = 'p '.repeat(40);
/** Ten of forty cases fail. */
const fallen = `${'f '.repeat(10)}${'p '.repeat(30)}`;

function judge(options: Options = {}) {
  const { pinned = passed, run = passed, row = () => ({}), variant = {}, pinnedVariant = {}, gate, suite } = options;
  const { planned: _planned, observed: _observed, ...old } = buildVariant(1, pinnedVariant);
  const byCase = groupBy(rowsOf(pinned), ({ caseId }) => caseId);
  const content = contentOf({
    suite: 'triage',
    variants: [{ type: 'variant', ...old, models: [] }],
    cases: [...byCase].map(([caseId, rows]) => ({
      type: 'case',
      prompt: old.prompt,
      provider: old.provider,
      caseId,
      caseHash: 'caseHash',
      trials: rows.map(({ trial, status }) => ({
        trial,
        status: status === 'passed' ? ('passed' as const) : ('failed' as const),
        checks: [],
        answerHash: 'h',
      })),
    })),
  });
  const text = [...renderBaseline({ ...content, pin: { until } })].join('');
  const reference = { source, baseline: openBaselineText(text, source), pin: { until } };
  const own = buildVariant(40, variant);
  const header = buildHeader([buildRecordedSuite([own], gate, suite)]);
  const rows = rowsOf(run, { prompt: own.prompt, provider: own.provider }).map((one) => ({ ...one, ...row(one) }));
  const ending = options.isStopped === true ? ({ ...end, stopReason: 'budget' } as const) : end;
  const record = buildRecord(header, rows, ending);
  const findReference = () => (options.isPinned === false ? undefined : reference);
  return judgeErosion(record, findReference);
}

const nothing = { findings: [], failures: [], warnings: [] };
const where = { kind: 'erosion', suite: 'triage', prompt: 'v1', provider: 'p', source, until, since: [] };
const eroded =
  'erosion: the pass rate fell from 100 % → 75 % since the reference was pinned, by more than the 5 pts that are tolerated (40 cases, z -3.6)';

test.each([
  ['nothing is pinned', { isPinned: false }],
  ['a part of the cases ran', { suite: { filtered: true } }],
  ['the run was stopped', { isStopped: true }],
  ['no cell was planned', { run: '', variant: { planned: 0 } }],
] as const)('no pinned reference speaks where %s', (_, options: Options) => {
  expect(judge({ run: fallen, ...options })).toEqual(nothing);
});

test('a rate that holds is a finding without a warning', () => {
  expect(judge()).toEqual({
    ...nothing,
    findings: [
      {
        ...where,
        margin: 0.05,
        cases: 40,
        of: 40,
        outcome: 'held',
        passRate: { reference: 1, candidate: 1, delta: 0 },
        z: null,
        message: 'pass rate 100 % → 100 % since the reference was pinned (40 cases)',
      },
    ],
  });
});

test('a reference of before files were hashed still speaks', () => {
  const { findings } = judge({ row: () => ({ caseHash: 'caseHash@file:cat' }) });
  expect(findings).toMatchObject([{ outcome: 'held', cases: 40, of: 40 }]);
});

test('a rate that has fallen warns, or fails where the gate says so', () => {
  const { findings, failures, warnings } = judge({ run: fallen });
  expect(findings).toMatchObject([
    { outcome: 'eroded', passRate: { reference: 1, candidate: 0.75, delta: -0.25 }, since: [] },
  ]);
  expect([failures, warnings]).toEqual([[], [`triage · v1 × p: ${eroded}`]]);
  const failing = judge({ run: fallen, gate: { erosion: 'fail' } });
  expect(failing.warnings).toEqual([]);
  expect(failing.failures).toEqual([
    {
      code: 'erosion',
      suite: 'triage',
      prompt: 'v1',
      provider: 'p',
      metric: 'passRate',
      baseline: 1,
      candidate: 0.75,
      message: eroded,
    },
  ]);
  // Within the margin of the gate.
  expect(judge({ run: fallen, gate: { passRate: { maxDrop: 0.3 } } }).findings).toMatchObject([
    { outcome: 'held', margin: 0.3, message: expect.stringMatching(/^pass rate 100 % → 75 % .* z -3\.6\)$/) },
  ]);
});

const again = '; pin again with `llmcheck baseline pin evals/triage.eval.yaml`';
const changedFrom = (count: number) => (row: RowSummary) =>
  Number(row.caseId.slice('case-'.length)) < count ? { caseHash: 'other' } : {};
test.each([
  ['of another provider', { pinnedVariant: { provider: 'q' } }, [0, 0], 'it has no case of v1 × p'],
  [
    'of which fewer than half of the cases are as they were',
    { row: changedFrom(21) },
    [19, 40],
    '19 of its 40 cases remain with the same checks',
  ],
  [
    'of another output contract',
    { variant: { contract: { output: { type: 'object' } } } },
    [0, 40],
    '0 of its 40 cases remain with the same checks (the output contract changed)',
  ],
  ['of one case with an answer', { run: `p ${'e '.repeat(39)}` }, [1, 40], '1 case of it can be compared'],
  [
    'of cases that are only observed now',
    { row: () => ({ observe: true }), variant: { observed: 40 } },
    [0, 40],
    '0 cases of it can be compared',
  ],
] as const)('a reference %s no longer speaks, which is said', (_, options: Options, [cases, of], why) => {
  const message = `the pinned reference ${source} no longer speaks: ${why}${again}`;
  const { findings, failures, warnings } = judge({ run: fallen, gate: { erosion: 'fail' }, ...options });
  expect(findings).toEqual([
    {
      ...where,
      margin: 0.05,
      cases,
      of,
      outcome: 'silent',
      passRate: { reference: null, candidate: null, delta: null },
      z: null,
      message,
    },
  ]);
  expect([failures, warnings]).toEqual([[], [`triage · v1 × p: ${message}`]]);
});

test.each([
  ['half of the cases are as they were', { row: changedFrom(20) }, 20],
  ['two cases have an answer', { run: `p p ${'e '.repeat(38)}` }, 2],
  ['the version that it replaces was pinned', { variant: { prompt: 'v2', replaces: 'v1' } }, 40],
  ['both have the same output contract', sameContract(), 40],
] as const)('a reference speaks where %s', (_, options: Options, cases) => {
  expect(judge(options).findings).toMatchObject([{ outcome: 'held', cases }]);
});

test('cases of one group are one observation', () => {
  const grouped = judge({ run: fallen, row: () => ({ group: 'one' }) });
  expect(grouped.findings).toMatchObject([{ outcome: 'held', z: null }]);
});

test('only the variants of suites that have a reference are compared, each with what it replaces', () => {
  const [old, variant] = [buildVariant(2), buildVariant(2, { prompt: 'v2', replaces: 'v1' })];
  const content = contentOf({
    suite: 'triage',
    variants: [old, variant].map(({ planned: _planned, observed: _observed, ...one }) => ({
      type: 'variant' as const,
      ...one,
      models: [],
    })),
    cases: ['case-0', 'case-1'].map((caseId) => ({
      type: 'case' as const,
      prompt: 'v1',
      provider: 'p',
      caseId,
      caseHash: 'caseHash',
      trials: [{ trial: 0, status: 'passed' as const, checks: [], answerHash: 'h' }],
    })),
  });
  const text = [...renderBaseline({ ...content, pin: { until } })].join('');
  const header = buildHeader([
    buildRecordedSuite([old], {}, { suite: 'first', path: 'evals/first.eval.yaml' }),
    buildRecordedSuite([old, variant]),
  ]);
  const rows = ['v1', 'v2'].flatMap((prompt) => rowsOf('p p', { prompt, provider: 'p' }));
  const record = buildRecord(header, rows);
  const { findings } = judgeErosion(record, ({ id }) =>
    id === 'triage' ? { source, baseline: openBaselineText(text, source), pin: { until } } : undefined,
  );
  expect(findings).toMatchObject([{ suite: 'triage', prompt: 'v2', outcome: 'held', cases: 2, of: 2 }]);
});

function sameContract(): Options {
  const contract = { output: { type: 'object' } };
  return { variant: { contract }, pinnedVariant: { contract } };
}
