import { quote } from '../text/shorten.ts';
import { plainNumbers } from '../text/yaml/exact-numbers.ts';
import { describePath, describeValue, findDifference } from './deep-equal.ts';
import { compileJsonSchema } from './json-schema.ts';
import { parseJson } from './parse-json.ts';
import type { ArgumentMatch } from './plain-path.ts';
import { dropPaths } from './plain-path.ts';
import { JsonSchemaError } from './schema-errors.ts';

export interface ArgumentMismatch {
  readonly reason: string;
  /** Set if the comparison can't be made. */
  readonly error?: string;
}

/** Runs a computation, under a deadline unless it is cheap. */
export type RunBounded = <T>(cheap: boolean, run: () => T) => T;

/** Why a call's arguments are not the wanted ones; undefined if they are. */
export function findArgumentMismatch(
  wanted: ArgumentMatch,
  rawArguments: string,
  runBounded: RunBounded,
): ArgumentMismatch | undefined {
  if (wanted.args === undefined && wanted.schema === undefined) return undefined;
  const parsed = parseJson(rawArguments);
  if (!parsed.ok) return { reason: `its arguments are not JSON, ${quote(rawArguments)}` };
  if (wanted.args !== undefined) {
    const { ignore = [] } = wanted;
    const [expected, seen] = [dropPaths(plainNumbers(wanted.args), ignore), dropPaths(parsed.value, ignore)];
    const difference = findDifference(expected, seen, wanted.compare === 'subset');
    if (difference !== undefined) {
      return {
        reason: `${describePath(difference.path)} of its arguments: expected ${describeValue(difference.expected)}, found ${describeValue(difference.found)}`,
      };
    }
  }
  if (wanted.schema === undefined) return undefined;
  return findViolation(wanted.schema, parsed.value, rawArguments.length, runBounded);
}

function findViolation(
  schema: unknown,
  found: unknown,
  textLength: number,
  runBounded: RunBounded,
): ArgumentMismatch | undefined {
  try {
    const compiled = compileJsonSchema(schema);
    const violation = runBounded(compiled.isCheap(textLength), () => compiled.findViolation(found));
    return violation === undefined ? undefined : { reason: `${violation.path} of its arguments ${violation.message}` };
  } catch (error) {
    if (!(error instanceof JsonSchemaError)) throw error;
    return { reason: error.message, error: error.message };
  }
}
