import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { appendPointer } from '../json/json-pointer.ts';
import type { Problem } from '../model/problem.ts';
import { type PlannedSuite, type RenderedVariant } from '../model/run/plan.ts';
import { type Suite } from '../model/suite/suite.ts';
import { fitSchema, type Refusal } from '../providers/fit-schema.ts';
import { readFunctionTool } from '../providers/neutral-params.ts';
import { findSchemaMode, type SchemaMode, schemaModes } from '../providers/schema-modes.ts';
import { findStructuredSchema } from './render-cells.ts';

/**
 * Finds parts of the plan's schemas that APIs are known to refuse. A contract is sent without these parts, and is an
 * error only if that is impossible. A schema among the parameters is sent unchanged.
 */
export async function findRefusedSchemas(planned: readonly PlannedSuite[]): Promise<readonly Problem[]> {
  const found = new Map<string, Problem>();
  for (const { suite, variants } of planned) {
    for (const variant of variants) {
      if (variant.planned + variant.observed === 0 || variant.prompt.baselineOf !== undefined) continue;
      for (const problem of await describeVariant(suite, variant)) {
        const { file = '', line = 0, column = 0 } = problem.at ?? {};
        found.set([problem.message, file, line, column].join('\n'), problem);
      }
    }
  }
  return [...found.values()];
}

/** A schema that a variant sends, with its place. */
interface SentSchema {
  readonly schema: JsonValue;
  readonly what: string;
  /** A JSON Pointer for the suite's locator. */
  readonly pointer: string;
  /** True for a contract, which may be sent in part: every answer is checked against the whole of it. */
  readonly isContract?: boolean;
}

async function describeVariant(suite: Suite, variant: RenderedVariant): Promise<readonly Problem[]> {
  const { prompt, provider } = variant;
  const mode = findSchemaMode(provider);
  if (mode === undefined || mode === schemaModes.compatible) return [];
  const problems: Problem[] = [];
  for (const sent of listSchemas(suite, variant, mode)) {
    for (const refusal of fitSchema(sent.schema, mode).refusals) {
      const at = await suite.locateContract?.(prompt.id, sent.pointer + refusal.pointer);
      problems.push({ ...describeRefusal(provider.id, sent, refusal, mode), ...defined({ at: at ?? provider.at }) });
    }
  }
  return problems;
}

function listSchemas(suite: Suite, variant: RenderedVariant, mode: SchemaMode): readonly SentSchema[] {
  const { prompt, provider, params } = variant;
  const contract = findStructuredSchema(suite, prompt, provider);
  const placeOf = (member: string) =>
    Object.hasOwn(prompt.params, member) ? '/params' : appendPointer('/providers', provider.id, 'params');
  const format = contract === undefined ? readFormat(params['response_format'], mode) : undefined;
  const pointer = `${placeOf('response_format')}/response_format/json_schema/schema`;
  return [
    ...(contract === undefined
      ? []
      : [{ schema: contract, what: 'the contract', pointer: '/outputSchema', isContract: true }]),
    ...(format === undefined ? [] : [{ schema: format, what: 'this schema', pointer }]),
    ...listStrictTools(params, mode).map(({ name, member, schema }) => ({
      schema,
      what: `the tool "${name}"`,
      pointer: Object.hasOwn(prompt.params, 'tools')
        ? appendPointer('/tools', name, member)
        : appendPointer(placeOf('tools'), 'tools', name, member),
    })),
  ];
}

/** The schema of a user's own format, if it is sent in the API's strict mode. */
function readFormat(format: JsonValue | undefined, { hasFlag }: SchemaMode): JsonValue | undefined {
  const wrapper = isJsonObject(format) ? format['json_schema'] : undefined;
  if (!isJsonObject(wrapper) || (hasFlag && wrapper['strict'] !== true)) return undefined;
  return wrapper['schema'];
}

function listStrictTools(
  { tools, strict_tools: areAllStrict }: JsonObject,
  { hasStrictTools }: SchemaMode,
): readonly { readonly name: string; readonly member: string; readonly schema: JsonValue }[] {
  if (!Array.isArray(tools)) return [];
  return (tools as readonly JsonValue[]).flatMap((entry) => {
    const tool: JsonObject = { ...(isJsonObject(entry) ? entry : {}), ...readFunctionTool(entry) };
    const { name, strict } = tool;
    // Anthropic's own form.
    const member = tool['parameters'] === undefined ? 'input_schema' : 'parameters';
    const schema = tool[member];
    const isStrict = strict === true || hasStrictTools || areAllStrict === true;
    return isStrict && typeof name === 'string' && schema !== undefined ? [{ name, member, schema }] : [];
  });
}

function describeRefusal(
  provider: string,
  { what, isContract = false }: SentSchema,
  { reason, canLeaveOut, source, asOf }: Refusal,
  { title, hasFlag }: SchemaMode,
): Problem {
  const cited = `${source} (as known on ${asOf})`;
  const subject = `provider ${provider}: ${title} ${reason}`;
  const warning = { code: 'refused-schema', severity: 'warning' } as const;
  if (!isContract)
    return { ...warning, message: `${subject}, so calls with ${what} fail`, hint: `change it: ${cited}` };
  const checked = `every answer is still checked against the whole contract; ${cited}`;
  if (hasFlag) return { ...warning, message: `${subject}, so ${what} is sent without strict mode`, hint: checked };
  if (canLeaveOut) {
    const how = reason.startsWith('demands') ? 'closed' : 'without it';
    return { ...warning, message: `${subject}, so ${what} is sent ${how}`, hint: checked };
  }
  return {
    code: 'refused-schema',
    severity: 'error',
    message: `${subject}, so ${what} can't be sent as \`structured: true\` demands`,
    hint: `change the contract, or leave out structured; ${cited}`,
  };
}
