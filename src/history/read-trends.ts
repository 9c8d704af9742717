import { UserError } from '../model/problem.ts';
import type { RateTrend, RunSincePin, TrendPoint, VariantTrend } from '../model/report/history.ts';
import { listStoredRuns } from '../project/stored-runs.ts';
import type { StoredRun } from '../record/list-runs.ts';
import { openRecordHeads, readRunHeader, type StoredRecord } from '../record/read-run-record.ts';
import { findVariant } from '../record/summarize-run.ts';
import { mean } from '../stats/descriptive.ts';
import { mannKendall } from '../stats/trend.ts';
import { attemptOr } from '../text/attempt.ts';
import { percentOf } from '../text/format-amount.ts';

/** A run with its results. */
export type CountedRun = Pick<StoredRecord, 'header' | 'summary'>;

/** The results of a run's variants in the latest stored runs, with the run itself as the last. */
export function readTrends({ root }: { readonly root: string }, current: CountedRun): readonly VariantTrend[] {
  const { id, startedAt, suites } = current.header;
  const variants = suites.flatMap(({ suite, variants: all }) =>
    all.map(({ prompt, provider }) => ({ suite, prompt, provider })),
  );
  // The latest first. Memory holds only the points of a run, because thirty large records would not fit.
  const runs = [pointsOf(current, variants)];
  let bytes = 0;
  for (const stored of listStoredRuns({ root })) {
    if (stored.id === id) continue;
    if (runs.length === maxRuns || bytes > maxBytes) break;
    bytes += stored.bytes;
    const run = readEndedRun(stored, root);
    if (run !== undefined && run.header.startedAt < startedAt) runs.push(pointsOf(run, variants));
  }
  return variants.map((names, place) => ({
    ...names,
    points: runs.toReversed().flatMap((points) => points[place] ?? []),
  }));
}

/** A chart can show this many runs, and reading this many bytes takes about a second. */
const maxRuns = 30;
const maxBytes = 500_000_000;

/** Undefined if the run has not ended, or its record can't be read. */
function readEndedRun({ path }: StoredRun, root: string): CountedRun | undefined {
  // One damaged record must not hide the others.
  const heads = attemptOr(() => openRecordHeads(path, root), UserError, undefined);
  return heads?.summary.ended === true ? { header: heads.header, summary: heads.summary } : undefined;
}

type VariantNames = Pick<VariantTrend, 'suite' | 'prompt' | 'provider'>;

/** One entry for each variant, undefined if the run has no pass rate of it. */
function pointsOf(
  { header, summary }: CountedRun,
  variants: readonly VariantNames[],
): readonly (TrendPoint | undefined)[] {
  return variants.map((names) => {
    const found = summary.suites.find(({ recorded }) => recorded.suite === names.suite);
    const variant = findVariant(summary, names);
    if (found === undefined || variant === undefined || variant.passRate.value === null) return undefined;
    const { passRate, costUsd, latencyMs, errored, skipped, skippedByCase } = variant;
    const isPartial = found.recorded.filtered || errored > 0 || skipped > skippedByCase;
    return { runId: header.id, startedAt: header.startedAt, isPartial, passRate, costUsd, latencyMs };
  });
}

/** A report can list this many of the latest runs. */
const maxRunsSince = 50;

/** The whole stored runs of a variant that began after a moment, the oldest first, and the current one last. */
export function readRunsSince(
  current: CountedRun,
  wanted: VariantNames,
  { root, until }: { readonly root: string; readonly until: string },
): readonly RunSincePin[] {
  const runs: RunSincePin[] = [];
  for (const { id, path } of listStoredRuns({ root })) {
    if (runs.length === maxRunsSince) break;
    if (id === current.header.id) continue;
    try {
      const { startedAt, suites } = readRunHeader(path);
      const isWanted = suites.some(({ suite, filtered }) => suite === wanted.suite && !filtered);
      if (startedAt <= until || startedAt > current.header.startedAt || !isWanted) continue;
      const run = describeRun(openRecordHeads(path, root), wanted);
      if (run !== undefined) runs.push(run);
    } catch (error) {
      // One damaged record must not hide the others.
      if (!(error instanceof UserError)) throw error;
    }
  }
  const own = describeRun(current, wanted);
  return [...runs.reverse(), ...(own === undefined ? [] : [own])];
}

/** Undefined if the run has no such variant. */
function describeRun({ header, summary }: CountedRun, wanted: VariantNames): RunSincePin | undefined {
  const variant = findVariant(summary, wanted);
  if (variant === undefined) return undefined;
  return { run: header.id, startedAt: header.startedAt, ...header.provenance, passRate: variant.passRate.value };
}

/** With fewer runs the test's normal approximation is rough, and the test has almost no power. */
const minRuns = 8;

/** Tests the pass rates of runs, the oldest first, for a trend at one-sided alpha / 2. */
export function describeTrend(
  measured: readonly { readonly run: string; readonly rate: number }[],
  alpha: number,
): RateTrend {
  const rates = measured.map(({ rate }) => rate);
  const [first] = measured;
  const third = Math.max(1, Math.floor(rates.length / 3));
  const ends =
    first === undefined
      ? undefined
      : { since: first.run, from: mean(rates.slice(0, third)), to: mean(rates.slice(-third)) };
  const known = { runs: rates.length, ...(ends ?? { from: null, to: null }) };
  if (ends === undefined || rates.length < minRuns) {
    const message = `no trend of the pass rate can be tested: ${rates.length} of ${minRuns} runs with new answers of the same cases`;
    return { ...known, direction: null, p: null, tau: null, message };
  }
  const { tau, pFalling, pRising } = mannKendall(rates);
  if (tau === null || pFalling === null || pRising === null) {
    return {
      ...known,
      direction: null,
      p: null,
      tau,
      message: `the pass rate is the same in all ${rates.length} runs`,
    };
  }
  const isFalling = pFalling < pRising;
  const p = Math.min(pFalling, pRising);
  const over = `over ${rates.length} runs, p ${p < 0.001 ? '< 0.001' : `= ${p.toFixed(3)}`}`;
  if (p > alpha / 2) {
    return { ...known, direction: null, p, tau, message: `no trend of the pass rate is shown ${over}` };
  }
  const direction = isFalling ? 'falls' : 'rises';
  const message = `pass rate ${direction}: ${percentOf(ends.from)} → ${percentOf(ends.to)} % ${over}`;
  return { ...known, direction, p, tau, message };
}
