import type { JsonObject } from '../../json/json.ts';
import { compileJsonSchema } from '../../json/json-schema.ts';
import { JsonSchemaError } from '../../json/schema-errors.ts';
import type { Contract } from '../../model/suite/recorded-settings.ts';
import type { Case } from '../../model/suite/suite.ts';
import { checkJsonPathAgainstSchema, checkVariable } from '../../schema-diff/check-paths.ts';
import { positionIn } from '../../templates/template-error.ts';
import { DeadlineError, runWithDeadline } from '../../text/deadline.ts';
import { plainNumbers } from '../../text/yaml/exact-numbers.ts';
import type { PlacedPath } from '../assertions/compiled-assertion.ts';
import { childOf, type Located, locate, type Problems } from '../documents/locate.ts';
import type { CompiledPrompt } from '../prompts/parse-prompts.ts';
import type { PlacedTemplate } from '../prompts/prompt-content.ts';
import { findTemplateVariable } from './contract-places.ts';

/** Checks the variables that each prompt reads against the input schema that callers see. */
export function checkPromptVariables(prompts: readonly CompiledPrompt[], contract: Contract, problems: Problems): void {
  for (const { version, templates } of prompts) {
    const schema = version.contract?.input ?? contract.input;
    if (schema === undefined) continue;
    for (const placed of templates) {
      for (const variable of placed.template.variables) {
        const fault = checkVariable(variable, schema);
        if (fault === undefined) continue;
        const { message, nearest, closed } = fault;
        const problem = {
          code: 'contract-input',
          message: `prompt "${version.id}" reads "${variable}": ${message}`,
          hint:
            nearest === undefined
              ? 'add it to contract.input, or take it out of the prompt'
              : `did you mean "${nearest}"?`,
          at: placeOfVariable(placed, variable),
        } as const;
        if (closed) problems.report(problem);
        else problems.warn(problem);
      }
    }
  }
}

function placeOfVariable({ template, at }: PlacedTemplate, variable: string) {
  const { line, column } = positionIn(template.source, findTemplateVariable(template.source, variable) ?? 0);
  return at(line, column);
}

interface PathContext {
  readonly problems: Problems;
  readonly contract: Contract;
  readonly prompts: readonly CompiledPrompt[];
}

export type CheckPaths = (
  assertions: readonly { readonly paths: readonly PlacedPath[] }[],
  prompts: readonly string[] | undefined,
) => void;

/** Reports the paths of a case's assertions that no output schema of its prompts has; each place is checked once. */
export function createPathCheck({ problems, contract, prompts }: PathContext): CheckPaths {
  const schemasByPrompts = new Map<string, ReadonlySet<JsonObject | boolean>>();
  const seen = new WeakMap<PlacedPath, Set<ReadonlySet<unknown>>>();
  const schemasFor = (only: readonly string[] | undefined): ReadonlySet<JsonObject | boolean> => {
    const key = JSON.stringify(only ?? null);
    const known = schemasByPrompts.get(key) ?? findSchemas(only);
    schemasByPrompts.set(key, known);
    return known;
  };
  /** Finds no schema if a prompt promises nothing: the path may then exist in its answer. */
  function findSchemas(only: readonly string[] | undefined): ReadonlySet<JsonObject | boolean> {
    const schemas = prompts
      .filter(({ version }) => only === undefined || only.includes(version.id))
      .map(({ version }) => version.contract?.output ?? contract.output);
    const given = schemas.filter((schema) => schema !== undefined);
    return new Set(given.length < schemas.length ? [] : given);
  }
  return (assertions, only) => {
    for (const { paths } of assertions) {
      for (const placed of paths) {
        const schemas = schemasFor(only);
        const checked = seen.get(placed) ?? new Set();
        if (schemas.size === 0 || checked.has(schemas)) continue;
        seen.set(placed, checked.add(schemas));
        const faults = [...schemas].map((schema) => checkJsonPathAgainstSchema(placed.path, schema)?.message);
        const [message] = faults;
        if (message === undefined || faults.includes(undefined)) continue;
        problems.report({ code: 'invalid-json-path', message, at: locate(placed.at) });
      }
    }
  };
}

/** Checks the vars of a case. Reports mistakes at its row. */
export type CheckInput = (built: Case, row: Located) => void;

/** Checks each case's vars against the input schema of each prompt that it runs on. */
export function openInputCheck(contract: Contract, prompts: readonly CompiledPrompt[], problems: Problems): CheckInput {
  const idsBySchema = new Map<NonNullable<Contract['input']>, string[]>();
  for (const { version } of prompts) {
    const input = version.contract?.input ?? contract.input;
    if (input !== undefined) idsBySchema.set(input, [...(idsBySchema.get(input) ?? []), version.id]);
  }
  const checks: { readonly ids: readonly string[]; readonly find: ReturnType<typeof createInputCheck> }[] = [];
  for (const [schema, ids] of idsBySchema) checks.push({ ids, find: createInputCheck(schema) });
  return ({ id, vars, prompts: only }, row) => {
    for (const { ids, find } of checks) {
      if (only !== undefined && !ids.some((prompt) => only.includes(prompt))) continue;
      for (const { path, message } of find(vars)) {
        const [, key] = /^\$\.(\w+)/.exec(path) ?? [];
        const place = childOf(row, 'vars');
        problems.report({
          code: 'contract-input',
          message: `case "${id}" breaks the input contract: ${path.replace('$', 'vars')} ${message}`,
          at: locate(key === undefined ? place : childOf(place, key)),
        });
      }
    }
  };
}

const limitMs = 500;

/** Finds every way in which vars break an input schema. */
export function createInputCheck(
  schema: JsonObject | boolean,
): (vars: unknown) => readonly { readonly path: string; readonly message: string }[] {
  const compiled = compileJsonSchema(schema);
  return (vars) => {
    const value = plainNumbers(vars);
    const find = () => (compiled.findViolation(value) === undefined ? [] : compiled.findViolations(value));
    try {
      return compiled.isCheap(JSON.stringify(value).length) ? find() : runWithDeadline(find, limitMs);
    } catch (error) {
      if (error instanceof JsonSchemaError) return [{ path: '$', message: `could not be checked: ${error.message}` }];
      if (!(error instanceof DeadlineError)) throw error;
      return [{ path: '$', message: `could not be checked in ${limitMs} ms: simplify the schema's patterns` }];
    }
  };
}
