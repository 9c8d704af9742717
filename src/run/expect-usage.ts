import type { FindBaseline } from '../baseline/find-baselines.ts';
import type { Baseline, VariantKey } from '../model/baseline.ts';
import type { CellKey } from '../model/cell.ts';
import type { Usage } from '../model/completion.ts';
import type { Suite } from '../model/suite.ts';
import type { CaseSummary } from '../model/summary.ts';

/** What the baseline's answers to a cell used, one usage an answer; of similar cells where it has none to this one. */
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
    const prompts = [prompt, ...(known.replaces.get(prompt) ?? [])];
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
  readonly replaces: ReadonlyMap<string, readonly string[]>;
  readonly baseline: Baseline;
  /** Of all answers of a variant. */
  readonly usagesOf: (key: VariantKey) => readonly Usage[];
}

function describeKnown(suite: Suite, findBaseline: FindBaseline): KnownUsage | undefined {
  const found = findBaseline(suite);
  // A run's own record is as good a baseline for a comparison, but its rows would have to be read whole.
  if (found?.kind !== 'file') return undefined;
  const { baseline } = found;
  const byVariant = new Map<string, readonly Usage[]>();
  return {
    replaces: new Map(
      suite.prompts.map(({ id, replaces: replaced }) => [id, replaced === undefined ? [] : [replaced]]),
    ),
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
