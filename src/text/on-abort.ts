import { setMaxListeners } from 'node:events';

/** Calls `listener` once when the signal aborts; the function it returns takes it back. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  // A run has hundreds of listeners on one signal, which Node would warn of as a leak.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
