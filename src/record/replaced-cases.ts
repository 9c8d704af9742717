import type { CaseSummary, SortedCases } from '../model/summary.ts';

/** Cases of which a few have others in their place; those that stay are not copied. */
export class ReplacedCases implements SortedCases {
  readonly #cases: SortedCases;
  readonly #replaced: ReadonlyMap<string, CaseSummary>;

  /** Each of `replaced` is one of `cases`, too. */
  constructor(cases: SortedCases, replaced: ReadonlyMap<string, CaseSummary>) {
    this.#cases = cases;
    this.#replaced = replaced;
  }

  get size(): number {
    return this.#cases.size;
  }

  get(caseId: string): CaseSummary | undefined {
    return this.#replaced.get(caseId) ?? this.#cases.get(caseId);
  }

  at(place: number): CaseSummary {
    const found = this.#cases.at(place);
    return this.#replaced.get(found.caseId) ?? found;
  }

  has(caseId: string): boolean {
    return this.#cases.has(caseId);
  }

  forEach(visit: (value: CaseSummary, key: string, map: ReadonlyMap<string, CaseSummary>) => void): void {
    for (const found of this.values()) visit(found, found.caseId, this);
  }

  *keys(): Generator<string, undefined> {
    yield* this.#cases.keys();
  }

  *values(): Generator<CaseSummary, undefined> {
    for (const found of this.#cases.values()) yield this.#replaced.get(found.caseId) ?? found;
  }

  *entries(): Generator<[string, CaseSummary], undefined> {
    for (const found of this.values()) yield [found.caseId, found];
  }

  [Symbol.iterator](): Generator<[string, CaseSummary], undefined> {
    return this.entries();
  }
}
