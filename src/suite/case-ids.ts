import { NumberList } from '../lib/number-list.ts';
import type { LineStart } from '../lib/split-lines.ts';
import { TextNumbers } from '../lib/text-numbers.ts';
import { childOf, type Located, locate } from './locate.ts';
import type { Problems } from './problems.ts';
import type { PlacedRow, RowSource } from './row-source.ts';

/** Told of the id of every case, with its row; `isOwn` where it was written there. */
export type RegisterId = (id: string, isOwn: boolean, placed: PlacedRow) => void;

/** Reports the ids that come twice. */
export function createRegister(
  problems: Problems,
  sources: readonly RowSource[],
  idOf: (row: Located) => string | undefined,
): RegisterId {
  const numbers = new TextNumbers();
  const places = new RowPlaces(sources, idOf);
  let repeated = 0;
  return (id, isOwn, { row, source, start }) => {
    let first: Located | undefined;
    const known = numbers.add(id, (number) => {
      // A row is read again to be sure of it, until there are more problems than anybody is shown.
      if (repeated > maxComparedRows) return true;
      first = places.rowAt(number, id);
      return first !== undefined;
    });
    if (known === undefined) {
      places.add(row, source, start);
      return;
    }
    repeated += 1;
    const at = first === undefined ? undefined : locate(first);
    const where = at === undefined ? '' : ` (the first at ${at.file}:${at.line})`;
    problems.report({
      code: 'duplicate-id',
      message: isOwn
        ? `two cases have the id "${id}"${where}`
        : `two cases have the same vars and turns, and so the id "${id}"${where}`,
      hint: isOwn ? 'every case of a suite needs an id of its own' : 'remove one, or give each an id',
      at: locate(isOwn ? childOf(row, 'id') : row),
    });
  };
}

const maxComparedRows = 100;

/** Where rows lie: those in memory by themselves, those of a file by numbers alone. */
class RowPlaces {
  readonly #sources: readonly RowSource[];
  readonly #indexes: ReadonlyMap<RowSource, number>;
  readonly #idOf: (row: Located) => string | undefined;
  readonly #inMemory = new Map<number, Located>();
  readonly #sourceIndexes = new NumberList(Uint32Array);
  readonly #offsets = new NumberList(Float64Array);
  readonly #lines = new NumberList(Uint32Array);

  constructor(sources: readonly RowSource[], idOf: (row: Located) => string | undefined) {
    this.#sources = sources;
    this.#indexes = new Map(sources.map((source, index) => [source, index]));
    this.#idOf = idOf;
  }

  add(row: Located, source: RowSource, start: LineStart | undefined): void {
    if (start === undefined) this.#inMemory.set(this.#lines.length, row);
    this.#sourceIndexes.push(this.#indexes.get(source) ?? 0);
    this.#offsets.push(start?.offset ?? 0);
    this.#lines.push(start?.number ?? 0);
  }

  /** The row with a number, counted from 0; undefined where it has another id. */
  rowAt(number: number, id: string): Located | undefined {
    const known = this.#inMemory.get(number);
    if (known !== undefined) return this.#idOf(known) === id ? known : undefined;
    const source = this.#sources[this.#sourceIndexes.at(number)];
    if (source === undefined || 'rows' in source) return undefined;
    const from = { offset: this.#offsets.at(number), number: this.#lines.at(number) };
    for (const { row, start } of source.read(() => undefined, { from })) {
      if (start.offset !== from.offset) return undefined;
      if (this.#idOf(row) === id) return row;
    }
    return undefined;
  }
}
