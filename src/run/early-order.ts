import type { SuiteBaseline } from '../baseline/find-baselines.ts';
import { rankOf } from '../compare/gate/early-end.ts';
import { countVerdicts } from '../compare/pair-cases.ts';
import type { Cell } from '../model/cell.ts';
import { caseLabel, type Suite } from '../model/suite.ts';
import type { CaseSummary } from '../model/summary.ts';
import type { PlannedSuite } from '../plan/build-plan.ts';
import { variantKey } from './find-accepted-prompts.ts';
import type { Run } from './open-run.ts';

/** A case of an early run. */
export interface EarlyCase {
  readonly suite: string;
  readonly caseId: string;
  readonly rank: string;
  /** `variantKey` of the variants that it runs on. */
  readonly variants: ReadonlySet<string>;
}

/** Cases of the first batch, after those that are asked at once. */
const firstBatch = 10;

/**
 * The cases of an early run in batches. First come those that the average does not speak for, those that failed lately, and
 * those that cost nothing; then the others of each suite in random order, each time an eighth more.
 */
export function orderCases(run: Run): readonly (readonly EarlyCase[])[] {
  const first: EarlyCase[] = [];
  const others = new Map<string, EarlyCase[]>();
  for (const { isFirst, ...found } of collectCases(run)) {
    if (isFirst) first.push(found);
    else others.set(found.suite, [...(others.get(found.suite) ?? []), found]);
  }
  const batches: EarlyCase[][] = [first];
  for (const cases of others.values()) {
    const sorted = cases.sort((a, b) => (a.rank < b.rank ? -1 : 1));
    for (let [index, done] = [1, 0]; done < sorted.length; index += 1) {
      const size = Math.max(firstBatch, Math.ceil(done / 8));
      batches[index] = [...(batches[index] ?? []), ...sorted.slice(done, done + size)];
      done += size;
    }
  }
  return batches.filter((batch) => batch.length > 0);
}

type CollectedCase = { -readonly [Key in keyof EarlyCase]: EarlyCase[Key] } & {
  readonly variants: Set<string>;
  isFirst: boolean;
};

function collectCases(run: Run): Iterable<CollectedCase> {
  const { plan } = run.planned;
  const order = run.order;
  const suites = new Map(plan.suites.map((planned) => [planned.suite.id, planned]));
  const found = new Map<string, CollectedCase & { isFree: boolean }>();
  for (const providerKey of plan.providerKeys) {
    for (const cell of plan.cells(providerKey)) {
      const { suite, caseId, prompt, provider } = cell.key;
      const planned = suites.get(suite);
      if (planned === undefined) continue;
      const key = JSON.stringify([suite, caseId]);
      const one = found.get(key) ?? {
        suite,
        caseId,
        rank: rankOf(order, suite, caseId),
        variants: new Set<string>(),
        isFirst: false,
        isFree: true,
      };
      one.variants.add(variantKey(suite, prompt, provider));
      one.isFree &&= isFree(cell, planned.suite, run);
      one.isFirst ||= isAskedFirst(cell, planned, run);
      found.set(key, one);
    }
  }
  return Array.from(found.values(), ({ isFree: free, isFirst, ...rest }) => ({ ...rest, isFirst: isFirst || free }));
}

/** True for a cell that is skipped or answered without a call. A run that is resumed keeps the order that it began with. */
function isFree({ key, skip, request }: Cell, suite: Suite, { earlier, calls, record }: Run): boolean {
  if (skip !== undefined) return true;
  const row = earlier?.rowOf(key);
  return row === undefined ? calls.isAnswered(request, suite) : record.readRow(row).cached;
}

function isAskedFirst(cell: Cell, { suite, variants }: PlannedSuite, { latelyFailed, findBaseline }: Run): boolean {
  const { mustPass, slices = [], key } = cell;
  if (mustPass || latelyFailed.has(caseLabel(suite.id, key.caseId))) return true;
  if (slices.some((slice) => suite.gate.slices?.[slice]?.passRate.min !== undefined)) return true;
  const replaces = variants.find(({ prompt }) => prompt.id === key.prompt)?.prompt.replaces;
  return isNew(cell, [key.prompt, ...(replaces === undefined ? [] : [replaces])], findBaseline(suite));
}

/** True where something was accepted of the variant, but no verdict on this case as it is now: it must pass by itself. */
function isNew({ key, caseHash }: Cell, prompts: readonly string[], baseline: SuiteBaseline | undefined): boolean {
  for (const prompt of prompts) {
    const cases = casesOf(baseline, key.suite, { prompt, provider: key.provider });
    if (cases.size === 0) continue;
    const accepted = cases.get(key.caseId);
    return accepted?.caseHash !== caseHash || countVerdicts(accepted).trials === 0;
  }
  return false;
}

function casesOf(
  baseline: SuiteBaseline | undefined,
  suite: string,
  { prompt, provider }: { readonly prompt: string; readonly provider: string },
): ReadonlyMap<string, CaseSummary> {
  if (baseline?.kind === 'file') return baseline.baseline.casesOf({ prompt, provider });
  const ofSuite = baseline?.record.summary.suites.find(({ recorded }) => recorded.suite === suite);
  const variant = ofSuite?.variants.find(
    ({ recorded }) => recorded.prompt === prompt && recorded.provider === provider,
  );
  return variant?.cases ?? new Map();
}
