import { NumberList } from '../lib/number-list.ts';
import { TextList } from '../lib/text-list.ts';
import { TextNumbers } from '../lib/text-numbers.ts';
import type { CellKey } from '../model/cell.ts';

/**
 * Numbers cells in the order in which they come, and finds those that came before: thirty bytes a cell and as many for the id
 * of a case, outside of the heap, where a text for each would be the largest thing in it.
 */
export class CellNumbers {
  readonly #variants = new Map<string, number>();
  #last: { readonly key: Pick<CellKey, 'suite' | 'prompt' | 'provider'>; readonly number: number } | undefined;
  readonly #caseIds = new TextList();
  readonly #caseNumbers = new TextNumbers();
  readonly #cells = {
    variant: new NumberList(Uint32Array),
    case: new NumberList(Uint32Array),
    trial: new NumberList(Uint32Array),
  };
  /** The number of a cell plus one where its hash leads; 0 where there is none. */
  #slots = new Uint32Array(1024);

  get length(): number {
    return this.#cells.trial.length;
  }

  /** The cell's number, which is a new one where it did not come before. */
  add(key: CellKey): number {
    const [variant, caseNumber] = [this.#numberVariant(key), this.#numberCase(key.caseId)];
    const slot = this.#findSlot(variant, caseNumber, key.trial);
    const known = this.#slots[slot] ?? 0;
    if (known > 0) return known - 1;
    this.#cells.variant.push(variant);
    this.#cells.case.push(caseNumber);
    this.#cells.trial.push(key.trial);
    this.#slots[slot] = this.length;
    if (this.length * 2 > this.#slots.length) this.#grow();
    return this.length - 1;
  }

  /** Undefined where the cell did not come before. */
  find(key: CellKey): number | undefined {
    const known = this.#slots[this.#findSlot(this.#numberVariant(key), this.#numberCase(key.caseId), key.trial)] ?? 0;
    return known === 0 ? undefined : known - 1;
  }

  /** Where the cell is, or would be. */
  #findSlot(variant: number, caseNumber: number, trial: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashCell(variant, caseNumber, trial) & mask; ; slot = (slot + 1) & mask) {
      const known = this.#slots[slot] ?? 0;
      if (known === 0) return slot;
      const number = known - 1;
      if (
        this.#cells.case.at(number) === caseNumber &&
        this.#cells.trial.at(number) === trial &&
        this.#cells.variant.at(number) === variant
      ) {
        return slot;
      }
    }
  }

  #grow(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let number = 0; number < this.length; number += 1) {
      const { variant, case: caseNumber, trial } = this.#cells;
      let slot = hashCell(variant.at(number), caseNumber.at(number), trial.at(number)) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = number + 1;
    }
  }

  /** Cells of a variant mostly follow each other, so that a text is made for few of them. */
  #numberVariant(key: CellKey): number {
    const { suite, prompt, provider } = key;
    const last = this.#last;
    if (last?.key.suite === suite && last.key.prompt === prompt && last.key.provider === provider) return last.number;
    const name = JSON.stringify([suite, prompt, provider]);
    const number = this.#variants.get(name) ?? this.#variants.size;
    this.#variants.set(name, number);
    this.#last = { key: { suite, prompt, provider }, number };
    return number;
  }

  #numberCase(caseId: string): number {
    const known = this.#caseNumbers.add(caseId, (number) => this.#caseIds.at(number) === caseId);
    if (known !== undefined) return known;
    this.#caseIds.push(caseId);
    return this.#caseIds.length - 1;
  }
}

/** Mixed as MurmurHash3 does it (public domain, A. Appleby). */
function hashCell(variant: number, caseNumber: number, trial: number): number {
  let mixed = 0;
  for (const part of [variant, caseNumber, trial]) {
    const spread = Math.imul(part, 0xcc9e2d51);
    mixed = Math.imul(mixed ^ Math.imul((spread << 15) | (spread >>> 17), 0x1b873593), 5) + 0xe6546b64;
    mixed = (mixed << 13) | (mixed >>> 19);
  }
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
