import { join, resolve } from 'node:path';
import { UserError } from '../model/problem.ts';
import type { History } from '../model/report/history.ts';
import { listStoredRuns } from '../project/stored-runs.ts';
import { openRecordHeads, readRunHeader } from '../record/read-run-record.ts';
import { matchGlob } from '../text/patterns/match-glob.ts';
import { findNearest } from '../text/words/did-you-mean.ts';
import { buildHistory } from './build-history.ts';
import type { CountedRun } from './read-trends.ts';

export interface ReadHistoryOptions {
  readonly root: string;
  readonly cwd: string;
  /** Suite files, folders and globs, also of deleted suites; empty: all. */
  readonly paths: readonly string[];
  readonly suites: readonly string[];
  /** Reads this many of the latest runs that hold a wanted suite. */
  readonly limit: number;
  readonly recent?: number;
}

/** Reads the heads of stored runs. The result names damaged records. */
export function readHistory(options: ReadHistoryOptions): History {
  const { root, limit, recent } = options;
  const wants = createWants(options);
  const seen = new Map<string, string>();
  const runs: CountedRun[] = [];
  const damaged: { run: string; message: string }[] = [];
  for (const { id, path } of listStoredRuns({ root })) {
    if (runs.length === limit) break;
    try {
      const { suites } = readRunHeader(path);
      for (const { suite, path: file } of suites) seen.set(suite, file);
      if (!suites.some(wants)) continue;
      const { header, summary } = openRecordHeads(path, options.cwd);
      runs.push({ header, summary });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      damaged.push({ run: id, message: error.problems.map(({ message }) => message).join(' ') });
    }
  }
  if (runs.length === 0) throw noRunFound(options, seen, damaged);
  return { ...buildHistory(runs.reverse(), { wants, recent }), damaged };
}

type Wants = (suite: { readonly suite: string; readonly path: string }) => boolean;

function createWants({ root, cwd, paths, suites }: ReadHistoryOptions): Wants {
  // An invalid pattern throws here, outside of the loop that takes errors for damaged records.
  for (const path of paths) matchGlob(path, cwd, []);
  return ({ suite, path }) => {
    if (suites.length > 0 && !suites.includes(suite)) return false;
    if (paths.length === 0) return true;
    const file = join(root, path);
    return paths.some((wanted) => {
      const absolute = resolve(cwd, wanted);
      return file === absolute || file.startsWith(join(absolute, '/')) || matchGlob(wanted, cwd, [file]).length > 0;
    });
  };
}

function noRunFound(
  { paths, suites }: ReadHistoryOptions,
  seen: ReadonlyMap<string, string>,
  damaged: History['damaged'],
): UserError {
  const unknown = suites.find((suite) => !seen.has(suite));
  if (damaged.length > 0 && (unknown === undefined || seen.size === 0)) {
    const hint = 'remove the record, or `llmcheck run --resume` it';
    return new UserError(damaged.map(({ message }) => ({ code: 'record', severity: 'error', message, hint })));
  }
  if (seen.size === 0 || paths.length + suites.length === 0) {
    const hint = '`llmcheck run` stores one in .llmcheck/runs';
    return new UserError({ code: 'unknown-id', message: 'there is no stored run yet', hint });
  }
  const nearest = unknown === undefined ? undefined : findNearest(unknown, [...seen.keys()]);
  const known = [...seen].map(([suite, path]) => `${suite} (${path})`).join(', ');
  const message = `no stored run holds ${unknown ?? paths.join(', ')}`;
  const hint = nearest === undefined ? `stored runs hold ${known}` : `did you mean "${nearest}"?`;
  return new UserError({ code: 'unknown-id', message, hint });
}
