import { hashText } from '../lib/hash-text.ts';
import { NumberList } from '../lib/number-list.ts';
import type { Cell, CellKey } from '../model/cell.ts';
import type { CellRow } from '../model/record.ts';
import { CellNumbers } from '../record/cell-numbers.ts';
import type { RowPlace, RowPlaces } from '../stores/read-run-record.ts';
import { type CellDetail, CellDetails } from './cell-details.ts';
import type { FindAccepted } from './find-accepted.ts';
import { identify } from './identify.ts';

const flags = { verdict: 1, confirmation: 2, planned: 4, same: 8 };
const nowhere = 0xffff_ffff;
const seeds = [0x811c_9dc5, 0x9e37_79b1] as const;

/** The cells of an earlier part of a run, and which of them would run again exactly as they did; outside of the heap. */
export class EarlierCells {
  readonly #cells = new CellNumbers();
  /** The row of each cell that counts: its last one. */
  #rows = new NumberList(Uint32Array);
  readonly #flags = new NumberList(Uint8Array);
  /** Two hashes of each cell's identity: of one that has changed they agree once in 2^64. */
  #identities = createIdentities();
  #details = new CellDetails();
  #detailNumbers = new NumberList(Uint32Array);
  /** Numbers and trials of fresh cells, by the case that they ask again, as text: there are few. */
  readonly #confirmations = new Map<string, Map<number, number>>();
  /** Of each cell the number of its row in the record that is written anew. */
  #indexes = new Uint32Array(0);
  #doneCells = 0;

  add(row: CellRow, rowIndex: number, isVerdict: boolean): void {
    const number = this.#cells.add(row);
    const isNew = number === this.#rows.length;
    if (isNew) for (const list of [this.#rows, this.#flags, ...this.#identities, this.#detailNumbers]) list.push(0);
    const isConfirmation = row.confirmation === true;
    this.#rows.set(number, rowIndex);
    this.#flags.set(number, (isVerdict ? flags.verdict : 0) | (isConfirmation ? flags.confirmation : 0));
    this.#identities[0].set(number, hashText(row.identity, seeds[0]));
    this.#identities[1].set(number, hashText(row.identity, seeds[1]));
    if (!isConfirmation) return;
    const asked = askedText(row);
    const others = this.#confirmations.get(asked) ?? new Map<number, number>();
    this.#confirmations.set(asked, others.set(number, row.trial));
  }

  /** Told of each cell that is planned now. */
  match(cell: Cell, findAccepted: FindAccepted): void {
    const number = this.#cells.find(cell.key);
    if (number !== undefined) {
      const found = this.#flags.at(number) | flags.planned;
      this.#flags.set(number, found);
      if ((found & flags.verdict) !== 0 && (found & flags.confirmation) === 0) {
        this.#compare(number, cell, cell, findAccepted);
      }
    }
    if (cell.key.trial !== 0 || this.#confirmations.size === 0) return;
    // A fresh trial is what its case's first trial would be under another number, and lies outside the plan.
    for (const [confirmation, trial] of this.#confirmations.get(askedText(cell.key)) ?? []) {
      if ((this.#flags.at(confirmation) & flags.confirmation) === 0) continue;
      const fresh = { ...cell, key: { ...cell.key, trial }, request: { ...cell.request, trial } };
      this.#compare(confirmation, fresh, cell, findAccepted);
    }
  }

  /** Decides what is kept, once every planned cell was matched. */
  keep(): void {
    this.#indexes = new Uint32Array(this.#cells.length).fill(nowhere);
    let rows = 0;
    for (let number = 0; number < this.#indexes.length; number += 1) {
      const found = this.#flags.at(number);
      const isConfirmation = (found & flags.confirmation) !== 0;
      const isWanted = isConfirmation !== ((found & flags.planned) !== 0);
      if (!isWanted || (found & flags.verdict) === 0 || (found & flags.same) === 0) continue;
      this.#indexes[number] = rows;
      rows += 1;
      if (!isConfirmation) this.#doneCells += 1;
    }
  }

  /** Kept cells, fresh trials apart. */
  get doneCells(): number {
    return this.#doneCells;
  }

  /** Where the row of a finished cell stands in the record that is written anew; undefined where it has to run. */
  indexOf(key: CellKey): number | undefined {
    const number = this.#cells.find(key);
    if (number === undefined || (this.#flags.at(number) & flags.confirmation) !== 0) return undefined;
    const index = this.#indexes[number] ?? nowhere;
    return index === nowhere ? undefined : index;
  }

  /** Of the rows that are kept, in the order in which their cells first finished. */
  *places(places: RowPlaces): Generator<RowPlace, undefined> {
    for (let number = 0; number < this.#indexes.length; number += 1) {
      if (this.#indexes[number] === nowhere) continue;
      const place = places.at(this.#rows.at(number));
      if (place !== undefined) yield place;
    }
  }

  /** What a kept row's case says today where no identity holds it. */
  detailOf(key: CellKey): CellDetail | undefined {
    const number = this.#cells.find(key);
    return number === undefined || this.#indexes[number] === nowhere
      ? undefined
      : this.#details.at(this.#detailNumbers.at(number));
  }

  /** Drops what nobody asks for once the record is written anew. */
  forget(): void {
    this.#rows = new NumberList(Uint32Array);
    this.#identities = createIdentities();
    this.#details = new CellDetails();
    this.#detailNumbers = new NumberList(Uint32Array);
    this.#confirmations.clear();
  }

  #compare(number: number, cell: Cell, details: CellDetail, findAccepted: FindAccepted): void {
    const identity = identify(cell, findAccepted);
    const isSame =
      this.#identities[0].at(number) === hashText(identity, seeds[0]) &&
      this.#identities[1].at(number) === hashText(identity, seeds[1]);
    if (!isSame) return;
    this.#flags.set(number, this.#flags.at(number) | flags.same);
    this.#detailNumbers.set(number, this.#details.add(details));
  }
}

function createIdentities() {
  return [new NumberList(Uint32Array), new NumberList(Uint32Array)] as const;
}

/** What a fresh trial asks, and every other of its case. */
function askedText({ suite, prompt, provider, caseId }: CellKey): string {
  return JSON.stringify([suite, prompt, provider, caseId]);
}
