import { describePath, findDifference } from '../../json/deep-equal.ts';
import { compileJsonSchema } from '../../json/json-schema.ts';
import { JsonSchemaError } from '../../json/schema-errors.ts';
import type { ToolCall } from '../../model/completion.ts';
import { plainNumbers, SpelledNumber } from '../../text/exact-numbers.ts';
import { quote } from '../../text/shorten.ts';
import { runBounded } from '../check-limit.ts';
import type { AssertionPorts } from '../define.ts';
import { argumentsOf, describeValue } from '../targets.ts';

/** What a call is compared with. */
export interface Wanted {
  readonly name: string;
  readonly args?: Readonly<Record<string, unknown>> | undefined;
  readonly compare: 'subset' | 'exact';
  readonly schema?: unknown;
  /** Paths in the arguments that are not compared. */
  readonly ignore?: readonly (readonly PlainStep[])[] | undefined;
}

export interface CallMismatch {
  readonly reason: string;
  /** Set where the comparison can't be made. */
  readonly error?: string;
}

/** Why a call is not the wanted one; undefined where it is. */
export function findMismatch(wanted: Wanted, call: ToolCall, ports: AssertionPorts): CallMismatch | undefined {
  if (call.name !== wanted.name) return { reason: `the call is of ${quote(call.name, 60)}` };
  if (wanted.args === undefined && wanted.schema === undefined) return undefined;
  const found = argumentsOf(call);
  if (found === undefined) return { reason: `its arguments are not JSON, ${quote(call.rawArguments)}` };
  if (wanted.args !== undefined) {
    const { ignore = [] } = wanted;
    const [expected, seen] = [dropPaths(plainNumbers(wanted.args), ignore), dropPaths(found, ignore)];
    const difference = findDifference(expected, seen, wanted.compare === 'subset');
    if (difference !== undefined) {
      return {
        reason: `${describePath(difference.path)} of its arguments: expected ${describeValue(difference.expected)}, found ${describeValue(difference.found)}`,
      };
    }
  }
  return wanted.schema === undefined ? undefined : findViolation(wanted.schema, found, call.rawArguments.length, ports);
}

function findViolation(
  schema: unknown,
  found: unknown,
  textLength: number,
  ports: AssertionPorts,
): CallMismatch | undefined {
  try {
    const compiled = compileJsonSchema(schema);
    const violation = runBounded(compiled.isCheap(textLength), ports, () => compiled.findViolation(found));
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
