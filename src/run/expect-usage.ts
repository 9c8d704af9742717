import type { FindBaseline } from '../baseline/find-baselines.ts';
import type { Baseline, VariantKey } from '../model/baseline.ts';
import type { CellKey } from '../model/cell.ts';
import type { Usage } from '../model/completion.ts';
import type { Suite } from '../model/suite.ts';
import type { CaseSummary } from '../model/summary.ts';

export interface ExpectedUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** USD; undefined where no price is known. */
  readonly costUsd: number | undefined;
}

/** What the baseline's answers to a cell used, one usage for each answer; of similar cells where it has none to this one. */
export type ExpectUsage = (key: CellKey) => readonly Usage[];

/**
 * Looks among the baseline's answers: to the same case by the same prompt, else by the prompt that this one replaces, else
 * to all cases by either. A whole conversation counts as one usage. Empty where the baseline knows nothing.
 */
export function createExpectUsage(suites: readonly Suite[], findBaseline: FindBaseline): ExpectUsage {
  const bySuite = new Map(suites.map((suite) => [suite.id, describeKnown(suite, findBaseline)]));
  return ({ suite, prompt, provider, caseId }) => {
    const known = bySuite.get(suite);
    if (known === undefined) return [];
    const prompts = [prompt, known.replaces.get(prompt)].filter((id) => id !== undefined);
    for (const id of prompts) {
      const found = known.baseline.casesOf({ prompt: id, provider }).get(caseId);
      const usages = found === undefined ? [] : usagesOf([found]);
      if (usages.length > 0) return usages;
    }
    for (const id of prompts) {
      const usages = known.usagesOf({ prompt: id, provider });
      if (usages.length > 0) return usages;
    }
    return [];
  };
}

interface KnownUsage {
  readonly replaces: ReadonlyMap<string, string | undefined>;
  readonly baseline: Baseline;
  /** Of all answers of a variant. */
  readonly usagesOf: (key: VariantKey) => readonly Usage[];
}

function describeKnown(suite: Suite, findBaseline: FindBaseline): KnownUsage | undefined {
  const found = findBaseline(suite);
  // The rows of a record would have to be read whole.
  if (found?.kind !== 'file') return undefined;
  const { baseline } = found;
  const byVariant = new Map<string, readonly Usage[]>();
  return {
    replaces: new Map(suite.prompts.map(({ id, replaces }) => [id, replaces])),
    baseline,
    usagesOf(key) {
      const name = JSON.stringify([key.prompt, key.provider]);
      const usages = byVariant.get(name) ?? usagesOf(baseline.casesOf(key).values());
      byVariant.set(name, usages);
      return usages;
    },
  };
}

function usagesOf(cases: Iterable<CaseSummary>): readonly Usage[] {
  const usages: Usage[] = [];
  for (const { trials } of cases) {
    for (const { usage } of trials) if (usage !== undefined) usages.push(usage);
  }
  return usages;
}

/** Adds the mean of what similar answers used. Undefined as soon as nothing is known of one cell. */
export function addExpected(
  sum: ExpectedUsage | undefined,
  usages: readonly Usage[],
  priceOf: (usage: Usage) => number | undefined,
): ExpectedUsage | undefined {
  if (sum === undefined || usages.length === 0) return undefined;
  const costs = usages.map(priceOf);
  const mean = (values: readonly number[]) => values.reduce((total, value) => total + value, 0) / values.length;
  const known = costs.filter((cost) => cost !== undefined);
  return {
    inputTokens: sum.inputTokens + mean(usages.map(({ inputTokens }) => inputTokens)),
    outputTokens: sum.outputTokens + mean(usages.map(({ outputTokens }) => outputTokens)),
    costUsd: sum.costUsd === undefined || known.length < costs.length ? undefined : sum.costUsd + mean(known),
  };
}
