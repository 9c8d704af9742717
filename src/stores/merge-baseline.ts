import type { Baseline, BaselineCase, BaselineVariant } from '../model/baseline.ts';

export interface MergeOptions {
  /** False where a filter, tag, sample, shard or restriction left cells out: what the run lacks then says nothing. */
  readonly isFull: boolean;
}

/** What a baseline is once a run was accepted: its rows replace those of the same case and variant; only a full run deletes. */
export function mergeBaseline(old: Baseline | undefined, fresh: Baseline, { isFull }: MergeOptions): Baseline {
  if (old === undefined || isFull) return fresh;
  const freshCases = new Set(fresh.cases.map(caseKey));
  const keptCases = old.cases.filter((row) => !freshCases.has(caseKey(row)));
  return {
    suite: fresh.suite,
    variants: mergeVariants(old, fresh, new Set(keptCases.map(variantKey))),
    cases: [...keptCases, ...fresh.cases],
  };
}

function mergeVariants(old: Baseline, fresh: Baseline, keptKeys: ReadonlySet<string>): BaselineVariant[] {
  const merged = new Map(old.variants.map((row) => [variantKey(row), row]));
  for (const row of fresh.variants) {
    const key = variantKey(row);
    const earlier = keptKeys.has(key) ? merged.get(key) : undefined;
    merged.set(key, earlier === undefined ? row : { ...row, models: unite(earlier.models, row.models) });
  }
  return [...merged.values()];
}

/** Where old answers stay beside new ones, the snapshots of both gave the variant's answers. */
function unite(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].sort();
}

function caseKey({ caseId, prompt, provider }: BaselineCase): string {
  return JSON.stringify([caseId, prompt, provider]);
}

function variantKey({ prompt, provider }: { readonly prompt: string; readonly provider: string }): string {
  return JSON.stringify([prompt, provider]);
}
