/** Slots that all endpoints of a run share. */
export interface SharedSlots {
  take(): boolean;
  release(): void;
  /** Calls `wake` once when a slot comes back, in the order of asking. */
  await(wake: () => void): void;
  readonly inUse: number;
}

export function createSharedSlots(size: number): SharedSlots {
  let inUse = 0;
  const waiting = new Set<() => void>();
  return {
    get inUse() {
      return inUse;
    },
    take() {
      if (inUse >= size) return false;
      inUse += 1;
      return true;
    },
    release() {
      inUse -= 1;
      for (const wake of waiting) {
        if (inUse >= size) return;
        // One that finds no use for the slot leaves it to the next.
        waiting.delete(wake);
        wake();
      }
    },
    await(wake) {
      waiting.add(wake);
    },
  };
}
