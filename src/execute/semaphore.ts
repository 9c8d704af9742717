/** A counted number of slots, given out first come, first served. */
export interface Semaphore {
  /** Resolves to true with a slot, to false where the signal aborted first. */
  acquire(signal: AbortSignal): boolean | Promise<boolean>;
  release(): void;
  /** May change while slots are out; fewer take effect as slots come back. */
  resize(size: number): void;
  readonly inUse: number;
  readonly size: number;
}

export function createSemaphore(initialSize: number): Semaphore {
  let size = initialSize;
  let inUse = 0;
  const waiting: { resolve: (acquired: boolean) => void; signal: AbortSignal; onAbort: () => void }[] = [];

  function grantWaiting() {
    while (inUse < size) {
      const next = waiting.shift();
      if (next === undefined) return;
      next.signal.removeEventListener('abort', next.onAbort);
      inUse += 1;
      next.resolve(true);
    }
  }

  return {
    get inUse() {
      return inUse;
    },
    get size() {
      return size;
    },
    acquire(signal) {
      if (signal.aborted) return false;
      if (inUse < size) {
        inUse += 1;
        return true;
      }
      return new Promise((resolve) => {
        const entry = {
          resolve,
          signal,
          onAbort: () => {
            waiting.splice(waiting.indexOf(entry), 1);
            resolve(false);
          },
        };
        waiting.push(entry);
        signal.addEventListener('abort', entry.onAbort, { once: true });
      });
    },
    release() {
      inUse -= 1;
      grantWaiting();
    },
    resize(newSize) {
      size = newSize;
      grantWaiting();
    },
  };
}
