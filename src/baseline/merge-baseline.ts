import type { BaselineCases, BaselineContent, BaselineVariant, VariantKey } from '../model/baseline.ts';
import { walkCases } from './baseline-order.ts';

export interface MergeOptions {
  /** False where a filter, tag, sample, shard or restriction left cells out: what the run lacks then says nothing. */
  readonly isFull: boolean;
}

/** What a baseline is once a run was accepted: its rows replace those of the same case and variant; only a full run deletes. */
export function mergeBaseline(
  old: BaselineContent | undefined,
  fresh: BaselineContent,
  { isFull }: MergeOptions,
): BaselineContent {
  if (old === undefined || isFull) return fresh;
  const freshCases = new Map(fresh.cases.map((cases) => [variantKey(cases), cases]));
  const kept = old.cases.map((cases) => {
    const replaced = freshCases.get(variantKey(cases));
    return replaced === undefined ? cases : withoutCases(cases, replaced);
  });
  const keptKeys = new Set(kept.filter(hasAny).map(variantKey));
  const onlyFresh = fresh.cases.filter((cases) => !keptKeys.has(variantKey(cases)));
  const merged = kept.filter(hasAny).map((cases) => {
    const added = freshCases.get(variantKey(cases));
    return added === undefined ? cases : unite(cases, added);
  });
  return { suite: fresh.suite, variants: mergeVariants(old, fresh, keptKeys), cases: [...merged, ...onlyFresh] };
}

function mergeVariants(old: BaselineContent, fresh: BaselineContent, keptKeys: ReadonlySet<string>): BaselineVariant[] {
  const merged = new Map(old.variants.map((row) => [variantKey(row), row]));
  for (const row of fresh.variants) {
    const key = variantKey(row);
    const earlier = keptKeys.has(key) ? merged.get(key) : undefined;
    merged.set(key, earlier === undefined ? row : { ...row, models: uniteModels(earlier.models, row.models) });
  }
  return [...merged.values()];
}

/** Where old answers stay beside new ones, the snapshots of both gave the variant's answers. */
function uniteModels(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].sort();
}

function hasAny(cases: BaselineCases): boolean {
  for (const _ of cases.caseIds()) return true;
  return false;
}

function withoutCases(cases: BaselineCases, others: BaselineCases): BaselineCases {
  return keepCases(cases, (caseId) => !others.has(caseId));
}

/** The cases of a variant that a test lets through. */
export function keepCases(cases: BaselineCases, isKept: (caseId: string) => boolean): BaselineCases {
  const { prompt, provider } = cases;
  return {
    prompt,
    provider,
    *caseIds() {
      for (const caseId of cases.caseIds()) if (isKept(caseId)) yield caseId;
    },
    has: (caseId) => isKept(caseId) && cases.has(caseId),
    read: (caseId) => cases.read(caseId),
  };
}

/** The cases of one variant from two places, no case in both. */
function unite(a: BaselineCases, b: BaselineCases): BaselineCases {
  const { prompt, provider } = a;
  return {
    prompt,
    provider,
    *caseIds() {
      for (const { caseId } of walkCases({ cases: [a, b] })) yield caseId;
    },
    has: (caseId) => a.has(caseId) || b.has(caseId),
    read: (caseId) => (a.has(caseId) ? a : b).read(caseId),
  };
}

function variantKey({ prompt, provider }: VariantKey): string {
  return JSON.stringify([prompt, provider]);
}
