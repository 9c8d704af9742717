import type { LineStart } from '../lib/split-lines.ts';
import type { Case } from '../model/suite.ts';
import { changedError } from './files.ts';
import type { PlacedRow, RowSource } from './row-source.ts';
import { type BuiltCase, createStamper } from './stamp.ts';

type Rebuild = (placed: PlacedRow) => BuiltCase | undefined;

/** The cases of a suite: the first of each source in memory, the others built when they are asked for. */
export class CaseList {
  readonly #parts: CasePart[] = [];

  get count(): number {
    return this.#parts.reduce((sum, { count }) => sum + count, 0);
  }

  open(source: RowSource, rebuild: Rebuild): CasePart {
    const part = new CasePart(source, rebuild);
    this.#parts.push(part);
    return part;
  }

  *iterate(): Generator<Case> {
    for (const part of this.#parts) yield* part.iterate();
  }
}

class CasePart {
  readonly #source: RowSource;
  readonly #rebuild: Rebuild;
  readonly #kept: BuiltCase[] = [];
  readonly #stamp = createStamper();
  #stamped = 0;
  /** Where the rows begin that are not kept, and how many of those that lie there are. */
  #rest: { readonly from: LineStart; readonly skipped: number } | undefined;
  #last: LineStart | undefined;
  #sameStart = 0;
  #count = 0;

  constructor(source: RowSource, rebuild: Rebuild) {
    this.#source = source;
    this.#rebuild = rebuild;
  }

  get count(): number {
    return this.#count;
  }

  /** From a row that is not to be kept on, none of its source is. */
  add(built: BuiltCase, start: LineStart | undefined, isKept: boolean): void {
    this.#count += 1;
    this.#sameStart = start !== undefined && start.offset === this.#last?.offset ? this.#sameStart + 1 : 0;
    this.#last = start;
    if (this.#rest !== undefined) return;
    if (isKept || start === undefined) this.#kept.push(built);
    else this.#rest = { from: start, skipped: this.#sameStart };
  }

  *iterate(): Generator<Case> {
    for (const [index, built] of this.#kept.entries()) {
      if (index < this.#stamped) {
        yield built as Case;
        continue;
      }
      // The object itself: a copy of each would stay beside it. A stamp is hashed once, when it is first asked for.
      yield Object.assign(built, { stamp: this.#stamp(built) });
      this.#stamped = Math.max(this.#stamped, index + 1);
    }
    if (this.#rest !== undefined) yield* this.#readAgain(this.#rest);
  }

  *#readAgain({ from, skipped }: { readonly from: LineStart; readonly skipped: number }): Generator<Case> {
    const source = this.#source;
    if ('rows' in source) return;
    const stamp = createStamper();
    let left = skipped;
    for (const { row } of source.read(() => undefined, { from })) {
      if (left > 0) {
        left -= 1;
        continue;
      }
      const built = this.#rebuild({ row, source });
      if (built === undefined) throw changedError(source.shown);
      yield Object.assign(built, { stamp: stamp(built) });
    }
  }
}
