import { isAbsolute, join, resolve } from 'node:path';
import { isJsonObject, type JsonObject } from '../json/json.ts';
import { UserError } from '../model/problem.ts';
import type { CellRow } from '../model/record.ts';
import { caseLabel, type Project } from '../model/suite.ts';
import { listRuns, type StoredRun } from '../record/list-runs.ts';
import { hasHeader, readRunHeader, readRunRecord } from '../record/read-run-record.ts';
import { formatAge } from '../text/format-amount.ts';

type Root = Pick<Project, 'root'>;

export function runsFolder({ root }: Root): string {
  return join(root, '.llmcheck', 'runs');
}

export function listStoredRuns(project: Root): readonly StoredRun[] {
  return listRuns(runsFolder(project));
}

/** A run by its id, the start of one, or `latest`; undefined: the latest. A path to a record file is taken as it is. */
export function findStoredRun(project: Root, id: string | undefined, cwd?: string): StoredRun {
  const runs = listStoredRuns(project);
  if (id !== undefined && cwd !== undefined && (isAbsolute(id) || /[/\\]|\.jsonl$/.test(id))) {
    return { id, path: resolve(cwd, id), bytes: 0, modifiedMs: 0 };
  }
  const matching = id === undefined || id === 'latest' ? runs.slice(0, 1) : runs.filter((run) => run.id.startsWith(id));
  const exact = matching.find((run) => run.id === id);
  const [found, second] = exact === undefined ? matching : [exact];
  if (found === undefined) {
    const isEmpty = runs.length === 0;
    const message =
      id === undefined ? `there is no stored run in ${runsFolder(project)}` : `there is no stored run "${id}"`;
    const hint = isEmpty ? '`llmcheck run` stores one' : '`llmcheck list runs` shows those that there are';
    throw new UserError({ code: 'unknown-id', message, hint });
  }
  if (second !== undefined) {
    const message = `"${id}" is the start of ${matching.length} runs: ${matching.map((run) => run.id).join(', ')}`;
    throw new UserError({ code: 'unknown-id', message, hint: 'write more of the id' });
  }
  return found;
}

/** A run and its age, such as `run 20261124-153012-a1b2, 5 minutes old`. */
export function describeStoredRun({ path }: Pick<StoredRun, 'path'>, now: Date): string {
  const { id, startedAt } = readRunHeader(path);
  const ageMs = now.getTime() - Date.parse(startedAt);
  if (Number.isNaN(ageMs)) return `run ${id}, of an unknown age`;
  if (ageMs < -clockToleranceMs) return `run ${id}, dated ${formatAge(-ageMs)} in the future: a clock was wrong`;
  return `run ${id}, ${formatAge(Math.max(0, ageMs))} old`;
}

const clockToleranceMs = 60_000;

/** The cases that did not pass in the latest run, as `suite/case`; without those that an early end left out. */
export function findLastFailed(project: Root): ReadonlySet<string> {
  const { path } = findStoredRun(project, undefined);
  return findCases(path, ({ status, skip }) => {
    return status !== 'passed' && skip?.reason !== 'case' && skip?.reason !== 'decided';
  });
}

/** The cases that failed in the latest run but `own`, as `suite/case`; none where there is no record that can be read. */
export function findLatelyFailed(project: Root, own?: string): ReadonlySet<string> {
  const latest = listStoredRuns(project).find(({ id }) => id !== own);
  if (latest === undefined || !hasHeader(latest.path)) return new Set();
  return findCases(latest.path, ({ status }) => status === 'failed');
}

function findCases(path: string, isWanted: (row: CellRow) => boolean): ReadonlySet<string> {
  const labels = new Set<string>();
  readRunRecord(path, (row) => {
    if (isWanted(row)) labels.add(caseLabel(row.suite, row.caseId));
  });
  return labels;
}

/**
 * True where no run is stored, or the latest was killed before its record had a first line: a new run then loses
 * nothing.
 */
export function isNothingToResume(project: Root): boolean {
  const [latest] = listStoredRuns(project);
  return latest === undefined || !hasHeader(latest.path);
}

/** The paths and flags that a stored run began with. */
export function findInvocation(
  project: Root,
  id: string | undefined,
): { readonly paths: readonly string[]; readonly flags: JsonObject } {
  const { paths, flags } = readRunHeader(findStoredRun(project, id).path).invocation ?? {};
  return {
    paths: Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : [],
    flags: isJsonObject(flags) ? flags : {},
  };
}
