import type { Clock } from '../../src/model/clock.ts';

/** Time that passes only when a test says so. */
export interface ManualClock extends Clock {
  /** Lets time pass, firing what becomes due in its order. */
  advance(ms: number): Promise<void>;
  /** Lets time jump from one due timer to the next until the promise settles. */
  runUntil<T>(promise: Promise<T>): Promise<T>;
  /** What `wait` was asked for, in order. */
  readonly waits: readonly number[];
  /** Timers and waits that are still to come. */
  readonly pending: number;
}

export function createManualClock(): ManualClock {
  let nowMs = 0;
  let timers: { dueMs: number; fire: () => void }[] = [];
  const waits: number[] = [];

  function startTimer(ms: number, fire: () => void): () => void {
    const timer = { dueMs: nowMs + ms, fire };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  }

  async function fireNext(untilMs: number): Promise<boolean> {
    await settleMicrotasks();
    const [next] = timers.toSorted((a, b) => a.dueMs - b.dueMs);
    if (next === undefined || next.dueMs > untilMs) return false;
    timers = timers.filter((other) => other !== next);
    nowMs = Math.max(nowMs, next.dueMs);
    next.fire();
    await settleMicrotasks();
    return true;
  }

  return {
    waits,
    get pending() {
      return timers.length;
    },
    now: () => nowMs,
    startTimer,
    wait(ms, signal) {
      waits.push(ms);
      return new Promise((resolve) => {
        if (signal.aborted || ms <= 0) {
          resolve();
          return;
        }
        const stop = startTimer(ms, finish);
        signal.addEventListener('abort', finish, { once: true });
        function finish() {
          stop();
          signal.removeEventListener('abort', finish);
          resolve();
        }
      });
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      while (await fireNext(untilMs));
      nowMs = untilMs;
    },
    async runUntil(promise) {
      const state = { isSettled: false };
      const watched = promise.finally(() => {
        state.isSettled = true;
      });
      // The caller awaits `watched`; this keeps an early rejection from counting as unhandled until then.
      watched.catch(() => undefined);
      // Code under test may itself yield to the event loop some times before it sets its next timer.
      for (let idleRounds = 0; !state.isSettled; ) {
        idleRounds = (await fireNext(Number.POSITIVE_INFINITY)) ? 0 : idleRounds + 1;
        if (idleRounds > 100) throw new Error(`at ${nowMs} ms nothing is left that could settle the promise`);
      }
      return watched;
    },
  };
}

/** Runs all promise reactions that are due, without real time. */
export function settleMicrotasks(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
