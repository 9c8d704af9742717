import { UserError } from '../model/errors.ts';
import type { RunHeader } from '../model/record.ts';
import type { RunSummary } from '../model/summary.ts';
import type { TrendPoint, VariantTrend } from '../model/trend.ts';
import { listStoredRuns } from '../project/stored-runs.ts';
import type { StoredRun } from '../record/list-runs.ts';
import { openRecordHeads } from '../record/open-stored-record.ts';

/** A run as counted. */
export interface CountedRun {
  readonly header: RunHeader;
  readonly summary: RunSummary;
}

/** The variants of a run over the latest stored runs before it and the run itself. */
export function readTrends(project: { readonly root: string }, current: CountedRun): readonly VariantTrend[] {
  const { id, startedAt, suites } = current.header;
  const variants = suites.flatMap(({ suite, variants: all }) =>
    all.map(({ prompt, provider }) => ({ suite, prompt, provider })),
  );
  // The latest first. Of a run its points are kept and nothing else: thirty large records would not fit into memory.
  const runs = [pointsOf(current, variants)];
  let bytes = 0;
  for (const stored of listStoredRuns(project)) {
    if (stored.id === id) continue;
    if (runs.length === maxRuns || bytes > maxBytes) break;
    bytes += stored.bytes;
    const points = readPoints(stored, project.root, { variants, startedAt });
    if (points !== undefined) runs.push(points);
  }
  return variants.map((names, place) => ({
    ...names,
    points: runs.toReversed().flatMap((points) => points[place] ?? []),
  }));
}

/** As many as a chart can show; the bytes are what a second reads. */
const maxRuns = 30;
const maxBytes = 500_000_000;

interface Wanted {
  readonly variants: readonly VariantNames[];
  /** Of the run that others are read for, ISO 8601. */
  readonly startedAt: string;
}

/** Undefined where the run is not over or began later, or its record can't be read. */
function readPoints(
  { path }: StoredRun,
  root: string,
  { variants, startedAt }: Wanted,
): readonly (TrendPoint | undefined)[] | undefined {
  try {
    const { header, summary } = openRecordHeads(path, root);
    return summary.ended && header.startedAt < startedAt ? pointsOf({ header, summary }, variants) : undefined;
  } catch (error) {
    // One damaged record must not hide the others.
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
}

type VariantNames = Pick<VariantTrend, 'suite' | 'prompt' | 'provider'>;

/** A place for each variant, empty where the run says nothing of it. */
function pointsOf(run: CountedRun, variants: readonly VariantNames[]): readonly (TrendPoint | undefined)[] {
  return variants.map((names) => pointOf(run, names));
}

function pointOf({ header, summary }: CountedRun, { suite, prompt, provider }: VariantNames): TrendPoint | undefined {
  const found = summary.suites.find(({ recorded }) => recorded.suite === suite);
  const variant = found?.variants.find(({ recorded }) => recorded.prompt === prompt && recorded.provider === provider);
  if (found === undefined || variant === undefined || variant.passRate.value === null) return undefined;
  const { passRate, costUsd, latencyMs, errored, skipped, skippedByCase } = variant;
  const isPartial = found.recorded.filtered || errored > 0 || skipped > skippedByCase;
  return { runId: header.id, startedAt: header.startedAt, isPartial, passRate, costUsd, latencyMs };
}
