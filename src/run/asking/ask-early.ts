import type { SuiteBaseline } from '../../model/comparison/baseline.ts';
import { type Cell, suiteVariantKey } from '../../model/run/cell.ts';
import type { PlannedSuite } from '../../model/run/plan.ts';
import { isSameCase } from '../../model/suite/same-case.ts';
import { caseLabel, type Suite } from '../../model/suite/suite.ts';
import type { Assessment } from '../../verdict/decide-record.ts';
import { decide } from '../../verdict/gate/decide-run.ts';
import { type EarlyLook, rankOf, shareOfAttempt } from '../../verdict/gate/early-end.ts';
import { findDecided } from '../../verdict/gate/find-breaches.ts';
import { judgeLimits } from '../../verdict/gate/judge-limits.ts';
import { countVerdicts } from '../../verdict/pair-cases.ts';
import { assessSoFar } from '../end-run.ts';
import type { Run } from '../open-run.ts';
import { askAgain } from './ask-again.ts';
import { executeCells } from './execute-cells.ts';

/**
 * Asks the planned cells in batches of cases and assesses the answers after each batch. A variant ends when a drop is
 * excluded, and the run ends when it has failed. The remaining cells are skipped as `decided`. Returns true if the run
 * has failed.
 */
export async function askEarly(run: Run): Promise<boolean> {
  const batches = orderCases(run);
  const attempts = new Attempts(run);
  const ended = new Set<string>();
  let isDecided = false;
  for (const [index, batch] of batches.entries()) {
    await executeCells(run, cellsOf(run, batch), ({ key: { suite, prompt, provider } }) =>
      isDecided || ended.has(suiteVariantKey({ suite, prompt, provider })) ? 'decided' : undefined,
    );
    const rest = batches.slice(index + 1).flat();
    if (rest.length === 0 || isDecided || run.stop.reason() !== undefined) continue;
    const look: EarlyLook = {
      share: attempts.share(),
      budget: attempts.budget(),
      nextRank: (suite, { recorded }) => findNext(rest, suite, recorded),
    };
    const assessment = await assessSoFar(run, undefined, look);
    for (const key of findEnded(assessment)) ended.add(key);
    isDecided = await attempts.hasFailed(assessment, look);
  }
  return isDecided;
}

/** The planned cells of some cases, without cells that an earlier part of the run finished. */
function* cellsOf({ planned: { plan }, record }: Run, cases: readonly EarlyCase[]): Iterable<[string, Iterable<Cell>]> {
  const wanted = new Set(cases.map(({ suite, caseId }) => JSON.stringify([suite, caseId])));
  function* cellsOfProvider(providerKey: string): Iterable<Cell> {
    const isWanted = (suite: string, caseId: string) => wanted.has(JSON.stringify([suite, caseId]));
    for (const cell of plan.cells(providerKey, isWanted)) if (!record.countIfFinished(cell)) yield cell;
  }
  for (const providerKey of plan.providerKeys) yield [providerKey, cellsOfProvider(providerKey)];
}

/** The index of the first case that runs on a variant. */
function findNext(
  cases: readonly EarlyCase[],
  suite: string,
  { prompt, provider }: { readonly prompt: string; readonly provider: string },
): string | undefined {
  const key = suiteVariantKey({ suite, prompt, provider });
  let first: string | undefined;
  for (const { rank, variants } of cases) {
    if (variants.has(key) && (first === undefined || rank < first)) first = rank;
  }
  return first;
}

/** The variants whose remaining cases need not be asked. */
function findEnded({ record: { summary }, verdict }: Assessment): readonly string[] {
  const decided = findDecided(summary, judgeLimits(summary, verdict), verdict);
  return summary.suites.flatMap(({ recorded: { suite }, variants }) =>
    variants
      .filter((variant) => decided.has(variant))
      .map(({ recorded: { prompt, provider } }) => suiteVariantKey({ suite, prompt, provider })),
  );
}

/**
 * Attempts to confirm possible drops before the end. Each attempt spends a part of the level, so the next one waits for
 * twice as many results.
 */
export class Attempts {
  readonly #run: Run;
  #made = 0;
  #cells = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  /** The part of each level that the next attempt may spend. */
  share(): number {
    return shareOfAttempt(this.#made + 1);
  }

  /**
   * The budget of a look: twice the cells so far, at most half of the whole. The rest is for later looks and for the
   * end.
   */
  budget(): number {
    const { done, planned } = this.#count();
    return Math.min(0.5, Math.max(2 * done, leastTrials) / Math.max(1, planned));
  }

  /** True if the run has failed, regardless of the cells that were not asked yet. */
  async hasFailed(assessment: Assessment, look: EarlyLook): Promise<boolean> {
    const { done } = this.#count();
    if (done < 2 * this.#cells) return false;
    if (isFailed(assessment)) return true;
    if (!isOpen(assessment)) return false;
    this.#made += 1;
    this.#cells = done;
    await askAgain(this.#run, look);
    return isFailed(await assessSoFar(this.#run, undefined, look));
  }

  #count() {
    let [done, planned] = [0, 0];
    for (const { variants } of this.#run.record.read(undefined).summary.suites) {
      for (const variant of variants) {
        done += variant.passed + variant.failed + variant.errored;
        planned += variant.planned;
      }
    }
    return { done, planned };
  }
}

/** The approximate number of fresh trials of one case, on both sides. */
const leastTrials = 20;

function isFailed({ record: { header, summary }, verdict }: Assessment): boolean {
  return decide({ summary, settings: header.settings, judged: verdict }).outcome === 'failed';
}

/** True if fresh trials can still change the result. */
function isOpen({ verdict: { settled } }: Assessment): boolean {
  return (
    [...settled.averages.values()].some(({ kind }) => kind === 'open') ||
    [...settled.cases.values()].some(({ outcome }) => outcome === 'open')
  );
}

/** A case of an early run. */
interface EarlyCase {
  readonly suite: string;
  readonly caseId: string;
  readonly rank: string;
  /** `suiteVariantKey` of the variants that it runs on. */
  readonly variants: ReadonlySet<string>;
}

/** The least number of a suite's cases in a random batch. */
const firstBatch = 10;

/**
 * The cases of an early run in batches. The first batch has cases outside the average, cases that failed in the latest
 * run, and free cases. The other cases of each suite follow in random order, in batches that grow by an eighth.
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
        rank: rankOf(run.caseOrderSeed, suite, caseId),
        variants: new Set<string>(),
        isFirst: false,
        isFree: true,
      };
      one.variants.add(suiteVariantKey({ suite, prompt, provider }));
      one.isFree &&= isFree(cell, planned.suite, run);
      one.isFirst ||= isAskedFirst(cell, planned, run);
      found.set(key, one);
    }
  }
  return Array.from(found.values(), ({ isFree: free, isFirst, ...rest }) => ({ ...rest, isFirst: isFirst || free }));
}

/**
 * True for a cell that is skipped or needs no call. A resumed run keeps its original order: it called for the answers
 * that came since its start, although the cache has them now.
 */
function isFree({ key, skip, request }: Cell, suite: Suite, { earlier, calls, record }: Run): boolean {
  if (skip !== undefined) return true;
  const row = earlier?.rowOf(key);
  return row === undefined ? calls.needsNoCall(request, suite, earlier?.startedAt) : record.readRow(row).cached;
}

function isAskedFirst(
  cell: Cell,
  { suite, variants }: PlannedSuite,
  { failedInLatestRun, findBaseline }: Run,
): boolean {
  const { mustPass, slices = [], key } = cell;
  if (mustPass || failedInLatestRun.has(caseLabel(suite.id, key.caseId))) return true;
  if (slices.some((slice) => suite.gate.slices?.[slice]?.passRate.min !== undefined)) return true;
  const replaces = variants.find(({ prompt }) => prompt.id === key.prompt)?.prompt.replaces;
  return isNew(cell, [key.prompt, ...(replaces === undefined ? [] : [replaces])], findBaseline(suite));
}

/**
 * True if the variant has accepted cases, but no accepted verdict on the present content of this case. The case then
 * must pass without a comparison.
 */
function isNew({ key, caseHash }: Cell, prompts: readonly string[], baseline: SuiteBaseline | undefined): boolean {
  for (const prompt of prompts) {
    const cases = baseline?.baseline.casesOf({ prompt, provider: key.provider });
    if (cases === undefined || cases.size === 0) continue;
    const accepted = cases.get(key.caseId);
    return accepted === undefined || !isSameCase(accepted.caseHash, caseHash) || countVerdicts(accepted).trials === 0;
  }
  return false;
}
