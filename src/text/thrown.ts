/** What a user's code threw, on one line. It may be anything: null, an object without a prototype, a hostile getter. */
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
 * True where a computation ran out of stack: a regex that backtracks through megabytes (V8 keeps its states there), or
 * a walk through a value that is nested too deeply. Of whichever realm the error is.
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
