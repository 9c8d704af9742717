import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { isRecord, type PromptDocument, toJson } from './prompt-document.ts';

/** One input or output, of either generation. */
export interface PromptyProperty {
  readonly name: string;
  readonly schema: JsonObject;
  readonly isRequired: boolean;
  readonly fallback?: JsonValue;
  /** A value to try it with. */
  readonly example?: JsonValue;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'number',
  float: 'number',
  integer: 'integer',
  int: 'integer',
  boolean: 'boolean',
  bool: 'boolean',
  array: 'array',
  list: 'array',
  object: 'object',
};
const RICH = new Set(['thread', 'image', 'file', 'audio']);

/** A list of properties with names, or a map by name; of an input, a plain value is its default. */
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
      ...(fallback === undefined ? {} : { fallback: toJson(fallback) }),
      ...(shown === undefined ? {} : { example: toJson(shown) }),
    },
  ];
}

const WORDS = new Set([
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

/** A map without any of the words of a property is a value. */
function isDescription(value: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(value).some((key) => WORDS.has(key));
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
  if (word === undefined) return { ...described, ...(Array.isArray(enumValues) ? { enum: toJson(enumValues) } : {}) };
  const key = kind === undefined ? 'type' : 'kind';
  if (typeof word === 'string' && RICH.has(word)) {
    document.report(
      'invalid-value',
      `an input of the kind ${word} can't be given by a case`,
      document.at([...path, key]),
      word === 'thread' ? 'write the conversation as turns of a case' : 'attach files with messages: of a suite',
    );
    return described;
  }
  const known = typeof word === 'string' && Object.hasOwn(TYPES, word) ? TYPES[word] : undefined;
  if (known === undefined) {
    const message = `${key} must be ${Object.keys(TYPES).join(', ')}, not ${JSON.stringify(word)}`;
    document.report('invalid-value', message, document.at([...path, key]));
    return described;
  }
  return {
    type: known,
    ...described,
    ...(Array.isArray(enumValues) ? { enum: toJson(enumValues) } : {}),
    ...(known === 'array' && isRecord(items) ? { items: readSchema(document, items, [...path, 'items']) } : {}),
    ...(known === 'object' && properties !== undefined
      ? readMembers(document, properties, [...path, 'properties'])
      : {}),
  };
}

function readMembers(document: PromptDocument, written: unknown, path: readonly PropertyKey[]): JsonObject {
  const members = readProperties(document, written, path, false);
  const required = members.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  return {
    properties: Object.fromEntries(members.map(({ name, schema }) => [name, schema])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

function inferSchema(value: JsonValue): JsonObject {
  if (value === null) return {};
  if (Array.isArray(value)) return { type: 'array' };
  if (typeof value === 'number') return { type: Number.isInteger(value) ? 'integer' : 'number' };
  return { type: typeof value };
}
