import { isRecord } from './deep-equal.ts';

/**
 * True where a JSON Schema keeps to what strict schema modes ask for: the root is an object, and every object is closed
 * and requires all of its properties (OpenAI, "Structured model outputs", 2024).
 */
export function isStrictSchema(schema: unknown): boolean {
  return isRecord(schema) && schema['type'] === 'object' && isStrictWithin(schema);
}

function isStrictWithin(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isStrictWithin);
  if (!isRecord(value)) return true;
  const { properties, required = [] } = value;
  const isObject = value['type'] === 'object' || isRecord(properties);
  if (isObject && value['additionalProperties'] !== false) return false;
  if (isRecord(properties)) {
    const named: readonly unknown[] = Array.isArray(required) ? required : [];
    if (!Object.keys(properties).every((key) => named.includes(key))) return false;
  }
  return Object.entries(value).every(([key, part]) => {
    if (maps.has(key) && isRecord(part)) return Object.values(part).every(isStrictWithin);
    return !parts.has(key) || isStrictWithin(part);
  });
}

/** Keywords that hold schemas by name, and those that hold one or a list. */
const maps: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);
const parts: ReadonlySet<string> = new Set([
  'items',
  'prefixItems',
  'anyOf',
  'allOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
]);
