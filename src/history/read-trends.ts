import type { TrendPoint, VariantTrend } from '../model/history.ts';
import { UserError } from '../model/problem.ts';
import { listStoredRuns } from '../project/stored-runs.ts';
import type { StoredRun } from '../record/list-runs.ts';
import { openRecordHeads } from '../record/read-run-record.ts';
import type { CountedRun } from './build-history.ts';

/** The variants of a run over the latest stored runs before it and the run itself. */
export function readTrends({ root }: { readonly root: string }, current: CountedRun): readonly VariantTrend[] {
  const { id, startedAt, suites } = current.header;
  const variants = suites.flatMap(({ suite, variants: all }) =>
    all.map(({ prompt, provider }) => ({ suite, prompt, provider })),
  );
  // The latest first. Only the points of a run are kept: thirty large records would not fit into memory.
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

/** As many as a chart can show; the bytes are what a second reads. */
const maxRuns = 30;
const maxBytes = 500_000_000;

/** Undefined where the run has not ended, or its record can't be read. */
function readEndedRun({ path }: StoredRun, root: string): CountedRun | undefined {
  try {
    const { header, summary } = openRecordHeads(path, root);
    return summary.ended ? { header, summary } : undefined;
  } catch (error) {
    // One damaged record must not hide the others.
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
}

type VariantNames = Pick<VariantTrend, 'suite' | 'prompt' | 'provider'>;

/** One entry for each variant, undefined where the run has no pass rate of it. */
function pointsOf(
  { header, summary }: CountedRun,
  variants: readonly VariantNames[],
): readonly (TrendPoint | undefined)[] {
  return variants.map(({ suite, prompt, provider }) => {
    const found = summary.suites.find(({ recorded }) => recorded.suite === suite);
    const variant = found?.variants.find(
      ({ recorded }) => recorded.prompt === prompt && recorded.provider === provider,
    );
    if (found === undefined || variant === undefined || variant.passRate.value === null) return undefined;
    const { passRate, costUsd, latencyMs, errored, skipped, skippedByCase } = variant;
    const isPartial = found.recorded.filtered || errored > 0 || skipped > skippedByCase;
    return { runId: header.id, startedAt: header.startedAt, isPartial, passRate, costUsd, latencyMs };
  });
}
