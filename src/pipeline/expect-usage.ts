import type { BaselineTrial } from '../model/baseline.ts';
import type { CellKey } from '../model/cell.ts';
import type { Usage } from '../model/completion.ts';
import type { Suite } from '../model/suite.ts';
import type { FindBaseline } from './find-baselines.ts';

/** What the baseline's answers to a cell used, one usage an answer; of similar cells where it has none to this one. */
export type ExpectUsage = (key: CellKey) => readonly Usage[];

/**
 * Looks among the baseline's answers: to the same case by the same prompt, else by the prompt that this one replaces, else
 * to all cases by either. A whole conversation counts as one usage. Empty where the baseline knows nothing.
 */
export function createExpectUsage(suites: readonly Suite[], findBaseline: FindBaseline): ExpectUsage {
  const bySuite = new Map(suites.map((suite) => [suite.id, indexBaseline(suite, findBaseline)]));
  return ({ suite, prompt, provider, caseId }) => {
    const known = bySuite.get(suite);
    if (known === undefined) return [];
    const prompts = [prompt, ...(known.replaces.get(prompt) ?? [])];
    for (const id of prompts) {
      const usages = known.byCase.get(JSON.stringify([id, provider, caseId]));
      if (usages !== undefined) return usages;
    }
    for (const id of prompts) {
      const usages = known.byVariant.get(JSON.stringify([id, provider]));
      if (usages !== undefined) return usages;
    }
    return [];
  };
}

interface KnownUsage {
  readonly replaces: ReadonlyMap<string, readonly string[]>;
  readonly byCase: ReadonlyMap<string, readonly Usage[]>;
  readonly byVariant: ReadonlyMap<string, readonly Usage[]>;
}

function indexBaseline(suite: Suite, findBaseline: FindBaseline): KnownUsage {
  const replaces = new Map(
    suite.prompts.map(({ id, replaces: replaced }) => [id, replaced === undefined ? [] : [replaced]]),
  );
  const byCase = new Map<string, readonly Usage[]>();
  const byVariant = new Map<string, Usage[]>();
  const found = findBaseline(suite);
  // A run's own record is as good a baseline for a comparison, but its rows would have to be read whole.
  for (const { prompt, provider, caseId, trials } of found?.kind === 'file' ? found.baseline.cases : []) {
    const usages = trials.flatMap(({ usage }: BaselineTrial) => usage ?? []);
    if (usages.length === 0) continue;
    byCase.set(JSON.stringify([prompt, provider, caseId]), usages);
    const variant = JSON.stringify([prompt, provider]);
    const known = byVariant.get(variant);
    if (known === undefined) byVariant.set(variant, [...usages]);
    else known.push(...usages);
  }
  return { replaces, byCase, byVariant };
}
