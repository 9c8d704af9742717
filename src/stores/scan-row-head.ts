import { Buffer } from 'node:buffer';
import type { CellStatus } from '../model/cell.ts';
import type { RowHead } from '../model/record.ts';
import { isMagnitude, isShare, isTrialNumber } from './number-guards.ts';

/** Reads the head of the row at `bytes[start, end)`; undefined where anything in it is other than expected. */
export type ScanRowHead = (bytes: Buffer, start: number, end: number) => RowHead | undefined;

/**
 * Heads as `renderRow` writes them, byte by byte: in a third of the time that JSON.parse and its checks take, and without
 * making the names that every row repeats. It may refuse what is a head all the same, such as one with escapes in a text;
 * whoever asks then parses the line.
 */
export function createHeadScanner(): ScanRowHead {
  const cursor = new HeadCursor();
  return (bytes, start, end) => {
    cursor.open(bytes, start, end);
    return scanHead(cursor);
  };
}

function scanHead(at: HeadCursor): RowHead | undefined {
  if (!at.skip(keys.type)) return undefined;
  const suite = at.skip(keys.suite) ? at.readName(0) : undefined;
  const prompt = at.skip(keys.prompt) ? at.readName(1) : undefined;
  const provider = at.skip(keys.provider) ? at.readName(2) : undefined;
  const caseId = at.skip(keys.caseId) ? at.readText() : undefined;
  const trial = at.skip(keys.trial) ? at.readNumber() : undefined;
  const stamp = at.skip(keys.stamp) ? at.readText() : undefined;
  const status = at.skip(keys.status) ? readStatus(at) : undefined;
  const observe = at.skip(keys.observe) ? true : undefined;
  const mustPass = at.skip(keys.mustPass) ? true : undefined;
  const confirmation = at.skip(keys.confirmation) ? true : undefined;
  const cached = at.skip(keys.cached) ? true : at.skip(keys.notCached) ? false : undefined;
  if (suite === undefined || prompt === undefined || provider === undefined || caseId === undefined) return undefined;
  if (trial === undefined || stamp === undefined || status === undefined || cached === undefined) return undefined;
  // A number that can't be read leaves the cursor where no key follows, so that the head is refused in the end.
  const score = at.skip(keys.score) ? at.readNumber() : undefined;
  const latencyMs = at.skip(keys.latencyMs) ? at.readNumber() : undefined;
  const costUsd = at.skip(keys.costUsd) ? readAmount(at) : undefined;
  const spentUsd = at.skip(keys.spentUsd) ? readAmount(at) : undefined;
  const judgeCostUsd = at.skip(keys.judgeCostUsd) ? readAmount(at) : undefined;
  const answerHash = at.skip(keys.answerHash) ? at.readText() : undefined;
  const answerId = at.skip(keys.answerId) ? at.readText() : undefined;
  const model = at.skip(keys.model) ? at.readName(3) : undefined;
  if (!isTrialNumber(trial) || stamp === '' || !at.skip(keys.identity) || !at.isClosed()) return undefined;
  // What is out of range is damage, which is for the parser to find.
  if (score !== undefined && !isShare(score)) return undefined;
  if (latencyMs !== undefined && !isMagnitude(latencyMs)) return undefined;
  if (!isAmount(costUsd) || !isAmount(spentUsd) || !isAmount(judgeCostUsd)) return undefined;
  return {
    type: 'cell',
    suite,
    prompt,
    provider,
    caseId,
    trial,
    stamp,
    status,
    observe,
    mustPass,
    confirmation,
    cached,
    score,
    latencyMs,
    costUsd,
    spentUsd,
    judgeCostUsd,
    answerHash,
    answerId,
    model,
    skip: undefined,
  };
}

function readStatus(at: HeadCursor): CellStatus | undefined {
  if (at.skip(statuses.passed)) return 'passed';
  if (at.skip(statuses.failed)) return 'failed';
  if (at.skip(statuses.errored)) return 'errored';
  return at.skip(statuses.skipped) ? 'skipped' : undefined;
}

/** Null stands for an amount that is not known. */
function readAmount(at: HeadCursor): number | null | undefined {
  return at.skip(unknown) ? null : at.readNumber();
}

function isAmount(value: number | null | undefined): boolean {
  return value === undefined || value === null || Number.isFinite(value);
}

const keys = {
  type: Buffer.from('{"type":"cell"'),
  suite: Buffer.from(',"suite":"'),
  prompt: Buffer.from(',"prompt":"'),
  provider: Buffer.from(',"provider":"'),
  caseId: Buffer.from(',"caseId":"'),
  trial: Buffer.from(',"trial":'),
  stamp: Buffer.from(',"stamp":"'),
  status: Buffer.from(',"status":"'),
  observe: Buffer.from(',"observe":true'),
  mustPass: Buffer.from(',"mustPass":true'),
  confirmation: Buffer.from(',"confirmation":true'),
  cached: Buffer.from(',"cached":true'),
  notCached: Buffer.from(',"cached":false'),
  score: Buffer.from(',"score":'),
  latencyMs: Buffer.from(',"latencyMs":'),
  costUsd: Buffer.from(',"costUsd":'),
  spentUsd: Buffer.from(',"spentUsd":'),
  judgeCostUsd: Buffer.from(',"judgeCostUsd":'),
  answerHash: Buffer.from(',"answerHash":"'),
  answerId: Buffer.from(',"answerId":"'),
  model: Buffer.from(',"model":"'),
  identity: Buffer.from(',"identity":'),
};
const statuses = {
  passed: Buffer.from('passed"'),
  failed: Buffer.from('failed"'),
  errored: Buffer.from('errored"'),
  skipped: Buffer.from('skipped"'),
};
const unknown = Buffer.from('null');

const quote = 0x22;
const backslash = 0x5c;
const plus = 0x2b;
const minus = 0x2d;
const dot = 0x2e;
const zero = 0x30;
const nine = 0x39;
const lowerE = 0x65;
const closingBrace = 0x7d;
const firstPrintable = 0x20;
const firstBeyondAscii = 0x80;
/** Whole numbers and powers of ten of so many digits are exact, so that one division rounds as it should. */
const maxExactDigits = 15;
const powersOfTen = Array.from({ length: maxExactDigits + 1 }, (_, exponent) => Number(`1e${exponent}`));

interface Name {
  readonly text: string;
  /** As it stood in its row, with the quote that ends it. */
  readonly bytes: Uint8Array;
}

/** A place in a line; what is looked for and not found leaves it where it was. */
class HeadCursor {
  private bytes: Buffer = Buffer.alloc(0);
  private place = 0;
  private end = 0;
  private readonly lastNames: Name[] = [];
  private readonly knownNames = new Map<string, string>();

  open(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.place = start;
    this.end = end;
  }

  /** Whether the line ends as a row does. */
  isClosed(): boolean {
    return this.place < this.end && this.bytes[this.end - 1] === closingBrace;
  }

  /** No line break is expected anywhere, so that nothing is found beyond the line. */
  skip(expected: Uint8Array): boolean {
    const { bytes, place } = this;
    const { length } = expected;
    for (let index = 0; index < length; index += 1) if (bytes[place + index] !== expected[index]) return false;
    this.place = place + length;
    return true;
  }

  /** A text behind its opening quote; undefined where an escape would have to be resolved. */
  readText(): string | undefined {
    const { bytes, place: start } = this;
    let isAscii = true;
    for (let place = start; ; place += 1) {
      const byte = bytes[place] ?? 0;
      if (byte === quote) {
        this.place = place + 1;
        return bytes.toString(isAscii ? 'latin1' : 'utf8', start, place);
      }
      if (byte === backslash || byte < firstPrintable) return undefined;
      if (byte >= firstBeyondAscii) isAscii = false;
    }
  }

  /** A text that most rows have in this very place; one copy is kept of each. */
  readName(slot: number): string | undefined {
    const last = this.lastNames[slot];
    if (last !== undefined && this.skip(last.bytes)) return last.text;
    const start = this.place;
    const text = this.readText();
    if (text === undefined) return undefined;
    const known = this.knownNames.get(text) ?? text;
    this.knownNames.set(known, known);
    this.lastNames[slot] = { text: known, bytes: Uint8Array.prototype.slice.call(this.bytes, start, this.place) };
    return known;
  }

  /** As JSON spells numbers, and rounded as it rounds them. */
  readNumber(): number | undefined {
    const { bytes, place: start } = this;
    const isNegative = bytes[start] === minus;
    const first = isNegative ? start + 1 : start;
    let place = first;
    let mantissa = 0;
    let decimals = 0;
    for (; isDigit(bytes[place]); place += 1) mantissa = mantissa * 10 + (bytes[place] ?? 0) - zero;
    const wholes = place - first;
    if (wholes === 0 || (wholes > 1 && bytes[first] === zero)) return undefined;
    if (bytes[place] === dot) {
      const firstDecimal = place + 1;
      for (place = firstDecimal; isDigit(bytes[place]); place += 1)
        mantissa = mantissa * 10 + (bytes[place] ?? 0) - zero;
      decimals = place - firstDecimal;
      if (decimals === 0) return undefined;
    }
    const digits = wholes + decimals;
    const behind = this.findExponentEnd(place);
    if (behind === undefined) return undefined;
    this.place = behind;
    const isExact = behind === place && digits <= maxExactDigits;
    if (!isExact) return Number(bytes.toString('latin1', start, behind));
    const value = mantissa / (powersOfTen[decimals] ?? 1);
    return isNegative ? -value : value;
  }

  private findExponentEnd(start: number): number | undefined {
    const { bytes } = this;
    if (bytes[start] !== lowerE) return start;
    const sign = bytes[start + 1];
    const firstDigit = sign === plus || sign === minus ? start + 2 : start + 1;
    let place = firstDigit;
    while (isDigit(bytes[place])) place += 1;
    return place === firstDigit ? undefined : place;
  }
}

function isDigit(byte = 0): boolean {
  return byte >= zero && byte <= nine;
}
