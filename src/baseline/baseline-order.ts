import type { BaselineCase, BaselineCases, BaselineContent } from '../model/baseline.ts';

/** By code units: the same on every machine, which no locale's order is. */
export function compareVariants(
  a: { readonly prompt: string; readonly provider: string },
  b: { readonly prompt: string; readonly provider: string },
): number {
  return compareTexts(a.prompt, b.prompt) || compareTexts(a.provider, b.provider);
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Where a case is to be had. */
export interface CasePlace {
  readonly caseId: string;
  readonly cases: BaselineCases;
}

/** Every case in the order of a baseline's lines, without reading any. */
export function* walkCases({ cases }: Pick<BaselineContent, 'cases'>): Generator<CasePlace, undefined> {
  const heads = cases
    .toSorted(compareVariants)
    .map((variant) => ({ variant, ids: variant.caseIds()[Symbol.iterator]() }))
    .map(({ variant, ids }) => ({ variant, ids, next: ids.next() }));
  for (;;) {
    let first: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (head.next.done === true) continue;
      // Of the same case the variants come in their own order.
      if (first === undefined || head.next.value < (first.next.value ?? '')) first = head;
    }
    if (first === undefined || first.next.done === true) return;
    const caseId = first.next.value;
    first.next = first.ids.next();
    yield { caseId, cases: first.variant };
  }
}

/** Every case whole, in the order of a baseline's lines, one at a time. */
export function* readCases(content: Pick<BaselineContent, 'cases'>): Generator<BaselineCase, undefined> {
  for (const { caseId, cases } of walkCases(content)) yield cases.read(caseId);
}

/** Different case ids, and the rows of all variants together. */
export function countCases(content: Pick<BaselineContent, 'cases'>): { readonly ids: number; readonly rows: number } {
  let [ids, rows] = [0, 0];
  let last: string | undefined;
  for (const { caseId } of walkCases(content)) {
    rows += 1;
    if (caseId !== last) ids += 1;
    last = caseId;
  }
  return { ids, rows };
}
