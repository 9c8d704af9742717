/** Far more than any case has: a larger number is damage. */
const maxTrial = 0xffff_ffff;

/** Of a repetition, from 0. */
export function isTrialNumber(value: unknown): value is number {
  return isCount(value) && value <= maxTrial;
}

/** Tokens, turns and trials are whole and never negative. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** Scores and shares, in [0, 1]. */
export function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

/** Durations and weights: finite, and never negative. */
export function isMagnitude(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
}
