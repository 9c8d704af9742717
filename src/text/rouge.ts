import { measureCommonSubsequence } from './common-subsequence.ts';
import { countNgrams, countSharedNgrams } from './ngrams.ts';

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
