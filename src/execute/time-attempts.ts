import { onAbort } from '../lib/on-abort.ts';
import type { Complete, CompletionOutcome, CompletionRequest } from '../model/completion.ts';
import type { Clock } from './clock.ts';

/** One attempt that ends by itself after a time. */
export type TimedAttempt = (
  request: CompletionRequest,
  signal: AbortSignal,
  timeoutMs: number,
) => Promise<TimedOutcome>;

export interface TimedOutcome {
  readonly outcome: CompletionOutcome;
  /** The time limit ended the attempt. */
  readonly isTimeUp: boolean;
  /** From its begin, where it was made: no wait for a slot or a worker. */
  readonly elapsedMs: number;
}

/** Bounds each attempt, whether it is made in the process of the run or in a worker's. */
export function timeAttempts(next: Complete, clock: Clock): TimedAttempt {
  // A signal costs 10 µs to make, and one that never fired can serve the next attempt.
  const spare: AbortController[] = [];
  return async (request, signal, timeoutMs) => {
    const startedMs = clock.now();
    const controller = spare.pop() ?? new AbortController();
    let isTimeUp = false;
    const abort = () => controller.abort(signal.reason);
    // An event that came before this listener would never be heard.
    if (signal.aborted) abort();
    const stopListening = onAbort(signal, abort);
    const stopTimer = clock.startTimer(timeoutMs, () => {
      isTimeUp = true;
      controller.abort(new DOMException('the time limit of the call was reached', 'TimeoutError'));
    });
    try {
      const outcome = await next(request, controller.signal);
      return { outcome, isTimeUp, elapsedMs: clock.now() - startedMs };
    } finally {
      stopTimer();
      stopListening();
      if (!controller.signal.aborted) spare.push(controller);
    }
  };
}
