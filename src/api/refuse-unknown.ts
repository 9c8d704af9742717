import { UserError } from '../model/errors.ts';
import type { Problem } from '../model/problem.ts';
import { didYouMean } from '../text/did-you-mean.ts';

/** One member for each key of a type, so that the compiler finds a key that is missing here. */
export type Keys<T> = Readonly<Record<keyof Required<T>, true>>;

/** Throws a `UserError` for keys that mean nothing: a misspelt option would be ignored in silence. */
export function refuseUnknown(given: object, known: Readonly<Record<string, true>>, what: string): void {
  const names = Object.keys(known);
  const problems = Object.keys(given)
    .filter((key) => !Object.hasOwn(known, key))
    .map((key): Problem => {
      const hint = didYouMean(key, names) ?? `there are: ${names.join(', ')}`;
      return { code: 'unknown-key', severity: 'error', message: `${what} has no option "${key}"`, hint };
    });
  if (problems.length > 0) throw new UserError(problems);
}
