import { NumberList } from '../lib/number-list.ts';
import type { CaseChange } from '../model/case-change.ts';
import type { ComparedCase, ComparedCases } from '../model/comparison.ts';
import type { CaseSummary, SortedCases } from '../model/summary.ts';

/** Cases by their place in the order of their ids. */
export type PlacedCases = Pick<SortedCases, 'size' | 'at'>;

/** A case of both sides by its places there; undefined where a side does not have it. */
export interface CasePlaces {
  readonly baseline: number | undefined;
  readonly candidate: number | undefined;
}

export type CaseFate = Pick<ComparedCase, 'change' | 'suspect' | 'rejudged'>;

/** What became of the cases of two sides in nine bytes each: a hundred thousand objects would be the largest thing in memory. */
export class ComparedCaseList implements ComparedCases {
  readonly #baseline: PlacedCases;
  readonly #candidate: PlacedCases;
  readonly #before = new NumberList(Int32Array);
  readonly #after = new NumberList(Int32Array);
  readonly #fates = new NumberList(Uint8Array);
  #rejudged = 0;

  constructor(baseline: PlacedCases, candidate: PlacedCases) {
    this.#baseline = baseline;
    this.#candidate = candidate;
  }

  get length(): number {
    return this.#fates.length;
  }

  get rejudged(): number {
    return this.#rejudged;
  }

  push({ baseline = nowhere, candidate = nowhere }: CasePlaces, { change, suspect, rejudged }: CaseFate): void {
    this.#before.push(baseline);
    this.#after.push(candidate);
    this.#fates.push(changes.indexOf(change) | (suspect ? suspectFlag : 0) | (rejudged ? rejudgedFlag : 0));
    if (rejudged) this.#rejudged += 1;
  }

  *withChange(change: CaseChange): Generator<ComparedCase, undefined> {
    const wanted = changes.indexOf(change);
    for (let index = 0; index < this.length; index += 1) {
      if ((this.#fates.at(index) & changeMask) === wanted) yield this.#view(index);
    }
  }

  changeOf(caseId: string): CaseChange | undefined {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#view(middle).caseId < caseId) low = middle + 1;
      else high = middle;
    }
    const found = low < this.length ? this.#view(low) : undefined;
    return found?.caseId === caseId ? found.change : undefined;
  }

  *[Symbol.iterator](): Generator<ComparedCase, undefined> {
    for (let index = 0; index < this.length; index += 1) yield this.#view(index);
  }

  #view(index: number): ComparedCase {
    const fate = this.#fates.at(index);
    const [before, after] = [this.#before.at(index), this.#after.at(index)];
    return new ComparedCaseView(
      {
        change: changes[fate & changeMask] ?? 'unjudged',
        suspect: (fate & suspectFlag) !== 0,
        rejudged: (fate & rejudgedFlag) !== 0,
      },
      before === nowhere ? undefined : this.#baseline.at(before),
      after === nowhere ? undefined : this.#candidate.at(after),
    );
  }
}

const nowhere = -1;
const changes: readonly CaseChange[] = [
  'regressed',
  'fixed',
  'stillFailing',
  'stillPassing',
  'flaky',
  'added',
  'removed',
  'redefined',
  'unjudged',
];
const changeMask = 15;
const suspectFlag = 16;
const rejudgedFlag = 32;

/** Few of those who look at a case ask for its id, which is read from a table. */
class ComparedCaseView implements ComparedCase {
  readonly change: CaseChange;
  readonly suspect: boolean;
  readonly rejudged: boolean;
  readonly baseline: CaseSummary | undefined;
  readonly candidate: CaseSummary | undefined;

  constructor(fate: CaseFate, baseline: CaseSummary | undefined, candidate: CaseSummary | undefined) {
    this.change = fate.change;
    this.suspect = fate.suspect;
    this.rejudged = fate.rejudged;
    this.baseline = baseline;
    this.candidate = candidate;
  }

  get caseId(): string {
    return (this.candidate ?? this.baseline)?.caseId ?? '';
  }
}
