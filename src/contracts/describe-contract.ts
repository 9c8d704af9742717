import { deepEqual } from '../json/deep-equal.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import type { BaselineVariant } from '../model/comparison/baseline.ts';
import type { RecordedVariant } from '../model/run/record.ts';
import {
  mergeContracts,
  type PromptVersion,
  type ProviderConfig,
  type Suite,
  writeMessage,
} from '../model/suite/suite.ts';
import { buildParams } from '../plan/render-cells.ts';
import { surveyWritten } from '../prompts/prompt-template.ts';
import { fitSchema } from '../providers/fit-schema.ts';
import { findSchemaMode } from '../providers/schema-modes.ts';
import { declarationsIn } from '../suite/cases/suite-tools.ts';
import { compileTemplate } from '../templates/template.ts';
import { TemplateError } from '../templates/template-error.ts';
import { rootOf } from '../templates/template-values.ts';
import { attemptOr } from '../text/attempt.ts';

/** The parts of a prompt that its callers and the readers of its answers rely on. */
export interface PromptContract {
  readonly promptId: string;
  /** The id of the version that this one replaces. */
  readonly replaces?: string;
  /** What the template reads; `order.id` counts as `order`. */
  readonly variables: readonly PromptVariable[];
  /** The format that the request asks for. If it asks for none, a schema still means JSON. */
  readonly outputFormat?: 'json' | 'text';
  readonly inputSchema?: JsonObject | boolean;
  readonly outputSchema?: JsonObject | boolean;
  /** The API makes answers follow their schema. */
  readonly isOutputStrict?: true;
  readonly tools: readonly PromptTool[];
  readonly provider: string;
  readonly model: string;
  /** The parameters without those that are described above, such as a response format. */
  readonly params: JsonObject;
  readonly messages: readonly { readonly role: string }[];
}

export interface PromptVariable {
  readonly name: string;
  readonly hasDefault: boolean;
  readonly default?: JsonValue;
}

export interface PromptTool {
  readonly name: string;
  readonly description?: string;
  readonly parameters?: JsonObject | boolean;
  /** The API makes arguments follow the parameters. */
  readonly isStrict?: true;
  /** Set for a tool of an MCP server: the parts of its snapshot that are not sent. */
  readonly mcp?: {
    readonly title?: string;
    readonly outputSchema?: JsonObject | boolean;
    readonly annotations?: JsonValue;
  };
}

/** The members of a variant that make up its contract. It may come from a baseline, a record or a suite. */
export type ContractVariant = Pick<
  BaselineVariant | RecordedVariant,
  'prompt' | 'provider' | 'adapter' | 'model' | 'params' | 'messages' | 'replaces'
> & { readonly contract: RecordedVariant['contract'] };

/** The variant that a run of the suite would record. */
export function variantOf(suite: Suite, prompt: PromptVersion, provider: ProviderConfig): ContractVariant {
  return {
    prompt: prompt.id,
    provider: provider.id,
    adapter: provider.adapter,
    model: provider.model,
    params: buildParams(suite, prompt, provider),
    messages: prompt.messages.map(writeMessage),
    ...defined({ replaces: prompt.replaces }),
    contract: mergeContracts(suite.contract, prompt.contract),
  };
}

/** Describes the contract of a variant. The engine that its templates need must be loaded. */
export function describeContract(variant: ContractVariant): PromptContract {
  const { tools: _, response_format: format, ...rest } = variant.params;
  const declarations = declarationsIn(variant.params);
  // Tools that the provider runs itself have a type and no name.
  const unnamed = declarations.filter((tool) => readTool(tool).length === 0);
  const params = unnamed.length === 0 ? rest : { ...rest, tools: unnamed };
  const written = readFormat(format) ?? readNativeFormat(rest);
  const input = asSchema(variant.contract.input);
  const output = asSchema(variant.contract.output) ?? written?.schema;
  return {
    promptId: variant.prompt,
    ...defined({ replaces: variant.replaces }),
    variables: findVariables(variant.messages),
    ...defined({
      outputFormat: written?.format,
      inputSchema: input,
      outputSchema: output,
      isOutputStrict: written?.isStrict,
    }),
    tools: declarations.flatMap(readTool),
    provider: variant.adapter,
    model: variant.model,
    params: isFormatDescribed(format, written, variant) ? params : { ...params, response_format: format ?? null },
    messages: variant.messages.map(({ role }) => ({ role })),
  };
}

interface WrittenFormat {
  readonly format: 'json' | 'text';
  readonly schema?: JsonObject | boolean;
  readonly isStrict?: true;
}

/** Reads the format of chat completions; `undefined` if the request has none. */
function readFormat(format: JsonValue | undefined): WrittenFormat | undefined {
  if (!isJsonObject(format)) return undefined;
  const { type, json_schema: wrapper, schema: own } = format;
  if (type === 'text') return { format: 'text' };
  if (type !== 'json_object' && type !== 'json_schema') return undefined;
  // Some APIs take the schema without a wrapper.
  const isWrapped = isJsonObject(wrapper) && (type === 'json_schema' || Object.hasOwn(wrapper, 'schema'));
  const schema = asSchema(isWrapped ? wrapper['schema'] : (wrapper ?? own));
  const { strict } = isWrapped ? wrapper : format;
  return { format: 'json', ...defined({ schema, isStrict: strict === true || undefined }) };
}

/** Reads the formats of Responses, Anthropic and Gemini under their own names. */
function readNativeFormat(params: JsonObject): WrittenFormat | undefined {
  const { text, output_config: config, output_format: format, generationConfig } = params;
  const [inText, inConfig] = [text, config].map((one) => (isJsonObject(one) ? one['format'] : undefined));
  const found = readFormat(inText) ?? readFormat(inConfig) ?? readFormat(format);
  if (found !== undefined) return found;
  const gemini = { ...params, ...(isJsonObject(generationConfig) ? generationConfig : {}) };
  const schema = asSchema(withPlainTypes(gemini['responseSchema'] ?? gemini['responseJsonSchema'] ?? null));
  const isJson = schema !== undefined || gemini['responseMimeType'] === 'application/json';
  return isJson ? { format: 'json', ...defined({ schema }) } : undefined;
}

/** True if the contract describes the whole response format, so that `params` can leave it out. */
function isFormatDescribed(
  format: JsonValue | undefined,
  written: WrittenFormat | undefined,
  { adapter, model, contract: { output } }: ContractVariant,
): boolean {
  if (format === undefined) return true;
  if (written === undefined) return false;
  if (written.schema === undefined || output === undefined || deepEqual(written.schema, output)) return true;
  // A structured prompt sends only the parts of its contract that the API accepts.
  const mode = findSchemaMode({ adapter, model });
  return mode !== undefined && deepEqual(written.schema, fitSchema(output, mode).schema);
}

function asSchema(value: JsonValue | undefined): JsonObject | boolean | undefined {
  return typeof value === 'boolean' || isJsonObject(value) ? value : undefined;
}

/** A tool with a name, whatever its API calls its parameters. */
function readTool(tool: JsonValue): readonly PromptTool[] {
  if (!isJsonObject(tool)) return [];
  const { name, description, strict, inputSchema, mcp } = tool;
  if (typeof name !== 'string') return [];
  const ofBedrock = isJsonObject(inputSchema) ? inputSchema['json'] : undefined;
  const written = [...parameterNames.map((key) => tool[key]), ofBedrock].find((value) => value !== undefined);
  return [
    {
      name,
      ...defined({
        description: typeof description === 'string' ? description : undefined,
        isStrict: strict === true || undefined,
        parameters: asSchema(written && withPlainTypes(written)),
        mcp: isJsonObject(mcp) ? readMcpParts(mcp) : undefined,
      }),
    },
  ];
}

const parameterNames = ['parameters', 'parametersJsonSchema', 'parameters_json_schema', 'input_schema'];

/** Gemini's own schemas name types in capitals. */
function withPlainTypes(schema: JsonValue): JsonValue {
  if (Array.isArray(schema)) return schema.map(withPlainTypes);
  if (!isJsonObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      key === 'type' && typeof value === 'string' ? value.toLowerCase() : withPlainTypes(value),
    ]),
  );
}

function readMcpParts({ title, outputSchema, annotations }: JsonObject): PromptTool['mcp'] {
  return defined({
    title: typeof title === 'string' ? title : undefined,
    outputSchema: asSchema(outputSchema),
    annotations,
  });
}

function findVariables(messages: ContractVariant['messages']): readonly PromptVariable[] {
  return (
    orNone(() => surveyWritten(messages)) ??
    messages.flatMap(({ content }) => {
      const variables = orNone(() => compileTemplate(content).variables);
      return variables.map((name) => ({ name, ...findDefault(content, rootOf(name)) }));
    })
  );
}

/** A template that can't be read, such as one written by another version, has no known variables. */
function orNone<T>(read: () => T): T | readonly [] {
  return attemptOr(read, TemplateError, []);
}

/** Finds the default of a variable. It is optional if each output has a default, or if the template tests for it. */
function findDefault(content: string, root: string): Omit<PromptVariable, 'name'> {
  let found: JsonValue | undefined;
  let reads = 0;
  let defaulted = 0;
  for (const [, open, inside = ''] of content.matchAll(/\{([{%])-?([^{}]*?)-?[}%]\}/g)) {
    const names =
      inside.replaceAll(/"[^"]*"|'[^']*'/g, '').match(/(?<![\p{L}\p{N}_.-])[\p{L}_][\p{L}\p{N}_-]*/gu) ?? [];
    const mentions = names.filter((name) => name === root).length;
    if (mentions === 0) continue;
    if (open === '%' && /^\s*(?:if|unless)\s+\S+\s*$/.test(inside)) return { hasDefault: true };
    reads += mentions;
    const literal = /\|\s*default\s*:\s*("[^"]*"|'[^']*'|-?\d+(?:\.\d+)?|true|false)/.exec(inside)?.[1];
    if (literal === undefined || names[0] !== root) continue;
    defaulted += 1;
    found ??= readLiteral(literal);
  }
  return found !== undefined && defaulted === reads ? { hasDefault: true, default: found } : { hasDefault: false };
}

function readLiteral(literal: string): JsonValue {
  if (literal.startsWith('"') || literal.startsWith("'")) return literal.slice(1, -1);
  return literal === 'true' || literal === 'false' ? literal === 'true' : Number(literal);
}
