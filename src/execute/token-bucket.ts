/** A budget of units a minute that fills steadily. */
export interface TokenBucket {
  /** Milliseconds until `amount` may be taken; 0: taken at once. A larger amount than fits is let through when full. */
  take(amount: number, nowMs: number): number;
  /** Corrects an estimate once the true amount is known; may leave a debt. */
  adjust(difference: number): void;
}

/** Starts with a tenth of a minute's budget, so that a run doesn't open with a burst that the server counts as abuse. */
export function createTokenBucket(perMinute: number): TokenBucket {
  const capacity = Math.max(1, perMinute / 10);
  // With the first tenth inside: no minute sees more than its budget, and a budget of one still fills.
  const perMs = (perMinute + 1 - capacity) / 60_000;
  let level = capacity;
  let updatedMs: number | undefined;
  return {
    take(amount, nowMs) {
      if (updatedMs !== undefined) level = Math.min(capacity, level + (nowMs - updatedMs) * perMs);
      updatedMs = nowMs;
      const needed = Math.min(amount, capacity);
      // A thousandth is forgiven: rounding must not turn a due wait into a loop of tiny ones.
      if (level + 1e-3 >= needed) {
        level -= amount;
        return 0;
      }
      return Math.ceil((needed - level) / perMs);
    },
    adjust(difference) {
      level -= difference;
    },
  };
}
