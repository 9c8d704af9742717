import type { ErrorObject } from 'ajv';
import { didYouMean } from '../text/words/did-you-mean.ts';
import { describePath } from './deep-equal.ts';
import { defined } from './defined.ts';
import { splitPointer } from './json-pointer.ts';

/** One way in which a value breaks a schema. */
export interface SchemaViolation {
  /** The place in the value, as a JSONPath. */
  readonly path: string;
  readonly message: string;
}

export interface JsonSchemaErrorOptions extends ErrorOptions {
  /** The way to the offending place in the schema, if it is known. */
  readonly place?: readonly (string | number)[];
  readonly hint?: string;
}

/** A schema that can't be compiled; the message names the keyword or reference. */
export class JsonSchemaError extends Error {
  readonly place: readonly (string | number)[];
  /** The probably intended name or value. */
  readonly hint: string | undefined;
  /** Other errors of the same schema. */
  others: readonly JsonSchemaError[] = [];

  constructor(message: string, { place = [], hint, ...options }: JsonSchemaErrorOptions = {}) {
    super(message, options);
    this.hint = hint;
    this.name = 'JsonSchemaError';
    this.place = place;
  }
}

/** The errors of Ajv's meta-schema for a schema, as one error that contains the others. */
export function describeInvalidSchema(schema: unknown, errors: readonly ErrorObject[]): JsonSchemaError {
  const [first, ...others] = groupErrors(errors).map((group) => invalidSchema(schema, group));
  const error = first ?? new JsonSchemaError('the schema is not valid');
  error.others = others;
  return error;
}

function invalidSchema(schema: unknown, [first, ...tried]: readonly ErrorObject[]): JsonSchemaError {
  // The alternative with the longest path is most likely the intended one.
  const meant = tried.reduce((best, error) => (depthOf(error) > depthOf(best) ? error : best), first);
  const { path, message } = describeViolation(meant === undefined ? [] : [meant]);
  const place = toSteps(meant?.instancePath ?? '');
  const found = place.reduce(readMember, schema);
  const allowed: unknown = meant?.params['allowedValues'];
  const known = Array.isArray(allowed) ? allowed.filter((value) => typeof value === 'string') : [];
  const hint = typeof found === 'string' ? didYouMean(found, known) : undefined;
  return new JsonSchemaError(`the schema is not valid at ${path}: ${message}`, { place, ...defined({ hint }) });
}

function depthOf(error: ErrorObject | undefined): number {
  return toSteps(error?.instancePath ?? '').length;
}

function readMember(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, step)?.value as unknown;
}

export function describeCompileError(error: Error): string {
  if ('missingRef' in error) return describeUnresolved(String(error.missingRef));
  return `the schema can't be compiled: ${cut(error.message)}`;
}

export function describeUnresolved(reference: string): string {
  return `$ref ${JSON.stringify(reference)} can't be resolved: references are never fetched, so put the schema under $defs`;
}

/** The last error is the one that decided; the errors before it are of the alternatives that were tried. */
export function describeViolation(errors: readonly ErrorObject[]): SchemaViolation {
  const [first] = errors;
  const last = errors.at(-1);
  if (first === undefined || last === undefined) return { path: '$', message: 'does not match the schema' };
  const path = toJsonPath(last.instancePath);
  if (first === last) return { path, message: describeError(last) };
  const alternative = `of the first alternative, ${toJsonPath(first.instancePath)} ${describeError(first)}`;
  return { path, message: `${describeError(last)}; ${alternative}` };
}

function describeError({ keyword, params, message = `breaks "${keyword}"` }: ErrorObject): string {
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

/** Keywords whose error comes after the errors of their alternatives or parts. */
const wrappers: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'contains', 'propertyNames']);
/** Keywords whose error follows from errors of other keywords. */
const followers: ReadonlySet<string> = new Set(['if', 'unevaluatedProperties', 'unevaluatedItems']);

/** Groups Ajv's `allErrors` by mistake: first the errors of alternatives, last the deciding one. */
export function groupErrors(errors: readonly ErrorObject[]): readonly (readonly ErrorObject[])[] {
  let groups: (readonly ErrorObject[])[] = [];
  for (const error of errors) {
    const inner = wrappers.has(error.keyword) ? groups.filter((group) => isTriedBy(group.at(-1), error)) : [];
    groups = [...groups.filter((group) => !inner.includes(group)), [...inner.flat(), error]];
  }
  const own = groups.filter((group) => !followers.has(group.at(-1)?.keyword ?? ''));
  return own.length > 0 ? own : groups.slice(0, 1);
}

/** True for an error of one of the alternatives: within them in the schema, or behind a reference in them. */
function isTriedBy(tried: ErrorObject | undefined, wrapper: ErrorObject): boolean {
  if (tried === undefined || !isWithin(tried.instancePath, wrapper.instancePath)) return false;
  const around = wrapper.schemaPath.slice(0, wrapper.schemaPath.lastIndexOf('/'));
  return isWithin(tried.schemaPath, wrapper.schemaPath) || !isWithin(tried.schemaPath, around);
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}/`);
}

function toJsonPath(pointer: string): string {
  return describePath(toSteps(pointer));
}

function toSteps(pointer: string): (string | number)[] {
  return (splitPointer(pointer) ?? []).map((name) => (/^(?:0|[1-9]\d{0,9})$/.test(name) ? Number(name) : name));
}

function cut(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
