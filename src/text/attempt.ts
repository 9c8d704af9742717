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
