import { basename, dirname, relative, resolve, sep } from 'node:path';
import { canonicalJson } from '../json/canonical-json.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import { UserError } from '../model/errors.ts';
import type { RunHeader, RunSettings } from '../model/record.ts';
import type { Project, Suite } from '../model/suite.ts';
import { findGitChanges, type GitChanges, type PathChange } from '../project/git/git-changes.ts';
import { matchGlob } from '../project/match-glob.ts';
import { listStoredRuns } from '../project/stored-runs.ts';
import { readRunHeader } from '../record/read-run-record.ts';
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
  /** In the order of the project. */
  readonly suites: readonly AffectedSuite[];
  /** Suite files that the commit has and that are gone, relative to the working folder. */
  readonly removed: readonly string[];
}

export interface AffectedSuite {
  readonly suite: Suite;
  /** Why it must run; none: nothing that it hangs on changed. */
  readonly reasons: readonly string[];
  /** What was looked at. */
  readonly fileCount: number;
}

/** Which suites hang on what changed since a commit, and why. */
export function findAffected(options: AffectedOptions): AffectedSuites {
  const { project, cwd, env } = options;
  const changes = findGitChanges(project.root, options.ref, env);
  const look = createLook(changes, cwd);
  const shared = findShared(options, changes, look);
  const versions = findLastVersions(project, options.tool.version);
  const suites = project.suites.map((suite): AffectedSuite => {
    const sources = findSuiteSources(suite, project, { env, ...baselineOf(options) });
    const last = versions.get(suite.id);
    const reasons = [
      ...shared,
      ...(last === undefined || last === options.tool.version
        ? []
        : [`llmcheck is ${options.tool.version}, and its last run here was by ${last}`]),
      ...look.reasonsOf(sources),
    ];
    return { suite, reasons: [...new Set(reasons)], fileCount: look.countOf(sources) };
  });
  const removed = [...changes.changed]
    .filter(([path, kind]) => kind === 'deleted' && /\.eval\.(?:ya?ml|[cm]?[jt]s)$/.test(path))
    .map(([path]) => look.shown(path));
  return { since: changes.since, suites, removed };
}

/** A baseline file that the user names takes the place of the one beside the suite. */
function baselineOf({ baseline, cwd }: AffectedOptions): { readonly baselinePath?: string } {
  if (typeof baseline !== 'object') return {};
  const isFile = /[/\\]|\.jsonl$/.test(baseline.source) && !baseline.source.startsWith('git:');
  return isFile ? { baselinePath: resolve(cwd, baseline.source) } : {};
}

interface Look {
  /** In words, for whatever of the sources changed. */
  reasonsOf(sources: SuiteSources): readonly string[];
  countOf(sources: SuiteSources): number;
  shown(path: string): string;
}

function createLook(changes: GitChanges, cwd: string): Look {
  const here = changes.realPathOf(cwd);
  const shown = (path: string): string => relative(here, path).split(sep).join('/') || '.';
  const known = new Map<string, string | undefined>();
  const describe = (path: string): string | undefined => {
    if (!known.has(path)) {
      const change = changes.changeOf(path);
      known.set(path, change === undefined ? undefined : `${shown(change.path)} ${describeKind[change.kind]}`);
    }
    return known.get(path);
  };
  // What came under a pattern was read; what went can only be found among the changes.
  const changed = [...changes.changed.keys()];
  return {
    shown,
    countOf: ({ paths }) => [...paths].filter((path) => changes.exists(path)).length,
    reasonsOf: ({ paths, globs }) =>
      [
        ...paths,
        ...globs.flatMap(({ pattern, folder }) => matchGlob(pattern, changes.realPathOf(folder), changed)),
      ].flatMap((path) => describe(path) ?? []),
  };
}

const describeKind: Readonly<Record<PathChange['kind'], string>> = {
  added: 'was added',
  modified: 'changed',
  deleted: 'was deleted',
  unknown: 'is not tracked by git, so nobody can say whether it changed',
};

/** Reasons to run everything. */
function findShared(
  { project, cwd, envFile, tool }: AffectedOptions,
  changes: GitChanges,
  look: Look,
): readonly string[] {
  const { paths } = absoluteSources(project.sources, project.root);
  const reasons = [...look.reasonsOf({ paths, globs: [] })];
  const env = envFile === undefined ? undefined : changes.changeOf(resolve(cwd, envFile));
  // One that git ignores holds secrets, as it should.
  if (env !== undefined && env.kind !== 'unknown') reasons.push(`${look.shown(env.path)} ${describeKind[env.kind]}`);
  const above = foldersUpTo(changes.realPathOf(project.root), changes.root);
  const toolFolder = tool.folder === undefined ? undefined : changes.realPathOf(tool.folder);
  for (const [path, kind] of changes.changed) {
    const name = basename(path);
    const isShared =
      (above.includes(dirname(path)) &&
        (lockfiles.has(name) || name === configName || (name === 'package.json' && hasOther(path, changes, runsBy)))) ||
      (isWorkflow(relative(changes.root, path)) && hasOther(path, changes, linesOnTool)) ||
      (toolFolder !== undefined && isToolFile(relative(toolFolder, path)));
    if (isShared) reasons.push(`${look.shown(path)} ${describeKind[kind]}`);
  }
  return reasons;
}

const configName = 'llmcheck.config.yaml';

const lockfiles: ReadonlySet<string> = new Set([
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
  'bun.lockb',
  'deno.lock',
]);

/** What a manifest says of how code is run, beside the lockfile or where there is none. */
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

function runsBy(manifestText: string): string {
  const manifest = parseJson(manifestText || '{}');
  if (!isJsonObject(manifest)) return manifestText;
  return canonicalJson(Object.fromEntries(dependencyKeys.map((key) => [key, manifest[key] ?? null])));
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Where CI names the version of llmcheck: a step or an action that is another runs another llmcheck. */
function isWorkflow(path: string): boolean {
  const shown = path.split(sep).join('/');
  return /^\.github\/(?:workflows|actions)\/.+\.ya?ml$/.test(shown) || ciFiles.has(shown);
}

const ciFiles: ReadonlySet<string> = new Set([
  '.gitlab-ci.yml',
  '.circleci/config.yml',
  'azure-pipelines.yml',
  'bitbucket-pipelines.yml',
  'Jenkinsfile',
]);

function linesOnTool(text: string): string {
  return text
    .split(/\r?\n/)
    .filter((line) => line.includes('llmcheck'))
    .join('\n');
}

function hasOther(path: string, changes: GitChanges, pick: (text: string) => string): boolean {
  const [before, now] = changes.readBoth(path).map((text) => pick(text ?? ''));
  return before !== now;
}

/** The program itself, where it lies in the repository. */
function isToolFile(inside: string): boolean {
  return ['bin', 'dist', 'src', 'package.json'].includes(inside.split(sep)[0] ?? '');
}

const maxRunsRead = 200;

/** The version of llmcheck that ran each suite last. That a shard or a filter ran a part with this one says nothing of the rest. */
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

/** A damaged record says nothing of the version; whoever reads it is told of it. */
function readHeaderIfWhole(path: string): RunHeader | undefined {
  try {
    return readRunHeader(path);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
