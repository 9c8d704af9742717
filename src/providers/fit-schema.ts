import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { appendPointer, splitPointer } from '../json/json-pointer.ts';
import { withoutInherited } from '../json/without-inherited.ts';
import { nameSet } from '../text/name-set.ts';
import { findSupport, type SchemaLimits, type SchemaMode } from './schema-modes.ts';

/** One reason why an API refuses a schema. */
export interface Refusal {
  /** JSON Pointer of the refused keyword, or of the part that lacks a keyword. */
  readonly pointer: string;
  /** End of a sentence that starts with the name of the API's mode. */
  readonly reason: string;
  /** True if the keyword can be dropped: the schema then permits the same or more. */
  readonly canLeaveOut: boolean;
  /** URL of the documentation. */
  readonly source: string;
  readonly asOf: string;
}

interface FittedSchema {
  /** The schema without the parts that can be left out. */
  readonly schema: JsonValue;
  readonly refusals: readonly Refusal[];
}

/** Finds all parts of a schema that the API refuses, and returns the schema without the optional ones. */
export function fitSchema(schema: JsonValue, mode: SchemaMode): FittedSchema {
  const refusals: Refusal[] = [];
  const report: Report = (pointer, reason, options = {}) => {
    const { keyword = '', canLeaveOut = false } = options;
    const [first] = mode.groups;
    const { source = first?.source ?? '', asOf = first?.asOf ?? '' } = findSupport(mode, keyword);
    refusals.push({ pointer, reason, canLeaveOut, source, asOf });
  };
  const fitted = fitPart(schema, '', { mode, report });
  checkRoot(schema, mode, report);
  if (mode.rules.isRecursionRefused === true) findRecursion(schema, report);
  checkLimits(schema, mode.rules.limits ?? {}, report);
  return { schema: fitted, refusals };
}

type Report = (
  pointer: string,
  reason: string,
  options?: { readonly keyword?: string; readonly canLeaveOut?: boolean },
) => void;

interface Fitting {
  readonly mode: SchemaMode;
  readonly report: Report;
}

/** Keywords whose value is a map of schemas, one schema, or a list of schemas. */
const maps: ReadonlySet<string> = new Set([
  'properties',
  '$defs',
  'definitions',
  'patternProperties',
  'dependentSchemas',
]);
const parts: ReadonlySet<string> = nameSet(
  'items additionalProperties contains propertyNames unevaluatedProperties unevaluatedItems prefixItems anyOf allOf oneOf not if then else',
);

function fitPart(schema: JsonValue, pointer: string, fitting: Fitting): JsonValue {
  if (!isJsonObject(schema)) return schema;
  const { mode, report } = fitting;
  const fitted: Record<string, JsonValue> = withoutInherited({});
  for (const [keyword, value] of Object.entries(schema)) {
    const at = appendPointer(pointer, keyword);
    const fault = findFault(keyword, value, schema, mode);
    if (fault !== undefined) report(at, fault.reason, { keyword, canLeaveOut: fault.canLeaveOut });
    if (fault?.canLeaveOut !== true) fitted[keyword] = fitValue(keyword, value, at, fitting);
    else if (keyword === 'oneOf' && canBeAnyOf(schema, mode)) fitted['anyOf'] = fitValue(keyword, value, at, fitting);
  }
  if (isObjectSchema(schema)) checkObject(schema, pointer, fitted, fitting);
  return fitted;
}

/** Fits the schemas in a keyword's value. */
function fitValue(keyword: string, value: JsonValue, pointer: string, fitting: Fitting): JsonValue {
  if (maps.has(keyword) && isJsonObject(value)) {
    const members = Object.entries(value).map(([name, part]): [string, JsonValue] => {
      const at = appendPointer(pointer, name);
      if (typeof part === 'boolean' && keyword === 'properties' && fitting.mode.rules.hasPlainParts === true) {
        fitting.report(at, 'refuses true and false as the schema of a property', { keyword });
      }
      return [name, fitPart(part, at, fitting)];
    });
    return Object.fromEntries(members);
  }
  if (!parts.has(keyword)) return value;
  if (!Array.isArray(value)) return fitPart(value, pointer, fitting);
  return (value as readonly JsonValue[]).map((part, index) => fitPart(part, appendPointer(pointer, index), fitting));
}

/** True if `oneOf` can be sent as `anyOf`: a value that matches one schema matches `anyOf` too. */
function canBeAnyOf(schema: JsonObject, mode: SchemaMode): boolean {
  return schema['anyOf'] === undefined && findSupport(mode, 'anyOf').support === 'taken';
}

interface Fault {
  readonly reason: string;
  readonly canLeaveOut: boolean;
}

function findFault(keyword: string, value: JsonValue, schema: JsonObject, mode: SchemaMode): Fault | undefined {
  const { rules } = mode;
  if (rules.isRefAlone === true && schema['$ref'] !== undefined && !keyword.startsWith('$')) {
    return { reason: `refuses "${keyword}" beside "$ref"`, canLeaveOut: true };
  }
  if (findSupport(mode, keyword).support === 'refused') return { reason: `refuses "${keyword}"`, canLeaveOut: true };
  const reason = findValueFault(keyword, value, rules);
  if (reason !== undefined) return { reason, canLeaveOut: true };
  if (keyword === 'allOf' && rules.isAllOfWithoutRef === true && JSON.stringify(value).includes('"$ref":')) {
    return { reason: 'refuses "$ref" within "allOf"', canLeaveOut: false };
  }
  if (rules.hasPlainParts === true && keyword === 'items' && Array.isArray(value)) {
    return { reason: 'refuses a list of "items": write it as "prefixItems"', canLeaveOut: false };
  }
  if (rules.hasPlainParts === true && (keyword === 'enum' || keyword === 'anyOf') && isEmptyList(value)) {
    return { reason: `refuses an empty "${keyword}"`, canLeaveOut: false };
  }
  return undefined;
}

/** Why the API refuses the value of a keyword that it accepts; undefined if it does not. */
function findValueFault(keyword: string, value: JsonValue, rules: SchemaMode['rules']): string | undefined {
  const { formats, maxMinItems, hasPlainEnums, refusedPattern } = rules;
  if (keyword === 'format' && formats !== undefined && typeof value === 'string' && !formats.includes(value)) {
    return `knows no format "${value}" (known: ${formats.join(', ')})`;
  }
  if (keyword === 'minItems' && maxMinItems !== undefined && typeof value === 'number' && value > maxMinItems) {
    return `takes "minItems" of 0 and ${maxMinItems} only`;
  }
  const isPlain = (member: JsonValue) => typeof member !== 'object' || member === null;
  if (keyword === 'enum' && hasPlainEnums === true && Array.isArray(value) && !value.every(isPlain)) {
    return 'refuses lists and objects in "enum"';
  }
  const refused = keyword === 'pattern' && typeof value === 'string' ? refusedPattern?.exec(value)?.[0] : undefined;
  return refused === undefined ? undefined : `refuses ${JSON.stringify(refused)} in "pattern"`;
}

function isEmptyList(value: JsonValue): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isObjectSchema({ type, properties }: JsonObject): boolean {
  return type === 'object' || (Array.isArray(type) && type.includes('object')) || isJsonObject(properties);
}

/** Checks an object. If the API requires closed objects, an open one is closed. */
function checkObject(
  schema: JsonObject,
  pointer: string,
  fitted: Record<string, JsonValue>,
  { mode, report }: Fitting,
): void {
  const { rules } = mode;
  const { properties, required, additionalProperties } = schema;
  const names = isJsonObject(properties) ? Object.keys(properties) : [];
  const named: readonly JsonValue[] = Array.isArray(required) ? required : [];
  if (rules.isClosed === true && additionalProperties !== false) {
    const at = additionalProperties === undefined ? pointer : appendPointer(pointer, 'additionalProperties');
    const canLeaveOut = names.length > 0;
    report(at, 'demands additionalProperties: false on every object', { keyword: 'additionalProperties', canLeaveOut });
    if (canLeaveOut) fitted['additionalProperties'] = false;
  }
  if (rules.requiresAllProperties === true) {
    for (const name of names.filter((key) => !named.includes(key))) {
      const at = appendPointer(pointer, 'properties', name);
      report(at, `demands that every property is required, and "${name}" is not`, { keyword: 'required' });
    }
  }
  if (rules.requiresSomeProperty === true && named.length === 0) {
    report(pointer, 'demands a required property of every object', { keyword: 'required' });
  }
}

function checkRoot(schema: JsonValue, { rules }: SchemaMode, report: Report): void {
  if (rules.isObjectAtRoot !== true) return;
  if (!isJsonObject(schema) || schema['type'] !== 'object') {
    const at = isJsonObject(schema) && schema['type'] !== undefined ? '/type' : '';
    report(at, 'demands type: object of the outermost schema', { keyword: 'type' });
  } else if (schema['anyOf'] !== undefined) report('/anyOf', 'refuses "anyOf" in the outermost schema');
}

/** Reports each `$ref` that points to a schema around it. */
function findRecursion(root: JsonValue, report: Report): void {
  const done = new Set<string>();
  const reported = new Set<string>();
  const visit = (schema: JsonValue, pointer: string, open: readonly string[]): void => {
    if (Array.isArray(schema)) {
      (schema as readonly JsonValue[]).forEach((part, index) => visit(part, appendPointer(pointer, index), open));
    }
    if (!isJsonObject(schema)) return;
    const { $ref: ref } = schema;
    if (typeof ref === 'string' && ref.startsWith('#')) {
      const target = decodeURIComponent(ref.slice(1));
      const isWithin = [pointer, ...open].some((at) => at === target || at.startsWith(`${target}/`));
      const at = appendPointer(pointer, '$ref');
      if (isWithin) {
        if (!reported.has(at)) report(at, 'refuses schemas that refer to themselves', { keyword: '$ref' });
        reported.add(at);
      } else if (!done.has(target)) {
        done.add(target);
        visit(valueAt(root, target), target, [...open, pointer]);
      }
    }
    for (const [keyword, value] of Object.entries(schema)) {
      const at = appendPointer(pointer, keyword);
      if (keyword === '$defs' || keyword === 'definitions') continue;
      if (maps.has(keyword) && isJsonObject(value)) {
        for (const [name, part] of Object.entries(value)) visit(part, appendPointer(at, name), open);
      } else if (parts.has(keyword)) visit(value, at, open);
    }
  };
  visit(root, '', []);
}

function valueAt(root: JsonValue, pointer: string): JsonValue {
  let found: JsonValue = root;
  for (const token of splitPointer(pointer) ?? []) {
    if (Array.isArray(found)) found = (found as readonly JsonValue[])[Number(token)] ?? null;
    else found = isJsonObject(found) && Object.hasOwn(found, token) ? (found[token] ?? null) : null;
  }
  return found;
}

function checkLimits(schema: JsonValue, limits: SchemaLimits, report: Report): void {
  const size = measure(schema);
  for (const [key, what] of Object.entries(limitNames) as readonly (readonly [keyof SchemaLimits, string])[]) {
    const limit = limits[key];
    if (limit !== undefined && size[key] > limit) {
      report('', `takes at most ${limit} ${what}, and the schema has ${size[key]}`);
    }
  }
}

const limitNames: Readonly<Record<keyof SchemaLimits, string>> = {
  properties: 'properties',
  depth: 'levels of objects within objects',
  enumValues: 'values of "enum"',
  characters: 'characters in names and values',
  optionalProperties: 'optional properties',
  unions: 'properties of several types',
};

function measure(schema: JsonValue): Record<keyof SchemaLimits, number> {
  const size = { properties: 0, depth: 0, enumValues: 0, characters: 0, optionalProperties: 0, unions: 0 };
  const lengthOf = (value: JsonValue) => (typeof value === 'string' ? value.length : 0);
  const visit = (part: JsonValue, depth: number): void => {
    if (Array.isArray(part)) for (const one of part as readonly JsonValue[]) visit(one, depth);
    if (!isJsonObject(part)) return;
    const isObject = isObjectSchema(part);
    if (isObject) size.depth = Math.max(size.depth, depth);
    const { enum: values, const: only, required } = part;
    if (Array.isArray(values)) {
      size.enumValues += values.length;
      for (const value of values as readonly JsonValue[]) size.characters += lengthOf(value);
    }
    size.characters += lengthOf(only ?? null);
    for (const [keyword, value] of Object.entries(part)) {
      if (maps.has(keyword) && isJsonObject(value)) {
        for (const [name, member] of Object.entries(value)) {
          size.characters += name.length;
          if (keyword === 'properties') {
            size.properties += 1;
            if (!(Array.isArray(required) && required.includes(name))) size.optionalProperties += 1;
            if (isJsonObject(member) && isUnion(member)) size.unions += 1;
          }
          // A definition counts at the depth where it is written.
          visit(member, keyword === 'properties' && isObject ? depth + 1 : depth);
        }
      } else if (parts.has(keyword)) visit(value, depth);
    }
  };
  visit(schema, 0);
  return size;
}

function isUnion({ type, anyOf }: JsonObject): boolean {
  return anyOf !== undefined || (Array.isArray(type) && type.length > 1);
}
