import type { Clock } from '../model/clock.ts';
import type { Complete, CompletionOutcome, CompletionRequest } from '../model/run/completion.ts';
import { onAbort } from '../text/deadline.ts';

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
  /** Time since it was sent, without the wait for a slot or a worker. */
  readonly elapsedMs: number;
}

/** Bounds each attempt, whether it is made in the process of the run or in a worker's. */
export function timeAttempts(next: Complete, clock: Clock): TimedAttempt {
  return async (request, signal, timeoutMs) => {
    const startedMs = clock.now();
    const run = (bounded: AbortSignal) => next(request, bounded);
    const { result, isTimeUp } = await boundCall(run, { clock, signal, timeoutMs });
    return { outcome: result, isTimeUp, elapsedMs: clock.now() - startedMs };
  };
}

/** Calls with a signal that also ends the call after a time. */
export async function boundCall<T>(
  run: (signal: AbortSignal) => Promise<T>,
  { clock, signal, timeoutMs }: { readonly clock: Clock; readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<{ readonly result: T; readonly isTimeUp: boolean }> {
  const controller = new AbortController();
  let isTimeUp = false;
  const abort = () => controller.abort(signal.reason);
  // The listener below misses an earlier event.
  if (signal.aborted) abort();
  const stopListening = onAbort(signal, abort);
  const stopTimer = clock.startTimer(timeoutMs, () => {
    isTimeUp = true;
    controller.abort(new DOMException(`no answer within ${timeoutMs / 1000} s`, 'TimeoutError'));
  });
  try {
    const result = await run(controller.signal);
    return { result, isTimeUp };
  } finally {
    stopTimer();
    stopListening();
  }
}
