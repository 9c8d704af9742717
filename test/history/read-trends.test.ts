import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeTrend, readRunsSince, readTrends } from '../../src/history/read-trends.ts';
import type { CellRow, RunHeader } from '../../src/model/run/record.ts';
import { runsFolder } from '../../src/project/stored-runs.ts';
import { openRecordHeads } from '../../src/record/read-run-record.ts';
import { buildHeader, buildRow, endRow, makeFolder } from '../record/build-rows.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';
import { writeStoredRun } from '../support/write-run.ts';

interface FakeRun {
  /** Of November 2025: the run's time and the start of its id. */
  readonly day: number;
  readonly rows?: readonly CellRow[];
  readonly header?: Partial<RunHeader>;
  readonly planned?: number;
  readonly filtered?: boolean;
  readonly isKilled?: boolean;
  readonly prompt?: string;
}

const names = { suite: 'support', prompt: 'v1', provider: 'openai:small' };
const passed = buildRow('a');
const failed = buildRow('b', { status: 'failed', score: 0 });

const idOf = (day: number): string => `202511${String(day).padStart(2, '0')}-093000-aaaa`;
const startOf = (day: number): string => `2025-11-${String(day).padStart(2, '0')}T09:30:00.000Z`;

function writeRun(root: string, run: FakeRun): string {
  const { day, rows = [passed], filtered = false, prompt = 'v1', isKilled = false } = run;
  const variant = buildVariant(run.planned ?? rows.length, { prompt, provider: names.provider });
  const other = buildVariant(0, { prompt: 'never', provider: names.provider });
  const suites = [
    buildRecordedSuite([variant], {}, { suite: 'first' }),
    buildRecordedSuite([other, variant], {}, { suite: 'support', filtered }),
  ];
  const header = buildHeader({ id: idOf(day), startedAt: startOf(day), suites, ...run.header });
  const named = rows.map((row) => ({ ...row, prompt }));
  return writeStoredRun(root, header, named, isKilled ? undefined : endRow);
}

const write = (root: string, ...runs: readonly FakeRun[]) => runs.map((run) => writeRun(root, run));

describe('the trends of a run', () => {
  const trendsOf = (root: string, path: string) => readTrends({ root }, openRecordHeads(path, root));
  const daysOf = (root: string, path: string) =>
    trendsOf(root, path).find(({ suite, prompt }) => suite === 'support' && prompt === 'v1')?.points ?? [];

  test('hold the figures of earlier runs and itself, the oldest first', () => {
    const root = makeFolder();
    const [, , current = ''] = write(root, { day: 1, rows: [passed, failed] }, { day: 4 }, { day: 3 });
    const point = { costUsd: 0, latencyMs: { p50: null, p95: null }, isPartial: false };
    expect(trendsOf(root, current).map(({ suite, prompt, points }) => [suite, prompt, points.length])).toEqual([
      ['first', 'v1', 0],
      ['support', 'never', 0],
      ['support', 'v1', 2],
    ]);
    expect(daysOf(root, current)).toMatchObject([
      { ...point, runId: idOf(1), startedAt: startOf(1), passRate: { value: 0.5, n: 2 } },
      { ...point, runId: idOf(3), startedAt: startOf(3), passRate: { value: 1, n: 1 } },
    ]);
  });

  test.each<[string, Partial<FakeRun>, boolean]>([
    ['a whole run', {}, false],
    ['a filtered one', { filtered: true }, true],
    ['one with an error', { rows: [passed, buildRow('b', { status: 'errored' })] }, true],
    ['one that left a cell out', { planned: 2 }, true],
    [
      'one whose case is skipped',
      { rows: [passed, buildRow('b', { status: 'skipped', skip: { reason: 'case' } })] },
      false,
    ],
  ])('%s', (_, run, isPartial) => {
    const root = makeFolder();
    const [, current = ''] = write(root, { day: 1, ...run }, { day: 2 });
    expect(daysOf(root, current).map((point) => point.isPartial)).toEqual([isPartial, false]);
  });

  test('leave out a killed run, a damaged one, one of the same time and one without the variant or a verdict', () => {
    const root = makeFolder();
    const [, , , , , current = ''] = write(
      root,
      { day: 1 },
      { day: 2, isKilled: true },
      { day: 3, prompt: 'other' },
      { day: 4, rows: [buildRow('a', { status: 'errored' })] },
      { day: 5, header: { startedAt: startOf(9) } },
      { day: 9 },
    );
    writeFileSync(join(runsFolder({ root }), `${idOf(6)}.jsonl`), 'nonsense\n');
    expect(daysOf(root, current).map(({ runId }) => runId)).toEqual([idOf(1), idOf(9)]);
  });

  test('end at thirty runs', () => {
    const root = makeFolder();
    const paths = write(root, ...Array.from({ length: 30 }, (_, index) => ({ day: index + 1 })));
    const points = daysOf(root, paths.at(-1) ?? '');
    expect([points.length, points[0]?.runId]).toEqual([30, idOf(1)]);
    writeRun(root, { day: 31 });
    const later = writeRun(root, { day: 32, header: { startedAt: '2025-12-02T00:00:00.000Z' } });
    expect(
      daysOf(root, later)
        .map(({ runId }) => runId)
        .slice(0, 2),
    ).toEqual([idOf(3), idOf(4)]);
  });
});

describe('the runs since a pin', () => {
  const since = (root: string, path: string, until = startOf(1)) =>
    readRunsSince(openRecordHeads(path, root), names, { root, until });

  test('began after it and no later than the run itself, which comes last', () => {
    const root = makeFolder();
    const provenance = { commit: 'abc', branch: 'main', pullRequest: 7 };
    const [, , , current = ''] = write(
      root,
      { day: 1 },
      { day: 2, rows: [passed, failed], header: { provenance } },
      { day: 3, header: { startedAt: startOf(5) } },
      { day: 5 },
      { day: 6 },
    );
    expect(since(root, current)).toEqual([
      { run: idOf(2), startedAt: startOf(2), ...provenance, passRate: 0.5 },
      { run: idOf(3), startedAt: startOf(5), passRate: 1 },
      { run: idOf(5), startedAt: startOf(5), passRate: 1 },
    ]);
  });

  test('hold the suite whole, with the variant; a damaged record hides no other', () => {
    const root = makeFolder();
    const [, , , current = ''] = write(
      root,
      { day: 2, filtered: true },
      { day: 3, prompt: 'other' },
      { day: 4 },
      { day: 8, prompt: 'other' },
    );
    writeFileSync(join(runsFolder({ root }), `${idOf(5)}.jsonl`), 'nonsense\n');
    expect(since(root, current).map(({ run }) => run)).toEqual([idOf(4)]);
  });

  test('are at most fifty and the run itself', () => {
    const root = makeFolder();
    const days = Array.from({ length: 52 }, (_, index) => index + 1);
    const paths = days.map((day) =>
      writeRun(root, { day, header: { startedAt: `2025-11-24T09:30:${String(day).padStart(2, '0')}.000Z` } }),
    );
    const runs = since(root, paths.at(-1) ?? '');
    expect([runs.length, runs[0]?.run, runs.at(-1)?.run]).toEqual([51, idOf(2), idOf(52)]);
  });
});

describe('a trend in words', () => {
  const trendOf = (rates: readonly number[], alpha = 0.05) =>
    describeTrend(
      rates.map((rate, index) => ({ run: `r${index + 1}`, rate })),
      alpha,
    );
  const few = (count: number) =>
    `no trend of the pass rate can be tested: ${count} of 8 runs with new answers of the same cases`;
  const unknown = { direction: null, p: null, tau: null };

  test.each([
    [[], { runs: 0, from: null, to: null, ...unknown, message: few(0) }],
    [[0.5], { runs: 1, since: 'r1', from: 0.5, to: 0.5, ...unknown, message: few(1) }],
    [[1, 0.5], { runs: 2, since: 'r1', from: 1, to: 0.5, ...unknown, message: few(2) }],
    [[1, 0.5, 0.4, 0.3, 0.2, 0.1, 0], { runs: 7, since: 'r1', from: 0.75, to: 0.05, ...unknown, message: few(7) }],
    [
      [1, 1, 1, 1, 1, 1, 1, 1],
      { runs: 8, since: 'r1', from: 1, to: 1, ...unknown, message: 'the pass rate is the same in all 8 runs' },
    ],
  ])('of %j can be none', (rates, expected) => {
    expect(trendOf(rates)).toEqual(expected);
  });

  const falling = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3];
  const weak = [0.5, 0.9, 0.6, 0.8, 0.7, 0.4, 0.5, 0.3];
  test.each([
    [falling, 0.05, 'falls', -1, 'pass rate falls: 95.0 → 35.0 % over 8 runs, p < 0.001'],
    [falling.toReversed(), 0.05, 'rises', 1, 'pass rate rises: 35.0 → 95.0 % over 8 runs, p < 0.001'],
    [weak, 0.12, 'falls', -0.473, 'pass rate falls: 70.0 → 40.0 % over 8 runs, p = 0.053'],
    [weak, 0.1, null, -0.473, 'no trend of the pass rate is shown over 8 runs, p = 0.053'],
    [weak.toReversed(), 0.1, null, 0.473, 'no trend of the pass rate is shown over 8 runs, p = 0.053'],
  ])('of %j at %d: %s', (rates, alpha, direction, tau, message) => {
    const trend = trendOf(rates, alpha);
    expect(trend).toMatchObject({ direction, message, runs: 8, since: 'r1' });
    expect(trend.tau).toBeCloseTo(tau, 3);
  });
});
