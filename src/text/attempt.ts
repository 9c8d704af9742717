/** What a function returns, or the error of the given class that it throws. Any other error goes on. */
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

/** What a function returns, or the given value where it throws an error of the given class. Any other error goes on. */
export function attemptOr<Result, Otherwise>(
  run: () => Result,
  failure: abstract new (...args: never[]) => Error,
  otherwise: Otherwise,
): Result | Otherwise {
  const result = attempt(run, failure);
  return result instanceof failure ? otherwise : result;
}
