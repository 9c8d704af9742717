import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { didYouMean } from '../text/did-you-mean.ts';
import { isHarmlessRegex } from '../text/regex.ts';
import { describePath } from './deep-equal.ts';
import { defined } from './defined.ts';
import { openNeighbours } from './long-numbers.ts';
import { groupErrors } from './schema-errors.ts';

/** One way in which a value breaks a schema. */
export interface SchemaViolation {
  /** Where in the value, as a JSONPath. */
  readonly path: string;
  readonly message: string;
}

export interface CompiledSchema {
  /** The first violation, or undefined for a valid value. */
  findViolation(value: unknown): SchemaViolation | undefined;
  /** All of them, for people; takes longer. */
  findViolations(value: unknown): readonly SchemaViolation[];
  /** False where a regex of its own, or alternatives that refer back to it, might take long on a text of that length. */
  isCheap(textLength: number): boolean;
}

export interface JsonSchemaErrorOptions extends ErrorOptions {
  /** The way to the offending place in the schema, where it is known. */
  readonly place?: readonly (string | number)[];
  readonly hint?: string;
}

/** A schema that can't be compiled; the message names the keyword or reference. */
export class JsonSchemaError extends Error {
  readonly place: readonly (string | number)[];
  /** What was probably meant. */
  readonly hint: string | undefined;
  /** What else is wrong with the same schema. */
  others: readonly JsonSchemaError[] = [];

  constructor(message: string, { place = [], hint, ...options }: JsonSchemaErrorOptions = {}) {
    super(message, options);
    this.hint = hint;
    this.name = 'JsonSchemaError';
    this.place = place;
  }
}

const draft2020Uri = 'https://json-schema.org/draft/2020-12/schema';
const draft7Uri = 'http://json-schema.org/draft-07/schema';
/** `uniqueItems` compares every pair of items. */
const maxCheapLength = 4000;
const metaInstances = new Map<boolean, Ajv>();
const compiled = new WeakMap<object, CompiledSchema>();

/** Compiles JSON Schema 2020-12, or draft-07 where `$schema` says so. References are never fetched. */
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
  const meta = metaInstances.get(draft7) ?? makeAjv(draft7, true);
  metaInstances.set(draft7, meta);
  if (meta.validateSchema(schema) !== true) throw findInvalid(schema, draft7);
  try {
    // An instance of its own: a shared one keeps every $id and refuses the second schema that bears it.
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

/** To load the meta-schemas costs more than most compilations, and hardly any schema refers to them. */
function usesMetaSchema(schema: unknown): boolean {
  return /"\$ref":\s*"https?:\/\/json-schema\.org\//.test(JSON.stringify(schema));
}

function makeAjv(draft7: boolean, meta: boolean, allErrors = false): Ajv {
  // Unknown keywords and formats are annotations, as the specification has it.
  const options = { strict: false, validateSchema: false, logger: false, meta, allErrors } as const;
  const ajv = draft7 ? new Ajv(options) : new Ajv2020(options);
  formats.default(ajv);
  return ajv;
}

/**
 * Validates a value that may hold numbers which no double keeps. The validator knows doubles alone, so it is asked with
 * the neighbours of each: where its word depends on which of them is taken, nobody knows it.
 */
function findExactly<T>(schema: unknown, value: unknown, find: (value: unknown) => T | undefined): T | undefined {
  const neighbours = openNeighbours(schema, value);
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
    if (!(error instanceof RangeError)) throw error;
    throw new JsonSchemaError('the schema refers to itself without end', { cause: error });
  }
}

/** The last error is the one that decided; before it stand those of the alternatives it tried. */
function describeViolation(errors: readonly ErrorObject[]): SchemaViolation {
  const [first] = errors;
  const last = errors.at(-1);
  if (first === undefined || last === undefined) return { path: '$', message: 'does not match the schema' };
  const path = toJsonPath(last.instancePath);
  if (first === last) return { path, message: describeError(last) };
  return {
    path,
    message: `${describeError(last)}; of the first alternative, ${toJsonPath(first.instancePath)} ${describeError(first)}`,
  };
}

function describeError(error: ErrorObject): string {
  const { keyword, params, message = `breaks "${keyword}"` } = error;
  switch (keyword) {
    case 'additionalProperties':
      return `must not have the property ${JSON.stringify(params['additionalProperty'])}`;
    case 'unevaluatedProperties':
      return `must not have the property ${JSON.stringify(params['unevaluatedProperty'])}`;
    case 'enum':
      return `must be one of ${cut(JSON.stringify(params['allowedValues']))}`;
    case 'const':
      return `must be ${cut(JSON.stringify(params['allowedValue']))}`;
    case 'false schema':
      return 'is not allowed here';
    default:
      return cut(message);
  }
}

/** Validates the schema once more, to say all that is wrong with it. */
function findInvalid(schema: boolean | Readonly<Record<string, unknown>>, draft7: boolean): JsonSchemaError {
  const meta = makeAjv(draft7, true, true);
  void meta.validateSchema(schema);
  const [first, ...others] = groupErrors(meta.errors ?? []).map((errors) => invalidSchema(schema, errors));
  const error = first ?? new JsonSchemaError('the schema is not valid');
  error.others = others;
  return error;
}

function invalidSchema(schema: unknown, errors: readonly ErrorObject[]): JsonSchemaError {
  const [first, ...tried] = errors;
  // Of the alternatives, the one that came furthest is most likely what was meant.
  const meant = tried.reduce((best, error) => (depthOf(error) > depthOf(best) ? error : best), first);
  const { path, message } = describeViolation(meant === undefined ? [] : [meant]);
  const place = toSteps(meant?.instancePath ?? '');
  const found = place.reduce(
    (value, step) => (typeof value === 'object' ? readMember(value, step) : undefined),
    schema,
  );
  const allowed: unknown = meant?.params['allowedValues'];
  const known = Array.isArray(allowed) ? allowed.filter((value) => typeof value === 'string') : [];
  const hint = typeof found === 'string' ? didYouMean(found, known) : undefined;
  return new JsonSchemaError(`the schema is not valid at ${path}: ${message}`, {
    place,
    ...defined({ hint }),
  });
}

function depthOf(error: ErrorObject | undefined): number {
  return error === undefined ? 0 : toSteps(error.instancePath).length;
}

function readMember(value: object | null, step: string | number): unknown {
  return value === null ? undefined : (Object.getOwnPropertyDescriptor(value, step)?.value as unknown);
}

function describeCompileError(error: Error): string {
  if ('missingRef' in error) {
    return `$ref ${JSON.stringify(error.missingRef)} can't be resolved: references are never fetched, so put the schema under $defs`;
  }
  return `the schema can't be compiled: ${cut(error.message)}`;
}

/** Looks at every keyword wherever it stands: to find more than applies only makes checking slower. */
function findCosts(schema: unknown): { readonly patterns: readonly string[]; readonly recursive: boolean } {
  const patterns = new Set<string>();
  const keywords = new Set<string>();
  const pending: unknown[] = [schema];
  const seen = new Set<unknown>();
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    for (const [key, child] of Object.entries(value)) {
      if (!Array.isArray(value)) keywords.add(key);
      if (key === 'pattern' && typeof child === 'string') patterns.add(child);
      if (key === 'patternProperties' && isRecord(child))
        for (const pattern of Object.keys(child)) patterns.add(pattern);
      pending.push(child);
    }
  }
  const has = (...names: readonly string[]) => names.some((name) => keywords.has(name));
  const recursive = has('$ref', '$dynamicRef') && has('anyOf', 'oneOf', 'allOf', 'not', 'if', 'contains');
  return { patterns: [...patterns], recursive };
}

function toJsonPath(pointer: string): string {
  return describePath(toSteps(pointer));
}

function toSteps(pointer: string): (string | number)[] {
  const steps = pointer.split('/').slice(1);
  return steps.map((step) => {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    return /^(?:0|[1-9]\d{0,9})$/.test(name) ? Number(name) : name;
  });
}

function cut(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function describeType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
