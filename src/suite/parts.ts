import type * as z from 'zod';
import { didYouMean } from '../text/did-you-mean.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { checkShape, describeValue } from './describe-issues.ts';
import { childOf, type Located, locate } from './locate.ts';
import type { Problems } from './problems.ts';

type Shape = Readonly<Record<string, z.ZodType>>;

/** Reports a document that is no map; undefined values of a map are what its parts report. */
export function requireMap(located: Located, label: string, problems: Problems): boolean {
  const { value } = located;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return true;
  const found = value === null || value === undefined ? 'empty' : describeValue(value);
  problems.report({
    code: 'invalid-value',
    message: `${label} must be a map of keys, not ${found}`,
    at: locate(located),
  });
  return false;
}

/** Reports the keys of a map that its shape does not know. */
export function checkKeys(located: Located, shape: Shape, label: string, problems: Problems): void {
  const known = Object.keys(shape);
  for (const key of Object.keys(located.value ?? {})) {
    if (Object.hasOwn(shape, key)) continue;
    problems.report({
      code: 'unknown-key',
      message: `unknown key "${key}" in ${label}`,
      hint: didYouMean(key, known) ?? `known here: ${known.join(', ')}`,
      at: locate(childOf(located, key), 'key'),
    });
  }
}

/** Checks one key on its own, so that a mistake in it hides none in another; undefined where it is missing or wrong. */
export function checkPart<Schema extends z.ZodType>(
  parent: Located,
  key: string,
  schema: Schema,
  problems: Problems,
): z.output<Schema> | undefined {
  const part = childOf(parent, key);
  if (part.value === undefined) {
    if (!schema.safeParse(undefined).success) {
      problems.report({ code: 'invalid-value', message: `the key "${key}" is missing`, at: locate(parent) });
    }
    return undefined;
  }
  return checkShape(schema, { ...part, value: plainNumbers(part.value) }, { label: key, problems });
}
