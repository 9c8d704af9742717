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

/** What a length of n-grams without any match counts as. */
export type BleuSmoothing =
  /** Nothing: the score is 0 (Papineni et al. 2002). */
  | 'none'
  /** One is added to matches and totals of two words and more (Lin and Och 2004). */
  | 'addOne'
  /** 1/2, 1/4 … of a match for each such length in turn (the NIST script's way; Chen and Cherry 2014, method 3). */
  | 'exp';

/**
 * Sentence BLEU (Papineni et al. 2002): the geometric mean of the clipped precisions of 1 to `maxSize` tokens times
 * the brevity penalty against the reference nearest in length. Lengths that the candidate is too short for are left out,
 * unless `addOne` gives them one match of one.
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

/** The length of the longest common subsequence of two lists. Time is the product of the lengths. */
export function measureCommonSubsequence(first: readonly string[], second: readonly string[]): number {
  const numbers = new Map<string, number>();
  const numberOf = (item: string) => {
    const number = numbers.get(item) ?? numbers.size;
    numbers.set(item, number);
    return number;
  };
  const columns = Int32Array.from(second, numberOf);
  // The lengths for the items of `first` so far, with the first 0, 1, 2 … items of `second`.
  const lengths = new Int32Array(second.length + 1);
  for (const item of first) {
    const number = numberOf(item);
    let diagonal = 0;
    for (let column = 0; column < columns.length; column += 1) {
      const above = lengths[column + 1] ?? 0;
      lengths[column + 1] = columns[column] === number ? diagonal + 1 : Math.max(above, lengths[column] ?? 0);
      diagonal = above;
    }
  }
  return lengths.at(-1) ?? 0;
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
  /** Edited characters; where the texts are too long to compare, the least number that is possible. */
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

function countCommonStart(left: string, right: string): number {
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
