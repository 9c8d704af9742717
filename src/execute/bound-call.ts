import { onAbort } from '../lib/on-abort.ts';
import type { Clock } from './clock.ts';

/** Calls with a signal that also ends the call after a time. */
export async function boundCall<T>(
  run: (signal: AbortSignal) => Promise<T>,
  { clock, signal, timeoutMs }: { readonly clock: Clock; readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  const stopListening = onAbort(signal, abort);
  const stopTimer = clock.startTimer(timeoutMs, () => {
    controller.abort(new DOMException(`no answer within ${timeoutMs / 1000} s`, 'TimeoutError'));
  });
  try {
    return await run(controller.signal);
  } finally {
    stopTimer();
    stopListening();
  }
}
