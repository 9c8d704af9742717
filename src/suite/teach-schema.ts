import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { schemaExamples } from './schema-examples.ts';

/** Gives every key of a schema its description where an editor looks for it, and examples to complete from. */
export function teachSchema(schema: JsonObject): JsonObject {
  const { $defs, ...own } = schema;
  const root = teach(own, []) as JsonObject;
  if (!isJsonObject($defs)) return root;
  const taught = Object.entries($defs).map(([name, value]): [string, JsonValue] => [name, teach(value, [name])]);
  return { ...root, $defs: Object.fromEntries(taught) };
}

function teach(schema: JsonValue, path: readonly string[]): JsonValue {
  if (Array.isArray(schema)) return schema.map((item) => teach(item, path));
  if (!isJsonObject(schema)) return schema;
  const taught = Object.entries(schema).map(([keyword, value]): [string, JsonValue] => {
    if (keyword === 'properties' && isJsonObject(value)) return [keyword, teachProperties(value, path)];
    return [keyword, data.has(keyword) ? value : teach(value, path)];
  });
  return Object.fromEntries(taught);
}

/** Keywords whose value is no schema. */
const data: ReadonlySet<string> = new Set(['examples', 'default', 'enum', 'const', 'required', 'type', 'pattern']);

function teachProperties(properties: JsonObject, path: readonly string[]): JsonObject {
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => {
      const own = [...path, name];
      const taught = teach(property, own);
      if (!isJsonObject(taught)) return [name, taught];
      const description = findDescription(taught);
      const examples = findExamples(taught, own);
      return [
        name,
        {
          ...defined({ description }),
          ...taught,
          ...(examples === undefined ? {} : { examples: [...examples] }),
        },
      ];
    }),
  );
}

/** Its own, else that of the first of its forms. */
function findDescription(schema: JsonValue | undefined): string | undefined {
  if (!isJsonObject(schema)) return undefined;
  if (typeof schema['description'] === 'string') return schema['description'];
  return formsOf(schema)
    .map(findDescription)
    .find((description) => description !== undefined);
}

function formsOf({ anyOf, oneOf }: JsonObject): readonly JsonValue[] {
  return [anyOf, oneOf].flatMap((forms) => (Array.isArray(forms) ? forms : []));
}

function findExamples(schema: JsonObject, path: readonly string[]): readonly JsonValue[] | undefined {
  return ownExamples(schema) ?? writtenFor(path) ?? deriveExamples(schema);
}

function ownExamples({ examples }: JsonObject): readonly JsonValue[] | undefined {
  return Array.isArray(examples) ? examples : undefined;
}

function writtenFor(path: readonly string[]): readonly JsonValue[] | undefined {
  for (let start = 0; start < path.length; start += 1) {
    const key = path.slice(start).join('.');
    if (Object.hasOwn(schemaExamples, key)) return schemaExamples[key];
  }
  return undefined;
}

const maxChoices = 3;

function deriveExamples(schema: JsonValue | undefined): readonly JsonValue[] | undefined {
  if (!isJsonObject(schema)) return undefined;
  const { type, properties, items, minimum } = schema;
  if (Array.isArray(schema['enum'])) return schema['enum'].slice(0, maxChoices);
  if (schema['const'] !== undefined) return [schema['const']];
  if (schema['default'] !== undefined) return [schema['default']];
  if (type === 'boolean') return [true];
  if (type === 'integer') return [Math.max(1, typeof minimum === 'number' ? minimum : 1)];
  if (isJsonObject(properties)) return composeExample(schema, properties);
  const item = isJsonObject(items) ? deriveExamples(items)?.[0] : undefined;
  if (item !== undefined) return [[item]];
  return formsOf(schema)
    .map(deriveExamples)
    .find((examples) => examples !== undefined);
}

/** What must be there, else the first key. */
function composeExample({ required }: JsonObject, properties: JsonObject): readonly JsonValue[] | undefined {
  const names = Array.isArray(required) && required.length > 0 ? required : Object.keys(properties).slice(0, 1);
  const entries = names.flatMap((name): [string, JsonValue][] => {
    const property = properties[String(name)];
    const example = isJsonObject(property) ? (ownExamples(property) ?? deriveExamples(property))?.[0] : undefined;
    return example === undefined ? [] : [[String(name), example]];
  });
  return entries.length < names.length || entries.length === 0 ? undefined : [Object.fromEntries(entries)];
}
