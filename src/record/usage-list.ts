import { NumberList } from '../lib/number-list.ts';
import type { Usage } from '../model/completion.ts';

/** Usages that are only ever added to, outside of the heap: eight bytes each, and four more for each other field that any of them has. */
export class UsageList {
  readonly #columns: (NumberList | undefined)[] = fields.map(() => undefined);
  readonly #odd = new Map<number, Usage>();
  #length = 0;

  push(usage: Usage | undefined): void {
    const index = this.#length;
    this.#length += 1;
    const isOdd = usage !== undefined && !fields.every((field) => isSmall(usage[field]));
    if (isOdd) this.#odd.set(index, usage);
    for (const [column, field] of fields.entries()) {
      const count = isOdd ? undefined : usage?.[field];
      if (count === undefined && this.#columns[column] === undefined) continue;
      this.#columnAt(column, index).push(count ?? none);
    }
  }

  at(index: number): Usage | undefined {
    if (!(index >= 0 && index < this.#length)) throw new RangeError(`${index} of ${this.#length}`);
    const odd = this.#odd.size === 0 ? undefined : this.#odd.get(index);
    if (odd !== undefined) return odd;
    const [inputTokens, outputTokens] = [this.#read(0, index), this.#read(1, index)];
    if (inputTokens === undefined || outputTokens === undefined) return undefined;
    const usage: { -readonly [Field in keyof Usage]: Usage[Field] } = { inputTokens, outputTokens };
    for (let column = 2; column < fields.length; column += 1) {
      const count = this.#read(column, index);
      const field = fields[column];
      if (count !== undefined && field !== undefined) usage[field] = count;
    }
    return usage;
  }

  /** Filled up to `index` with nothing. */
  #columnAt(column: number, index: number): NumberList {
    const known = this.#columns[column] ?? new NumberList(Uint32Array);
    this.#columns[column] = known;
    while (known.length < index) known.push(none);
    return known;
  }

  #read(column: number, index: number): number | undefined {
    const count = this.#columns[column]?.at(index);
    return count === undefined || count === none ? undefined : count;
  }
}

const none = 0xffff_ffff;

const fields = [
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'inputAudioTokens',
  'outputAudioTokens',
] as const satisfies readonly (keyof Usage)[];

/** True for what a column takes. */
function isSmall(count: number | undefined): boolean {
  return count === undefined || (Number.isInteger(count) && count >= 0 && count < none);
}
