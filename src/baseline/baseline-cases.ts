import type { BaselineCase, BaselineCases, BaselineContent, BaselineVariant, VariantKey } from '../model/baseline.ts';
import { compareText } from '../text/compare-text.ts';
import { isSameVariant, poolCase } from './pool-trials.ts';

export interface MergeOptions {
  /** False where the run left cells out by a filter, tag, sample, shard or restriction: rows that it lacks are kept then. */
  readonly isFull: boolean;
  /** True for a case that counts only by this run, whatever earlier runs showed of it. */
  readonly beginsAgain?: (key: VariantKey, caseId: string) => boolean;
}

/** The baseline after a run was accepted: its trials are counted with those of the same case, variant and checks. Only a full run deletes rows. */
export function mergeBaseline(
  old: BaselineContent | undefined,
  accepted: BaselineContent,
  { isFull, beginsAgain = () => false }: MergeOptions,
): BaselineContent {
  if (old === undefined) return accepted;
  const variants = new Map(old.variants.map((row) => [variantKey(row), row]));
  const isSame = new Map(
    accepted.variants.map((row) => {
      const before = variants.get(variantKey(row));
      return [variantKey(row), before === undefined || isSameVariant(before, row)];
    }),
  );
  const rows = new Map(old.cases.map((cases) => [variantKey(cases), cases]));
  const pooled = accepted.cases.map((cases) => {
    const before = rows.get(variantKey(cases));
    if (before === undefined || isSame.get(variantKey(cases)) !== true) return cases;
    return poolCases(before, cases, (caseId) => beginsAgain(cases, caseId));
  });
  if (isFull) return { ...accepted, cases: pooled };
  const added = new Map(pooled.map((cases) => [variantKey(cases), cases]));
  const kept = new Map(
    old.cases
      .map((cases) => keepCases(cases, (caseId) => added.get(variantKey(cases))?.has(caseId) !== true))
      .map((cases) => (isSame.get(variantKey(cases)) === false ? markCases(cases) : cases))
      .filter((cases) => [...cases.caseIds()].length > 0)
      .map((cases) => [variantKey(cases), cases]),
  );
  return {
    suite: accepted.suite,
    variants: mergeVariants(old, accepted, new Set(kept.keys())),
    cases: [
      ...[...kept].map(([key, cases]) => unite(cases, added.get(key))),
      ...pooled.filter((cases) => !kept.has(variantKey(cases))),
    ],
  };
}

/** The accepted cases, each with what was counted before. Rows are read when they are written. */
function poolCases(
  old: BaselineCases,
  accepted: BaselineCases,
  beginsAgain: (caseId: string) => boolean,
): BaselineCases {
  return {
    ...accepted,
    read(caseId) {
      const row = accepted.read(caseId);
      return old.has(caseId) && !beginsAgain(caseId) ? poolCase(old.read(caseId), row) : row;
    },
  };
}

/** Cases that stay although their variant has changed: trials of the new one must not be counted with theirs. */
function markCases(cases: BaselineCases): BaselineCases {
  return { ...cases, read: (caseId) => ({ ...cases.read(caseId), otherVariant: true }) };
}

function mergeVariants(
  old: BaselineContent,
  accepted: BaselineContent,
  keptKeys: ReadonlySet<string>,
): BaselineVariant[] {
  const merged = new Map(old.variants.map((row) => [variantKey(row), row]));
  for (const row of accepted.variants) {
    const key = variantKey(row);
    // Where old answers are kept beside new ones, the variant's answers came from the snapshots of both.
    const models = keptKeys.has(key) ? [...(merged.get(key)?.models ?? []), ...row.models] : row.models;
    merged.set(key, { ...row, models: [...new Set(models)].sort() });
  }
  return [...merged.values()];
}

/** The cases of a variant without those that fail a test. */
export function keepCases(cases: BaselineCases, isKept: (caseId: string) => boolean): BaselineCases {
  const { prompt, provider } = cases;
  return {
    prompt,
    provider,
    caseIds: () => [...cases.caseIds()].filter(isKept),
    has: (caseId) => isKept(caseId) && cases.has(caseId),
    read: (caseId) => cases.read(caseId),
  };
}

/** The cases of one variant from two places; no case is in both. */
function unite(a: BaselineCases, b: BaselineCases | undefined): BaselineCases {
  if (b === undefined) return a;
  const { prompt, provider } = a;
  return {
    prompt,
    provider,
    caseIds: () => [...a.caseIds(), ...b.caseIds()].sort(),
    has: (caseId) => a.has(caseId) || b.has(caseId),
    read: (caseId) => (a.has(caseId) ? a : b).read(caseId),
  };
}

export function variantKey({ prompt, provider }: VariantKey): string {
  return JSON.stringify([prompt, provider]);
}

/** Orders by code units, which is the same on every machine. */
export function compareVariants(a: VariantKey, b: VariantKey): number {
  return compareText(a.prompt, b.prompt) || compareText(a.provider, b.provider);
}

/** Every case in the order of a baseline's lines, read one at a time. */
export function* readCases(content: Pick<BaselineContent, 'cases'>): Generator<BaselineCase, undefined> {
  for (const { caseId, cases } of listCases(content)) yield cases.read(caseId);
}

/** Different case ids, and the rows of all variants together. */
export function countCases(content: Pick<BaselineContent, 'cases'>): { readonly ids: number; readonly rows: number } {
  const cases = listCases(content);
  return { ids: new Set(cases.map(({ caseId }) => caseId)).size, rows: cases.length };
}

interface ListedCase {
  readonly caseId: string;
  readonly cases: BaselineCases;
}

/** By case id, and by variant within a case. */
function listCases({ cases }: Pick<BaselineContent, 'cases'>): readonly ListedCase[] {
  return cases
    .toSorted(compareVariants)
    .flatMap((variant) => Array.from(variant.caseIds(), (caseId) => ({ caseId, cases: variant })))
    .sort((a, b) => compareText(a.caseId, b.caseId));
}
