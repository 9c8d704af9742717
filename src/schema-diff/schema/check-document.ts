import { areTexts } from '../../json/guards.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { appendPointer } from '../../json/json-pointer.ts';
import { attempt } from '../../text/attempt.ts';
import { didYouMean, findNearest } from '../../text/words/did-you-mean.ts';
import {
  facetKeywords,
  isKnownKeyword,
  isSilentKeyword,
  noteKeywords,
  referenceKeywords,
  unionKeywords,
  visitChildren,
} from './keywords.ts';

type Expectation = { readonly is: string; readonly test: (value: JsonValue) => boolean };

const typeWords = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'];

const count: Expectation = {
  is: 'a whole number, 0 or more',
  test: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0,
};
const number: Expectation = { is: 'a number', test: (value) => typeof value === 'number' && Number.isFinite(value) };
const exclusive: Expectation = {
  is: 'a number, the bound itself (draft-04 wrote true beside the bound)',
  test: number.test,
};
const flag: Expectation = { is: 'true or false', test: (value) => typeof value === 'boolean' };
const text: Expectation = { is: 'a string', test: (value) => typeof value === 'string' };
const names: Expectation = { is: 'a list of strings', test: areTexts };
const map: Expectation = { is: 'an object', test: isJsonObject };
const schemas: Expectation = {
  is: 'a list of schemas with at least one member',
  test: (value) => Array.isArray(value) && value.length > 0,
};

const expectations: Readonly<Record<string, Expectation>> = {
  type: {
    is: `one of ${typeWords.join(', ')}, or a list of them`,
    test: (value) =>
      (typeof value === 'string' && typeWords.includes(value)) ||
      (areTexts(value) && value.length > 0 && value.every((item) => typeWords.includes(item))),
  },
  enum: { is: 'a list of values', test: (value) => Array.isArray(value) },
  minLength: count,
  maxLength: count,
  minItems: count,
  maxItems: count,
  minContains: count,
  maxContains: count,
  minProperties: count,
  maxProperties: count,
  minimum: number,
  maximum: number,
  exclusiveMinimum: exclusive,
  exclusiveMaximum: exclusive,
  multipleOf: { is: 'a number above 0', test: (value) => typeof value === 'number' && value > 0 },
  uniqueItems: flag,
  nullable: flag,
  pattern: { is: 'a regular expression', test: (value) => typeof value === 'string' && isRegex(value) },
  format: text,
  $ref: text,
  $dynamicRef: text,
  $recursiveRef: text,
  $id: text,
  $anchor: text,
  $dynamicAnchor: text,
  title: text,
  description: text,
  required: names,
  properties: map,
  patternProperties: {
    is: 'an object whose keys are regular expressions',
    test: (value) => isJsonObject(value) && Object.keys(value).every((key) => isRegex(key)),
  },
  $defs: map,
  definitions: map,
  dependentSchemas: map,
  dependentRequired: {
    is: 'an object of lists of strings',
    test: (value) => isJsonObject(value) && Object.values(value).every(areTexts),
  },
  dependencies: {
    is: 'an object of schemas or lists of strings',
    test: (value) =>
      isJsonObject(value) &&
      Object.values(value).every((item) => areTexts(item) || isJsonObject(item) || typeof item === 'boolean'),
  },
  allOf: schemas,
  anyOf: schemas,
  oneOf: schemas,
  prefixItems: schemas,
};

const expectationOf: ReadonlyMap<string, Expectation> = new Map(Object.entries(expectations));

/** Checks the values of all keywords that the comparison reads. Calls `fail` for each invalid one. */
export function validateKeywords(
  schema: JsonObject,
  pointer: string,
  fail: (pointer: string, message: string, hint?: string) => void,
): void {
  for (const keyword of Object.keys(schema)) {
    const expectation = expectationOf.get(keyword);
    const value = schema[keyword] ?? null;
    if (expectation === undefined || expectation.test(value)) continue;
    const found = JSON.stringify(value) ?? 'nothing';
    const shown = found.length > 60 ? `${found.slice(0, 60)}…` : found;
    fail(
      appendPointer(pointer, keyword),
      `"${keyword}" must be ${expectation.is}; found ${shown}.`,
      hintOf(keyword, value),
    );
  }
}

function hintOf(keyword: string, value: JsonValue): string | undefined {
  if (keyword !== 'type') return undefined;
  const given = (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string');
  const strange = given.find((item) => !typeWords.includes(item));
  return strange === undefined ? undefined : didYouMean(strange, typeWords);
}

function isRegex(source: string): boolean {
  return attempt(() => new RegExp(source, 'u'), SyntaxError) instanceof RegExp;
}

/** An unknown keyword and the known one that it resembles. */
interface MisspeltKeyword {
  /** JSON Pointer to the keyword. */
  readonly pointer: string;
  readonly keyword: string;
  readonly meant: string;
}

/** Keywords of other dialects: OpenAPI and draft-04. */
const otherDialects: ReadonlySet<string> = new Set([
  'example',
  'id',
  'nullable',
  'discriminator',
  'xml',
  'externalDocs',
]);
const meaningfulKeywords = [
  ...facetKeywords,
  ...unionKeywords,
  ...referenceKeywords,
  ...noteKeywords,
  '$defs',
  'definitions',
];

/**
 * Finds keywords that resemble a known one. Validators ignore unknown keywords, so a misspelt `required` would demand
 * nothing. Returns nothing for a value that is no schema. Visits circular parts once.
 */
export function findMisspeltKeywords(schema: unknown): readonly MisspeltKeyword[] {
  const found: MisspeltKeyword[] = [];
  const seen = new Set<unknown>();
  const pending: { readonly value: unknown; readonly pointer: string }[] = [{ value: schema, pointer: '' }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, pointer: at } = next;
    if (!isJsonObject(value) || seen.has(value)) continue;
    seen.add(value);
    for (const keyword of Object.keys(value)) {
      if (isKnownKeyword(keyword) || otherDialects.has(keyword) || keyword.startsWith('x-')) continue;
      const nearest = findNearest(keyword, meaningfulKeywords);
      if (nearest !== undefined) found.push({ pointer: appendPointer(at, keyword), keyword, meant: nearest });
    }
    visitChildren(value, at, (child, pointer) => pending.push({ value: child, pointer }));
  }
  return found;
}

/** Keys under which APIs, MCP and OpenAPI wrap a schema. */
const wrappers: readonly string[] = (
  'schema json_schema inputSchema input_schema parameters function tools toolSpec functionDeclarations ' +
  'function_declarations result paths webhooks components'
).split(' ');

/** Finds the key that wraps a schema in a document without restricting keywords of its own. */
export function findWrapper(document: unknown): string | undefined {
  if (!isJsonObject(document)) return undefined;
  if (Object.keys(document).some((key) => isKnownKeyword(key) && !isSilentKeyword(key))) return undefined;
  const isHeld = (key: string) => typeof document[key] === 'object' && document[key] !== null;
  return [...wrappers, ...definitionKeywords].find(isHeld);
}

/** Keywords that hold schemas to refer to. */
export const definitionKeywords: readonly string[] = ['$defs', 'definitions'];

const inPlaceOne = ['not', 'if', 'then', 'else'];
/** Keywords whose schemas apply to the same value as the schema around them. */
const inPlaceKeywords = [...referenceKeywords, ...inPlaceOne, ...unionKeywords, 'dependentSchemas', 'dependencies'];

/** A schema and its JSON Pointer. */
interface Placed {
  readonly schema: JsonObject | boolean;
  readonly pointer: string;
}

interface Edge {
  /** JSON Pointer to the keyword that refers. */
  readonly from: string;
  readonly to: JsonValue;
  /** JSON Pointer to `to`. */
  readonly pointer: string;
}

/**
 * Finds a schema that refers to itself for the same value: no validator would finish. Recursion through properties or
 * items is fine, because the value gets smaller. Returns the pointer that closes the circle.
 */
export function findEndlessReference(
  schemas: Iterable<Placed>,
  resolve: (from: JsonObject, ref: string, pointer: string) => Placed,
): string | undefined {
  const done = new Set<JsonValue>();
  for (const { schema, pointer } of schemas) {
    const found = walk(schema, pointer, resolve, done);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Searches depth first with its own stack: chains of references can exceed the engine's. */
function walk(
  root: JsonValue,
  pointer: string,
  resolve: (from: JsonObject, ref: string, pointer: string) => Placed,
  done: Set<JsonValue>,
): string | undefined {
  const open = new Set<JsonValue>();
  const stack: { readonly schema: JsonObject; readonly edges: Iterator<Edge> }[] = [];
  const enter = (schema: JsonValue, at: string): void => {
    if (!isJsonObject(schema) || done.has(schema)) return;
    open.add(schema);
    stack.push({ schema, edges: findEdges(schema, at, resolve) });
  };
  enter(root, pointer);
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const next = frame.edges.next();
    if (next.done === true) {
      stack.pop();
      open.delete(frame.schema);
      done.add(frame.schema);
    } else if (open.has(next.value.to)) {
      return next.value.from;
    } else {
      enter(next.value.to, next.value.pointer);
    }
  }
  return undefined;
}

function* findEdges(
  schema: JsonObject,
  pointer: string,
  resolve: (from: JsonObject, ref: string, pointer: string) => Placed,
): Iterator<Edge> {
  for (const keyword of inPlaceKeywords) {
    const value = schema[keyword];
    if (value === undefined) continue;
    const at = appendPointer(pointer, keyword);
    if (inPlaceOne.includes(keyword)) {
      yield edgeTo(value, at);
    } else if (Array.isArray(value)) {
      for (const [index, to] of value.entries()) yield edgeTo(to, appendPointer(at, index));
    } else if (isJsonObject(value)) {
      for (const [name, to] of Object.entries(value)) yield edgeTo(to, appendPointer(at, name));
    } else if (typeof value === 'string') {
      const target = resolve(schema, value, at);
      yield { from: at, to: target.schema, pointer: target.pointer };
    }
  }
}

function edgeTo(to: JsonValue, pointer: string): Edge {
  return { from: pointer, to, pointer };
}
