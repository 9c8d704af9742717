import type { LimitReport } from '../model/completion.ts';
import { createSpendingWindow } from './spending-window.ts';

/** Units a period, from a limit set by hand or told by the server. */
export interface RateBudget {
  /** Milliseconds until `amount` may be spent; 0: now. More than fits is let through when nothing else is under way. */
  waitMs(amount: number, nowMs: number): number;
  spend(amount: number, nowMs: number): void;
  /** Corrects an estimate of `atMs` once the true amount is known. */
  adjust(difference: number, atMs: number, nowMs: number): void;
  /** What is in use by this budget's own calls. */
  used(nowMs: number): number;
  /** Takes the server's word; `usedAtSend` is what was in use when the call was sent that brought it. */
  observe(report: LimitReport, usedAtSend: number, nowMs: number): void;
  /** Spreads what is spent evenly from now on: the server refused a burst that its own figures allow. */
  smooth(): void;
}

export interface RateBudgetOptions {
  readonly limit: number;
  readonly periodMs: number;
  /** What may be spent at once, as a share of the limit. */
  readonly burst: number;
  /** Where our own figure is an estimate, the server's is believed in both directions. */
  readonly isEstimate: boolean;
}

/**
 * Holds to three ways of counting at once: a bucket that fills steadily, a window that slides and one that is emptied at
 * fixed times. Spending no more than the limit in any period keeps to all three; the bucket only shapes bursts.
 */
export function createRateBudget({ limit, periodMs, burst, isEstimate }: RateBudgetOptions): RateBudget {
  const window = createSpendingWindow(periodMs);
  const perMs = limit / periodMs;
  let capacity = Math.max(1, limit * burst);
  let level = capacity;
  let filledMs: number | undefined;
  // What others with the same key have used; negative where the server counts less than we do.
  let foreign = 0;
  let foreignAtMs = 0;
  let foreignUntilMs: number | undefined;

  function fill(nowMs: number): void {
    if (filledMs !== undefined) level = Math.min(capacity, level + (nowMs - filledMs) * perMs);
    filledMs = nowMs;
  }

  function foreignAt(nowMs: number): number {
    if (foreign === 0) return 0;
    if (foreignUntilMs !== undefined) return nowMs < foreignUntilMs ? foreign : 0;
    const fadedBy = (nowMs - foreignAtMs) * perMs;
    return foreign > 0 ? Math.max(0, foreign - fadedBy) : Math.min(0, foreign + fadedBy);
  }

  return {
    waitMs(amount, nowMs) {
      fill(nowMs);
      const needed = Math.min(amount, capacity);
      // A thousandth is forgiven: rounding must not turn a due wait into a loop of tiny ones.
      const bucketMs = level + 1e-3 >= needed ? 0 : Math.ceil((needed - level) / perMs);
      const others = foreignAt(nowMs);
      // An amount that never fits goes alone.
      const room = amount > limit ? 0 : limit - others - amount;
      const windowMs = window.waitMs(Math.max(0, room), nowMs);
      const isFitting = windowMs === 0 && room >= 0;
      if (isFitting || others <= 0) return Math.max(bucketMs, windowMs);
      // What others used is forgotten meanwhile.
      const excess = window.used(nowMs) - room;
      const forgetMs = foreignUntilMs === undefined ? Math.ceil(excess / perMs) : foreignUntilMs - nowMs;
      return Math.max(bucketMs, 1, room < 0 ? forgetMs : Math.min(windowMs, forgetMs));
    },
    spend(amount, nowMs) {
      fill(nowMs);
      level -= amount;
      window.add(amount, nowMs);
    },
    adjust(difference, atMs, nowMs) {
      level -= difference;
      window.correct(difference, atMs, nowMs);
    },
    used: (nowMs) => window.used(nowMs),
    observe({ remaining, resetMs }, usedAtSend, nowMs) {
      if (remaining === undefined) return;
      const used = window.used(nowMs);
      // Some servers count when a request comes, others when they answer: the smaller difference holds for both.
      const difference = Math.min(limit - usedAtSend, limit - used) - remaining;
      foreign = isEstimate ? Math.max(-used, difference) : Math.max(0, difference);
      foreignAtMs = nowMs;
      foreignUntilMs = endOfWindow(remaining, resetMs, nowMs);
    },
    smooth() {
      capacity = Math.max(1, limit / 100);
      level = Math.min(level, capacity);
    },
  };

  /**
   * When the server forgets all at once. A reset that only says when its bucket is full again, or always the whole period,
   * is no such time.
   */
  function endOfWindow(remaining: number, resetMs: number | undefined, nowMs: number): number | undefined {
    if (resetMs === undefined || resetMs <= 0 || resetMs >= periodMs * 0.95) return undefined;
    const fullMs = (limit - remaining) / perMs;
    return Math.abs(resetMs - fullMs) < Math.max(periodMs / 60, fullMs * 0.05) ? undefined : nowMs + resetMs;
  }
}
