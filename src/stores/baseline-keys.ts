import { NumberList } from '../lib/number-list.ts';
import { TextList } from '../lib/text-list.ts';
import { TextNumbers } from '../lib/text-numbers.ts';
import type { BaselineCase } from '../model/baseline.ts';
import { compareKeys } from './baseline-order.ts';

export type CaseKey = Pick<BaselineCase, 'caseId' | 'prompt' | 'provider'>;

/**
 * Finds case lines that stand in a baseline twice. As long as they are sorted, as they are written, none can; from the first
 * that is not on, the keys of all are kept, packed.
 */
export class BaselineKeys {
  readonly #lines = new NumberList(Uint32Array);
  readonly #readKey: (index: number) => CaseKey;
  #last: CaseKey | undefined;
  #known: { readonly numbers: TextNumbers; readonly texts: TextList } | undefined;

  /** `readKey` reads the key of an earlier line again. */
  constructor(readKey: (index: number) => CaseKey) {
    this.#readKey = readKey;
  }

  /** The line that has this key already; undefined where there is none, and the key is known from now on. */
  add(key: CaseKey, line: number): number | undefined {
    if (this.#known === undefined && this.#last !== undefined && compareKeys(this.#last, key) >= 0) this.#indexAll();
    const earlier = this.#known === undefined ? undefined : this.#number(key);
    if (earlier !== undefined) return this.#lines.at(earlier);
    this.#lines.push(line);
    this.#last = key;
    return undefined;
  }

  /** Of the key that was added as the `index`-th. */
  lineOf(index: number): number {
    return this.#lines.at(index);
  }

  #indexAll(): void {
    this.#known = { numbers: new TextNumbers(), texts: new TextList() };
    for (let index = 0; index < this.#lines.length; index += 1) this.#number(this.#readKey(index));
  }

  #number({ caseId, prompt, provider }: CaseKey): number | undefined {
    if (this.#known === undefined) return undefined;
    const { numbers, texts } = this.#known;
    const text = JSON.stringify([caseId, prompt, provider]);
    const earlier = numbers.add(text, (number) => texts.at(number) === text);
    if (earlier === undefined) texts.push(text);
    return earlier;
  }
}
