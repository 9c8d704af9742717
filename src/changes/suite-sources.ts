import { dirname, resolve } from 'node:path';
import type { ProviderEnv } from '../model/provider.ts';
import type { Project, Sources, Suite } from '../model/suite.ts';
import { findAttached } from '../plan/attachments.ts';
import { pathBeside } from '../project/project-paths.ts';
import { lookupAdapter } from '../providers/index.ts';

/** The files on which the results of a suite depend, absolute. */
export interface SuiteSources {
  /** Also of files that do not exist: creating one is a change. */
  readonly paths: ReadonlySet<string>;
  readonly globs: readonly { readonly pattern: string; readonly folder: string }[];
}

/** What loading read, and what a run will read: modules and programs of providers, attached files, the baseline. */
export function findSuiteSources(
  suite: Suite,
  project: Pick<Project, 'root'>,
  { env, baselinePath }: Pick<ProviderEnv, 'env'> & { readonly baselinePath?: string },
): SuiteSources {
  const { root } = project;
  const { paths, globs } = absoluteSources(suite.sources, root);
  const providerEnv = { env, projectRoot: root };
  const endpoints = [...suite.providers, ...suite.askedModels].flatMap(
    (provider) => lookupAdapter(provider.adapter)?.resolve(provider, providerEnv) ?? [],
  );
  const ofProviders = endpoints.flatMap(({ files = [] }) => files);
  const folders = endpoints.flatMap(({ folders: whole = [] }) => whole);
  return {
    paths: new Set([
      ...paths,
      ...ofProviders,
      ...findAttached(suite, root),
      baselinePath ?? pathBeside(root, suite.path, 'baseline.jsonl'),
      pathBeside(root, suite.path, 'reference.jsonl'),
      ...(suite.criteria.length === 0 ? [] : [pathBeside(root, suite.path, 'judges.json')]),
    ]),
    globs: [...globs, ...folders.map((folder) => ({ pattern: '**', folder }))],
  };
}

export function absoluteSources({ files, missing, globs }: Sources, root: string): SuiteSources {
  return {
    paths: new Set([...files, ...missing].map((path) => resolve(root, path))),
    globs: globs.map(({ pattern, folder }) => ({ pattern, folder: resolve(root, folder) })),
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
