import { describePath, findDifference } from '../json/deep-equal.ts';
import { dropPaths, type PlainStep } from '../json/drop-paths.ts';
import { compileJsonSchema, JsonSchemaError } from '../json/json-schema.ts';
import type { ToolCall } from '../model/completion.ts';
import { quote } from '../text/quote.ts';
import { plainNumbers } from '../text/spelled-number.ts';
import { runBounded } from './check-limit.ts';
import type { AssertionPorts } from './define.ts';
import { describeValue } from './target-text.ts';
import { argumentsOf } from './tool-call-values.ts';

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
