import type { RunSincePin } from '../model/history.ts';
import { UserError } from '../model/problem.ts';
import { listStoredRuns } from '../project/stored-runs.ts';
import { openRecordHeads, readRunHeader, type StoredRecord } from '../record/read-run-record.ts';

interface Wanted {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
}

/** As many of the latest runs as a report can list. */
const maxRuns = 50;

/** The whole stored runs of a variant that began after a moment, the oldest first, and the current one last. */
export function readRunsSince(
  current: Pick<StoredRecord, 'header' | 'summary'>,
  wanted: Wanted,
  { root, until }: { readonly root: string; readonly until: string },
): readonly RunSincePin[] {
  const runs: RunSincePin[] = [];
  for (const { id, path } of listStoredRuns({ root })) {
    if (runs.length === maxRuns) break;
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

/** Undefined where the run has no such variant. */
function describeRun(
  { header, summary }: Pick<StoredRecord, 'header' | 'summary'>,
  { suite, prompt, provider }: Wanted,
): RunSincePin | undefined {
  const variant = summary.suites
    .find(({ recorded }) => recorded.suite === suite)
    ?.variants.find(({ recorded }) => recorded.prompt === prompt && recorded.provider === provider);
  if (variant === undefined) return undefined;
  return { run: header.id, startedAt: header.startedAt, ...header.provenance, passRate: variant.passRate.value };
}
