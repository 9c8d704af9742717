/** How long a run waits before it stops; nothing is lost by that. */
export interface Patience {
  readonly redisMs: number;
  readonly workersMs: number;
  /** Then it says that it waits for workers. */
  readonly tellMs: number;
  /** Then it is looked up what became of a call. */
  readonly overdueMs: number;
  /** Between two signs of life. */
  readonly beatMs: number;
}

export const patienceByDefault: Patience = {
  redisMs: 120_000,
  workersMs: 600_000,
  tellMs: 5000,
  overdueMs: 2500,
  beatMs: 2000,
};
