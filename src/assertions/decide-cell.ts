import type { CheckSpec, Verdict } from '../model/verdict.ts';

/** What the verdicts say of their cell; errored where a check that counts could not be made. */
export type CellDecision = { readonly passed: boolean; readonly score: number } | { readonly errored: string };

/** A mean of weights such as 0.1 may miss the threshold by a rounding error. */
const rounding = 1e-9;

/**
 * Without a threshold every check with weight above 0 must pass; with one the weighted mean score must reach it. A required
 * check must pass whatever its weight. A failure that decides stands beside a check that could not be made.
 */
export function decideCell(verdicts: readonly Verdict[], threshold: number | undefined): CellDecision {
  const counting = verdicts.filter(counts);
  const judged = counting.filter(({ error }) => error === undefined);
  const score = meanScore(judged);
  const decidesAlone = ({ pass, required }: Verdict) => !pass && (required || threshold === undefined);
  if (judged.some(decidesAlone)) return { passed: false, score };
  const broken = counting.find(({ error }) => error !== undefined);
  if (broken !== undefined) return { errored: `${broken.name ?? broken.assertion}: ${broken.error ?? ''}` };
  return { passed: threshold === undefined || score >= threshold - rounding, score };
}

/** True for a check that decides something: one of weight 0 that is not required is only shown. */
function counts({ weight, required }: Pick<CheckSpec, 'weight' | 'required'>): boolean {
  return weight > 0 || required;
}

/** 1 where no check counts: then nothing was asked that could have failed. */
function meanScore(verdicts: readonly Verdict[]): number {
  const total = verdicts.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return 1;
  return Math.min(1, verdicts.reduce((sum, { weight, score }) => sum + weight * score, 0) / total);
}
