import { isJsonObject, type JsonObject } from '../../json/json.ts';
import { plainNumbers } from '../../text/exact-numbers.ts';

/** Data from YAML is JSON once its numbers are plain. */
export function toJsonObject(value: unknown): JsonObject {
  const plain = plainNumbers(value);
  return isJsonObject(plain) ? plain : {};
}
