/** What was spent within the last period, in slots: a little more than that, never less. */
export interface SpendingWindow {
  add(amount: number, nowMs: number): void;
  /** Corrects what was added at `atMs`; of no effect once that is forgotten. */
  correct(difference: number, atMs: number, nowMs: number): void;
  used(nowMs: number): number;
  /** Milliseconds until at most `amount` is in use. */
  waitMs(amount: number, nowMs: number): number;
}

const slotCount = 120;

export function createSpendingWindow(periodMs: number): SpendingWindow {
  const slotMs = periodMs / slotCount;
  // One more than the period has, since the oldest is only partly within it.
  const slots = new Float64Array(slotCount + 1);
  let current = 0;
  let total = 0;

  function moveTo(nowMs: number): void {
    const slot = Math.floor(nowMs / slotMs);
    if (slot <= current) return;
    if (slot - current > slotCount) {
      slots.fill(0);
      total = 0;
    } else {
      for (let passed = current + 1; passed <= slot; passed += 1) {
        total -= at(passed);
        slots[passed % slots.length] = 0;
      }
    }
    current = slot;
  }

  function at(slot: number): number {
    return slots[slot % slots.length] ?? 0;
  }

  function put(amount: number, slot: number): void {
    slots[slot % slots.length] = at(slot) + amount;
    total += amount;
  }

  return {
    add(amount, nowMs) {
      moveTo(nowMs);
      put(amount, current);
    },
    correct(difference, atMs, nowMs) {
      moveTo(nowMs);
      const slot = Math.floor(atMs / slotMs);
      if (current - slot <= slotCount && slot <= current) put(difference, slot);
    },
    used(nowMs) {
      moveTo(nowMs);
      return total;
    },
    waitMs(amount, nowMs) {
      moveTo(nowMs);
      let left = total;
      if (left <= amount) return 0;
      for (let slot = current - slotCount; slot <= current; slot += 1) {
        if (slot < 0) continue;
        left -= at(slot);
        // It is forgotten when the window has moved past it.
        if (left <= amount) return Math.max(1, (slot + slots.length) * slotMs - nowMs);
      }
      return periodMs;
    },
  };
}
