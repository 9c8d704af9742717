import { UserError } from '../model/problem.ts';
import { type Case, caseLabel, type Suite } from '../model/suite.ts';
import { checkTextGlob, compileText, type GlobFault, isSlowForTexts, matchInTime } from '../text/glob.ts';
import { sha256Hex } from '../text/sha256.ts';

/** What of a project is to run; an empty selection is everything. */
export interface Selection {
  /** Globs over `suite/case`; without `/` a suite or case id; without a wildcard any id that contains it. */
  readonly filters: readonly string[];
  readonly tags: readonly string[];
  readonly prompts: readonly string[];
  readonly providers: readonly string[];
  /** Cases a suite, drawn by a hash of the seed: the same seed draws the same cases. */
  readonly sample?: { readonly size: number; readonly seed: number };
  /** 1-based. */
  readonly shard?: { readonly index: number; readonly count: number };
  /** Overrides every case's own number. */
  readonly trials?: number;
  /** `suite/case` labels to keep, such as those that failed last time. */
  readonly onlyCases?: ReadonlySet<string>;
}

export const emptySelection: Selection = { filters: [], tags: [], prompts: [], providers: [] };

/** True where the selection can leave out cases, trials or variants of a suite. */
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
 * Draws only by ids and the seed: if something that a run writes could move a case, shards that run one after the other
 * would leave cases out. All prompt versions of a case are in one shard, and a new case moves few others.
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

/** Unlike a label it is unique: ids may hold slashes. */
function caseKey(suite: Suite, testCase: Case): string {
  return `${suite.id}\u0000${testCase.id}`;
}

function sortByRank(items: RankedCase[]): RankedCase[] {
  return items.sort((a, b) => (a.rank < b.rank ? -1 : 1));
}
