import type { LineStart } from '../../files/split-lines.ts';
import type { Case } from '../../model/suite.ts';
import { changedError } from '../files/project-files.ts';
import { type BuiltCase, createStamper } from './case-hash.ts';
import type { PlacedRow, RowSource } from './read-cases.ts';

type Rebuild = (placed: PlacedRow) => BuiltCase | undefined;

/** The cases of a suite: in memory, or built when they are asked for. */
export class CaseList {
  readonly #parts: CasePart[] = [];
  #isReleased = false;

  get count(): number {
    return this.#parts.reduce((sum, { count }) => sum + count, 0);
  }

  /** Keeps no case in memory that can be read again, from now on. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    for (const part of this.#parts) part.release();
  }

  open(source: RowSource, rebuild: Rebuild): CasePart {
    const part = new CasePart(source, rebuild);
    if (this.#isReleased) part.release();
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
  /** Undefined where they are read again. */
  #kept: BuiltCase[] | undefined = [];
  readonly #stamp = createStamper();
  #stamped = 0;
  #first: LineStart | undefined;
  #count = 0;

  constructor(source: RowSource, rebuild: Rebuild) {
    this.#source = source;
    this.#rebuild = rebuild;
  }

  get count(): number {
    return this.#count;
  }

  release(): void {
    if (!('rows' in this.#source)) this.#kept = undefined;
  }

  add(built: BuiltCase, start: LineStart | undefined): void {
    if (this.#count === 0) this.#first = start;
    this.#count += 1;
    this.#kept?.push(built);
  }

  *iterate(): Generator<Case> {
    if (this.#kept === undefined) {
      yield* this.#readAgain();
      return;
    }
    for (const [index, built] of this.#kept.entries()) {
      if (index < this.#stamped) {
        yield built as Case;
        continue;
      }
      // The object itself: a copy of each would stay beside it. A stamp is hashed once, when it is first asked for.
      yield Object.assign(built, { stamp: this.#stamp(built) });
      this.#stamped = Math.max(this.#stamped, index + 1);
    }
  }

  *#readAgain(): Generator<Case> {
    const source = this.#source;
    const from = this.#first;
    if ('rows' in source || from === undefined) return;
    const stamp = createStamper();
    for (const { row } of source.read(() => undefined, { from })) {
      const built = this.#rebuild({ row, source });
      if (built === undefined) throw changedError(source.shown);
      yield Object.assign(built, { stamp: stamp(built) });
    }
  }
}
