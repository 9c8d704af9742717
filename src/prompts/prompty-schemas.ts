import { isRecord } from '../json/deep-equal.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import type { PromptModel, PromptSchema } from '../model/suite/prompt-file.ts';
import { toJson, toJsonObject } from '../text/yaml/exact-numbers.ts';
import { findModel, findVendorModel, type PromptDocument, readMap, renameParams } from './prompt-document.ts';

/** An input or output, in either generation of the format. */
interface PromptyProperty {
  readonly name: string;
  readonly schema: JsonObject;
  readonly isRequired: boolean;
  readonly fallback?: JsonValue;
  /** Sample value. */
  readonly example?: JsonValue;
}

const jsonTypes: Readonly<Record<string, string>> = {
  string: 'string',
  str: 'string',
  number: 'number',
  float: 'number',
  integer: 'integer',
  int: 'integer',
  boolean: 'boolean',
  bool: 'boolean',
  array: 'array',
  list: 'array',
  object: 'object',
  dict: 'object',
};

/** Reads a Python type such as `List[str]` or `Dict[str, int]`; undefined for anything else. */
function readPythonType(written: string): JsonObject | undefined {
  const [, name = '', inner = ''] = /^\s*(\w+)\s*\[(.+)\]\s*$/s.exec(written) ?? [];
  const generic = name.toLowerCase();
  const plain = written.trim();
  if (generic === '') return Object.hasOwn(jsonTypes, plain) ? { type: jsonTypes[plain] ?? plain } : undefined;
  if (generic === 'dict') return { type: 'object' };
  if (generic !== 'list' && generic !== 'array') return undefined;
  const items = readPythonType(inner);
  return items === undefined ? undefined : { type: 'array', items };
}

const richKinds = new Set(['thread', 'image', 'file', 'audio']);

/** Reads a list of named properties or a map by name. A plain value of an input is its default. */
export function readProperties(
  document: PromptDocument,
  written: unknown,
  path: readonly PropertyKey[],
  isInput: boolean,
): readonly PromptyProperty[] {
  if (written === undefined || written === null) return [];
  if (Array.isArray(written)) {
    return written.flatMap((item: unknown, index) => {
      const name = isRecord(item) ? item['name'] : undefined;
      if (typeof name === 'string' && name !== '') return readProperty(document, name, item, [...path, index], isInput);
      document.report('invalid-value', 'an entry of a list of properties needs a name', document.at([...path, index]));
      return [];
    });
  }
  if (!isRecord(written)) {
    document.report('invalid-value', `${String(path.at(-1))} must be a list or a map of properties`, document.at(path));
    return [];
  }
  return Object.entries(written).flatMap(([name, item]) =>
    readProperty(document, name, item, [...path, name], isInput),
  );
}

function readProperty(
  document: PromptDocument,
  name: string,
  written: unknown,
  path: readonly PropertyKey[],
  isInput: boolean,
): readonly PromptyProperty[] {
  if (!isRecord(written) || (isInput && !isDescription(written))) {
    if (isInput) return [{ name, schema: inferSchema(toJson(written)), isRequired: false, fallback: toJson(written) }];
    document.report('invalid-value', `the property "${name}" must be a map with a kind or type`, document.at(path));
    return [];
  }
  const { default: fallback, sample, example, required } = written;
  const shown = example ?? sample;
  const schema = readSchema(document, written, path);
  return [
    {
      name,
      schema,
      isRequired: required === true,
      ...defined({ fallback: toOptionalJson(fallback), example: toOptionalJson(shown) }),
    },
  ];
}

function toOptionalJson(value: unknown): JsonValue | undefined {
  return value === undefined ? undefined : toJson(value);
}

const propertyKeys = new Set([
  'kind',
  'type',
  'default',
  'sample',
  'example',
  'required',
  'description',
  'enumValues',
  'json_schema',
  'items',
  'properties',
]);

/** True if a map describes a property. Without any of a property's keys, it is a value. */
function isDescription(value: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(value).some((key) => propertyKeys.has(key));
}

function readSchema(
  document: PromptDocument,
  value: Readonly<Record<string, unknown>>,
  path: readonly PropertyKey[],
): JsonObject {
  const { kind, type, description, enumValues, json_schema: own, items, properties } = value;
  const described = typeof description === 'string' ? { description } : {};
  if (own !== undefined && isJsonObject(toJson(own))) return { ...Object(toJson(own)), ...described };
  const word = kind ?? type;
  if (word === undefined)
    return { ...described, ...defined({ enum: Array.isArray(enumValues) ? toJson(enumValues) : undefined }) };
  const key = kind === undefined ? 'type' : 'kind';
  if (typeof word === 'string' && richKinds.has(word)) {
    document.report(
      'invalid-value',
      `an input of the kind ${word} can't be given by a case`,
      document.at([...path, key]),
      word === 'thread' ? 'write the conversation as turns of a case' : 'attach files with messages: of a suite',
    );
    return described;
  }
  const found = typeof word === 'string' ? readPythonType(word) : undefined;
  const known = found?.['type'];
  if (found === undefined) {
    const message = `${key} must be ${Object.keys(jsonTypes).join(', ')}, not ${JSON.stringify(word)}`;
    document.report('invalid-value', message, document.at([...path, key]));
    return described;
  }
  return {
    ...found,
    ...described,
    ...defined({
      enum: Array.isArray(enumValues) ? toJson(enumValues) : undefined,
      items: known === 'array' && isRecord(items) ? readSchema(document, items, [...path, 'items']) : undefined,
    }),
    ...(known === 'object' && properties !== undefined
      ? readMembers(document, properties, [...path, 'properties'])
      : {}),
  };
}

function readMembers(document: PromptDocument, written: unknown, path: readonly PropertyKey[]): JsonObject {
  return { ...schemaOf(readProperties(document, written, path, false)), additionalProperties: false };
}

/** Schema of a map with these properties. */
export function schemaOf(properties: readonly PromptyProperty[]): JsonObject {
  const required = properties.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(properties.map(({ name, schema }) => [name, schema])),
    ...defined({ required: required.length === 0 ? undefined : required }),
  };
}

function inferSchema(value: JsonValue): JsonObject {
  if (value === null) return {};
  if (Array.isArray(value)) return { type: 'array' };
  if (typeof value === 'number') return { type: Number.isInteger(value) ? 'integer' : 'number' };
  return { type: typeof value };
}

/** A text that references another value, such as `${env:NAME}`. */
export const promptyReference = /^\$\{(\w+):([^}]*)\}$/;

/** Reads the model and its parameters, in either generation of the format. */
export function readModel(
  document: PromptDocument,
  written: unknown,
): { readonly model?: PromptModel; readonly params: JsonObject } {
  if (typeof written === 'string') return { model: findModel(written, document.at(['model'])), params: {} };
  const value = readMap(document, ['model'], written) ?? {};
  const { id, provider, configuration, options, parameters, api, apiType } = value;
  const kind = apiType ?? api;
  if (typeof kind === 'string' && !['chat', 'completion', 'responses', 'agent'].includes(kind)) {
    const at = document.at(['model', apiType === undefined ? 'api' : 'apiType']);
    document.report('invalid-value', `a prompt of the kind ${kind} has no answer in text`, at);
  }
  const settings = {
    ...readMap(document, ['model', 'parameters'], parameters),
    ...readMap(document, ['model', 'options'], options),
  };
  const { additionalProperties, ...known } = settings;
  const extra = isRecord(additionalProperties) ? toJsonObject(additionalProperties) : {};
  const params = { ...renameParams(known), ...extra };
  const at = document.at(['model']);
  const model =
    typeof id === 'string'
      ? typeof provider === 'string'
        ? findVendorModel(provider, id, document.at(['model', 'id']))
        : findModel(id, document.at(['model', 'id']))
      : readConfiguration(isRecord(configuration) ? configuration : undefined, at);
  return { params, ...defined({ model }) };
}

/** Reads the model of the format's first generation from `configuration`. */
function readConfiguration(
  configuration: Readonly<Record<string, unknown>> | undefined,
  at: PromptSchema['at'],
): PromptModel | undefined {
  if (configuration === undefined) return undefined;
  const { type, azure_deployment: deployment, model, name } = configuration;
  const written = [deployment, model, name].find((value) => typeof value === 'string');
  if (typeof written !== 'string') return undefined;
  if (promptyReference.test(written)) {
    return { written, hint: 'the file names its model by an environment variable: name a provider in the suite', at };
  }
  return findVendorModel(typeof type === 'string' ? type : 'openai', written, at);
}

/** Reads functions into the form of Chat Completions. */
export function readTools(document: PromptDocument, written: unknown): JsonObject {
  if (written === undefined || written === null) return {};
  if (!Array.isArray(written)) {
    document.report('invalid-value', 'tools must be a list', document.at(['tools']));
    return {};
  }
  const tools = written.flatMap((item: unknown, index): readonly JsonObject[] => {
    const path = ['tools', index];
    const { name, kind, description, parameters, strict, function: own } = readMap(document, path, item) ?? {};
    // The first generation nests the form of Chat Completions under parameters.
    if (isRecord(own)) return [toJsonObject(item)];
    if (typeof name !== 'string' || (kind !== undefined && kind !== 'function')) {
      const message =
        typeof name === 'string' ? `the tool "${name}" is not sent: only functions are` : 'a tool needs a name';
      document.warn('invalid-value', message, document.at(path));
      return [];
    }
    const inner =
      isRecord(parameters) && Array.isArray(parameters['properties']) ? parameters['properties'] : parameters;
    const schema = schemaOf(readProperties(document, inner, [...path, 'parameters'], false));
    const described = typeof description === 'string' ? { description } : {};
    const isStrict = typeof strict === 'boolean' ? { strict } : {};
    return [{ type: 'function', function: { name, ...described, parameters: schema, ...isStrict } }];
  });
  return tools.length === 0 ? {} : { tools };
}
