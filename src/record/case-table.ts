import { sortPlaces } from '../lib/sort-places.ts';
import type { CaseStatus } from '../model/cell.ts';
import type { CaseSummary, RowSummary, SortedCases } from '../model/summary.ts';
import type { RowTable } from './row-table.ts';

/** Passed (all trials), failed (none), flaky (mixed). A failure is certain whatever an errored or skipped trial would have said, a pass is not. */
export function caseStatusOf(trials: readonly Pick<RowSummary, 'status'>[]): CaseStatus {
  // Most cases have one trial, and there are a hundred thousand of them.
  const [only] = trials;
  if (only !== undefined && trials.length === 1) return only.status;
  let [passed, failed, errored, skipped] = [0, 0, 0, 0];
  for (const { status } of trials) {
    if (status === 'passed') passed += 1;
    else if (status === 'failed') failed += 1;
    else if (status === 'errored') errored += 1;
    else skipped += 1;
  }
  return statusOf({ passed, failed, errored, skipped });
}

function statusOf({ passed, failed, errored, skipped }: Readonly<Record<RowSummary['status'], number>>): CaseStatus {
  if (passed > 0 && failed > 0) return 'flaky';
  if (failed > 0) return 'failed';
  if (errored > 0) return 'errored';
  return skipped > 0 || passed === 0 ? 'skipped' : 'passed';
}

/** The cases of a variant by id, sorted; each is a view of the table, made when it is asked for. */
export class CaseTable implements SortedCases {
  readonly #rows: RowTable;
  /** Sorted by case id and trial; of a cell that ran again the last row alone. */
  readonly #order: Uint32Array;
  /** Where each case begins in `order`. */
  readonly #starts: Uint32Array;

  constructor(rows: RowTable, selected: Uint32Array, rankOf: Uint32Array) {
    this.#rows = rows;
    this.#order = dropRepeated(rows, sortRows(rows, selected, rankOf));
    this.#starts = findStarts(rows, this.#order);
  }

  get size(): number {
    return this.#starts.length;
  }

  get(caseId: string): CaseSummary | undefined {
    let [low, high] = [0, this.size];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#idAt(middle) < caseId) low = middle + 1;
      else high = middle;
    }
    return low < this.size && this.#idAt(low) === caseId ? this.#view(low) : undefined;
  }

  at(place: number): CaseSummary {
    if (!(place >= 0 && place < this.size)) throw new RangeError(`case ${place} of ${this.size}`);
    return this.#view(place);
  }

  has(caseId: string): boolean {
    return this.get(caseId) !== undefined;
  }

  /** Rows of all cases together. */
  get rowCount(): number {
    return this.#order.length;
  }

  /** Calls with where the numbers of each case's rows stand, up to before `end`: no object is made for any of them. */
  visitRows(visit: (order: Uint32Array, start: number, end: number) => void): void {
    for (let index = 0; index < this.size; index += 1) {
      visit(this.#order, this.#starts[index] ?? 0, this.#starts[index + 1] ?? this.#order.length);
    }
  }

  forEach(visit: (value: CaseSummary, key: string, map: ReadonlyMap<string, CaseSummary>) => void): void {
    for (const found of this.values()) visit(found, found.caseId, this);
  }

  *keys(): Generator<string, undefined> {
    for (let index = 0; index < this.size; index += 1) yield this.#idAt(index);
  }

  *values(): Generator<CaseSummary, undefined> {
    for (let index = 0; index < this.size; index += 1) yield this.#view(index);
  }

  *entries(): Generator<[string, CaseSummary], undefined> {
    for (let index = 0; index < this.size; index += 1) yield [this.#idAt(index), this.#view(index)];
  }

  [Symbol.iterator](): Generator<[string, CaseSummary], undefined> {
    return this.entries();
  }

  #idAt(index: number): string {
    return this.#rows.caseId(this.#rows.caseNumberAt(this.#order[this.#starts[index] ?? 0] ?? 0));
  }

  #view(index: number): CaseSummary {
    return new CaseView(
      this.#rows,
      this.#order,
      this.#starts[index] ?? 0,
      this.#starts[index + 1] ?? this.#order.length,
    );
  }
}

/** One case of the table. Its rows are made when they are asked for, and kept: who looks at a case looks several times, and then forgets it. */
class CaseView implements CaseSummary {
  readonly #rows: RowTable;
  readonly #order: Uint32Array;
  readonly #start: number;
  readonly #end: number;
  #trials: readonly RowSummary[] | undefined;
  #confirmations: readonly RowSummary[] | undefined;

  constructor(rows: RowTable, order: Uint32Array, start: number, end: number) {
    this.#rows = rows;
    this.#order = order;
    this.#start = start;
    this.#end = end;
  }

  get caseId(): string {
    return this.#rows.caseId(this.#rows.caseNumberAt(this.#first));
  }

  get status(): CaseStatus {
    const counts = { passed: 0, failed: 0, errored: 0, skipped: 0 };
    for (let index = this.#start; index < this.#end; index += 1) {
      const row = this.#order[index] ?? 0;
      if (!this.#rows.isConfirmation(row)) counts[this.#rows.statusAt(row)] += 1;
    }
    return statusOf(counts);
  }

  get observe(): boolean {
    return this.#rows.isObserved(this.#first);
  }

  get mustPass(): boolean {
    return this.#rows.isMustPass(this.#first);
  }

  get stamp(): string {
    return this.#rows.stampAt(this.#first);
  }

  get trials(): readonly RowSummary[] {
    this.#trials ??= this.#select(false);
    return this.#trials;
  }

  get confirmations(): readonly RowSummary[] {
    this.#confirmations ??= this.#select(true);
    return this.#confirmations;
  }

  get #first(): number {
    return this.#order[this.#start] ?? 0;
  }

  #select(confirmation: boolean): readonly RowSummary[] {
    const found: RowSummary[] = [];
    for (let index = this.#start; index < this.#end; index += 1) {
      const row = this.#order[index] ?? 0;
      if (this.#rows.isConfirmation(row) === confirmation) found.push(this.#rows.at(row));
    }
    return found;
  }
}

/** Of each case, its place in the order of their ids. */
export function rankCases(rows: RowTable): Uint32Array {
  const sorted = sortPlaces(rows.caseCount, (first, second) => rows.compareCaseIds(first, second) > 0);
  const ranks = new Uint32Array(sorted.length);
  for (let rank = 0; rank < sorted.length; rank += 1) ranks[sorted[rank] ?? 0] = rank;
  return ranks;
}

/** By case, counted out in time that grows with their number alone, and by trial; rows of one cell stay as they came. */
function sortRows(rows: RowTable, selected: Uint32Array, rankOf: Uint32Array): Uint32Array {
  const starts = new Uint32Array(rankOf.length + 1);
  const rank = (row: number) => rankOf[rows.caseNumberAt(row)] ?? 0;
  for (let index = 0; index < selected.length; index += 1) {
    const after = rank(selected[index] ?? 0) + 1;
    starts[after] = (starts[after] ?? 0) + 1;
  }
  for (let index = 1; index < starts.length; index += 1)
    starts[index] = (starts[index] ?? 0) + (starts[index - 1] ?? 0);
  const ends = starts.slice();
  const sorted = new Uint32Array(selected.length);
  for (let index = 0; index < selected.length; index += 1) {
    const row = selected[index] ?? 0;
    const own = rank(row);
    const first = starts[own] ?? 0;
    let place = ends[own] ?? 0;
    ends[own] = place + 1;
    for (; place > first && rows.trialAt(sorted[place - 1] ?? 0) > rows.trialAt(row); place -= 1) {
      sorted[place] = sorted[place - 1] ?? 0;
    }
    sorted[place] = row;
  }
  return sorted;
}

/** The last row of each cell; in the array that was given. */
function dropRepeated(rows: RowTable, sorted: Uint32Array): Uint32Array {
  let kept = 0;
  for (let index = 0; index < sorted.length; index += 1) {
    const row = sorted[index] ?? 0;
    const next = sorted[index + 1];
    const isRepeated =
      next !== undefined &&
      rows.caseNumberAt(next) === rows.caseNumberAt(row) &&
      rows.trialAt(next) === rows.trialAt(row);
    if (isRepeated) continue;
    sorted[kept] = row;
    kept += 1;
  }
  return kept === sorted.length ? sorted : sorted.slice(0, kept);
}

function findStarts(rows: RowTable, order: Uint32Array): Uint32Array {
  const isFirst = (index: number) =>
    index === 0 || rows.caseNumberAt(order[index] ?? 0) !== rows.caseNumberAt(order[index - 1] ?? 0);
  let count = 0;
  for (let index = 0; index < order.length; index += 1) if (isFirst(index)) count += 1;
  const starts = new Uint32Array(count);
  let filled = 0;
  for (let index = 0; index < order.length; index += 1) {
    if (!isFirst(index)) continue;
    starts[filled] = index;
    filled += 1;
  }
  return starts;
}
