import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { isHarmlessRegex } from '../text/patterns/regex.ts';
import {
  compareDecimals,
  compareNumbers,
  findLongNumbers,
  isWholeDecimal,
  replaceLongNumbers,
  type SpelledNumber,
} from '../text/yaml/exact-numbers.ts';
import { checkDialect } from './check-dialect.ts';
import { isRecord } from './deep-equal.ts';
import { splitPointer } from './json-pointer.ts';
import {
  describeCompileError,
  describeInvalidSchema,
  describeUnresolved,
  describeViolation,
  groupErrors,
  JsonSchemaError,
  type SchemaViolation,
} from './schema-errors.ts';
import { correctKeywords } from './schema-keywords.ts';

interface CompiledSchema {
  /** The first violation, or undefined for a valid value. */
  findViolation(value: unknown): SchemaViolation | undefined;
  /** All of them, for people; takes longer. */
  findViolations(value: unknown): readonly SchemaViolation[];
  /** False if a regex, or alternatives that refer back to the schema, may be slow on such a text. */
  isCheap(textLength: number): boolean;
}

export const draft2020Uri = 'https://json-schema.org/draft/2020-12/schema';
const draft7Uri = 'http://json-schema.org/draft-07/schema';
const impossible =
  'the schema can\'t be checked: a part such as "not: true" allows no value, so write false in its place';
/** A deadline costs less than to validate a longer text. */
const maxCheapLength = 4000;
const metaInstances = new Map<boolean, Ajv>();
const compiled = new WeakMap<object, CompiledSchema>();

/** Compiles JSON Schema 2020-12, or draft-07 if `$schema` names it. References are never fetched. */
export function compileJsonSchema(schema: unknown): CompiledSchema {
  if (typeof schema !== 'boolean' && !isRecord(schema)) {
    throw new JsonSchemaError(`a JSON Schema is an object, true or false, not ${describeType(schema)}`);
  }
  const known = typeof schema === 'boolean' ? undefined : compiled.get(schema);
  if (known !== undefined) return known;
  const validate = compileWithAjv(schema);
  const { patterns, recursive } = findCosts(schema);
  let validateAll: ValidateFunction | undefined;
  const made: CompiledSchema = {
    findViolation: (value) => findExactly(schema, value, (one) => findViolation(validate, one)),
    findViolations(value) {
      validateAll ??= makeAjv(isDraft7(schema), usesMetaSchema(schema), true).compile(schema);
      const all = validateAll;
      const found = findExactly(schema, value, (one) => {
        return runValidation(all, one) ? undefined : groupErrors(all.errors ?? []).map(describeViolation);
      });
      return found ?? [];
    },
    isCheap: (textLength) =>
      !recursive &&
      textLength <= maxCheapLength &&
      patterns.every((pattern) => isHarmlessRegex(pattern, 'u', textLength)),
  };
  // A schema that is nothing but a reference to itself overflows the stack on any value.
  made.findViolation(null);
  if (typeof schema !== 'boolean') compiled.set(schema, made);
  return made;
}

function compileWithAjv(schema: boolean | Readonly<Record<string, unknown>>): ValidateFunction {
  if (typeof schema !== 'boolean' && schema['$async'] !== undefined) {
    // Ajv would return a promise, which is true whatever the value.
    throw new JsonSchemaError('$async is not a keyword of JSON Schema');
  }
  const draft7 = isDraft7(schema);
  refusePrototypeNames(schema);
  const meta = metaInstances.get(draft7) ?? makeAjv(draft7, true);
  metaInstances.set(draft7, meta);
  if (meta.validateSchema(schema) !== true) {
    // Validated again, to say all that is wrong with it.
    const thorough = makeAjv(draft7, true, true);
    void thorough.validateSchema(schema);
    throw describeInvalidSchema(schema, thorough.errors ?? []);
  }
  const decides = (keyword: string) => Object.hasOwn(meta.RULES.all, keyword);
  checkDialect(schema, { isDraft7: draft7, hasMeta: usesMetaSchema(schema), decides });
  try {
    // An instance of its own: a shared one keeps every $id and refuses the second schema that has it.
    return makeAjv(draft7, usesMetaSchema(schema)).compile(schema);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new JsonSchemaError(describeCompileError(error), { cause: error });
  }
}

function isDraft7(schema: boolean | Readonly<Record<string, unknown>>): boolean {
  const named = typeof schema === 'boolean' ? undefined : schema['$schema'];
  if (named === undefined) return false;
  const dialect = typeof named === 'string' ? named.replace(/#$/, '').replace(/^https:/, 'http:') : '';
  if (dialect === draft7Uri) return true;
  if (dialect === draft2020Uri.replace(/^https:/, 'http:')) return false;
  throw new JsonSchemaError(
    `$schema ${JSON.stringify(named)} is not supported: use "${draft2020Uri}" or "${draft7Uri}#"`,
  );
}

/** Loading the meta-schemas costs more than most compilations, and few schemas refer to them. */
function usesMetaSchema(schema: unknown): boolean {
  return /"\$ref":\s*"https?:\/\/json-schema\.org\//.test(JSON.stringify(schema));
}

function makeAjv(draft7: boolean, meta: boolean, allErrors = false): Ajv {
  // Unknown keywords and formats are annotations, as the specification has it.
  const options = {
    strict: false,
    validateSchema: false,
    logger: false,
    meta,
    allErrors,
    // Every object inherits `toString`, which meets no `required`.
    ownProperties: true,
    code: { process: withoutInheritedNames },
  } as const;
  const ajv = draft7 ? new Ajv(options) : new Ajv2020(options);
  formats.default(ajv);
  // In these tables too, a name such as `toString` must not be found.
  const { formats: known, schemas, refs, RULES } = ajv;
  for (const table of [known, schemas, refs, RULES.all, RULES.keywords]) Object.setPrototypeOf(table, null);
  correctKeywords(ajv, meta);
  return ajv;
}

/** Ajv (8.20) collects the names of evaluated properties in a plain object, in which it then finds inherited ones. */
function withoutInheritedNames(code: string): string {
  return code.replaceAll(/\b(props\d+ ?= ?(?:props\d+ ?\|\| ?)?)\{\}/g, '$1{__proto__:null}');
}

/** Ajv (8.20) looks up names of the schema in plain objects of its own, and passes over properties named `__proto__`. */
function refusePrototypeNames(schema: unknown): void {
  for (const [key, value] of membersOf(schema)) {
    const names = key === 'properties' || key === 'patternProperties' || key === 'dependencies';
    if (names && isRecord(value) && Object.hasOwn(value, '__proto__')) {
      const hint = 'write "^__proto__$" under patternProperties';
      throw new JsonSchemaError(`the name "__proto__" under ${key} can't be checked`, { hint });
    }
    if (!/^\$(?:dynamicR|recursiveR|r)ef$/.test(key) || typeof value !== 'string') continue;
    const steps = splitPointer(decodeURI(value.replace(/^#/, ''))) ?? [value.replace(/^.*#/s, '')];
    if (!steps.some((step) => Object.hasOwn(Object.prototype, step))) continue;
    if (value.startsWith('#/') && findAt(schema, steps) !== undefined) continue;
    throw new JsonSchemaError(describeUnresolved(value));
  }
}

function findAt(schema: unknown, steps: readonly string[]): unknown {
  let place = schema;
  for (const step of steps) {
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, step)) return undefined;
    place = Reflect.get(place, step);
  }
  return place;
}

/**
 * Validates a value that may contain numbers which no double can hold. The validator knows only doubles, so it
 * validates with the doubles next to each such number. If the results differ, the right one is unknown, which is an
 * error.
 */
function findExactly<T>(schema: unknown, value: unknown, find: (value: unknown) => T | undefined): T | undefined {
  const neighbours = replaceByNeighbours(schema, value);
  if (neighbours === undefined) return find(value);
  const { number, isDecidable, variants } = neighbours;
  const [first, ...others] = variants.map(find);
  if (isDecidable && others.every((other) => (other === undefined) === (first === undefined))) return first;
  throw new JsonSchemaError(`the schema can't be checked exactly against the number ${number.source}`);
}

function findViolation(validate: ValidateFunction, value: unknown): SchemaViolation | undefined {
  return runValidation(validate, value) ? undefined : describeViolation(validate.errors ?? []);
}

function runValidation(validate: ValidateFunction, value: unknown): boolean {
  try {
    return validate(value);
  } catch (error) {
    // Ajv (8.20) leaves a name undefined for some schemas that nothing can meet.
    if (error instanceof ReferenceError) throw new JsonSchemaError(impossible, { cause: error });
    if (!(error instanceof RangeError)) throw error;
    throw new JsonSchemaError('the schema refers to itself without end', { cause: error });
  }
}

/** Looks at every keyword, even if it does not apply: to find too many only makes checking slower. */
function findCosts(schema: unknown): { readonly patterns: readonly string[]; readonly recursive: boolean } {
  const patterns = new Set<string>();
  const keywords = new Set<string>();
  for (const [key, value] of membersOf(schema)) {
    keywords.add(key);
    if (key === 'pattern' && typeof value === 'string') patterns.add(value);
    if (key === 'patternProperties' && isRecord(value)) for (const pattern of Object.keys(value)) patterns.add(pattern);
  }
  const has = (...names: readonly string[]) => names.some((name) => keywords.has(name));
  const recursive = has('$ref', '$dynamicRef') && has('anyOf', 'oneOf', 'allOf', 'not', 'if', 'contains');
  return { patterns: [...patterns], recursive };
}

function describeType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

interface Neighbours {
  /** The first number that no double keeps. */
  readonly number: SpelledNumber;
  /** False if a keyword, such as `multipleOf` or `uniqueItems`, can't be decided by neighbours. */
  readonly isDecidable: boolean;
  /** The value with a double below, above, and by turns on either side of each such number. */
  readonly variants: readonly unknown[];
}

/** A value with its long numbers replaced by the doubles next to them; undefined if it holds no long number. */
function replaceByNeighbours(schema: unknown, value: unknown): Neighbours | undefined {
  const long = findLongNumbers(value).map(({ number }) => number);
  const [number] = long;
  if (number === undefined) return undefined;
  const named = new Set<number>();
  const hasMultiple = collectNumbers(schema, named);
  const sorted = [...long].sort((a, b) => compareNumbers(a, b) ?? 0);
  const ranked = distinct(sorted);
  const ranks = new Map(ranked.map(({ source }, rank) => [source, rank]));
  const around = (found: SpelledNumber, side: 'below' | 'above') => findNeighbour(found.source, side, named);
  const variants = [
    replaceLongNumbers(value, (found) => around(found, 'below')),
    replaceLongNumbers(value, (found) => around(found, 'above')),
    // Two different numbers between the same doubles must not seem to be one.
    replaceLongNumbers(value, (found) => around(found, (ranks.get(found.source) ?? 0) % 2 === 0 ? 'below' : 'above')),
  ];
  // Two sides tell no more than two numbers apart.
  const isCrowded = ranked.some((found, rank) => {
    const other = ranked[rank - 2];
    return other !== undefined && around(other, 'below') === around(found, 'below');
  });
  const isUnclear = isCrowded && /"uniqueItems":true/.test(JSON.stringify(schema));
  // Between large doubles there is no fraction that would tell a whole number from another.
  const isFraction = (found: SpelledNumber) => !isWholeDecimal(found.source) && Math.abs(Number(found)) >= 2 ** 51;
  return { number, isDecidable: !hasMultiple && !isUnclear && !long.some(isFraction), variants };
}

/** Removes duplicates by value: 1.0 and 1 are equal. */
function distinct(sorted: readonly SpelledNumber[]): readonly SpelledNumber[] {
  return sorted.filter((number, index) => index === 0 || compareNumbers(sorted[index - 1], number) !== 0);
}

/** Collects the numbers that a schema names: a neighbour must not equal one. True if the schema has `multipleOf`. */
function collectNumbers(schema: unknown, named: Set<number>): boolean {
  // No step leads past infinity, `.inf` in YAML: the search for a neighbour would not end.
  if (typeof schema === 'number' && Number.isFinite(schema)) named.add(schema);
  if (typeof schema !== 'object' || schema === null) return false;
  let hasMultiple = 'multipleOf' in schema && typeof schema.multipleOf === 'number' && schema.multipleOf !== 1;
  for (const part of Object.values(schema)) hasMultiple = collectNumbers(part, named) || hasMultiple;
  return hasMultiple;
}

/** The nearest double on one side of a number that is not named. */
function findNeighbour(source: string, side: 'below' | 'above', named: ReadonlySet<number>): number {
  const step = side === 'below' ? stepDown : stepUp;
  const isBeyond = (double: number) => {
    const order = Number.isFinite(double) ? compareDecimals(String(double), source) : Math.sign(double);
    return side === 'below' ? (order ?? 0) < 0 : (order ?? 0) > 0;
  };
  let double = Number(source);
  while (!isBeyond(double) || named.has(double)) double = step(double);
  return double;
}

const bits = new DataView(new ArrayBuffer(8));

/** The next double in order. */
function stepUp(double: number): number {
  if (double === 0) return Number.MIN_VALUE;
  bits.setFloat64(0, double);
  bits.setBigInt64(0, bits.getBigInt64(0) + (double > 0 ? 1n : -1n));
  return bits.getFloat64(0);
}

function stepDown(double: number): number {
  return -stepUp(-double);
}

/** Every key with its value, of all objects at any depth. */
function* membersOf(schema: unknown): Iterable<readonly [string, unknown]> {
  const pending: unknown[] = [schema];
  const seen = new Set<unknown>();
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    for (const [key, child] of Object.entries(value)) {
      if (!Array.isArray(value)) yield [key, child];
      pending.push(child);
    }
  }
}
