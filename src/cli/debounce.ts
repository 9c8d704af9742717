import type { Clock } from '../model/clock.ts';

export interface DebounceOptions {
  /** Quiet time after which what came is handed on. */
  readonly quietMs: number;
  /** What keeps coming is handed on after this long at the latest. */
  readonly maxMs: number;
  readonly clock: Pick<Clock, 'now' | 'startTimer'>;
}

/** Collects what comes in a burst, such as the files of a checkout, and hands it on as one. */
export function createDebounce<T>(
  { quietMs, maxMs, clock }: DebounceOptions,
  onBatch: (items: ReadonlySet<T>) => void,
): { readonly add: (item: T) => void; readonly cancel: () => void } {
  let items = new Set<T>();
  let firstMs = 0;
  let stopTimer: (() => void) | undefined;
  const fire = (): void => {
    stopTimer = undefined;
    const batch = items;
    items = new Set();
    onBatch(batch);
  };
  return {
    add(item) {
      const nowMs = clock.now();
      if (items.size === 0) firstMs = nowMs;
      items.add(item);
      stopTimer?.();
      stopTimer = clock.startTimer(Math.min(quietMs, Math.max(0, firstMs + maxMs - nowMs)), fire);
    },
    cancel: () => stopTimer?.(),
  };
}
