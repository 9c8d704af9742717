import type { PairedCase } from './pair-cases.ts';
import { tangoInterval } from './proportion-difference.ts';

/** The difference on these very cases, the repeats being the sample; null throughout for no cases. */
export interface SuiteBound {
  /** Repeats the suite amounts to: n²/Σ 1/min(k). */
  readonly effectiveN: number;
  readonly worse: number;
  readonly better: number;
  readonly delta: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Tango's interval on fractional counts: a case counts with the share of its baseline × candidate pairs that differ. */
export function suiteBound(cases: readonly Pick<PairedCase, 'baseline' | 'candidate'>[], alpha: number): SuiteBound {
  const n = cases.length;
  if (n === 0) return { effectiveN: 0, worse: 0, better: 0, delta: null, low: null, high: null };
  let worse = 0;
  let better = 0;
  let inverse = 0;
  for (const { baseline, candidate } of cases) {
    const drops = pairDrops(baseline, candidate);
    worse += drops.worse;
    better += drops.better;
    inverse += 1 / Math.min(baseline.length, candidate.length);
  }
  const effectiveN = (n * n) / inverse;
  const counts = { worse: (worse / n) * effectiveN, better: (better / n) * effectiveN };
  return { effectiveN, ...counts, ...tangoInterval({ ...counts, n: effectiveN }, alpha) };
}

function pairDrops(baseline: readonly number[], candidate: readonly number[]): { worse: number; better: number } {
  let worse = 0;
  let better = 0;
  for (const before of baseline) {
    for (const after of candidate) {
      if (after < before) worse += before - after;
      else better += after - before;
    }
  }
  const pairs = baseline.length * candidate.length;
  return { worse: worse / pairs, better: better / pairs };
}
