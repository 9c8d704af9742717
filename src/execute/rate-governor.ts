import type { Pace } from './refusal-detector.ts';
import { createSpendingWindow } from './spending-window.ts';

/** Finds the rate of a server that tells no limits, from what it admits and refuses. */
export interface RateGovernor {
  /** Milliseconds until the next call may be sent. */
  waitMs(nowMs: number): number;
  send(nowMs: number): void;
  pace(nowMs: number): Pace;
  /** The call sent at `sentMs` was refused, so it doesn't count as admitted. */
  discount(sentMs: number, nowMs: number): void;
  /** Refusals piled up; nothing is sent before `resumeMs`. */
  slowDown(nowMs: number, resumeMs: number): void;
  /** Refusals have nothing to do with the rate. */
  release(): void;
  /** A call that was sent at `sentMs`, after the last `slowDown`, was admitted. */
  noteAdmitted(sentMs: number, nowMs: number): void;
}

const minuteMs = 60_000;
const recentMs = 4000;
/** What was not sent in time may be sent at once, up to so much. */
const burstMs = 50;
/** From the cut back to the rate at which refusals began, where that is known from a few seconds and from a minute. */
const guessedPlateauMs = 20_000;
const measuredPlateauMs = 60_000;
/** A spell of refusals this long is a window that was used up, not a rate that was too high. */
const windowSpellMs = 3000;
const cut = 0.7;
const nearShare = 0.95;

/**
 * Grows by a cubic curve around the rate at which refusals began, as CUBIC does for congestion windows (RFC 9438): quick
 * far from it, slow near it. Once a whole minute is known, what was admitted in it is the measure.
 */
export function createRateGovernor(): RateGovernor {
  const minute = createSpendingWindow(minuteMs);
  const recent = createSpendingWindow(recentMs);
  let startedMs: number | undefined;
  // A minute tells the rate only if it does not hold the burst with which a server's bucket is emptied first.
  let firstSpellMs: number | undefined;
  let fullPerMs: number | undefined;
  let cutMs = 0;
  let plateauMs = guessedPlateauMs;
  let level = 1;
  let filledMs = 0;
  let spell: { readonly startedMs: number; readonly admitted: number } | undefined;

  function perMs(nowMs: number): number {
    if (fullPerMs === undefined) return Number.POSITIVE_INFINITY;
    const t = (nowMs - cutMs) / plateauMs - 1;
    return fullPerMs * (1 + (1 - cut) * t ** 3);
  }

  function fill(nowMs: number): void {
    const rate = perMs(nowMs);
    level = Math.min(Math.max(1, rate * burstMs), level + Math.max(0, nowMs - filledMs) * rate);
    filledMs = Math.max(filledMs, nowMs);
  }

  return {
    waitMs(nowMs) {
      if (fullPerMs === undefined) return 0;
      fill(nowMs);
      return level >= 0.999 ? 0 : Math.ceil((1 - level) / perMs(nowMs));
    },
    pace(nowMs) {
      const rate = perMs(nowMs);
      return {
        perMs: rate,
        isProven: fullPerMs !== undefined && plateauMs === measuredPlateauMs && rate < fullPerMs * nearShare,
      };
    },
    send(nowMs) {
      startedMs ??= nowMs;
      minute.add(1, nowMs);
      recent.add(1, nowMs);
      if (fullPerMs !== undefined) level -= 1;
    },
    discount(sentMs, nowMs) {
      minute.correct(-1, sentMs, nowMs);
      recent.correct(-1, sentMs, nowMs);
    },
    slowDown(nowMs, resumeMs) {
      const ageMs = nowMs - (startedMs ?? nowMs);
      const admitted = minute.used(nowMs);
      if (spell !== undefined) {
        // Still too much.
        setRate((fullPerMs ?? 1 / minuteMs) * cut, nowMs);
      } else if (nowMs - (firstSpellMs ?? nowMs) >= minuteMs) {
        plateauMs = measuredPlateauMs;
        setRate(Math.min(Math.max(1, admitted) / minuteMs, perMs(nowMs)), nowMs);
      } else {
        plateauMs = guessedPlateauMs;
        const recentPerMs = Math.max(1, recent.used(nowMs)) / Math.min(recentMs, Math.max(250, ageMs));
        setRate(Math.min(recentPerMs, perMs(nowMs)), nowMs);
      }
      spell ??= { startedMs: nowMs, admitted };
      firstSpellMs ??= nowMs;
      level = 1;
      filledMs = resumeMs;
    },
    release() {
      fullPerMs = undefined;
      spell = undefined;
    },
    noteAdmitted(sentMs, nowMs) {
      if (spell === undefined) return;
      // The whole window is open again: what it let through before is what it lets through.
      if (sentMs - spell.startedMs >= windowSpellMs) setRate(Math.max(1, spell.admitted) / minuteMs, nowMs, 0.9);
      spell = undefined;
    },
  };

  function setRate(newFullPerMs: number, nowMs: number, share = cut): void {
    fullPerMs = newFullPerMs;
    // Where on the curve the given share of the full rate lies.
    cutMs = nowMs - plateauMs * (1 - Math.cbrt((1 - share) / (1 - cut)));
  }
}
