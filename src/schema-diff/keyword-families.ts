import type { JsonObject } from '../json/json.ts';
import { facetKeywords, noteKeywords, referenceKeywords, silentKeywords, unionKeywords } from './keywords.ts';

/** What the keywords of a schema are about, a bit each. */
export const families = {
  /** Read as notes. */
  remark: 1,
  string: 2,
  number: 4,
  array: 8,
  object: 16,
  values: 32,
  /** `not` and conditions, and what is unevaluated. */
  residue: 64,
  /** A reference or a list of branches. */
  branch: 128,
  /** Holds for the very value that the schema around it holds for. */
  inPlace: 256,
  unknown: 512,
  /** Anything but names, places and remarks. */
  loud: 1024,
} as const;

export const contentKeywords = ['contentEncoding', 'contentMediaType', 'contentSchema'];

const { remark, string, number, array, object, values, residue, branch, inPlace, loud } = families;

const members: readonly (readonly [number, readonly string[]])[] = [
  [remark, [...noteKeywords, 'x-extensible-enum', 'removed']],
  [loud, [...facetKeywords, ...unionKeywords, ...referenceKeywords]],
  [values, ['enum', 'const']],
  [string, ['minLength', 'maxLength', 'pattern', 'format', ...contentKeywords]],
  [number, ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']],
  [array, ['items', 'prefixItems', 'additionalItems', 'contains', 'minItems', 'maxItems', 'uniqueItems']],
  [object, ['properties', 'required', 'patternProperties', 'additionalProperties', 'propertyNames']],
  [object, ['minProperties', 'maxProperties', 'dependencies', 'dependentRequired', 'dependentSchemas']],
  [array | residue, ['unevaluatedItems']],
  [object | residue, ['unevaluatedProperties']],
  [residue | inPlace, ['not', 'if', 'then', 'else']],
  [branch | inPlace, [...unionKeywords, ...referenceKeywords]],
  [inPlace, ['dependencies', 'dependentSchemas']],
];

const familyOf = new Map<string, number>(silentKeywords.map((keyword) => [keyword, 0]));
for (const [family, keywords] of members) {
  for (const keyword of keywords) familyOf.set(keyword, (familyOf.get(keyword) ?? 0) | family);
}

/** One look at each keyword, instead of one a keyword that could be there. */
export function familiesOf(schema: JsonObject): number {
  let found = 0;
  for (const keyword of Object.keys(schema)) found |= familyOf.get(keyword) ?? families.unknown | loud;
  return found;
}

/** Whether a schema has a keyword of a family. */
export function hasFamily(schema: JsonObject, family: number): boolean {
  return (familiesOf(schema) & family) !== 0;
}
