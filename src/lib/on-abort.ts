type Listeners = Set<() => void>;

// A signal looks through all its listeners whenever one comes or goes, and a run has hundreds on one signal.
const listenersOf = new WeakMap<AbortSignal, Listeners>();

/** Calls `listener` once when the signal aborts, in no particular order; the function it returns takes it back. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const listeners = listenersOf.get(signal) ?? listen(signal);
  // Of its own for each call, so that the same function can listen twice.
  const entry = () => listener();
  listeners.add(entry);
  return () => {
    listeners.delete(entry);
  };
}

function listen(signal: AbortSignal): Listeners {
  const listeners: Listeners = new Set();
  listenersOf.set(signal, listeners);
  signal.addEventListener(
    'abort',
    () => {
      // Those that a listener takes back are not called any more.
      for (const listener of listeners) listener();
      listeners.clear();
    },
    { once: true },
  );
  return listeners;
}
