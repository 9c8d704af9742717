import { UserError } from '../errors.ts';
import type { RunHeader } from '../model/record.ts';
import type { RunSummary } from '../model/summary.ts';
import type { TrendPoint, VariantTrend } from '../model/trend.ts';
import type { StoredRun } from '../stores/list-runs.ts';
import { openRecordHeads } from './open-stored-record.ts';
import { listStoredRuns } from './stored-runs.ts';

/** A run as counted. */
export interface CountedRun {
  readonly header: RunHeader;
  readonly summary: RunSummary;
}

/** The variants of a run over the latest stored runs before it and the run itself. */
export function readTrends(project: { readonly root: string }, current: CountedRun): readonly VariantTrend[] {
  const { id, startedAt } = current.header;
  const before: CountedRun[] = [];
  let bytes = 0;
  for (const stored of listStoredRuns(project)) {
    if (stored.id === id) continue;
    if (before.length === maxRuns - 1 || bytes > maxBytes) break;
    bytes += stored.bytes;
    const counted = openCounted(stored, project.root);
    if (counted !== undefined && counted.header.startedAt < startedAt) before.push(counted);
  }
  return buildTrends([...before.reverse(), current], current.header);
}

/** As many as a chart can show; the bytes are what a second reads. */
const maxRuns = 30;
const maxBytes = 500_000_000;

/** Undefined where the run is not over, or its record can't be read. */
function openCounted({ path }: StoredRun, root: string): CountedRun | undefined {
  try {
    const { header, summary } = openRecordHeads(path, root);
    return summary.ended ? { header, summary } : undefined;
  } catch (error) {
    // One damaged record must not hide the others.
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
}

function buildTrends(runs: readonly CountedRun[], { suites }: RunHeader): readonly VariantTrend[] {
  return suites.flatMap(({ suite, variants }) =>
    variants.map(({ prompt, provider }) => ({
      suite,
      prompt,
      provider,
      points: runs.flatMap((run) => pointOf(run, suite, prompt, provider)),
    })),
  );
}

function pointOf({ header, summary }: CountedRun, suite: string, prompt: string, provider: string): TrendPoint[] {
  const found = summary.suites.find(({ recorded }) => recorded.suite === suite);
  const variant = found?.variants.find(({ recorded }) => recorded.prompt === prompt && recorded.provider === provider);
  if (found === undefined || variant === undefined || variant.passRate.value === null) return [];
  const { passRate, costUsd, latencyMs, errored, skipped, skippedByCase } = variant;
  const isPartial = found.recorded.filtered || errored > 0 || skipped > skippedByCase;
  return [{ runId: header.id, startedAt: header.startedAt, isPartial, passRate, costUsd, latencyMs }];
}
