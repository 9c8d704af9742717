import { plainNumbers, SpelledNumber } from '../text/exact-numbers.ts';
import { quote } from '../text/shorten.ts';
import { describePath, findDifference } from './deep-equal.ts';
import { describeValue } from './describe-value.ts';
import { compileJsonSchema } from './json-schema.ts';
import { parseJson } from './parse-json.ts';
import { JsonSchemaError } from './schema-errors.ts';

/** What the arguments of a tool call are compared with. */
export interface ArgumentMatch {
  readonly args?: Readonly<Record<string, unknown>> | undefined;
  /** `subset`: there may be further arguments. */
  readonly compare: 'subset' | 'exact';
  readonly schema?: unknown;
  /** Paths in the arguments that are not compared. */
  readonly ignore?: readonly (readonly PlainStep[])[] | undefined;
}

export interface ArgumentMismatch {
  readonly reason: string;
  /** Set where the comparison can't be made. */
  readonly error?: string;
}

/** Runs a computation, under a deadline unless it is cheap. */
export type RunBounded = <T>(cheap: boolean, run: () => T) => T;

/** Why a call's arguments are not the wanted ones; undefined where they are. */
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

/** A step of a plain path: a key, an index, or any of them. */
export type PlainStep = string | number | typeof anyStep;

const anyStep = Symbol('*');

const stepPattern = /^(?:\.([A-Za-z_][\w-]*|\*)|\[(\d{1,9}|\*|'[^']*'|"[^"]*")\])/;

/** Reads a path of names, indexes and `*`, such as `$.items[*].id`; undefined for any other JSONPath. */
export function parsePlainPath(path: string): readonly PlainStep[] | undefined {
  if (!path.startsWith('$') || path.length === 1) return undefined;
  const steps: PlainStep[] = [];
  for (let rest = path.slice(1); rest !== ''; ) {
    const match = stepPattern.exec(rest);
    if (match === null) return undefined;
    const [text, name, bracket = ''] = match;
    if ((name ?? bracket) === '*') steps.push(anyStep);
    else if (name !== undefined) steps.push(name);
    else steps.push(/^\d/.test(bracket) ? Number(bracket) : bracket.slice(1, -1));
    rest = rest.slice(text.length);
  }
  return steps;
}

/** A copy of a JSON value without what the paths lead to. An item of a list becomes null, so that the others keep their places. */
export function dropPaths(value: unknown, paths: readonly (readonly PlainStep[])[]): unknown {
  return paths.reduce((rest, path) => drop(rest, path), value);
}

function drop(value: unknown, [step, ...rest]: readonly PlainStep[]): unknown {
  if (step === undefined || typeof value !== 'object' || value === null || value instanceof SpelledNumber) return value;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => {
      if (step !== anyStep && step !== index) return item;
      return rest.length === 0 ? null : drop(item, rest);
    });
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
      if (step !== anyStep && step !== key) return [[key, item]];
      return rest.length === 0 ? [] : [[key, drop(item, rest)]];
    }),
  );
}
