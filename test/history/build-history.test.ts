import { expect, test } from 'vitest';
import { buildHistory } from '../../src/history/build-history.ts';
import type { CountedRun } from '../../src/history/read-trends.ts';
import type { EndRow, RecordedSuite, RecordedVariant } from '../../src/model/run/record.ts';
import type { RowSummary } from '../../src/model/run/summary.ts';
import { summarizeRun } from '../../src/record/summarize-run.ts';
import { buildHeader, buildRecordedSuite, buildRowSummary, buildVariant, end } from '../support/build-summary.ts';

interface FakeSuite {
  readonly rows: readonly RowSummary[];
  readonly variants?: readonly RecordedVariant[];
  readonly suite?: Partial<RecordedSuite>;
}

/** The runs r1, r2 and so on. */
function buildRuns(runs: readonly (readonly FakeSuite[])[], ended: EndRow | undefined = end): readonly CountedRun[] {
  return runs.map((found, index) => {
    const suites = found.map(({ rows, suite, variants = [buildVariant(rows.length)] }) =>
      buildRecordedSuite(variants, {}, suite),
    );
    const header = { ...buildHeader(suites), id: `r${index + 1}` };
    const rows = found.flatMap((own) => own.rows.map((row) => ({ ...row, suite: own.suite?.suite ?? row.suite })));
    return { header, summary: summarizeRun(header, rows, ended) };
  });
}

/** One case: a plus or minus a trial, e for an error, s for one that the case skips, b for one that a budget left out. */
function rowsOf(caseId: string, marks: string, overrides: Partial<RowSummary> = {}): readonly RowSummary[] {
  const statuses = { '+': 'passed', '-': 'failed', e: 'errored', s: 'skipped', b: 'skipped' } as const;
  return marks.split('').map((mark, trial) => {
    const status = statuses[mark as keyof typeof statuses];
    const skipReason = mark === 's' ? 'case' : mark === 'b' ? 'budget' : undefined;
    return buildRowSummary({ caseId, trial, status, skipReason, ...overrides });
  });
}

const everySuite = { wants: () => true, recent: undefined };

test('every figure of suites, variants and cases over runs, in order', async () => {
  const replaced = buildVariant(2, { prompt: 'v0', model: 'gpt-3.5' });
  const current = (model: string) => buildVariant(7, { prompt: 'v1', replaces: 'v0', model });
  const beside = buildVariant(1, { prompt: 'v1', baselineOf: 'v1', provider: 'old' });
  const rows = (marks: string) => [
    ...rowsOf('b', marks, { latencyMs: 200 }),
    ...rowsOf('a', '+-', { cached: true }),
    ...rowsOf('skipped', 's'),
    ...rowsOf('watched', '-', { observe: true, latencyMs: 90_000 }),
    ...rowsOf('a', '--', { prompt: 'v0', latencyMs: 70_000 }),
    ...rowsOf('a', '-', { provider: 'old' }),
  ];
  const runs = buildRuns([
    [{ rows: rows('++--'), variants: [replaced, current('gpt-4o'), beside] }],
    [
      {
        rows: rows('+++-'),
        variants: [current('gpt-4.1'), replaced, beside],
        suite: { path: 'evals/moved.eval.yaml' },
      },
      { rows: rowsOf('only', '+'), suite: { suite: 'second', path: 'evals/second.eval.yaml' } },
      { rows: rowsOf('only', '-'), suite: { suite: 'first', path: 'evals/first.eval.yaml', filtered: true } },
    ],
  ]);
  const history = buildHistory(runs, everySuite);
  await expect(`${JSON.stringify(history, null, 2)}\n`).toMatchFileSnapshot('snapshots/history.json');
});

test('suites that are not wanted are left out, and the latest run names path, prompt and model', () => {
  const rows = rowsOf('a', '+');
  const runs = buildRuns([
    [{ rows }, { rows, suite: { suite: 'other', path: 'evals/other.eval.yaml' } }],
    [{ rows, variants: [buildVariant(1, { model: 'gpt-4.1' })], suite: { path: 'evals/moved.eval.yaml' } }],
  ]);
  const wants = ({ path }: { readonly path: string }) => path !== 'evals/other.eval.yaml';
  const { suites } = buildHistory(runs, { ...everySuite, wants });
  expect(suites.map(({ suite, path, variants }) => [suite, path, variants.map(({ model }) => model)])).toEqual([
    ['triage', 'evals/moved.eval.yaml', ['gpt-4.1']],
  ]);
});

test('a run without its end is not complete', () => {
  const [run] = buildHistory(
    buildRuns([[{ rows: rowsOf('a', '+') }]], { ...end, stopReason: 'budget' }),
    everySuite,
  ).runs;
  expect(run?.complete).toBe(false);
});

test('the order of variants and cases redefines no suite, another case or prompt does', () => {
  const [v1, v2] = [buildVariant(1), buildVariant(1, { prompt: 'v2' })];
  const of = (prompt: string, caseHash = 'same') => rowsOf('a', '+', { prompt, caseHash });
  const both = [...of('v1'), ...of('v2')];
  const runs = buildRuns([
    [{ rows: both, variants: [v1, v2] }],
    [{ rows: both.toReversed(), variants: [v2, v1] }],
    [{ rows: [...of('v1'), ...of('v2', 'other')], variants: [v1, v2] }],
    [{ rows: [...of('v1'), ...of('v2', 'other')], variants: [{ ...v1, params: { a: 1, b: 2 } }, v2] }],
    [{ rows: [...of('v1'), ...of('v2', 'other')], variants: [{ ...v1, params: { b: 2, a: 1 } }, v2] }],
  ]);
  const [suite] = buildHistory(runs, everySuite).suites;
  expect(suite?.points.map(({ redefined }) => redefined)).toEqual([false, false, true, true, true]);
  expect(suite?.variants.map(({ points }) => points.map(({ redefined }) => redefined))).toEqual([
    [false, false, false, true, true],
    [false, false, true, false, false],
  ]);
});

test('a case less redefines a suite, and so does one prompt in place of two', () => {
  const both = [...rowsOf('a', '+'), ...rowsOf('b', '+')];
  const [less] = buildHistory(buildRuns([[{ rows: both }], [{ rows: rowsOf('a', '+') }]]), everySuite).suites;
  expect(less?.points.map(({ redefined }) => redefined)).toEqual([false, true]);
  const [v1, v2] = [buildVariant(1), buildVariant(1, { prompt: 'v2' })];
  const rows = [...rowsOf('a', '+', { prompt: 'v1' }), ...rowsOf('a', '+', { prompt: 'v2' })];
  const runs = buildRuns([
    [{ rows, variants: [v1, v2] }],
    [{ rows: rowsOf('a', '+', { prompt: 'v1' }), variants: [v1] }],
  ]);
  const [one] = buildHistory(runs, everySuite).suites;
  expect(one?.points.map(({ redefined }) => redefined)).toEqual([false, true]);
});

test('cases of one group widen the interval of a suite', () => {
  const interval = (groups: readonly (string | undefined)[]) => {
    const rows = groups.flatMap((group, index) => rowsOf(`c${index}`, index < 2 ? '+' : '-', { group }));
    const [suite] = buildHistory(buildRuns([[{ rows }]]), everySuite).suites;
    const { low, high } = suite?.points[0]?.passRate ?? {};
    return (high ?? 0) - (low ?? 0);
  };
  expect(interval(['a', 'a', 'b', 'b'])).toBeGreaterThan(interval([undefined, undefined, undefined, undefined]));
});

test('the trend counts whole runs with new answers since the last change of a case', () => {
  const runs = buildRuns([
    [{ rows: rowsOf('a', '+-', { caseHash: 'before' }) }],
    [{ rows: [...rowsOf('a', '+-'), ...rowsOf('b', 's')], variants: [buildVariant(3)] }],
    [{ rows: [...rowsOf('a', '++'), ...rowsOf('b', 's')], variants: [buildVariant(3)] }],
    [{ rows: [...rowsOf('a', '+e'), ...rowsOf('b', 's')], variants: [buildVariant(3)] }],
    [{ rows: [...rowsOf('a', '+b'), ...rowsOf('b', 's')], variants: [buildVariant(3)] }],
    [{ rows: [...rowsOf('a', 'ee'), ...rowsOf('b', 's')], variants: [buildVariant(3)] }],
    [{ rows: [...rowsOf('a', '++', { cached: true }), ...rowsOf('b', 's')], variants: [buildVariant(3)] }],
    [
      {
        rows: [...rowsOf('a', '-'), ...rowsOf('a', '+', { cached: true, trial: 1 }), ...rowsOf('b', 's')],
        variants: [buildVariant(3)],
      },
    ],
  ]);
  const [suite] = buildHistory(runs, everySuite).suites;
  expect(suite?.variants[0]?.trend).toMatchObject({ runs: 3, since: 'r2', from: 0.5, to: 0.5 });
});

test.each([
  [['+-', '-+', '++', '++'], undefined, 'r3', [2, 2], [2, 0], 0.5],
  [['+-', '-+', '++', '++'], 3, 'r2', [1, 1], [3, 1], 0.5],
  [['+-', '-+', '++', '++'], 1, 'r4', [3, 2], [1, 0], 0.5],
  [['+', '-', 'ee', 'ee', '+', '-', '++'], undefined, 'r5', [1, 1], [2, 1], 2 / 3],
  [['++', '+-'], 5, undefined, undefined, undefined, 0.5],
  [['+', 'e'], undefined, undefined, undefined, undefined, null],
  [['++', '+-'], 0, undefined, undefined, undefined, 0.5],
] as const)('flakes of %j with %s recent runs', (marks, recent, since, before, after, rate) => {
  const runs = buildRuns(marks.map((trials) => [{ rows: rowsOf('a', trials) }]));
  const { flakes } = buildHistory(runs, { ...everySuite, recent }).suites[0]?.cases[0] ?? {};
  const counted = (side: { readonly pairs: number; readonly disagreements: number } | undefined) =>
    side === undefined ? undefined : [side.pairs, side.disagreements];
  const { change } = flakes ?? {};
  expect([change?.since, counted(change?.before), counted(change?.after), flakes?.rate]).toEqual([
    since,
    before,
    after,
    rate,
  ]);
});

test('a change of flakes is named by its p-value among all the cases that were tested', () => {
  const marks = (isRecent: boolean, index: number) => (isRecent ? (index % 2 === 0 ? '+-' : '-+') : '++');
  const build = (steadyCases: number) =>
    buildHistory(
      buildRuns(
        Array.from({ length: 8 }, (_, index) => [
          {
            rows: [
              ...rowsOf('began', marks(index > 3, index)),
              ...Array.from({ length: steadyCases }, (__, at) => rowsOf(`steady-${at}`, '++')).flat(),
            ],
          },
        ]),
      ),
      everySuite,
    ).suites[0]?.cases[0]?.flakes.change;
  const alone = build(0);
  expect(alone).toMatchObject({ isNamed: true, adjustedP: alone?.p });
  expect(build(10)).toMatchObject({ isNamed: false, p: alone?.p, adjustedP: (alone?.p ?? 0) * 11 });
});

test('cases are sorted by id with their latest status, also those that an earlier run lacks', () => {
  const runs = buildRuns([
    [{ rows: [...rowsOf('b', '+'), ...rowsOf('c', '-')] }],
    [{ rows: [...rowsOf('a', '+'), ...rowsOf('b', '-')] }],
  ]);
  const cases = buildHistory(runs, everySuite).suites[0]?.cases;
  expect(cases?.map(({ caseId, status, points }) => [caseId, status, points.map(({ run }) => run)])).toEqual([
    ['a', 'passed', ['r2']],
    ['b', 'failed', ['r1', 'r2']],
    ['c', 'failed', ['r1']],
  ]);
});

test('a prompt has a history on each of its providers, whatever ran again beside it', () => {
  const variants = [
    buildVariant(1, { prompt: 'v1', baselineOf: 'v1', provider: 'old' }),
    buildVariant(1),
    buildVariant(1, { provider: 'q' }),
  ];
  const rows = [...rowsOf('a', '-', { provider: 'old' }), ...rowsOf('a', '+'), ...rowsOf('a', '-', { provider: 'q' })];
  const [suite] = buildHistory(buildRuns([[{ rows, variants }]]), everySuite).suites;
  expect(suite?.variants.map(({ provider, points }) => [provider, points[0]?.passRate.value])).toEqual([
    ['p', 1],
    ['q', 0],
  ]);
  expect(suite?.cases.map(({ provider, status }) => [provider, status])).toEqual([
    ['p', 'passed'],
    ['q', 'failed'],
  ]);
});

test('a file that a case attaches redefines it once its bytes are others, and not where older runs know none', () => {
  const runs = buildRuns(
    ['same', 'same@file:cat', 'same@file:cat', 'same@file:dog'].map((caseHash) => [
      { rows: rowsOf('a', '++', { caseHash }) },
    ]),
  );
  const [suite] = buildHistory(runs, everySuite).suites;
  const redefined = [false, false, false, true];
  for (const points of [suite?.points, suite?.variants[0]?.points, suite?.cases[0]?.points]) {
    expect(points?.map((point) => point.redefined)).toEqual(redefined);
  }
  expect(suite?.cases[0]?.flakes).toMatchObject({ pairs: 1 });
  const [before] = buildHistory(runs.slice(0, 3), everySuite).suites;
  expect([before?.variants[0]?.trend?.runs, before?.cases[0]?.flakes.pairs]).toEqual([3, 3]);
});

test('the flakes of a case begin again once it is redefined, and go on from there', () => {
  const runs = buildRuns(
    ['before', 'now', 'now', 'now'].map((caseHash, index) => [
      { rows: rowsOf('a', index === 0 ? '+-' : '++', { caseHash }) },
    ]),
  );
  const [found] = buildHistory(runs, everySuite).suites[0]?.cases ?? [];
  expect(found?.points.map(({ redefined }) => redefined)).toEqual([false, true, false, false]);
  expect(found?.flakes).toMatchObject({ rate: 0, pairs: 3 });
});
