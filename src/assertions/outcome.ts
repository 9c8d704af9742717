import type { CheckOutcome } from './define.ts';

/** An outcome of a check that could be made. */
export type Judged = Exclude<CheckOutcome, { readonly error: string }>;

/** In [0, 1] whatever a check computed. */
export function scoreOf({ pass, score }: Judged): number {
  if (score === undefined || Number.isNaN(score)) return pass ? 1 : 0;
  return Math.min(1, Math.max(0, score));
}

export function joinReasons(outcomes: readonly Judged[]): string {
  const shown = outcomes.slice(0, 5).map(({ reason }) => reason);
  return `${shown.join('; ')}${outcomes.length > 5 ? `; and ${outcomes.length - 5} more` : ''}`;
}
