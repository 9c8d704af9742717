import { UserError } from '../model/errors.ts';
import type { PageRun } from '../model/page.ts';
import type { StoredRun } from './list-runs.ts';
import { openRecordHeads } from './open-stored-record.ts';
import { totalsOf } from './run-totals.ts';

/** A stored run in a list, counted as its report counts it. */
export function countStoredRun({ id, path, bytes }: StoredRun, root: string): PageRun {
  try {
    const { header, summary } = openRecordHeads(path, root);
    const { planned, passed, failed, errored, skipped, costUsd } = totalsOf(summary);
    const suites = header.suites.map(({ suite }) => suite);
    const state = summary.ended ? (summary.stopReason ?? 'complete') : 'running';
    const counts = { planned, passed, failed, errored, skipped };
    return { id, startedAt: header.startedAt, state, suites, ...counts, costUsd, bytes };
  } catch (error) {
    // One damaged record must not hide the others.
    if (!(error instanceof UserError)) throw error;
    const unknown = { planned: null, passed: null, failed: null, errored: null, skipped: null, costUsd: null };
    return { id, startedAt: null, state: 'unreadable', suites: [], ...unknown, bytes };
  }
}
