/** Keywords that hold a reference to another schema. */
export const referenceKeywords = ['$ref', '$dynamicRef', '$recursiveRef'];

/** Keywords that a reader, and a model, sees but that refuse no value; the ones after `default` are kept together. */
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
];

/** At the root of a schema: a label that is to change when the contract breaks. */
export const versionKeywords = ['version', 'x-version'];

/** Names, places and remarks: they say nothing of values. */
export const silentKeywords = [
  '$schema',
  '$id',
  '$anchor',
  '$dynamicAnchor',
  '$recursiveAnchor',
  '$vocabulary',
  '$defs',
  'definitions',
  '$comment',
  'x-extensible-enum',
  'removed',
];

export const unionKeywords = ['allOf', 'anyOf', 'oneOf'];

/** Keywords that restrict values. */
export const facetKeywords = [
  'type',
  'enum',
  'const',
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
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

/** True for a keyword whose meaning the comparison knows. */
export function isKnownKeyword(keyword: string): boolean {
  return known.has(keyword);
}
