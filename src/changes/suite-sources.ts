import { dirname, relative, resolve, sep } from 'node:path';
import type { ProviderEnv } from '../model/suite/provider.ts';
import type { SourceGlob, Sources } from '../model/suite/sources.ts';
import type { Project, Suite } from '../model/suite/suite.ts';
import { findAttached } from '../plan/attachments.ts';
import { pathBeside } from '../project/project-paths.ts';
import { lookupAdapter } from '../providers/index.ts';
import type { ReadLog } from '../suite/files/read-log.ts';
import { skippedFolders } from '../text/patterns/glob.ts';
import { matchGlob } from '../text/patterns/match-glob.ts';

/** The files on which the results of a suite depend, absolute. */
export interface SuiteSources {
  /** Paths of files, including files that do not exist yet: creating one is a change. */
  readonly paths: ReadonlySet<string>;
  readonly globs: readonly SourceGlob[];
  /** What own code reads that can't be followed, so that it may have changed. */
  readonly unfollowed: readonly string[];
}

/** What loading read, and what a run will read: modules and programs of providers, attached files, the baseline. */
export function findSuiteSources(
  suite: Suite,
  project: Pick<Project, 'root'>,
  { env, baselinePath }: Pick<ProviderEnv, 'env'> & { readonly baselinePath?: string },
): SuiteSources {
  const { root } = project;
  const { paths, globs, unfollowed } = absoluteSources(suite.sources, root);
  const providerEnv = { env, projectRoot: root };
  const endpoints = [...suite.providers, ...suite.askedModels].flatMap(
    (provider) => lookupAdapter(provider.adapter)?.resolve(provider, providerEnv) ?? [],
  );
  const ofProviders = endpoints.flatMap(({ files = [] }) => files);
  const folders = endpoints.flatMap(({ folders: whole = [] }) => whole);
  const ofCode = endpoints.flatMap(({ globs: patterns = [] }) => patterns);
  return {
    paths: new Set([
      ...paths,
      ...ofProviders,
      ...findAttached(suite, root),
      baselinePath ?? pathBeside(root, suite.path, 'baseline.jsonl'),
      pathBeside(root, suite.path, 'reference.jsonl'),
      ...(suite.criteria.length === 0 ? [] : [pathBeside(root, suite.path, 'judges.json')]),
    ]),
    globs: [...globs, ...ofCode, ...folders.map((folder) => ({ pattern: '**', folder }))],
    unfollowed: [...unfollowed, ...endpoints.flatMap((endpoint) => endpoint.unfollowed ?? [])],
  };
}

export function absoluteSources({ files, missing, globs, unfollowed = [] }: Sources, root: string): SuiteSources {
  return {
    paths: new Set([...files, ...missing].map((path) => resolve(root, path))),
    globs: globs.map(({ pattern, folder }) => ({ pattern, folder: resolve(root, folder) })),
    unfollowed,
  };
}

/** The folders from one up to another, both included; where the second is not above the first, the first alone. */
export function foldersUpTo(start: string, last: string): readonly string[] {
  const folders: string[] = [];
  for (let folder = start; ; folder = dirname(folder)) {
    folders.push(folder);
    if (folder === last) return folders;
    if (dirname(folder) === folder) return [start];
  }
}

/** The files on which a project depends. */
export interface WatchGraph {
  /** Absolute; also of files that do not exist yet. */
  readonly paths: ReadonlySet<string>;
  /** The folders in which patterns start. */
  readonly folders: ReadonlySet<string>;
  /** True for a file on which the project depends, by its path or by a pattern. */
  holds(path: string): boolean;
  /** True for a folder in which such a file may be. */
  leadsTo(folder: string): boolean;
  /** The suites that depend on one of the files; undefined: all of them. */
  touchedBy(paths: Iterable<string>): ReadonlySet<string> | undefined;
}

/** The graph of a loaded project; `extra` are files on which all suites depend. */
export function buildWatchGraph(
  project: Project,
  { env, extra }: { readonly env: Readonly<Record<string, string | undefined>>; readonly extra: readonly string[] },
): WatchGraph {
  const shared = absoluteSources(project.sources, project.root);
  const own = project.suites.map((suite) => ({ suite, sources: findSuiteSources(suite, project, { env }) }));
  return joinSources({ ...shared, paths: new Set([...shared.paths, ...extra]) }, own);
}

/** The graph of a project that could not be loaded: the files that were read, and those of the graph before. */
export function buildBrokenGraph(reads: ReadLog, before: WatchGraph | undefined): WatchGraph {
  const graph = joinSources(
    { paths: new Set([...reads.files, ...reads.missing]), globs: reads.globs, unfollowed: [] },
    [],
  );
  if (before === undefined) return graph;
  return {
    paths: new Set([...before.paths, ...graph.paths]),
    folders: new Set([...before.folders, ...graph.folders]),
    holds: (path) => graph.holds(path) || before.holds(path),
    leadsTo: (folder) => graph.leadsTo(folder) || before.leadsTo(folder),
    touchedBy: () => undefined,
  };
}

interface OwnSources {
  readonly suite: Suite;
  readonly sources: SuiteSources;
}

function joinSources(shared: SuiteSources, own: readonly OwnSources[]): WatchGraph {
  const all = [shared, ...own.map(({ sources }) => sources)];
  const paths = new Set(all.flatMap((sources) => [...sources.paths]));
  const globs = all.flatMap((sources) => sources.globs);
  const folders = new Set(globs.map(baseOf));
  const above = new Set([...paths, ...folders].flatMap((path) => [...foldersAbove(path)]));
  const isUnder = (sources: SuiteSources, path: string): boolean =>
    sources.paths.has(path) ||
    sources.globs.some(({ pattern, folder }) => matchGlob(pattern, folder, [path]).length > 0);
  return {
    paths,
    folders,
    holds: (path) =>
      paths.has(path) || globs.some(({ pattern, folder }) => matchGlob(pattern, folder, [path]).length > 0),
    leadsTo: (folder) => above.has(folder) || [...folders].some((base) => isWithin(folder, base)),
    touchedBy(changed) {
      const touched = new Set<string>();
      for (const path of changed) {
        const owners = own.filter(({ sources }) => isUnder(sources, path));
        // A new suite depends on the pattern that found it, and no other suite depends on the new file.
        if (owners.length === 0 && shared.paths.has(path)) return undefined;
        for (const { suite } of owners) touched.add(suite.id);
      }
      return touched;
    },
  };
}

/** The folder before the first name of the pattern that has a special character. */
function baseOf({ pattern, folder }: SuiteSources['globs'][number]): string {
  const names = pattern.split('/');
  const first = names.findIndex((name) => /[*?{}[\]!()]/.test(name));
  return resolve(folder, ...names.slice(0, first === -1 ? -1 : first));
}

function* foldersAbove(path: string): Iterable<string> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    yield folder;
    if (dirname(folder) === folder) return;
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return !way.split(sep).some((name) => name === '..' || skippedFolders.has(name));
}
