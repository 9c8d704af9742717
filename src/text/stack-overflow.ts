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
