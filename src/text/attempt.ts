/** Returns the function's result, or the thrown error if it has the given class. Rethrows any other error. */
export function attempt<Result, Failure extends Error>(
  run: () => Result,
  failure: abstract new (...args: never[]) => Failure,
): Result | Failure {
  try {
    return run();
  } catch (error) {
    if (error instanceof failure) return error;
    throw error;
  }
}

/**
 * Returns the function's result, or the given value if it throws an error of the given class. Rethrows any other error.
 */
export function attemptOr<Result, Otherwise>(
  run: () => Result,
  failure: abstract new (...args: never[]) => Error,
  otherwise: Otherwise,
): Result | Otherwise {
  const result = attempt(run, failure);
  return result instanceof failure ? otherwise : result;
}
