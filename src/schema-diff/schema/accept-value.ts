import { canonicalJson } from '../../json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { attemptOr } from '../../text/attempt.ts';
import { DeadlineError, runWithDeadline } from '../../text/deadline.ts';
import { isHarmlessRegex } from '../../text/patterns/regex.ts';
import { countCharacters } from '../../text/words/words.ts';
import {
  impliedTypes,
  intersect,
  type SchemaNode,
  type Shape,
  type TypeName,
  typeOfValue,
  type Union,
} from './shape.ts';

/** Undefined: unknown, or too slow to find out. */
type Answer = boolean | undefined;

const maxDepth = 32;

/** Tells whether a node accepts a value. Formats are annotations and not checked. */
export function acceptValue(node: SchemaNode, value: JsonValue, depth = 0): Answer {
  if (depth > maxDepth || node.reading()) return undefined;
  return every(node.shapes(), (shape) => acceptByShape(shape, value, depth + 1));
}

export function acceptByShape(shape: Shape, value: JsonValue, depth = 0): Answer {
  if (depth > maxDepth) return undefined;
  if (!shape.types.has(typeOfValue(value))) return false;
  if (shape.values !== undefined && !shape.values.has(canonicalJson(value))) return false;
  return all([acceptWithinType(shape, value, depth), acceptAcrossTypes(shape, value, depth)]);
}

function acceptWithinType(shape: Shape, value: JsonValue, depth: number): Answer {
  if (typeof value === 'string') return acceptString(shape, value);
  if (typeof value === 'number') return acceptNumber(shape, value);
  if (Array.isArray(value)) return acceptArray(shape, value, depth);
  return isJsonObject(value) ? acceptObject(shape, value, depth) : true;
}

function acceptString(shape: Shape, value: string): Answer {
  const length = countCharacters(value);
  if (length < shape.minLength || length > shape.maxLength) return false;
  return every(shape.patterns, (pattern) => matchPattern(pattern, value));
}

function acceptNumber(shape: Shape, value: number): boolean {
  const { lower, upper } = shape;
  if (shape.integer && !Number.isInteger(value)) return false;
  if (lower !== undefined && (lower.exclusive ? value <= lower.value : value < lower.value)) return false;
  if (upper !== undefined && (upper.exclusive ? value >= upper.value : value > upper.value)) return false;
  return shape.multiples.every((multiple) => isMultiple(value, multiple));
}

function acceptArray(shape: Shape, items: readonly JsonValue[], depth: number): Answer {
  if (items.length < shape.minItems || items.length > shape.maxItems) return false;
  if (shape.uniqueItems && new Set(items.map((item) => canonicalJson(item))).size < items.length) return false;
  const placed = every([...items.entries()], ([index, item]) =>
    acceptValue(shape.prefix[index] ?? shape.rest, item, depth),
  );
  const counted = every(shape.contains, ({ node, min, max }) => {
    const answers = items.map((item) => acceptValue(node, item, depth));
    const sure = answers.filter((answer) => answer === true).length;
    const possible = answers.filter((answer) => answer !== false).length;
    if (sure > max || possible < min) return false;
    return sure >= min && possible <= max ? true : undefined;
  });
  return all([placed, counted]);
}

function acceptObject(shape: Shape, value: JsonObject, depth: number): Answer {
  const names = Object.keys(value);
  if (names.length < shape.minProperties || names.length > shape.maxProperties) return false;
  for (const name of shape.required) if (!Object.hasOwn(value, name)) return false;
  for (const [trigger, others] of shape.dependentRequired) {
    if (Object.hasOwn(value, trigger) && [...others].some((name) => !Object.hasOwn(value, name))) return false;
  }
  const members = every(names, (name) => acceptMember(shape, name, value[name] ?? null, depth));
  const dependents = every([...shape.dependentSchemas], ([trigger, node]) =>
    Object.hasOwn(value, trigger) ? acceptValue(node, value, depth) : true,
  );
  return all([members, dependents]);
}

function acceptMember(shape: Shape, name: string, value: JsonValue, depth: number): Answer {
  const named = acceptValue(shape.propertyNames, name, depth);
  const declared = shape.properties.get(name);
  const answers = [named];
  if (declared !== undefined) answers.push(acceptValue(declared, value, depth));
  let matched = declared !== undefined;
  let unclear = false;
  for (const [pattern, node] of shape.patternProperties) {
    const matches = matchPattern(pattern, name);
    if (matches === undefined) unclear = true;
    if (matches !== true) continue;
    matched = true;
    answers.push(acceptValue(node, value, depth));
  }
  if (unclear) answers.push(undefined);
  else if (!matched) answers.push(acceptValue(shape.additional, value, depth));
  return all(answers);
}

function acceptAcrossTypes(shape: Shape, value: JsonValue, depth: number): Answer {
  if (shape.unknown.size > 0 || shape.unevaluated.size > 0) return undefined;
  return all([
    every(shape.unions, (union) => acceptByUnion(union, value, depth)),
    every(shape.nots, (node) => negate(acceptValue(node, value, depth))),
    every(shape.conditionals, (conditional) => {
      const condition = acceptValue(conditional.if, value, depth);
      if (condition === undefined) return undefined;
      return acceptValue(condition ? conditional.whenTrue : conditional.whenFalse, value, depth);
    }),
  ]);
}

function acceptByUnion(union: Union, value: JsonValue, depth: number): Answer {
  const answers = union.branches.map((branch) => acceptValue(branch, value, depth));
  if (union.nullable) answers.push(value === null);
  const sure = answers.filter((answer) => answer === true).length;
  const possible = answers.filter((answer) => answer !== false).length;
  if (union.kind === 'anyOf') return sure > 0 ? true : possible > 0 ? undefined : false;
  if (sure > 1 || possible === 0) return false;
  return sure === 1 && possible === 1 ? true : undefined;
}

function negate(answer: Answer): Answer {
  return answer === undefined ? undefined : !answer;
}

function every<T>(items: readonly T[], ask: (item: T) => Answer): Answer {
  let answer: Answer = true;
  for (const item of items) {
    const next = ask(item);
    if (next === false) return false;
    if (next === undefined) answer = undefined;
  }
  return answer;
}

function all(answers: readonly Answer[]): Answer {
  return every(answers, (answer) => answer);
}

const limitMs = 100;

/** Tells whether a text matches a schema's pattern; undefined if that takes too long, since both may be hostile. */
export function matchPattern(pattern: string, text: string): boolean | undefined {
  const test = () => new RegExp(pattern, 'u').test(text);
  if (isHarmlessRegex(pattern, 'u', text.length)) return test();
  return attemptOr(() => runWithDeadline(test, limitMs), DeadlineError, undefined);
}

/** Tells whether `value` is a multiple of `step` in decimals: 0.3 is a multiple of 0.1. */
export function isMultiple(value: number, step: number): boolean {
  const [a, b] = toSameScale(value, step);
  return b !== 0n && a % b === 0n;
}

function toSameScale(value: number, step: number): readonly [bigint, bigint] {
  const left = splitDecimal(value);
  const right = splitDecimal(step);
  const exponent = Math.min(left.exponent, right.exponent);
  return [
    left.digits * 10n ** BigInt(left.exponent - exponent),
    right.digits * 10n ** BigInt(right.exponent - exponent),
  ];
}

function splitDecimal(value: number): { readonly digits: bigint; readonly exponent: number } {
  const [mantissa = '0', power = '0'] = value.toExponential().split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}

/** Limit of recursion: each level compares every pair of shapes. */
const maxPairDepth = 6;

/** Tells whether no value is accepted by both nodes. True and false are proven; undefined is unknown. */
export function areDisjoint(a: SchemaNode, b: SchemaNode, depth = 0): Answer {
  if (depth > maxPairDepth || a.reading() || b.reading()) return undefined;
  for (const left of a.shapes()) {
    for (const right of b.shapes()) if (areShapesDisjoint(left, right, depth + 1)) return true;
  }
  if (depth > 0) return undefined;
  const samples = [buildSample(a), buildSample(b)].filter((sample) => sample !== undefined);
  const isShared = samples.some((value) => acceptValue(a, value) === true && acceptValue(b, value) === true);
  return isShared ? false : undefined;
}

/** True if it is proven that no value is accepted by two of the nodes. */
export function arePairwiseDisjoint(nodes: readonly SchemaNode[]): boolean {
  return nodes.every((node, index) => nodes.slice(index + 1).every((other) => areDisjoint(node, other) === true));
}

function areShapesDisjoint(a: Shape, b: Shape, depth: number): boolean {
  const shared = intersect(impliedTypes(a), impliedTypes(b));
  if (shared.size === 0) return true;
  if (a.values !== undefined) return [...a.values.values()].every((value) => acceptByShape(b, value) === false);
  if (b.values !== undefined) return [...b.values.values()].every((value) => acceptByShape(a, value) === false);
  return [...shared].every((type) => areDisjointIn(type, a, b, depth));
}

function areDisjointIn(type: TypeName, a: Shape, b: Shape, depth: number): boolean {
  switch (type) {
    case 'string':
      return a.minLength > b.maxLength || b.minLength > a.maxLength;
    case 'number':
      return isBelow(a, b) || isBelow(b, a);
    case 'array':
      return a.minItems > b.maxItems || b.minItems > a.maxItems;
    case 'object':
      return areObjectsDisjoint(a, b, depth);
    case 'boolean':
    case 'null':
      return false;
  }
}

function isBelow(a: Shape, b: Shape): boolean {
  if (a.upper === undefined || b.lower === undefined) return false;
  if (a.upper.value === b.lower.value) return a.upper.exclusive || b.lower.exclusive;
  return a.upper.value < b.lower.value;
}

/** True if a property required by one side has disjoint schemas: both sides must accept its value. */
function areObjectsDisjoint(a: Shape, b: Shape, depth: number): boolean {
  if (a.minProperties > b.maxProperties || b.minProperties > a.maxProperties) return true;
  for (const name of new Set([...a.required, ...b.required])) {
    const [left, right] = [valueNode(a, name), valueNode(b, name)];
    if (left !== undefined && right !== undefined && areDisjoint(left, right, depth) === true) return true;
  }
  return false;
}

/** Finds the schema of a property; undefined if patterns may apply too. */
function valueNode(shape: Shape, name: string): SchemaNode | undefined {
  return shape.properties.get(name) ?? (shape.patternProperties.size === 0 ? shape.additional : undefined);
}

const maxSampleDepth = 8;
const maxItems = 20;

/** Builds a small value that the node probably accepts. The caller must check it. */
function buildSample(node: SchemaNode, depth = 0): JsonValue | undefined {
  if (depth > maxSampleDepth || node.reading()) return undefined;
  const [shape] = node.shapes();
  if (shape === undefined) return undefined;
  const [constant] = shape.values?.values() ?? [];
  if (constant !== undefined) return constant;
  const [union] = shape.unions;
  const [branch] = union?.branches ?? [];
  if (branch !== undefined && shape.properties.size === 0) return buildSample(branch, depth + 1);
  const types = impliedTypes(shape);
  if (types.has('object')) return sampleObject(shape, depth);
  if (types.has('string')) return 'a'.repeat(Math.min(shape.minLength, 1_000));
  if (types.has('number')) return sampleNumber(shape);
  if (types.has('array')) return sampleArray(shape, depth);
  return types.has('boolean') ? true : null;
}

function sampleObject(shape: Shape, depth: number): JsonValue {
  const members: [string, JsonValue][] = [];
  for (const name of shape.required) {
    const value = buildSample(shape.properties.get(name) ?? shape.additional, depth + 1);
    if (value !== undefined) members.push([name, value]);
  }
  return Object.fromEntries(members);
}

function sampleNumber(shape: Shape): number {
  const { lower, upper } = shape;
  const [step = 1] = shape.multiples;
  if (lower !== undefined) return Math.ceil(lower.value / step) * step + (lower.exclusive ? step : 0);
  if (upper !== undefined) return Math.floor(upper.value / step) * step - (upper.exclusive ? step : 0);
  return 0;
}

function sampleArray(shape: Shape, depth: number): JsonValue {
  const length = Math.min(shape.minItems, maxItems);
  return Array.from({ length }, (_, index) => buildSample(shape.prefix[index] ?? shape.rest, depth + 1) ?? null);
}
