import { isJsonObject, type JsonValue } from '../json/json.ts';

/** A member of what may be no object at all. */
export function memberAt(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return value !== undefined && isJsonObject(value) ? value[key] : undefined;
}

export function textAt(value: JsonValue | undefined, key: string): string | undefined {
  const found = memberAt(value, key);
  return typeof found === 'string' ? found : undefined;
}
