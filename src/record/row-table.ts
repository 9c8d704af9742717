import { parseHexWords, renderHexWord } from '../lib/hash-words.ts';
import { TextList } from '../lib/text-list.ts';
import { TextNumbers } from '../lib/text-numbers.ts';
import type { CellStatus, SkipReason } from '../model/cell.ts';
import type { CellRow, RowHead } from '../model/record.ts';
import type { RowSummary } from '../model/summary.ts';
import { answerHashOf } from './hash-answer.ts';
import { decodeAmount, encodeAmount, NumberColumn } from './number-column.ts';
import { RowView } from './row-view.ts';
import { StampList } from './stamp-list.ts';

const statuses: readonly CellStatus[] = ['passed', 'failed', 'errored', 'skipped'];
/** By their numbers; typed so that none can be forgotten. */
const skipNumbers: Readonly<Record<SkipReason, number>> = {
  case: 1,
  budget: 2,
  deadline: 3,
  bail: 4,
  interrupted: 5,
  storage: 6,
  queue: 7,
};
const skipReasons: readonly (SkipReason | undefined)[] = [undefined, ...(Object.keys(skipNumbers) as SkipReason[])];
const flags = {
  observe: 1,
  mustPass: 2,
  confirmation: 4,
  cached: 8,
  /** What most rows have, so that it needs no number: their own number in the record, and no bill or the whole cost. */
  ownIndex: 16,
  spentNothing: 32,
  spentCost: 64,
};

/** What a row says of the variant it is of. */
type VariantNames = Pick<RowSummary, 'suite' | 'prompt' | 'provider'>;

const chunkBits = 12;
const chunkRows = 1 << chunkBits;

/** Where the fields of a row lie in its bytes. */
const at = {
  score: 0,
  latencyMs: 8,
  costUsd: 16,
  case: 24,
  trial: 28,
  hashHigh: 32,
  hashLow: 36,
  idHigh: 40,
  idLow: 44,
  variant: 48,
  model: 50,
  status: 52,
  flags: 53,
  skip: 54,
};
const rowBytes = 56;

/**
 * What counting, comparing and deciding need of the rows of a record, outside of the heap: some sixty bytes a row, where
 * an object would take four hundred and have to be walked by every garbage collection.
 */
export class RowTable implements Iterable<RowSummary> {
  readonly #chunks: DataView[] = [];
  #length = 0;
  readonly #variants: VariantNames[] = [];
  readonly #variantNumbers = new Map<string, number>();
  readonly #models: (string | undefined)[] = [undefined];
  readonly #caseIds: TextList;
  readonly #caseNumbers: TextNumbers;
  /** Of the first row of each case, and of those rows that have another one. */
  readonly #stamps: StampList;
  readonly #otherStamps = new Map<number, string>();
  /** As they came, where texts are kept: rendered anew they would take a tenth of a comparison. */
  readonly #keptHashes: (string | undefined)[] | undefined;
  /** Of rows without an answer, and hashes of another form. */
  readonly #otherHashes = new Map<number, string | undefined>();
  /** What the flags don't say. */
  readonly #rowIndexes = new NumberColumn();
  readonly #spentUsd = new NumberColumn();
  readonly #judgeCostUsd = new NumberColumn();
  #lastVariant = 0;

  /** Texts of up to `maxKeptCases` cases stay on the heap, where they are found in less time. */
  constructor(maxKeptCases?: number) {
    this.#caseIds = new TextList(maxKeptCases);
    this.#caseNumbers = new TextNumbers(maxKeptCases);
    this.#stamps = new StampList(maxKeptCases);
    this.#keptHashes = maxKeptCases === undefined ? undefined : [];
  }

  get length(): number {
    return this.#length;
  }

  /** Different case ids so far. */
  get caseCount(): number {
    return this.#caseIds.length;
  }

  /** Forgets the rows and keeps their memory for those of another record; who has views of them must not look again. */
  clear(): void {
    this.#length = 0;
    this.#variants.length = 0;
    this.#variantNumbers.clear();
    this.#models.length = 1;
    this.#lastVariant = 0;
    if (this.#keptHashes !== undefined) this.#keptHashes.length = 0;
    const parts = [this.#caseIds, this.#caseNumbers, this.#stamps, this.#otherStamps, this.#otherHashes];
    for (const part of [...parts, this.#rowIndexes, this.#spentUsd, this.#judgeCostUsd]) part.clear();
  }

  /** Takes what is needed of a head or a whole row. */
  add(row: RowHead & Pick<CellRow, 'output' | 'toolCalls'>, rowIndex: number): void {
    this.#addRow(row, {
      flags:
        flagIf(row.observe, flags.observe) |
        flagIf(row.mustPass, flags.mustPass) |
        flagIf(row.confirmation, flags.confirmation) |
        flagIf(row.cached, flags.cached),
      skipReason: row.skip?.reason,
      answerHash: answerHashOf(row),
      rowIndex,
    });
  }

  /** Under another index where one is given. */
  addSummary(row: RowSummary, rowIndex = row.rowIndex): void {
    const { observe, mustPass, confirmation, cached, skipReason, answerHash } = row;
    this.#addRow(row, {
      flags:
        flagIf(observe, flags.observe) |
        flagIf(mustPass, flags.mustPass) |
        flagIf(confirmation, flags.confirmation) |
        flagIf(cached, flags.cached),
      skipReason,
      answerHash,
      rowIndex,
    });
  }

  /** A view: what it says is read from the table when it is asked for. */
  at(row: number): RowSummary {
    if (row >= this.#length) throw new RangeError(`row ${row} of ${this.length}`);
    return new RowView(this, row);
  }

  variantAt(row: number): VariantNames {
    const found = this.#variants[this.#viewOf(row).getUint16(startOf(row) + at.variant)];
    if (found === undefined) throw new RangeError(`row ${row} of ${this.length}`);
    return found;
  }

  answerHashAt(row: number): string | undefined {
    if (this.#keptHashes !== undefined) return this.#keptHashes[row];
    if (this.#otherHashes.size > 0 && this.#otherHashes.has(row)) return this.#otherHashes.get(row);
    const view = this.#viewOf(row);
    const start = startOf(row);
    return renderHexWord(view.getUint32(start + at.hashHigh)) + renderHexWord(view.getUint32(start + at.hashLow));
  }

  /** Zero stands for none: the ids are hashes. */
  answerIdAt(row: number): string | undefined {
    const high = this.#viewOf(row).getUint32(startOf(row) + at.idHigh);
    return high === 0
      ? undefined
      : renderHexWord(high) + renderHexWord(this.#viewOf(row).getUint32(startOf(row) + at.idLow));
  }

  modelAt(row: number): string | undefined {
    return this.#models[this.#viewOf(row).getUint16(startOf(row) + at.model)];
  }

  rowIndexAt(row: number): number {
    return this.#hasFlag(row, flags.ownIndex) ? row : this.#rowIndexes.at(row);
  }

  caseNumberAt(row: number): number {
    return this.#viewOf(row).getUint32(startOf(row) + at.case);
  }

  /** The id of a case by its number. */
  caseId(number: number): string {
    return this.#caseIds.at(number);
  }

  /** By the numbers of two cases, what a sort of their ids asks. */
  compareCaseIds(first: number, second: number): number {
    return this.#caseIds.compare(first, second);
  }

  trialAt(row: number): number {
    return this.#viewOf(row).getUint32(startOf(row) + at.trial);
  }

  statusAt(row: number): CellStatus {
    return statuses[this.#viewOf(row).getUint8(startOf(row) + at.status)] ?? 'skipped';
  }

  stampAt(row: number): string {
    const other = this.#otherStamps.size === 0 ? undefined : this.#otherStamps.get(row);
    return other ?? this.#stamps.at(this.caseNumberAt(row));
  }

  scoreAt(row: number): number | undefined {
    return decodeAmount(this.#viewOf(row).getFloat64(startOf(row) + at.score)) ?? undefined;
  }

  latencyMsAt(row: number): number | undefined {
    return decodeAmount(this.#viewOf(row).getFloat64(startOf(row) + at.latencyMs)) ?? undefined;
  }

  costUsdAt(row: number): number | null | undefined {
    return decodeAmount(this.#viewOf(row).getFloat64(startOf(row) + at.costUsd));
  }

  spentUsdAt(row: number): number | null | undefined {
    if (this.#hasFlag(row, flags.spentNothing)) return 0;
    return this.#hasFlag(row, flags.spentCost) ? this.costUsdAt(row) : decodeAmount(this.#spentUsd.at(row));
  }

  judgeCostUsdAt(row: number): number | null | undefined {
    return decodeAmount(this.#judgeCostUsd.at(row));
  }

  skipReasonAt(row: number): SkipReason | undefined {
    return skipReasons[this.#viewOf(row).getUint8(startOf(row) + at.skip)];
  }

  isCached(row: number): boolean {
    return this.#hasFlag(row, flags.cached);
  }

  isObserved(row: number): boolean {
    return this.#hasFlag(row, flags.observe);
  }

  isMustPass(row: number): boolean {
    return this.#hasFlag(row, flags.mustPass);
  }

  isConfirmation(row: number): boolean {
    return this.#hasFlag(row, flags.confirmation);
  }

  /** The numbers of the rows of a variant, in the order in which they came. */
  rowsOf(names: VariantNames): Uint32Array {
    const wanted = this.#variantNumbers.get(variantKey(names));
    const isOf = (row: number) => this.#viewOf(row).getUint16(startOf(row) + at.variant) === wanted;
    let count = 0;
    for (let row = 0; row < this.length; row += 1) if (isOf(row)) count += 1;
    const rows = new Uint32Array(count);
    let filled = 0;
    for (let row = 0; row < this.length; row += 1) {
      if (!isOf(row)) continue;
      rows[filled] = row;
      filled += 1;
    }
    return rows;
  }

  *[Symbol.iterator](): Generator<RowSummary> {
    for (let row = 0; row < this.length; row += 1) yield this.at(row);
  }

  #addRow(
    row: Omit<RowHead, 'skip' | 'answerHash' | 'type' | 'observe' | 'mustPass' | 'confirmation'>,
    derived: Pick<RowSummary, 'skipReason' | 'answerHash' | 'rowIndex'> & { readonly flags: number },
  ): void {
    const number = this.#length;
    if (number === this.#chunks.length * chunkRows)
      this.#chunks.push(new DataView(new ArrayBuffer(chunkRows * rowBytes)));
    this.#length = number + 1;
    const view = this.#viewOf(number);
    const start = startOf(number);
    const caseNumber = this.#numberCase(row.caseId);
    if (caseNumber === this.#stamps.length) this.#stamps.push(row.stamp);
    else if (this.#stamps.at(caseNumber) !== row.stamp) this.#otherStamps.set(number, row.stamp);
    view.setFloat64(start + at.score, encodeAmount(row.score));
    view.setFloat64(start + at.latencyMs, encodeAmount(row.latencyMs));
    view.setFloat64(start + at.costUsd, encodeAmount(row.costUsd));
    view.setUint32(start + at.case, caseNumber);
    view.setUint32(start + at.trial, row.trial);
    view.setUint16(start + at.variant, this.#numberVariant(row));
    view.setUint16(start + at.model, this.#numberModel(row.model));
    view.setUint8(start + at.status, statuses.indexOf(row.status));
    view.setUint8(start + at.flags, derived.flags | this.#setRare(number, row, derived.rowIndex));
    view.setUint8(start + at.skip, derived.skipReason === undefined ? 0 : skipNumbers[derived.skipReason]);
    this.#setId(view, start, row.answerId);
    if (this.#keptHashes === undefined) this.#setHash(number, view, derived.answerHash);
    else this.#keptHashes.push(derived.answerHash);
  }

  /** Says by flags what most rows have, and puts what few have into columns of their own. */
  #setRare(
    number: number,
    { costUsd, spentUsd, judgeCostUsd }: Pick<RowHead, 'costUsd' | 'spentUsd' | 'judgeCostUsd'>,
    rowIndex: number,
  ): number {
    if (judgeCostUsd !== undefined) this.#judgeCostUsd.set(number, encodeAmount(judgeCostUsd));
    const isOwn = rowIndex === number;
    if (!isOwn) this.#rowIndexes.set(number, rowIndex);
    const index = isOwn ? flags.ownIndex : 0;
    // A zero has a sign, which would be lost otherwise.
    if (Object.is(spentUsd, 0)) return index | flags.spentNothing;
    if (Object.is(spentUsd, costUsd)) return index | flags.spentCost;
    if (spentUsd !== undefined) this.#spentUsd.set(number, encodeAmount(spentUsd));
    return index;
  }

  /** One of another form is not ours, and no answer is taken for it. */
  #setId(view: DataView, start: number, id: string | undefined): void {
    const [high, low] = parseHexWords(id) ?? [0, 0];
    view.setUint32(start + at.idHigh, high);
    view.setUint32(start + at.idLow, low);
  }

  #setHash(row: number, view: DataView, hash: string | undefined): void {
    const words = parseHexWords(hash);
    if (words === undefined) this.#otherHashes.set(row, hash);
    view.setUint32(startOf(row) + at.hashHigh, words?.[0] ?? 0);
    view.setUint32(startOf(row) + at.hashLow, words?.[1] ?? 0);
  }

  #viewOf(row: number): DataView {
    const view = this.#chunks[row >>> chunkBits];
    if (view === undefined) throw new RangeError(`row ${row} of ${this.length}`);
    return view;
  }

  #hasFlag(row: number, flag: number): boolean {
    return (this.#viewOf(row).getUint8(startOf(row) + at.flags) & flag) !== 0;
  }

  #numberCase(caseId: string): number {
    const known = this.#caseNumbers.add(caseId, (number) => this.#caseIds.at(number) === caseId);
    if (known !== undefined) return known;
    this.#caseIds.push(caseId);
    return this.#caseIds.length - 1;
  }

  /** Rows of a variant mostly follow each other, so that a key is made for few of them. */
  #numberVariant({ suite, prompt, provider }: VariantNames): number {
    const last = this.#variants[this.#lastVariant];
    if (last?.suite === suite && last.prompt === prompt && last.provider === provider) return this.#lastVariant;
    const key = variantKey({ suite, prompt, provider });
    const known = this.#variantNumbers.get(key) ?? this.#variants.length;
    if (known === this.#variants.length) {
      this.#variants.push({ suite, prompt, provider });
      this.#variantNumbers.set(key, known);
    }
    this.#lastVariant = known;
    return known;
  }

  #numberModel(model: string | undefined): number {
    const known = this.#models.indexOf(model);
    return known === -1 ? this.#models.push(model) - 1 : known;
  }
}

function flagIf(value: boolean | undefined, flag: number): number {
  return value === true ? flag : 0;
}

function startOf(row: number): number {
  return (row & (chunkRows - 1)) * rowBytes;
}

function variantKey({ suite, prompt, provider }: VariantNames): string {
  return JSON.stringify([suite, prompt, provider]);
}
