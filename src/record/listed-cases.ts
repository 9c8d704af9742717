import type { CaseSummary, SortedCases } from '../model/summary.ts';

/** A few cases that are in memory anyway, by id and by place. */
export class ListedCases extends Map<string, CaseSummary> implements SortedCases {
  readonly #sorted: readonly CaseSummary[];

  constructor(cases: Iterable<CaseSummary>) {
    const sorted = [...cases].sort((a, b) => (a.caseId < b.caseId ? -1 : 1));
    super(sorted.map((found) => [found.caseId, found]));
    this.#sorted = sorted;
  }

  at(place: number): CaseSummary {
    const found = this.#sorted[place];
    if (found === undefined) throw new RangeError(`case ${place} of ${this.#sorted.length}`);
    return found;
  }
}
