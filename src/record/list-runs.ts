import { type BigIntStats, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDistrusted } from '../files/state-folder.ts';
import { systemErrorCode, unlessRefused } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/problem.ts';
import type { PageRun } from '../model/report/page-runs.ts';
import { openRecordHeads } from './read-run-record.ts';
import { totalsOf } from './summarize-run.ts';

export interface StoredRun {
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
  /** The time of the last write, in milliseconds since the epoch. */
  readonly modifiedMs: number;
}

/**
 * The records of a folder, the latest first; a missing folder holds none. The id of a record gives its time, but a
 * record is never newer than its last write: a clock may have been wrong. A record that claims to be younger than the
 * last change of the folder comes last.
 */
export function listRuns(folder: string): StoredRun[] {
  const names = recordNames(folder);
  const changed = statSync(folder, { throwIfNoEntry: false, bigint: true });
  const lastSecond = changed === undefined ? Infinity : secondsOf(changed) + clockToleranceS;
  return names
    .flatMap((name) => {
      const path = join(folder, name);
      const stats = unlessRefused(() => statSync(path, { bigint: true }), undefined);
      if (stats?.isFile() !== true) return [];
      const id = name.slice(0, -'.jsonl'.length);
      const second = Math.min(secondsOfRunId(id) ?? Infinity, secondsOf(stats));
      return [{ id, path, stats, second: second > lastSecond ? -Infinity : second }];
    })
    .sort(latestFirst)
    .map(({ id, path, stats }) => ({ id, path, bytes: Number(stats.size), modifiedMs: Number(stats.mtimeMs) }));
}

/** How far the clocks of this computer and of its disk may differ. */
const clockToleranceS = 300;

function secondsOf({ mtimeNs }: BigIntStats): number {
  return Number(mtimeNs / 1_000_000_000n);
}

interface DatedRun {
  readonly id: string;
  /** Since the epoch. */
  readonly second: number;
  readonly stats: BigIntStats;
}

/**
 * Sorts the latest run first. Runs of the same second are ordered by their last write, because the rest of an id is
 * random.
 */
function latestFirst(a: DatedRun, b: DatedRun): number {
  if (a.second !== b.second) return a.second < b.second ? 1 : -1;
  if (a.stats.mtimeNs !== b.stats.mtimeNs) return a.stats.mtimeNs < b.stats.mtimeNs ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

function recordNames(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    // No run writes a link, and what one leads to may lie outside the project.
    return entries
      .filter((entry) => !entry.isSymbolicLink() && entry.name.endsWith('.jsonl'))
      .filter(({ name }) => !isDistrusted(join(folder, name)))
      .map(({ name }) => name);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return [];
    if (code === undefined) throw error;
    const message = `The folder of run records ${folder} can't be read (${code}).`;
    throw new UserError({ code: 'record', message }, { cause: error });
  }
}

/** A stored run in a list, counted as its report counts it. */
export function countStoredRun({ id, path, bytes }: StoredRun, root: string): PageRun {
  try {
    const { header, summary } = openRecordHeads(path, root);
    const { planned, passed, failed, errored, skipped, costUsd } = totalsOf(summary);
    const suites = header.suites.map(({ suite }) => suite);
    const state = summary.ended ? (summary.stopReason ?? 'complete') : 'running';
    const counts = { planned, passed, failed, errored, skipped };
    const { commit, branch, pullRequest } = header.provenance ?? {};
    const checkedOut = defined({ commit, branch, pullRequest });
    return { id, startedAt: header.startedAt, state, ...checkedOut, suites, ...counts, costUsd, bytes };
  } catch (error) {
    // One damaged record must not hide the others.
    if (!(error instanceof UserError)) throw error;
    const unknown = { planned: null, passed: null, failed: null, errored: null, skipped: null, costUsd: null };
    return { id, startedAt: null, state: 'unreadable', suites: [], ...unknown, bytes };
  }
}

/** A run's id: `20261124-153012-a1b2`, UTC; it sorts by time. Two random bytes or more tell runs of one second apart. */
export function newRunId(now: Date, random: Uint8Array): string {
  const [date = '', time = ''] = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').split('T');
  return `${date}-${time}-${Buffer.from(random).toString('hex')}`;
}

/** The time of an id, in seconds since the epoch; undefined for the name of a record that was renamed. */
export function secondsOfRunId(id: string): number | undefined {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)/.exec(id) ?? [];
  const [year, month = 1, day, hour, minute, second] = parts.map(Number);
  return year === undefined ? undefined : Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}
