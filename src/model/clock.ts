import { onAbort } from '../text/deadline.ts';

/** Time as an argument, so that tests need no real waiting. */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls `fire` after `ms` unless the returned function is called before. */
  startTimer(ms: number, fire: () => void): () => void;
}

/** The machine's own clock. Timers of 2^31 ms and more would fire at once, so they are cut. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted || ms <= 0) {
        resolve();
        return;
      }
      const timer = setTimeout(finish, Math.min(ms, maxTimerMs));
      const stopListening = onAbort(signal, finish);
      function finish() {
        clearTimeout(timer);
        stopListening();
        resolve();
      }
    }),
  startTimer: (ms, fire) => {
    const timer = setTimeout(fire, Math.min(ms, maxTimerMs));
    return () => clearTimeout(timer);
  },
};

const maxTimerMs = 2 ** 31 - 1;
