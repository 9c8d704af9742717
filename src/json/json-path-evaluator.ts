import type parse from 'jsonpath-rfc9535/parser';
import { attempt } from '../text/attempt.ts';
import { compareNumbers } from '../text/yaml/exact-numbers.ts';
import { deepEqual, isRecord } from './deep-equal.ts';

// json-p3 (2.3.1) was tried. There length("😀") is 2, {"0": 1} equals [1], and numbers beyond a double can't be
// compared. More than 120,000 items end in a RangeError, and a filter takes six times as long.

export type JsonPathQuery = ReturnType<typeof parse>;
export type Segment = JsonPathQuery['segments'][number];
type BracketedSelection = Extract<Segment['node'], { readonly type: 'BracketedSelection' }>;
type Selector = BracketedSelection['selectors'][number] | Exclude<Segment['node'], BracketedSelection>;
export type NumberSelector = Extract<Selector, { readonly type: 'IndexSelector' | 'SliceSelector' }>;
type LogicalExpression = Extract<Selector, { readonly type: 'FilterSelector' }>['value'];
export type Comparison = Extract<LogicalExpression, { readonly type: 'ComparisonExpr' }>;
export type TestExpression = Extract<LogicalExpression, { readonly type: 'TestExpr' }>;
export type FilterQuery = Extract<TestExpression['expression'], { readonly type: 'FilterQuery' }>;
export type FunctionCall = Extract<TestExpression['expression'], { readonly type: 'FunctionExpr' }>;
type SingularQuery = Exclude<Comparison['left'], { readonly type: 'Literal' | 'FunctionExpr' }>;

/** A value of the document, and the document itself, which queries in filters may start at. */
interface Place {
  readonly node: unknown;
  readonly root: unknown;
}

/** The value of a query that selects no node (RFC 9535, 2.4.1). */
const nothing = Symbol('nothing');

/** The values that the segments of a query select, in document order (RFC 9535, 2.5). */
export function selectNodes(segments: readonly Segment[], { node, root }: Place): readonly unknown[] {
  let nodes: readonly unknown[] = [node];
  for (const segment of segments) {
    const next: unknown[] = [];
    for (const one of nodes) selectSegment(segment, { node: one, root }, next);
    nodes = next;
  }
  return nodes;
}

function selectSegment(segment: Segment, { node, root }: Place, found: unknown[]): void {
  const selectors = segment.node.type === 'BracketedSelection' ? segment.node.selectors : [segment.node];
  for (const selector of selectors) select(selector, { node, root }, found);
  if (segment.type === 'ChildSegment') return;
  for (const child of childrenOf(node)) selectSegment(segment, { node: child, root }, found);
}

function select(selector: Selector, { node, root }: Place, found: unknown[]): void {
  switch (selector.type) {
    case 'MemberNameShorthand':
    case 'NameSelector':
      if (isRecord(node) && Object.hasOwn(node, selector.value)) found.push(node[selector.value]);
      break;
    case 'WildcardSelector':
      for (const child of childrenOf(node)) found.push(child);
      break;
    case 'IndexSelector': {
      const index = selector.value;
      if (Array.isArray(node) && index < node.length && index >= -node.length) found.push(node.at(index));
      break;
    }
    case 'SliceSelector':
      if (Array.isArray(node)) selectSlice(node, selector, found);
      break;
    case 'FilterSelector':
      for (const child of childrenOf(node)) if (holds(selector.value, { node: child, root })) found.push(child);
  }
}

/** RFC 9535, 2.3.4.2.2. */
function selectSlice(
  items: readonly unknown[],
  { start, end, step: givenStep }: Extract<Selector, { readonly type: 'SliceSelector' }>,
  found: unknown[],
): void {
  const step = givenStep ?? 1;
  const { length } = items;
  const bound = (index: number) => (index < 0 ? index + length : index);
  if (step > 0) {
    const to = Math.min(bound(end ?? length), length);
    for (let index = Math.max(bound(start ?? 0), 0); index < to; index += step) found.push(items[index]);
  } else if (step < 0) {
    const from = Math.min(start === null ? length - 1 : bound(start), length - 1);
    const to = Math.max(end === null ? -1 : bound(end), -1);
    for (let index = from; index > to; index += step) found.push(items[index]);
  }
}

function holds(expression: LogicalExpression, place: Place): boolean {
  switch (expression.type) {
    case 'LogicalOrExpr':
      return holds(expression.left, place) || holds(expression.right, place);
    case 'LogicalAndExpr':
      return holds(expression.left, place) && holds(expression.right, place);
    case 'LogicalNotExpr':
      return !holds(expression.expression, place);
    case 'ComparisonExpr':
      return compare(evaluate(expression.left, place), expression.op, evaluate(expression.right, place));
    case 'TestExpr': {
      const { expression: tested } = expression;
      return tested.type === 'FilterQuery'
        ? selectQuery(tested, place).length > 0
        : callFunction(tested, place) === true;
    }
  }
}

function compare(a: unknown, operator: Comparison['op'], b: unknown): boolean {
  switch (operator) {
    case '==':
      return deepEqual(a, b);
    case '!=':
      return !deepEqual(a, b);
    case '<':
      return isLess(a, b);
    case '>':
      return isLess(b, a);
    case '<=':
      return isLess(a, b) || deepEqual(a, b);
    case '>=':
      return isLess(b, a) || deepEqual(a, b);
  }
}

function isLess(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  const order = compareNumbers(a, b);
  if (order !== undefined) return order < 0;
  return typeof a === 'string' && typeof b === 'string' && a < b;
}

function evaluate(comparable: Comparison['left'], place: Place): unknown {
  switch (comparable.type) {
    case 'Literal':
      return comparable.value;
    case 'FunctionExpr':
      return callFunction(comparable, place);
    case 'RelSingularQuery':
    case 'AbsSingularQuery':
      return evaluateSingular(comparable, place);
  }
}

function evaluateSingular({ type, segments }: SingularQuery, { node, root }: Place): unknown {
  let nodes: readonly unknown[] = [type === 'AbsSingularQuery' ? root : node];
  for (const { node: step } of segments) {
    // The parser (1.3.0) wraps an index of a singular query once more.
    const selector = 'selector' in step ? (step.selector as Selector) : step;
    const next: unknown[] = [];
    for (const one of nodes) select(selector, { node: one, root }, next);
    nodes = next;
  }
  return onlyOf(nodes);
}

function selectQuery({ value: query }: FilterQuery, { node, root }: Place): readonly unknown[] {
  return selectNodes(query.segments, { node: query.type === 'JsonPathQuery' ? root : node, root });
}

function onlyOf(nodes: readonly unknown[]): unknown {
  return nodes.length === 1 ? nodes[0] : nothing;
}

interface Signature {
  readonly takes: readonly ('value' | 'nodes')[];
  readonly gives: 'value' | 'truth';
}

/** Parameter and result types of each function (RFC 9535, 2.4). */
export const signatures: ReadonlyMap<string, Signature> = new Map<string, Signature>([
  ['length', { takes: ['value'], gives: 'value' }],
  ['count', { takes: ['nodes'], gives: 'value' }],
  ['value', { takes: ['nodes'], gives: 'value' }],
  ['match', { takes: ['value', 'value'], gives: 'truth' }],
  ['search', { takes: ['value', 'value'], gives: 'truth' }],
]);

function callFunction({ name, arguments: list }: FunctionCall, place: Place): unknown {
  const takes = signatures.get(name)?.takes ?? [];
  const [first, second] = list.map((argument, index) => evaluateArgument(argument, takes[index], place));
  switch (name) {
    case 'length':
      if (typeof first === 'string') return Array.from(first).length;
      if (Array.isArray(first)) return first.length;
      return isRecord(first) ? Object.keys(first).length : nothing;
    case 'count':
      return Array.isArray(first) ? first.length : 0;
    case 'value':
      return Array.isArray(first) ? onlyOf(first) : nothing;
    default:
      if (typeof first !== 'string' || typeof second !== 'string') return false;
      return toRegex(second, name === 'match')?.test(first) === true;
  }
}

function evaluateArgument(
  argument: FunctionCall['arguments'][number],
  takes: 'value' | 'nodes' | undefined,
  place: Place,
): unknown {
  if (argument.type === 'Literal' || argument.type === 'FunctionExpr') return evaluate(argument, place);
  if (argument.type !== 'FilterQuery') return nothing;
  const nodes = selectQuery(argument, place);
  return takes === 'nodes' ? nodes : onlyOf(nodes);
}

const maxRegexes = 1000;
const regexes = new Map<string, RegExp | undefined>();

/** An I-Regexp (RFC 9485) as JavaScript's: a dot there matches neither a line feed nor a carriage return. */
function toRegex(pattern: string, whole: boolean): RegExp | undefined {
  const key = `${whole ? 'match' : 'search'} ${pattern}`;
  if (regexes.has(key)) return regexes.get(key);
  if (regexes.size >= maxRegexes) regexes.clear();
  const body = pattern.replaceAll(/\\.|\[(?:\\.|[^\]\\])*\]|\./gsu, (part) =>
    part === '.' ? String.raw`[^\n\r]` : part,
  );
  const regex = compileRegex(whole ? `^(?:${body})$` : body);
  regexes.set(key, regex);
  return regex;
}

function compileRegex(source: string): RegExp | undefined {
  const regex = attempt(() => new RegExp(source, 'u'), SyntaxError);
  return regex instanceof RegExp ? regex : undefined;
}

function childrenOf(node: unknown): readonly unknown[] {
  if (Array.isArray(node)) return node;
  return isRecord(node) ? Object.values(node) : [];
}
