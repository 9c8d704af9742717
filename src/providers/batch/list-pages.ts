/** A bound on looking for one batch among all of an account. */
export const maxPages = 20;

/** Clocks of two machines differ. */
const toleranceMs = 3_600_000;

/** True where a batch can't be one that was handed in at `startedAt` or later. */
export function isFromBefore(createdMs: number | undefined, startedAt: string): boolean {
  return createdMs !== undefined && !Number.isNaN(createdMs) && createdMs < Date.parse(startedAt) - toleranceMs;
}
