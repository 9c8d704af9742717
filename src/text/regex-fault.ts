/** What V8 says of a pattern with flags that it knows; undefined where it compiles. */
export function findRegexFault(pattern: string, flags = ''): string | undefined {
  try {
    return new RegExp(pattern, flags) instanceof RegExp ? undefined : 'not a regular expression';
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return error.message;
  }
}

/** What is wrong with a pattern whatever its flags are. */
export function findFaultOfAnyMode(pattern: string): string | undefined {
  const fault = findRegexFault(pattern);
  if (fault === undefined) return undefined;
  return ['u', 'v'].every((mode) => findRegexFault(pattern, mode) !== undefined) ? fault : undefined;
}
