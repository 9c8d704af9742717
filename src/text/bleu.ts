import { countNgrams, countSharedNgrams } from './ngrams.ts';

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
