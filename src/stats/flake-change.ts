import { fisherMidP } from './fisher-mid-p.ts';

/** How often two repeats of a case disagreed. */
export interface Disagreements {
  readonly pairs: number;
  readonly disagreements: number;
}

/**
 * Pairs each outcome with its neighbour, none twice: the disagreements of such pairs are independent, each with the chance
 * 2p(1 − p) of a flake, and a lasting change of the pass rate makes at most one of them.
 */
export function countDisagreements(outcomes: readonly boolean[]): Disagreements {
  let [pairs, disagreements] = [0, 0];
  for (let index = 1; index < outcomes.length; index += 2) {
    pairs += 1;
    if (outcomes[index] !== outcomes[index - 1]) disagreements += 1;
  }
  return { pairs, disagreements };
}

/** Two-sided mid-p that a case flakes as often as before, twice the smaller tail; null where one side has no pair. */
export function flakeChangeP(before: Disagreements, after: Disagreements): number | null {
  if (before.pairs === 0 || after.pairs === 0) return null;
  const lower = fisherMidP({
    baselinePasses: before.disagreements,
    baselineN: before.pairs,
    candidatePasses: after.disagreements,
    candidateN: after.pairs,
  });
  return Math.min(1, 2 * Math.min(lower, 1 - lower));
}
