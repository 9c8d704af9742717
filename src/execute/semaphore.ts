import { onAbort } from '../lib/on-abort.ts';

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
  const waiting: { readonly resolve: (acquired: boolean) => void; stopListening(): void }[] = [];

  function grantWaiting() {
    while (inUse < size) {
      const next = waiting.shift();
      if (next === undefined) return;
      next.stopListening();
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
        const stopListening = onAbort(signal, () => {
          waiting.splice(waiting.indexOf(entry), 1);
          resolve(false);
        });
        const entry = { resolve, stopListening };
        waiting.push(entry);
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
