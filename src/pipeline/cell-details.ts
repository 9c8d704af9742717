import { NumberList } from '../lib/number-list.ts';
import { TextList } from '../lib/text-list.ts';
import type { Cell } from '../model/cell.ts';

/** What a row says of its case that no identity holds, so that it may have changed since. */
export type CellDetail = Pick<Cell, 'at' | 'tags' | 'description'>;

/** Details of cells outside of the heap; what one after the other has alike is kept once. */
export class CellDetails {
  readonly #files: string[] = [];
  readonly #tags: (readonly string[])[] = [];
  readonly #tagNumbers = new Map<string, number>();
  readonly #descriptions = new TextList();
  readonly #columns = {
    file: new NumberList(Uint32Array),
    line: new NumberList(Uint32Array),
    column: new NumberList(Uint32Array),
    tags: new NumberList(Uint32Array),
    description: new NumberList(Uint32Array),
  };
  #last: CellDetail | undefined;

  /** The number under which the details are found. */
  add({ at, tags, description }: CellDetail): number {
    const last = this.#last;
    // Trials of a case follow each other.
    const isSame = last?.at === at && last.tags === tags && last.description === description;
    if (!isSame) this.#push({ at, tags, description });
    return this.#columns.line.length - 1;
  }

  at(number: number): CellDetail {
    const { file, line, column, tags, description } = this.#columns;
    const ownTags = this.#tags[tags.at(number) - 1];
    const text = description.at(number);
    return {
      at: { file: this.#files[file.at(number)] ?? '', line: line.at(number), column: column.at(number) },
      ...(ownTags === undefined ? {} : { tags: ownTags }),
      ...(text === 0 ? {} : { description: this.#descriptions.at(text - 1) }),
    };
  }

  #push(detail: { readonly [Key in keyof CellDetail]: CellDetail[Key] | undefined } & Pick<CellDetail, 'at'>): void {
    const { at, tags, description } = detail;
    const known = this.#files.lastIndexOf(at.file);
    this.#columns.file.push(known === -1 ? this.#files.push(at.file) - 1 : known);
    this.#columns.line.push(at.line);
    this.#columns.column.push(at.column);
    this.#columns.tags.push(tags === undefined ? 0 : this.#numberTags(tags));
    if (description !== undefined) this.#descriptions.push(description);
    this.#columns.description.push(description === undefined ? 0 : this.#descriptions.length);
    this.#last = {
      at,
      ...(tags === undefined ? {} : { tags }),
      ...(description === undefined ? {} : { description }),
    };
  }

  /** From 1. */
  #numberTags(tags: readonly string[]): number {
    const key = JSON.stringify(tags);
    const known = this.#tagNumbers.get(key);
    if (known !== undefined) return known;
    this.#tags.push(tags);
    this.#tagNumbers.set(key, this.#tags.length);
    return this.#tags.length;
  }
}
