import { dirname, join, relative } from 'node:path';
import { UserError } from '../model/problem.ts';
import { type EmptySelection } from '../model/suite/recorded-settings.ts';
import { type Case, caseLabel, type Project, type Suite } from '../model/suite/suite.ts';
import { type BesideEnding, pathBeside } from '../project/project-paths.ts';
import { findFiles } from '../suite/files/find-files.ts';
import { checkTextGlob, compileText, type GlobFault, isSlowForTexts, matchInTime } from '../text/patterns/glob.ts';
import { sha256Hex } from '../text/sha256.ts';

/** The part of a project that is to run; an empty selection is everything. */
export interface Selection {
  /** Globs over `suite/case`; without `/` a suite or case id; without a wildcard any id that contains it. */
  readonly filters: readonly string[];
  readonly tags: readonly string[];
  readonly prompts: readonly string[];
  readonly providers: readonly string[];
  /** Cases a suite, drawn by a hash of the seed: the same seed draws the same cases. */
  readonly sample?: { readonly size: number; readonly seed: number };
  /** The number of the shard, from 1. */
  readonly shard?: { readonly index: number; readonly count: number };
  /** Overrides every case's own number. */
  readonly trials?: number;
  /** The `suite/case` labels to keep, such as the cases that failed last time. */
  readonly onlyCases?: ReadonlySet<string>;
}

export const emptySelection: Selection = { filters: [], tags: [], prompts: [], providers: [] };

/** True if the selection can leave out cases, trials or variants of a suite. */
export function isNarrowed(selection: Selection): boolean {
  return (
    selection.filters.length > 0 ||
    selection.tags.length > 0 ||
    selection.prompts.length > 0 ||
    selection.providers.length > 0 ||
    selection.sample !== undefined ||
    (selection.shard !== undefined && selection.shard.count > 1) ||
    selection.trials !== undefined ||
    selection.onlyCases !== undefined
  );
}

export type CasePredicate = (suite: Suite, testCase: Case) => boolean;

/** Builds the predicate of a selection. Sampling and sharding read all suites first. */
export function buildCasePredicate(suites: readonly Suite[], selection: Selection): CasePredicate {
  const matchers = selection.filters.map(buildFilter);
  const tags = new Set(selection.tags);
  const matches: CasePredicate = (suite, testCase) =>
    (matchers.length === 0 || matchers.some((matcher) => matcher(suite.id, testCase.id))) &&
    (tags.size === 0 || testCase.tags.some((tag) => tags.has(tag))) &&
    (selection.onlyCases === undefined || selection.onlyCases.has(caseLabel(suite.id, testCase.id)));
  if (selection.sample === undefined && selection.shard === undefined) return matches;
  const kept = drawCases(suites, selection, matches);
  return (suite, testCase) => kept.has(caseKey(suite, testCase));
}

function buildFilter(pattern: string): (suiteId: string, caseId: string) => boolean {
  if (!/[*?[\]{}]/.test(pattern)) {
    return pattern.includes('/')
      ? (suiteId, caseId) => caseLabel(suiteId, caseId).includes(pattern)
      : (suiteId, caseId) => suiteId.includes(pattern) || caseId.includes(pattern);
  }
  // Ids may hold slashes and dots, so a star crosses both.
  const fault = checkTextGlob(pattern);
  if (fault !== undefined) throw filterProblem(pattern, fault);
  const isMatch = compileText(pattern);
  const isGlobOfLabel = pattern.includes('/');
  return (suiteId, caseId) => {
    const names = isGlobOfLabel ? [caseLabel(suiteId, caseId)] : [suiteId, caseId];
    // An id that happens to look like a glob still names itself.
    return caseId === pattern || names.some((name) => name === pattern || isMatch(name));
  };
}

const batchSize = 10_000;
const batchLimitMs = 500;

/** Tries filters that may be slow on every case once, so that none is slow later. Throws a `UserError`. */
export function refuseSlowFilters(
  filters: readonly string[],
  cases: Iterable<{ readonly suite: Suite; readonly testCase: Case }>,
): void {
  const slow = filters.filter(isSlowForTexts).map((pattern) => ({ pattern, matches: buildFilter(pattern) }));
  if (slow.length === 0) return;
  let batch: (readonly [string, string])[] = [];
  const tryBatch = () => {
    for (const { pattern, matches } of slow) {
      const outcome = matchInTime(() => batch.forEach((one) => matches(...one)), batchLimitMs);
      if ('fault' in outcome) throw filterProblem(pattern, outcome.fault);
    }
    batch = [];
  };
  for (const { suite, testCase } of cases) if (batch.push([suite.id, testCase.id]) === batchSize) tryBatch();
  tryBatch();
}

/** Every case with its suite. */
export function* casesOf(suites: readonly Suite[]): Generator<{ readonly suite: Suite; readonly testCase: Case }> {
  for (const suite of suites) for (const testCase of suite.cases()) yield { suite, testCase };
}

function filterProblem(pattern: string, { message, hint }: GlobFault): UserError {
  return new UserError({ code: 'usage', message: `--filter ${pattern.slice(0, 80)}: ${message}`, hint });
}

/**
 * Draws by ids and the seed only. If a run's output could move a case, shards that run in sequence would miss cases.
 * All prompt versions of a case are in one shard, and a new case moves few others.
 */
function drawCases(suites: readonly Suite[], selection: Selection, matches: CasePredicate): ReadonlySet<string> {
  let drawn: RankedCase[] = [];
  for (const suite of suites) {
    const ranked: RankedCase[] = [];
    for (const testCase of suite.cases()) {
      if (!matches(suite, testCase)) continue;
      const rank = sha256Hex(`${selection.sample?.seed ?? ''}:${suite.path}:${testCase.id}`);
      ranked.push({ key: caseKey(suite, testCase), rank });
    }
    drawn = drawn.concat(selection.sample === undefined ? ranked : sortByRank(ranked).slice(0, selection.sample.size));
  }
  if (selection.shard !== undefined) drawn = takeShard(sortByRank(drawn), selection.shard);
  return new Set(drawn.map(({ key }) => key));
}

function takeShard(
  cases: readonly RankedCase[],
  { index, count }: { readonly index: number; readonly count: number },
): RankedCase[] {
  return cases.slice(Math.floor((cases.length * (index - 1)) / count), Math.floor((cases.length * index) / count));
}

interface RankedCase {
  readonly key: string;
  readonly rank: string;
}

/** A unique key of a case. A label `suite/case` is not unique, because ids may hold slashes. */
function caseKey(suite: Suite, testCase: Case): string {
  return `${suite.id}\u0000${testCase.id}`;
}

function sortByRank(items: RankedCase[]): RankedCase[] {
  return items.sort((a, b) => (a.rank < b.rank ? -1 : 1));
}

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

/** True for a suite that no filter leaves out. A suite without selected cases is not a mistake. */
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

/**
 * Finds baselines and pinned references without a suite beside them, because it was removed or renamed. Searches the
 * same folders as for suites.
 */
export async function findOrphanBaselines(
  project: Pick<Project, 'root' | 'sources'>,
): Promise<readonly EmptySelection[]> {
  const paths = await listOrphanBaselines(project);
  return paths.map((path) => ({
    message: `${relative(project.root, path)} has no suite beside it, so no run reads it; give it the suite's new name, or remove it`,
    isNamed: false,
  }));
}

/** The absolute paths of the files, sorted. */
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
