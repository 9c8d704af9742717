import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { appendPointer } from '../json/json-pointer.ts';

const inOne = new Set([
  'additionalItems',
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
]);
const inList = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const inMap = new Set(['$defs', 'definitions', 'dependentSchemas', 'patternProperties', 'properties']);

/** Calls back for each value that its keyword says is a schema. A callback, since large schemas have thousands. */
export function visitChildren(
  schema: JsonObject,
  pointer: string,
  visit: (value: JsonValue, pointer: string) => void,
): void {
  for (const keyword of Object.keys(schema)) {
    const value = schema[keyword] ?? null;
    const isItems = keyword === 'items';
    if (inOne.has(keyword) || (isItems && !Array.isArray(value))) {
      visit(value, appendPointer(pointer, keyword));
    } else if (Array.isArray(value)) {
      if (!isItems && !inList.has(keyword)) continue;
      for (const [index, item] of value.entries()) visit(item, appendPointer(pointer, keyword, index));
    } else if (isJsonObject(value) && (inMap.has(keyword) || keyword === 'dependencies')) {
      const at = appendPointer(pointer, keyword);
      for (const [name, item] of Object.entries(value)) {
        if (keyword === 'dependencies' && Array.isArray(item)) continue;
        visit(item, appendPointer(at, name));
      }
    }
  }
}
