import { lstatSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, resolve } from 'node:path';
import { statePath } from '../files/state-folder.ts';
import { systemErrorCode, unlessRefused } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { UserError } from '../model/problem.ts';
import type { CellRow } from '../model/run/record.ts';
import { caseLabel, type Project } from '../model/suite/suite.ts';
import { listRuns, type StoredRun } from '../record/list-runs.ts';
import { hasHeader, readRunHeader, readRunRecord } from '../record/read-run-record.ts';
import { formatAge } from '../text/format-amount.ts';
import { quote } from '../text/shorten.ts';
import { findNearest } from '../text/words/did-you-mean.ts';
import { refuseLinkOutside } from './project-paths.ts';

type Root = Pick<Project, 'root'>;

export function runsFolder({ root }: Root): string {
  return statePath(root, 'runs');
}

export function listStoredRuns(project: Root): readonly StoredRun[] {
  return listRuns(runsFolder(project));
}

/** Finds a run by its id, the start of an id, or `latest` (the default). Also accepts a path to a record file. */
export function findStoredRun(project: Root, id: string | undefined, cwd?: string): StoredRun {
  const runs = listStoredRuns(project);
  if (id !== undefined && cwd !== undefined && (isAbsolute(id) || /[/\\]|\.jsonl$/.test(id))) {
    const path = resolve(cwd, id);
    refuseLinkOutside(path, { ...project, cwd });
    return { id, path, bytes: 0, modifiedMs: 0 };
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

/** The cases that did not pass in the latest run, as `suite/case`, without cases that an early end left out. */
export function findLastFailed(project: Root): ReadonlySet<string> {
  const { path } = findStoredRun(project, undefined);
  return findCases(path, ({ status, skip }) => {
    return status !== 'passed' && skip?.reason !== 'case' && skip?.reason !== 'decided';
  });
}

/** The cases that failed in the latest run but `own`, as `suite/case`; none if there is no record that can be read. */
export function findFailedInLatestRun(project: Root, own?: string): ReadonlySet<string> {
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
 * True if no run is stored, or the latest was killed before its record had a first line. A new run then loses nothing.
 */
export function isNothingToResume(project: Root): boolean {
  const [latest] = listStoredRuns(project);
  return latest === undefined || !hasHeader(latest.path);
}

/** The paths and flags that a stored run began with. */
export interface StoredInvocation {
  readonly id: string;
  /** Relative to the project root. */
  readonly paths: readonly string[];
  readonly flags: JsonObject;
  /** The cases of `--last-failed`. They are stored, because later another run is the last one. */
  readonly cases?: readonly string[];
  /** Paths of its suites, relative to the project root. */
  readonly suites: readonly string[];
}

/**
 * Finds the invocation of a stored run. Throws a `UserError` for a run without suites. Without paths, it would be
 * resumed with all of them.
 */
export function findInvocation(project: Root, id: string | undefined): StoredInvocation {
  const { invocation, settings, suites, ...header } = readRunHeader(findStoredRun(project, id).path);
  if (settings.changedSince !== undefined && suites.length === 0) {
    const message = `run ${header.id} took no suite, since none had changed: there is nothing to resume`;
    throw new UserError({ code: 'usage', message, hint: 'run without --resume' });
  }
  const { paths, flags, cases } = invocation ?? {};
  return {
    id: header.id,
    suites: suites.map(({ path }) => path),
    paths: textsOf(paths) ?? [],
    flags: isJsonObject(flags) ? flags : {},
    ...defined({ cases: textsOf(cases) }),
  };
}

function textsOf(value: JsonValue | undefined): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined;
}

/** The source that `--baseline` or a side of `compare` names. */
export type RecordSource =
  | { readonly kind: 'git'; readonly ref: string }
  /** The path is absolute. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'run'; readonly id: string }
  | { readonly kind: 'prompt'; readonly id: string };

export interface SourceChoices {
  readonly cwd: string;
  /** The stored runs, the latest first. */
  readonly runs: readonly { readonly id: string }[];
  isPromptId(id: string): boolean;
  /** The existing prompt ids, for a suggestion. */
  readonly promptIds?: Iterable<string>;
}

/** Classifies a text as `git:REF`, a file, a run id or a prompt id, in this order. */
export function classifySource(text: string, choices: SourceChoices): RecordSource {
  const { cwd, runs } = choices;
  if (text === '') {
    const hint = 'write `git:` and a ref, a file, a run id or a prompt id';
    throw new UserError({ code: 'usage', message: 'There is nothing to compare with: the name is empty.', hint });
  }
  if (text.startsWith(gitScheme)) return { kind: 'git', ref: text.slice(gitScheme.length) };
  const path = resolve(cwd, text);
  const place = lookAt(path);
  if (place === 'file') return { kind: 'file', path };
  if (runs.some(({ id }) => id === text)) return { kind: 'run', id: text };
  if (choices.isPromptId(text)) return { kind: 'prompt', id: text };
  // Shorthands come last, so that they never hide an exact name.
  const starting = text === 'latest' ? runs.slice(0, 1) : runs.filter(({ id }) => id.startsWith(text));
  const [run, second] = starting;
  if (run === undefined) throw unknownSource(text, path, place, choices);
  if (second === undefined) return { kind: 'run', id: run.id };
  const ids = starting.slice(0, maxListed).map(({ id }) => id);
  const message = `${quote(text)} is the start of ${starting.length} runs: ${ids.join(', ')}${starting.length > maxListed ? ' …' : ''}.`;
  throw new UserError({ code: 'unknown-id', message, hint: 'write more of the id' });
}

const gitScheme = 'git:';

const maxListed = 5;

/** `file`, `folder`, `missing`, `dangling` for a link to nothing, or the system's error code. */
function lookAt(path: string): string {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return lstatSync(path, { throwIfNoEntry: false }) === undefined ? 'missing' : 'dangling';
    return stats.isDirectory() ? 'folder' : 'file';
  } catch (error) {
    // Such as a name that is too long, or a folder on the path without permission.
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

function unknownSource(text: string, path: string, place: string, choices: SourceChoices): UserError {
  const files: Readonly<Record<string, string>> = {
    folder: 'a folder, not a file',
    missing: 'no file',
    dangling: 'a link to a file that is not there',
  };
  const file = files[place] ?? `no file (${place})`;
  const message = `${quote(text)} is ${file}, no run id and no prompt id.`;
  return new UserError({ code: 'unknown-id', message, hint: suggest(text, path, place, choices) });
}

function suggest(text: string, path: string, place: string, { runs, promptIds = [] }: SourceChoices): string {
  const name = basename(path);
  const file = place === 'missing' && text.endsWith(name) ? findNearest(name, filesBeside(path)) : undefined;
  const nearest =
    file === undefined
      ? findNearest(text, [...promptIds, ...runs.map(({ id }) => id)])
      : text.slice(0, text.length - name.length) + file;
  if (nearest !== undefined) return `did you mean ${quote(nearest)}?`;
  return 'write `git:` before a branch, tag or commit; `llmcheck list runs` shows the stored runs';
}

function filesBeside(path: string): string[] {
  // A folder that can't be listed suggests nothing.
  const entries = unlessRefused(() => readdirSync(dirname(path), { withFileTypes: true }), []);
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}
