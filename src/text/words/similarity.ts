import { distance } from 'fastest-levenshtein';

/** How often each run of `size` tokens occurs in a list. */
export function countNgrams(tokens: readonly string[], size: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let start = 0; start + size <= tokens.length; start += 1) {
    // Tokens hold no white space, so that different runs differ when joined.
    const ngram = size === 1 ? (tokens[start] ?? '') : tokens.slice(start, start + size).join(' ');
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}

/** The n-grams that two lists share, each as often as it occurs in both. */
export function countSharedNgrams(first: ReadonlyMap<string, number>, second: ReadonlyMap<string, number>): number {
  const [small, large] = first.size <= second.size ? [first, second] : [second, first];
  let shared = 0;
  for (const [ngram, count] of small) shared += Math.min(count, large.get(ngram) ?? 0);
  return shared;
}

/** The count for an n-gram length without a match. */
export type BleuSmoothing =
  /** Nothing: the score is 0 (Papineni et al. 2002). */
  | 'none'
  /** One is added to matches and totals of two words and more (Lin and Och 2004). */
  | 'addOne'
  /** 1/2, 1/4 … of a match for each such length in turn (the NIST script's way; Chen and Cherry 2014, method 3). */
  | 'exp';

/**
 * Sentence BLEU (Papineni et al. 2002): the geometric mean of the clipped precisions of 1 to `maxSize` tokens, times
 * the brevity penalty. The penalty is against the reference nearest in length. Lengths that the candidate is too short
 * for are left out, unless `addOne` gives them one match of one.
 */
export function scoreBleu(
  candidate: readonly string[],
  references: readonly (readonly string[])[],
  smoothing: BleuSmoothing,
  maxSize = 4,
): number {
  // Without one common word, smoothing would score nothing but the length.
  if (countClipped(candidate, references, 1) === 0) return 0;
  const largest = smoothing === 'addOne' ? maxSize : Math.min(maxSize, candidate.length);
  let logSum = 0;
  let unmatched = 0;
  for (let size = 1; size <= largest; size += 1) {
    const extra = smoothing === 'addOne' && size > 1 ? 1 : 0;
    const total = Math.max(0, candidate.length - size + 1) + extra;
    const matched = countClipped(candidate, references, size);
    if (matched === 0 && smoothing === 'exp') unmatched += 1;
    const counted = matched === 0 && smoothing === 'exp' ? 0.5 ** unmatched : matched + extra;
    if (counted === 0) return 0;
    logSum += Math.log(counted / total);
  }
  return penalise(candidate.length, references) * Math.exp(logSum / largest);
}

function countClipped(candidate: readonly string[], references: readonly (readonly string[])[], size: number): number {
  const most = new Map<string, number>();
  for (const reference of references) {
    for (const [ngram, count] of countNgrams(reference, size)) most.set(ngram, Math.max(count, most.get(ngram) ?? 0));
  }
  return countSharedNgrams(countNgrams(candidate, size), most);
}

function penalise(length: number, references: readonly (readonly string[])[]): number {
  const lengths = references.map((reference) => reference.length);
  const nearest = lengths.reduce((best, other) => {
    const [distance, bestDistance] = [Math.abs(other - length), Math.abs(best - length)];
    return distance < bestDistance || (distance === bestDistance && other < best) ? other : best;
  });
  return length >= nearest ? 1 : Math.exp(1 - nearest / length);
}

/**
 * The length of the longest common subsequence of two lists. Bits stand for the items of the shorter one: Hyyrö 2004,
 * "Bit-parallel LCS-length computation revisited". Time is the product of the lengths, divided by the bits of a number.
 */
export function measureCommonSubsequence(first: readonly string[], second: readonly string[]): number {
  const [short, long] = first.length <= second.length ? [first, second] : [second, first];
  const placesOf = new Map<string, Places[]>();
  for (const [index, item] of short.entries()) {
    const places = placesOf.get(item) ?? [];
    placesOf.set(item, places);
    const block = Math.floor(index / blockBits);
    const last = places.at(-1);
    const bit = 1 << (index % blockBits);
    if (last?.block === block) last.bits |= bit;
    else places.push({ block, bits: bit });
  }
  // A bit is 0 if the subsequence is longer with the item than without it.
  const blocks = new Int32Array(Math.ceil(short.length / blockBits)).fill(allBits);
  for (const item of long) {
    const places = placesOf.get(item);
    if (places !== undefined) addItem(blocks, places);
  }
  return blocks.reduce((sum, bits) => sum + countBits(allBits & ~bits), 0);
}

/** The positions of an item in a list, as bits of one block. */
interface Places {
  readonly block: number;
  bits: number;
}

/** Few enough that the sum of two blocks is a small integer. */
const blockBits = 30;
const allBits = 2 ** blockBits - 1;

function addItem(blocks: Int32Array, places: readonly Places[]): void {
  let carry = 0;
  let next = 0;
  for (const { block, bits } of places) {
    if (carry === 1) carry = passCarry(blocks, next, block);
    const before = blocks[block] ?? 0;
    const sum = before + (before & bits) + carry;
    blocks[block] = (sum & allBits) | (before & ~bits);
    carry = sum >>> blockBits;
    next = block + 1;
  }
  if (carry === 1) passCarry(blocks, next, blocks.length);
}

/** Passes a carry through blocks without the item, and returns the final carry. */
function passCarry(blocks: Int32Array, from: number, to: number): number {
  for (let block = from; block < to; block += 1) {
    const bits = blocks[block] ?? 0;
    if (bits === allBits) continue;
    blocks[block] = bits | (bits + 1);
    return 0;
  }
  return 1;
}

function countBits(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count += 1;
  return count;
}

export interface RougeScore {
  readonly precision: number;
  readonly recall: number;
  /** Their harmonic mean: Lin's F with β = 1. */
  readonly f: number;
}

/** ROUGE-N of one reference (Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", section 2). */
export function scoreRougeN(candidate: readonly string[], reference: readonly string[], size: number): RougeScore {
  const shared = countSharedNgrams(countNgrams(candidate, size), countNgrams(reference, size));
  return scoreShared(shared, candidate.length - size + 1, reference.length - size + 1);
}

/** ROUGE-L of one reference, both read as one sentence (Lin 2004, section 3.1). */
export function scoreRougeL(candidate: readonly string[], reference: readonly string[]): RougeScore {
  return scoreShared(measureCommonSubsequence(candidate, reference), candidate.length, reference.length);
}

function scoreShared(shared: number, candidateCount: number, referenceCount: number): RougeScore {
  const precision = candidateCount > 0 ? shared / candidateCount : 0;
  const recall = referenceCount > 0 ? shared / referenceCount : 0;
  return { precision, recall, f: shared === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

export interface EditDistance {
  /** Number of edited characters; the lower bound if the texts are too long to compare. */
  readonly distance: number;
  readonly isExact: boolean;
  /** 1 − distance / the longer length. */
  readonly similarity: number;
  /** Characters of the longer text. */
  readonly longest: number;
}

/** A product of lengths that takes a fifth of a second. */
const maxProduct = 600_000_000;

/** The Levenshtein distance in characters (code points): insertions, deletions and substitutions, each of cost 1. */
export function measureEditDistance(first: string, second: string): EditDistance {
  const [left, right] = /[\ud800-\udfff]/.test(first + second) ? recode(first, second) : [first, second];
  const longest = Math.max(left.length, right.length);
  const start = countCommonStart(left, right);
  const end = countCommonEnd(left, right, start);
  const [leftRest, rightRest] = [left.slice(start, left.length - end), right.slice(start, right.length - end)];
  const isExact = leftRest.length * rightRest.length <= maxProduct;
  const edits = isExact ? distance(leftRest, rightRest) : Math.max(1, Math.abs(left.length - right.length));
  return { distance: edits, isExact, similarity: longest === 0 ? 1 : 1 - edits / longest, longest };
}

/** The distance counts code units, so that each code point is given a unit of its own. */
function recode(first: string, second: string): readonly [string, string] {
  const units = new Map<string, number>();
  const encode = (text: string): string => {
    const codes = Array.from(text, (character) => {
      const unit = units.get(character) ?? units.size % 0x1_00_00;
      units.set(character, unit);
      return String.fromCharCode(unit);
    });
    return codes.join('');
  };
  return [encode(first), encode(second)];
}

/** The code units at the start of two texts that are the same. */
export function countCommonStart(left: string, right: string): number {
  const limit = Math.min(left.length, right.length);
  let count = 0;
  while (count < limit && left.charCodeAt(count) === right.charCodeAt(count)) count += 1;
  return count;
}

function countCommonEnd(left: string, right: string, start: number): number {
  const limit = Math.min(left.length, right.length) - start;
  let count = 0;
  while (count < limit && left.charCodeAt(left.length - 1 - count) === right.charCodeAt(right.length - 1 - count)) {
    count += 1;
  }
  return count;
}
