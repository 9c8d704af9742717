import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';

const scalarTypes = ['any', 'boolean', 'integer', 'null', 'number', 'string'];

const maxDepth = 50;

/** A mistake in a Picoschema, with its place. */
export class PicoschemaError extends Error {
  readonly path: readonly PropertyKey[];
  readonly hint: string | undefined;
  /** The unknown type name, which may name a schema. */
  readonly unknown: string | undefined;

  constructor(message: string, path: readonly PropertyKey[], hint?: string, unknown?: string) {
    super(message);
    this.name = 'PicoschemaError';
    this.path = path;
    this.hint = hint;
    this.unknown = unknown;
  }
}

/** Schemas by the names that refer to them. */
export type NamedSchemas = ReadonlyMap<string, JsonObject>;

/** Converts Picoschema, dotprompt's short form, to JSON Schema. A JSON Schema is returned unchanged. */
export function readPicoschema(schema: JsonValue, named: NamedSchemas = new Map()): JsonObject {
  if (typeof schema === 'string') return readScalar(schema, [], named);
  if (!isJsonObject(schema)) throw new PicoschemaError('a schema is a text or a map', []);
  const { type, properties } = schema;
  if (typeof type === 'string' && [...scalarTypes, 'object', 'array'].includes(type)) return schema;
  if (typeof properties === 'object' && properties !== null) return { ...schema, type: 'object' };
  return readFragment(schema, [], named);
}

function readFragment(value: JsonValue, path: readonly PropertyKey[], named: NamedSchemas): JsonObject {
  if (typeof value === 'string') return readScalar(value, path, named);
  if (!isJsonObject(value)) throw new PicoschemaError('a field is a type, such as string, or a map of fields', path);
  if (path.length > maxDepth) throw new PicoschemaError(`fields are nested deeper than ${maxDepth} levels`, path);
  const properties: [string, JsonObject][] = [];
  const required: string[] = [];
  let additionalProperties: JsonValue = false;
  for (const [key, item] of Object.entries(value)) {
    const at = [...path, key];
    if (key === '(*)') {
      additionalProperties = readFragment(item, at, named);
      continue;
    }
    const field = readKey(key, at);
    if (!field.isOptional) required.push(field.name);
    properties.push([field.name, readField(field, item, at, named)]);
  }
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...defined({ required: required.length === 0 ? undefined : required }),
    additionalProperties,
  };
}

interface Field {
  readonly name: string;
  readonly isOptional: boolean;
  readonly kind?: string;
  readonly description?: string;
}

/** Reads `name`, `name?`, `name(kind)` or `name?(kind, description)`. */
function readKey(key: string, path: readonly PropertyKey[]): Field {
  const open = key.indexOf('(');
  const written = open === -1 ? key : key.slice(0, open);
  const isOptional = written.endsWith('?');
  const name = isOptional ? written.slice(0, -1) : written;
  if (name === '') throw new PicoschemaError('a field has no name', path);
  if (open === -1) return { name, isOptional };
  if (!key.endsWith(')')) throw new PicoschemaError(`the parenthesis in "${key}" is never closed`, path);
  const [kind, description] = splitDescription(key.slice(open + 1, -1));
  return { name, isOptional, kind, ...defined({ description }) };
}

function readField(
  { isOptional, kind, description }: Field,
  value: JsonValue,
  path: readonly PropertyKey[],
  named: NamedSchemas,
): JsonObject {
  const described = defined({ description });
  switch (kind) {
    case undefined: {
      const field = readFragment(value, path, named);
      return isOptional ? makeNullable(field) : field;
    }
    case 'array':
      return {
        type: isOptional ? ['array', 'null'] : 'array',
        items: readFragment(value, path, named),
        ...described,
      };
    case 'object': {
      const field = readFragment(value, path, named);
      return { ...(isOptional ? makeNullable(field) : field), ...described };
    }
    case 'enum': {
      if (!Array.isArray(value)) throw new PicoschemaError('an enum is a list of values', path);
      const values: readonly JsonValue[] = value;
      return { enum: isOptional && !values.includes(null) ? [...values, null] : values, ...described };
    }
    default:
      throw new PicoschemaError(`the type in parentheses must be array, object or enum, not "${kind}"`, path);
  }
}

function makeNullable(field: JsonObject): JsonObject {
  const { type } = field;
  return typeof type === 'string' ? { ...field, type: [type, 'null'] } : field;
}

function readScalar(written: string, path: readonly PropertyKey[], named: NamedSchemas): JsonObject {
  const [type, description] = splitDescription(written);
  const described = defined({ description });
  if (scalarTypes.includes(type)) return type === 'any' ? described : { type, ...described };
  const schema = named.get(type);
  if (schema !== undefined) return { ...schema, ...described };
  const hint = `known: ${scalarTypes.join(', ')}; a schema with a name is in ${type}.schema.json beside the prompt`;
  throw new PicoschemaError(`"${type}" is not a type`, path, hint, type);
}

/** Splits type and description at the first comma. */
function splitDescription(written: string): readonly [type: string, description?: string] {
  const comma = written.indexOf(',');
  if (comma === -1) return [written.trim()];
  const description = written.slice(comma + 1).trim();
  return description === '' ? [written.slice(0, comma).trim()] : [written.slice(0, comma).trim(), description];
}
