import { dirname, join, relative } from 'node:path';
import { caseLabel, type EmptySelection, type Project, type Suite } from '../model/suite.ts';
import { type BesideEnding, pathBeside } from '../project/project-paths.ts';
import { findFiles } from '../suite/files/find-files.ts';
import { buildCasePredicate, type Selection } from './select-cases.ts';

/** Flags and files that select no case. Shards and samples don't count: they may leave any of them out. */
export async function findEmptySelections(project: Project, selection: Selection): Promise<readonly EmptySelection[]> {
  const { suites, emptySelections = [] } = project;
  const { sample: _sample, shard: _shard, ...whole } = selection;
  return [
    ...emptySelections,
    ...suites.filter((suite) => isWanted(suite, whole)).flatMap((suite) => suite.emptySelections ?? []),
    ...whole.filters.flatMap((filter) =>
      selectsAny(suites, { ...whole, filters: [filter] }) ? [] : [selectsNothing(`--filter ${filter}`)],
    ),
    ...whole.tags.flatMap((tag) =>
      selectsAny(suites, { ...whole, tags: [tag] }) ? [] : [selectsNothing(`--tag ${tag}`)],
    ),
    ...whole.prompts.flatMap((id) =>
      suites.some((suite) => runsCases(suite, whole, 'prompts', id)) ? [] : [selectsNothing(`--prompt ${id}`)],
    ),
    ...whole.providers.flatMap((id) =>
      suites.some((suite) => runsCases(suite, whole, 'providers', id)) ? [] : [selectsNothing(`--provider ${id}`)],
    ),
    ...findMissingCases(suites, whole),
    ...(selectsAll(whole) ? await findOrphanBaselines(project) : []),
  ];
}

function selectsAll({ filters, tags, prompts, providers, onlyCases }: Selection): boolean {
  return filters.length + tags.length + prompts.length + providers.length === 0 && onlyCases === undefined;
}

function selectsNothing(flag: string): EmptySelection {
  return { message: `${flag} selects no case`, isNamed: false };
}

/** A suite that other filters leave out is no mistake. */
function isWanted(suite: Suite, selection: Selection): boolean {
  const { filters, tags, onlyCases } = selection;
  if (filters.length + tags.length === 0 && onlyCases === undefined) return true;
  return filters.includes(suite.id) || selectsAny([suite], selection);
}

function selectsAny(suites: readonly Suite[], selection: Selection): boolean {
  const isSelected = buildCasePredicate(suites, selection);
  return suites.some((suite) => {
    for (const testCase of suite.cases()) if (isSelected(suite, testCase)) return true;
    return false;
  });
}

function runsCases(suite: Suite, selection: Selection, kind: 'prompts' | 'providers', id: string): boolean {
  if (!suite[kind].some((entry) => entry.id === id)) return false;
  const isSelected = buildCasePredicate([suite], selection);
  for (const testCase of suite.cases()) {
    if (isSelected(suite, testCase) && testCase[kind]?.includes(id) !== false) return true;
  }
  return false;
}

function findMissingCases(suites: readonly Suite[], { onlyCases }: Selection): readonly EmptySelection[] {
  if (onlyCases === undefined) return [];
  const missing = new Set(onlyCases);
  for (const suite of suites) for (const { id } of suite.cases()) missing.delete(caseLabel(suite.id, id));
  if (missing.size === 0) return [];
  const named = [...missing].slice(0, 5).join(', ');
  return [{ message: `--last-failed: ${missing.size} of its cases no longer exist: ${named}`, isNamed: false }];
}

const endings = ['baseline.jsonl', 'reference.jsonl'] as const;
const suiteFile = /\.(?:ya?ml|[cm]?[jt]s|json|prompt|prompty)$/i;

/** Baselines and pinned references without a suite beside them, in the folders where suites are searched: the suite was removed or renamed. */
async function findOrphanBaselines(project: Pick<Project, 'root' | 'sources'>): Promise<readonly EmptySelection[]> {
  const paths = await listOrphanBaselines(project);
  return paths.map((path) => ({
    message: `${relative(project.root, path)} has no suite beside it, so no run reads it; remove it if the suite was removed on purpose`,
    isNamed: false,
  }));
}

/** The absolute paths of these, sorted. */
export async function listOrphanBaselines({
  root,
  sources,
}: Pick<Project, 'root' | 'sources'>): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const { pattern, folder } of sources.globs) {
    for (const ending of endings) {
      for (const path of await findBaselines(pattern, join(root, folder), ending)) {
        if (!(await hasSuite(path, root, ending))) found.add(path);
      }
    }
  }
  return [...found].sort();
}

/** Applies a pattern of suites to their baselines, by another ending. */
async function findBaselines(pattern: string, folder: string, ending: BesideEnding): Promise<readonly string[]> {
  const ofBaselines = pattern.replace(/(?:\.eval)?\.(?:\{[^{}/]*\}|[^./{}]*)$/, `.${ending}`);
  return ofBaselines === pattern ? [] : list(ofBaselines, folder);
}

async function hasSuite(baseline: string, root: string, ending: BesideEnding): Promise<boolean> {
  const siblings = await list('*', dirname(baseline));
  return siblings.some((path) => suiteFile.test(path) && pathBeside(root, relative(root, path), ending) === baseline);
}

/** Files that can't be read were reported when the suites were loaded. */
async function list(pattern: string, folder: string): Promise<readonly string[]> {
  const { paths } = await findFiles([pattern], folder, {
    findFault: () => undefined,
    describeError: (error) => ({ code: 'file-unreadable', message: String(error) }),
  });
  return paths;
}
