import { cpuUsage } from 'node:process';
import { createContext, Script } from 'node:vm';
import { attempt } from './attempt.ts';

/** A synchronous function did not return in time and was stopped. */
export class DeadlineError extends Error {
  constructor(limitMs: number, options?: ErrorOptions) {
    super(`took longer than ${limitMs} ms`, options);
    this.name = 'DeadlineError';
  }
}

const script = new Script('run()');
let sandbox: { run: (() => unknown) | undefined } | undefined;

/**
 * Runs a synchronous function, closures included, and stops it after `limitMs` of wall time (Node 20 to 26). Costs about
 * 150 µs a call and must not be nested. On a busy machine it may run the function a second time.
 */
export function runWithDeadline<T>(run: () => T, limitMs: number): T {
  const before = cpuUsage();
  const first = attempt(() => ({ value: runOnceWithDeadline(run, limitMs) }), DeadlineError);
  if (!(first instanceof DeadlineError)) return first.value;
  const { user, system } = cpuUsage(before);
  const computedMs = (user + system) / 1000;
  // With less than a quarter of the time, the function was not slow: other programs had the processor.
  if (computedMs > limitMs / 4) throw first;
  const second = attempt(() => ({ value: runOnceWithDeadline(run, busyFactor * limitMs) }), DeadlineError);
  if (second instanceof DeadlineError) throw first;
  return second.value;
}

/** How much more wall time a function gets that other programs kept from computing. */
const busyFactor = 8;

/** Like `runWithDeadline`, for a function that must not be repeated. */
export function runOnceWithDeadline<T>(run: () => T, limitMs: number): T {
  sandbox ??= makeSandbox();
  const outcome: { value?: T } = {};
  sandbox.run = () => {
    outcome.value = run();
  };
  try {
    script.runInContext(sandbox, { timeout: limitMs });
  } catch (error) {
    if (isTimeout(error)) throw new DeadlineError(limitMs, { cause: error });
    throw error;
  } finally {
    sandbox.run = undefined;
  }
  return outcome.value as T;
}

function makeSandbox(): { run: (() => unknown) | undefined } {
  const made: { run: (() => unknown) | undefined } = Object.assign(Object.create(null), { run: undefined });
  createContext(made);
  return made;
}

// The error is made in the sandbox, so it is not an instance of this realm's Error.
function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}

/** Describes a thrown value on one line. It may be anything: null, an object without a prototype, a hostile getter. */
export function describeThrown(error: unknown): string {
  try {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return text.replaceAll(/\s+/g, ' ').slice(0, maxUnits);
  } catch (second) {
    return second instanceof Error ? 'something that has no text' : 'something that throws when it is read';
  }
}

const maxUnits = 400;

/**
 * True if a computation ran out of stack. The cause is a walk through a deeply nested value, or a regex that backtracks
 * through megabytes: V8 keeps its states there. Of whichever realm the error is.
 */
export function isStackOverflow(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'name' in error &&
    error.name === 'RangeError' &&
    'message' in error &&
    error.message === 'Maximum call stack size exceeded'
  );
}

/**
 * Calls `listener` once when the signal aborts, but not if it has aborted before. The returned function removes the
 * listener.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  // A signal that is aborting now would still call a listener that is added meanwhile.
  if (signal.aborted) return () => undefined;
  // A function of its own, because a signal takes the same function only once.
  const own = () => listener();
  signal.addEventListener('abort', own, { once: true });
  return () => signal.removeEventListener('abort', own);
}
