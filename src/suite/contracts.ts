import { DeadlineError, runWithDeadline } from '../lib/deadline.ts';
import type { CompiledSchema } from '../lib/json-schema.ts';
import { plainNumbers } from '../lib/spelled-number.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { Contract } from '../model/suite.ts';
import { childOf, type Located, locate } from './locate.ts';
import type { Problems } from './problems.ts';

export interface ContractContext {
  readonly problems: Problems;
  /** The content of a JSON or YAML file that a value names. */
  readonly readFile: (namedBy: Located<string>) => Promise<Located | undefined>;
}

/** Reads the schemas of a contract, inline or from files, and sees that they are schemas. */
export async function parseContract(located: Located, context: ContractContext): Promise<Contract> {
  const input = await parseSchema(childOf(located, 'input'), context);
  const output = await parseSchema(childOf(located, 'output'), context);
  const approved = childOf(located, 'approved').value;
  return {
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    ...(Array.isArray(approved) ? { approved: approved.map(String) } : {}),
  };
}

async function parseSchema(
  named: Located,
  { problems, readFile }: ContractContext,
): Promise<JsonObject | boolean | undefined> {
  const { value } = named;
  if (value === undefined) return undefined;
  const located = typeof value === 'string' ? await readFile({ ...named, value }) : named;
  if (located === undefined) return undefined;
  // Imported on use: compiling schemas takes its time to load.
  const { compileJsonSchema, JsonSchemaError } = await import('../lib/json-schema.ts');
  const schema = plainNumbers(located.value);
  try {
    compileJsonSchema(schema);
  } catch (error) {
    if (!(error instanceof JsonSchemaError)) throw error;
    problems.report({ code: 'invalid-schema', message: error.message, at: locate(located) });
    return undefined;
  }
  return typeof schema === 'boolean' || isJsonObject(schema) ? schema : undefined;
}

const LIMIT_MS = 500;

/** Says how a case's vars break the contract's input schema; undefined where they keep it. */
export async function createInputCheck(
  schema: JsonObject | boolean,
): Promise<(vars: unknown) => { readonly path: string; readonly message: string } | undefined> {
  const { compileJsonSchema } = await import('../lib/json-schema.ts');
  const compiled = compileJsonSchema(schema);
  return (vars) => {
    const value = plainNumbers(vars);
    return compiled.isCheap(JSON.stringify(value).length)
      ? compiled.findViolation(value)
      : findWithDeadline(compiled, value);
  };
}

function findWithDeadline(compiled: CompiledSchema, value: unknown) {
  try {
    return runWithDeadline(() => compiled.findViolation(value), LIMIT_MS);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    return { path: '$', message: `could not be checked in ${LIMIT_MS} ms: simplify the schema's patterns` };
  }
}
