import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { appendPointer } from '../../json/json-pointer.ts';

/** Keywords that refer to another schema. */
export const referenceKeywords = ['$ref', '$dynamicRef', '$recursiveRef'];

/** Annotations: keywords for readers and models that refuse no value. Keywords after `default` are stored together. */
export const noteKeywords = [
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'version',
  'x-version',
  // OpenAPI's own annotations.
  'discriminator',
  'example',
  'externalDocs',
  'xml',
];

/** Version labels at a schema's root. They must change if the contract breaks. */
export const versionKeywords = ['version', 'x-version'];

/** Names, places and comments, which do not restrict values. */
const silentKeywords = [
  '$schema',
  '$id',
  '$anchor',
  '$dynamicAnchor',
  '$recursiveAnchor',
  '$vocabulary',
  '$defs',
  'definitions',
  '$comment',
  'components',
  'x-extensible-enum',
  'removed',
];

export const unionKeywords = ['allOf', 'anyOf', 'oneOf'];

export const contentKeywords = ['contentEncoding', 'contentMediaType', 'contentSchema'];

/** Keywords that restrict values. */
export const facetKeywords = [
  'type',
  'enum',
  'const',
  'minLength',
  'maxLength',
  'pattern',
  'format',
  ...contentKeywords,
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'items',
  'prefixItems',
  'additionalItems',
  'contains',
  'minContains',
  'maxContains',
  'minItems',
  'maxItems',
  'uniqueItems',
  'properties',
  'required',
  'patternProperties',
  'additionalProperties',
  'propertyNames',
  'minProperties',
  'maxProperties',
  'dependencies',
  'dependentRequired',
  'dependentSchemas',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedItems',
  'unevaluatedProperties',
];

const silent: ReadonlySet<string> = new Set([...noteKeywords, ...silentKeywords]);
const known: ReadonlySet<string> = new Set([...facetKeywords, ...unionKeywords, ...referenceKeywords, ...silent]);

/** True for a keyword that refuses no value. */
export function isSilentKeyword(keyword: string): boolean {
  return silent.has(keyword);
}

/** True for a keyword that the comparison understands. */
export function isKnownKeyword(keyword: string): boolean {
  return known.has(keyword);
}

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

/** Calls `visit` for each subschema with its JSON Pointer. */
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
