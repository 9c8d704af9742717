/**
 * Calls `listener` once when the signal aborts; the function it returns takes it back. Who makes a signal for many
 * listeners says so to Node, which warns of a leak from the eleventh on.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
