export interface Slots {
  take(signal: AbortSignal): Promise<{ release(): void } | undefined>;
}

/** In the order of asking; undefined where the signal aborts first. */
export function createSlots(size: number): Slots {
  let free = size;
  const waiting: (() => void)[] = [];
  const slot = {
    release() {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
  return {
    take(signal) {
      if (signal.aborted) return Promise.resolve(undefined);
      if (free > 0) {
        free -= 1;
        return Promise.resolve(slot);
      }
      return new Promise((resolve) => {
        const wake = () => {
          signal.removeEventListener('abort', leave);
          resolve(slot);
        };
        const leave = () => {
          waiting.splice(waiting.indexOf(wake), 1);
          resolve(undefined);
        };
        waiting.push(wake);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
  };
}
