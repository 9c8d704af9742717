import { caseLabel, type EmptySelection, type Project, type Suite } from '../model/suite.ts';
import { findLeftBaselines } from './find-left-baselines.ts';
import { buildCasePredicate, type Selection } from './select-cases.ts';

/** What was asked for beside the rest and brings no case; a shard or a sample may well leave it out. */
export async function findEmptySelections(project: Project, selection: Selection): Promise<readonly EmptySelection[]> {
  const { suites, emptySelections = [] } = project;
  const { sample: _sample, shard: _shard, ...whole } = selection;
  return [
    ...emptySelections,
    ...suites.filter((suite) => isAsked(suite, whole)).flatMap((suite) => suite.emptySelections ?? []),
    ...whole.filters.flatMap((filter) =>
      selectsAny(suites, { ...whole, filters: [filter] }) ? [] : [nothingOf(`--filter ${filter}`)],
    ),
    ...whole.tags.flatMap((tag) => (selectsAny(suites, { ...whole, tags: [tag] }) ? [] : [nothingOf(`--tag ${tag}`)])),
    ...whole.prompts.flatMap((id) =>
      suites.some((suite) => runsOn(suite, whole, 'prompts', id)) ? [] : [nothingOf(`--prompt ${id}`)],
    ),
    ...whole.providers.flatMap((id) =>
      suites.some((suite) => runsOn(suite, whole, 'providers', id)) ? [] : [nothingOf(`--provider ${id}`)],
    ),
    ...findGone(suites, whole),
    ...(selectsAll(whole) ? await findLeftBaselines(project) : []),
  ];
}

function selectsAll({ filters, tags, prompts, providers, onlyCases }: Selection): boolean {
  return filters.length + tags.length + prompts.length + providers.length === 0 && onlyCases === undefined;
}

function nothingOf(flag: string): EmptySelection {
  return { message: `${flag} selects no case`, isNamed: false };
}

/** A suite that other filters leave out is not missed. */
function isAsked(suite: Suite, selection: Selection): boolean {
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

function runsOn(suite: Suite, selection: Selection, kind: 'prompts' | 'providers', id: string): boolean {
  if (!suite[kind].some((entry) => entry.id === id)) return false;
  const isSelected = buildCasePredicate([suite], selection);
  for (const testCase of suite.cases()) {
    if (isSelected(suite, testCase) && testCase[kind]?.includes(id) !== false) return true;
  }
  return false;
}

function findGone(suites: readonly Suite[], { onlyCases }: Selection): readonly EmptySelection[] {
  if (onlyCases === undefined) return [];
  const gone = new Set(onlyCases);
  for (const suite of suites) for (const { id } of suite.cases()) gone.delete(caseLabel(suite.id, id));
  if (gone.size === 0) return [];
  const named = [...gone].slice(0, 5).join(', ');
  return [{ message: `--last-failed: ${gone.size} of its cases are gone: ${named}`, isNamed: false }];
}
