/** Slots that all accounts of a run share. */
export class SharedSlots {
  readonly #size: number;
  readonly #waiting = new Set<() => void>();
  inUse = 0;

  constructor(size: number) {
    this.#size = size;
  }

  take(): boolean {
    if (this.inUse >= this.#size) return false;
    this.inUse += 1;
    return true;
  }

  release(): void {
    this.inUse -= 1;
    for (const wake of this.#waiting) {
      if (this.inUse >= this.#size) return;
      // One that finds no use for the slot leaves it to the next.
      this.#waiting.delete(wake);
      wake();
    }
  }

  /** Calls `wake` once when a slot comes back, in the order of asking. */
  await(wake: () => void): void {
    this.#waiting.add(wake);
  }
}
