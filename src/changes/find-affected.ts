import { basename, dirname, relative, resolve, sep } from 'node:path';
import { canonicalJson } from '../json/canonical-json.ts';
import { isJsonObject } from '../json/json.ts';
import { tryParseJson } from '../json/parse-json.ts';
import { UserError } from '../model/problem.ts';
import type { RunHeader, RunSettings } from '../model/run/record.ts';
import type { Project, Suite } from '../model/suite/suite.ts';
import { findGitChanges, type GitChanges, type PathChange } from '../project/git/git-changes.ts';
import { listStoredRuns } from '../project/stored-runs.ts';
import { readRunHeader } from '../record/read-run-record.ts';
import { CONFIG_NAME } from '../suite/files/project-place.ts';
import { attemptOr } from '../text/attempt.ts';
import { matchGlob } from '../text/patterns/match-glob.ts';
import { toSlashes } from '../text/to-slashes.ts';
import { absoluteSources, findSuiteSources, foldersUpTo, type SuiteSources } from './suite-sources.ts';

export interface AffectedOptions {
  readonly project: Project;
  /** Undefined: where HEAD left the default branch. */
  readonly ref?: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly baseline: RunSettings['baseline'];
  readonly envFile?: string;
  readonly tool: { readonly version: string; readonly folder?: string };
}

export interface AffectedSuites {
  /** The ref in words. */
  readonly since: string;
  /** The suites in the order of the project. */
  readonly suites: readonly AffectedSuite[];
  /** Suite files that were deleted since the commit, relative to the working folder. */
  readonly removed: readonly string[];
}

export interface AffectedSuite {
  readonly suite: Suite;
  /** Why it must run; empty where no file that it depends on changed. */
  readonly reasons: readonly string[];
  /** How many files it depends on. */
  readonly fileCount: number;
}

/** Finds the suites that depend on files changed since a commit, and why. */
export function findAffected(options: AffectedOptions): AffectedSuites {
  const { project, cwd, env } = options;
  const changes = findGitChanges(project.root, options.ref, env);
  const reader = createChangeReader(changes, cwd);
  const shared = findShared(options, changes, reader);
  const versions = findLastVersions(project, options.tool.version);
  const suites = project.suites.map((suite): AffectedSuite => {
    const sources = findSuiteSources(suite, project, { env, ...baselineOf(options) });
    const last = versions.get(suite.id);
    const reasons = [
      ...shared,
      ...(last === undefined || last === options.tool.version
        ? []
        : [`llmcheck is ${options.tool.version}, and its last run here was by ${last}`]),
      ...reader.reasonsOf(sources),
    ];
    return { suite, reasons: [...new Set(reasons)], fileCount: reader.countOf(sources) };
  });
  const removed = [...changes.changed]
    .filter(([path, kind]) => kind === 'deleted' && /\.eval\.(?:ya?ml|[cm]?[jt]s)$/.test(path))
    .map(([path]) => reader.shown(path));
  return { since: changes.since, suites, removed };
}

/** A baseline file that the user names takes the place of the one beside the suite. */
function baselineOf({ baseline, cwd }: AffectedOptions): { readonly baselinePath?: string } {
  if (typeof baseline !== 'object') return {};
  const isFile = /[/\\]|\.jsonl$/.test(baseline.source) && !baseline.source.startsWith('git:');
  return isFile ? { baselinePath: resolve(cwd, baseline.source) } : {};
}

interface ChangeReader {
  /** A reason in words for each of the sources that changed. */
  reasonsOf(sources: SuiteSources): readonly string[];
  countOf(sources: SuiteSources): number;
  shown(path: string): string;
}

function createChangeReader(changes: GitChanges, cwd: string): ChangeReader {
  const here = changes.realPathOf(cwd);
  const shown = (path: string): string => toSlashes(relative(here, path)) || '.';
  const known = new Map<string, string | undefined>();
  const describe = (path: string): string | undefined => {
    if (!known.has(path)) {
      const change = changes.changeOf(path);
      known.set(path, change === undefined ? undefined : `${shown(change.path)} ${describeKind[change.kind]}`);
    }
    return known.get(path);
  };
  // Files that match a pattern now were read; deleted ones are found among the changes only.
  const changed = [...changes.changed.keys()];
  return {
    shown,
    countOf: ({ paths }) => [...paths].filter((path) => changes.exists(path)).length,
    reasonsOf: ({ paths, globs, unfollowed }) => [
      ...[
        ...paths,
        ...globs.flatMap(({ pattern, folder }) => matchGlob(pattern, changes.realPathOf(folder), changed)),
      ].flatMap((path) => describe(path) ?? []),
      ...unfollowed.map((read) => `${read} can't be followed, so it may have changed`),
    ],
  };
}

const describeKind: Readonly<Record<PathChange['kind'], string>> = {
  added: 'was added',
  modified: 'changed',
  deleted: 'was deleted',
  unknown: 'is not tracked by git, so it may have changed',
};

/** Reasons to run everything. */
function findShared(
  { project, cwd, envFile, tool }: AffectedOptions,
  changes: GitChanges,
  reader: ChangeReader,
): readonly string[] {
  const reasons = [...reader.reasonsOf({ ...absoluteSources(project.sources, project.root), globs: [] })];
  const env = envFile === undefined ? undefined : changes.changeOf(resolve(cwd, envFile));
  // Git ignores most of them, since they hold secrets: that is no change.
  if (env !== undefined && env.kind !== 'unknown') reasons.push(`${reader.shown(env.path)} ${describeKind[env.kind]}`);
  const above = foldersUpTo(changes.realPathOf(project.root), changes.root);
  const toolFolder = tool.folder === undefined ? undefined : changes.realPathOf(tool.folder);
  for (const [path, kind] of changes.changed) {
    const name = basename(path);
    const isShared =
      (above.includes(dirname(path)) &&
        (lockfiles.has(name) ||
          name === CONFIG_NAME ||
          (name === 'package.json' && isDifferent(path, changes, runKeysOf)))) ||
      (isWorkflow(relative(changes.root, path)) && isDifferent(path, changes, linesAboutTool)) ||
      (toolFolder !== undefined && isToolFile(relative(toolFolder, path)));
    if (isShared) reasons.push(`${reader.shown(path)} ${describeKind[kind]}`);
  }
  return reasons;
}

const lockfiles: ReadonlySet<string> = new Set([
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
  'bun.lockb',
  'deno.lock',
]);

/** Keys of package.json that decide how code runs, beside the lockfile or without one. */
const dependencyKeys = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'overrides',
  'resolutions',
  'packageManager',
  'type',
  'imports',
];

function runKeysOf(manifestText: string): string {
  const manifest = tryParseJson(manifestText || '{}');
  if (!isJsonObject(manifest)) return manifestText;
  return canonicalJson(Object.fromEntries(dependencyKeys.map((key) => [key, manifest[key] ?? null])));
}

/** Files of CI, which may name the version of llmcheck. */
function isWorkflow(path: string): boolean {
  const shown = toSlashes(path);
  return /^\.github\/(?:workflows|actions)\/.+\.ya?ml$/.test(shown) || ciFiles.has(shown);
}

const ciFiles: ReadonlySet<string> = new Set([
  '.gitlab-ci.yml',
  '.circleci/config.yml',
  'azure-pipelines.yml',
  'bitbucket-pipelines.yml',
  'Jenkinsfile',
]);

function linesAboutTool(text: string): string {
  return text
    .split(/\r?\n/)
    .filter((line) => line.includes('llmcheck'))
    .join('\n');
}

function isDifferent(path: string, changes: GitChanges, pick: (text: string) => string): boolean {
  const [before, now] = changes.readBoth(path).map((text) => pick(text ?? ''));
  return before !== now;
}

/** The program itself, where it is part of the repository. */
function isToolFile(inside: string): boolean {
  return ['bin', 'dist', 'src', 'package.json'].includes(inside.split(sep)[0] ?? '');
}

const maxRunsRead = 200;

/** The version of llmcheck that ran each suite last. A shard or a filtered run of this version does not count: the rest may be older. */
function findLastVersions(project: Project, current: string): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const { path } of listStoredRuns(project).slice(0, maxRunsRead)) {
    if (versions.size === project.suites.length) break;
    const { tool, suites } = readHeaderIfWhole(path) ?? { tool: { version: '' }, suites: [] };
    for (const { suite, filtered } of suites) {
      const isPart = filtered && tool.version === current;
      if (!isPart && !versions.has(suite)) versions.set(suite, tool.version);
    }
  }
  return versions;
}

/** Undefined for a damaged record: the command that reads it reports that. */
function readHeaderIfWhole(path: string): RunHeader | undefined {
  return attemptOr(() => readRunHeader(path), UserError, undefined);
}
