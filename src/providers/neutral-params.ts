import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { withoutInherited } from '../json/without-inherited.ts';

/** A function that the model may call, read from any accepted notation. */
export interface FunctionTool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments. */
  readonly parameters?: JsonValue;
  readonly strict?: boolean;
}

/** A schema that the whole answer must satisfy, from `response_format`. */
interface SchemaFormat {
  readonly name: string;
  readonly schema: JsonValue;
  readonly strict?: boolean;
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

/**
 * Parameters that all APIs have under different names. Suites use the names of Chat Completions. All other parameters
 * pass unchanged, in `rest`.
 */
export interface NeutralParams {
  readonly tools: readonly FunctionTool[];
  /** Tools in the API's own format, such as tools that the provider runs. */
  readonly nativeTools: readonly JsonValue[];
  readonly toolChoice?: ToolChoice;
  readonly format?: SchemaFormat | 'json';
  readonly rest: JsonObject;
}

export function readNeutralParams(params: JsonObject): NeutralParams {
  const rest: Record<string, JsonValue> = { ...params };
  const tools: FunctionTool[] = [];
  const nativeTools: JsonValue[] = [];
  if (Array.isArray(params['tools'])) {
    delete rest['tools'];
    for (const entry of params['tools'] as readonly JsonValue[]) {
      const tool = readFunctionTool(entry);
      if (tool === undefined) nativeTools.push(entry);
      else tools.push(tool);
    }
  }
  const toolChoice = readToolChoice(params['tool_choice']);
  if (toolChoice !== undefined) delete rest['tool_choice'];
  const format = readFormat(params['response_format']);
  if (format !== undefined) delete rest['response_format'];
  return {
    tools,
    nativeTools,
    rest,
    ...defined({ toolChoice, format }),
  };
}

/** Renames members. If a native name is present too, it wins. */
export function rename(params: JsonObject, names: Readonly<Record<string, string>>): JsonObject {
  const renamed: Record<string, JsonValue> = withoutInherited({});
  for (const [key, value] of Object.entries(params)) {
    const name = Object.hasOwn(names, key) ? names[key] : undefined;
    if (name === undefined) renamed[key] = value;
    else if (!Object.hasOwn(params, name)) renamed[name] = value;
  }
  return renamed;
}

/** Wraps a single stop sequence for APIs that accept only a list. */
export function toList(value: JsonValue | undefined): JsonValue | undefined {
  return value === undefined || Array.isArray(value) ? value : [value];
}

/** Reads `{name, description, parameters}`, alone or under `function`. Undefined for tools in the API's own format. */
export function readFunctionTool(entry: JsonValue): FunctionTool | undefined {
  if (!isJsonObject(entry)) return undefined;
  const { type } = entry;
  if (type !== undefined && type !== 'function') return undefined;
  const tool = isJsonObject(entry['function']) ? entry['function'] : entry;
  const { name, description, parameters, strict } = tool;
  if (typeof name !== 'string' || 'input_schema' in tool) return undefined;
  return {
    name,
    ...defined({
      description: typeof description === 'string' ? description : undefined,
      parameters,
      strict: typeof strict === 'boolean' ? strict : undefined,
    }),
  };
}

/** Schema of a tool without arguments, for APIs that require one. */
export const noParameters: JsonObject = { type: 'object', properties: {} };

function readToolChoice(choice: JsonValue | undefined): ToolChoice | undefined {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice;
  if (!isJsonObject(choice) || choice['type'] !== 'function') return undefined;
  const named = isJsonObject(choice['function']) ? choice['function']['name'] : choice['name'];
  return typeof named === 'string' ? { name: named } : undefined;
}

function readFormat(format: JsonValue | undefined): SchemaFormat | 'json' | undefined {
  if (!isJsonObject(format)) return undefined;
  if (format['type'] === 'json_object' && Object.keys(format).length === 1) return 'json';
  const wrapper = format['json_schema'];
  if (format['type'] !== 'json_schema' || !isJsonObject(wrapper)) return undefined;
  const { name, schema, strict } = wrapper;
  if (schema === undefined) return undefined;
  return {
    name: typeof name === 'string' ? name : 'answer',
    schema,
    ...defined({ strict: typeof strict === 'boolean' ? strict : undefined }),
  };
}
