import type parse from 'jsonpath-rfc9535/parser';
import { compareNumbers } from '../text/exact-numbers.ts';
import { deepEqual } from './deep-equal.ts';
import { callFunction, isRecord, nothing, signatures } from './json-path-functions.ts';

export type JsonPathAst = ReturnType<typeof parse>;

/** What compiling a path finds out about it. */
export interface JsonPathFacts {
  descents: number;
  regexes: number;
  /** Queries inside filters that are not singular, or start at the root. */
  queries: number;
  problems: string[];
}

type Segment = JsonPathAst['segments'][number];
type Bracketed = Extract<Segment['node'], { readonly type: 'BracketedSelection' }>;
type Selector = Bracketed['selectors'][number];
type Filter = Extract<Selector, { readonly type: 'FilterSelector' }>['value'];
type Logical = Extract<Filter, { readonly type: 'LogicalOrExpr' }>['left'];
type Comparison = Extract<Logical, { readonly type: 'ComparisonExpr' }>;
type Comparable = Comparison['left'];
type FunctionCall = Extract<Comparable, { readonly type: 'FunctionExpr' }>;
type SingularQuery = Extract<Comparable, { readonly type: 'RelSingularQuery' | 'AbsSingularQuery' }>;
type FilterQuery = Extract<FunctionCall['arguments'][number], { readonly type: 'FilterQuery' }>;

type Select = (nodes: readonly unknown[], root: unknown) => unknown[];
type Visit = (node: unknown, root: unknown, out: unknown[]) => void;
type Test = (node: unknown, root: unknown) => boolean;
/** A value, or `nothing` where a query selects no node. */
type Evaluate = (node: unknown, root: unknown) => unknown;

/** True where a query can select one node at most. */
export function isSingular(query: { readonly segments: readonly Segment[] }): boolean {
  return query.segments.every(({ type, node }) => {
    if (type === 'DescendantSegment') return false;
    if (node.type === 'MemberNameShorthand') return true;
    if (node.type !== 'BracketedSelection' || node.selectors.length !== 1) return false;
    return node.selectors.every((selector) => selector.type === 'NameSelector' || selector.type === 'IndexSelector');
  });
}

export function compileSegments(segments: readonly Segment[], facts: JsonPathFacts): Select {
  const steps = segments.map((segment) => {
    const visit = compileSegment(segment, facts);
    if (segment.type !== 'DescendantSegment') return visit;
    facts.descents += 1;
    return descend(visit);
  });
  return (nodes, root) => {
    let current = [...nodes];
    for (const step of steps) {
      const next: unknown[] = [];
      for (const node of current) step(node, root, next);
      current = next;
    }
    return current;
  };
}

function descend(visit: Visit): Visit {
  return function visitAll(node, root, out) {
    visit(node, root, out);
    for (const child of childrenOf(node)) {
      if (typeof child === 'object' && child !== null) visitAll(child, root, out);
    }
  };
}

function compileSegment({ node }: Segment, facts: JsonPathFacts): Visit {
  switch (node.type) {
    case 'MemberNameShorthand':
      return visitName(node.value);
    case 'WildcardSelector':
      return visitChildren;
    case 'BracketedSelection': {
      const [first, ...others] = node.selectors.map((selector) => compileSelector(selector, facts));
      if (first !== undefined && others.length === 0) return first;
      return (value, root, out) => {
        first?.(value, root, out);
        for (const visit of others) visit(value, root, out);
      };
    }
  }
}

function compileSelector(selector: Selector, facts: JsonPathFacts): Visit {
  switch (selector.type) {
    case 'NameSelector':
      return visitName(selector.value);
    case 'WildcardSelector':
      return visitChildren;
    case 'IndexSelector':
      return (node, _root, out) => {
        const index = selector.value;
        if (Array.isArray(node) && index < node.length && index >= -node.length) out.push(node.at(index));
      };
    case 'SliceSelector':
      return (node, _root, out) => {
        if (Array.isArray(node)) visitSlice(node, selector.start, selector.end, selector.step ?? 1, out);
      };
    case 'FilterSelector': {
      const test = compileLogical(selector.value, facts);
      return (node, root, out) => {
        for (const child of childrenOf(node)) {
          if (test(child, root)) out.push(child);
        }
      };
    }
  }
}

function visitName(name: string): Visit {
  return (node, _root, out) => {
    if (isRecord(node) && Object.hasOwn(node, name)) out.push(node[name]);
  };
}

function visitChildren(node: unknown, _root: unknown, out: unknown[]): void {
  for (const child of childrenOf(node)) out.push(child);
}

/** RFC 9535, 2.3.4.2.2. */
function visitSlice(
  items: readonly unknown[],
  start: number | null,
  end: number | null,
  step: number,
  out: unknown[],
): void {
  if (step === 0) return;
  const { length } = items;
  const bound = (index: number) => (index < 0 ? index + length : index);
  if (step > 0) {
    const from = Math.max(bound(start ?? 0), 0);
    const to = Math.min(bound(end ?? length), length);
    for (let index = from; index < to; index += step) out.push(items[index]);
    return;
  }
  const from = Math.min(start === null ? length - 1 : bound(start), length - 1);
  const to = Math.max(end === null ? -1 : bound(end), -1);
  for (let index = from; index > to; index += step) out.push(items[index]);
}

function compileLogical(expression: Logical, facts: JsonPathFacts): Test {
  switch (expression.type) {
    case 'LogicalOrExpr': {
      const left = compileLogical(expression.left, facts);
      const right = compileLogical(expression.right, facts);
      return (node, root) => left(node, root) || right(node, root);
    }
    case 'LogicalAndExpr': {
      const left = compileLogical(expression.left, facts);
      const right = compileLogical(expression.right, facts);
      return (node, root) => left(node, root) && right(node, root);
    }
    case 'LogicalNotExpr': {
      const test = compileLogical(expression.expression, facts);
      return (node, root) => !test(node, root);
    }
    case 'ComparisonExpr':
      return compileComparison(expression, facts);
    case 'TestExpr': {
      const inner = expression.expression;
      if (inner.type === 'FilterQuery') {
        const select = compileQuery(inner, facts);
        return (node, root) => select(node, root).length > 0;
      }
      if (signatures.get(inner.name)?.gives === 'value') {
        facts.problems.push(`${inner.name}() in a JSONPath gives a value: compare it, as in ${inner.name}(…) == 1`);
      }
      const evaluate = compileCall(inner, facts);
      return (node, root) => evaluate(node, root) === true;
    }
  }
}

function compileComparison({ left, right, op }: Comparison, facts: JsonPathFacts): Test {
  const evaluateLeft = compileComparable(left, facts);
  const evaluateRight = compileComparable(right, facts);
  return (node, root) => {
    const a = evaluateLeft(node, root);
    const b = evaluateRight(node, root);
    switch (op) {
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
  };
}

function isLess(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  const order = compareNumbers(a, b);
  if (order !== undefined) return order < 0;
  return typeof a === 'string' && typeof b === 'string' && a < b;
}

function compileComparable(comparable: Comparable, facts: JsonPathFacts): Evaluate {
  switch (comparable.type) {
    case 'Literal': {
      const { value } = comparable;
      return () => value;
    }
    case 'FunctionExpr':
      if (signatures.get(comparable.name)?.gives === 'truth') {
        facts.problems.push(`${comparable.name}() in a JSONPath is true or false by itself and can't be compared`);
      }
      return compileCall(comparable, facts);
    case 'RelSingularQuery':
    case 'AbsSingularQuery':
      return compileSingularQuery(comparable);
  }
}

function compileSingularQuery(query: SingularQuery): Evaluate {
  const visits = query.segments.map(({ node }) => {
    // The parser (1.3.0) wraps an index of a singular query once more.
    const step: unknown = 'selector' in node ? node.selector : node;
    const value = isRecord(step) ? step['value'] : undefined;
    return typeof value === 'number' ? value : String(value);
  });
  return (node, root) => {
    let current = query.type === 'AbsSingularQuery' ? root : node;
    for (const step of visits) {
      if (typeof step === 'number') {
        if (!Array.isArray(current) || step >= current.length || step < -current.length) return nothing;
        current = current.at(step);
      } else {
        if (!isRecord(current) || !Object.hasOwn(current, step)) return nothing;
        current = current[step];
      }
    }
    return current;
  };
}

function compileQuery({ value }: FilterQuery, facts: JsonPathFacts): (node: unknown, root: unknown) => unknown[] {
  if (!isSingular(value) || value.type === 'JsonPathQuery') facts.queries += 1;
  const select = compileSegments(value.segments, facts);
  return value.type === 'JsonPathQuery' ? (_node, root) => select([root], root) : (node, root) => select([node], root);
}

function compileCall(call: FunctionCall, facts: JsonPathFacts): Evaluate {
  const signature = signatures.get(call.name);
  if (signature === undefined) {
    facts.problems.push(`${call.name}() is no JSONPath function: there are ${[...signatures.keys()].join(', ')}`);
    return () => nothing;
  }
  if (call.arguments.length !== signature.takes.length) {
    facts.problems.push(
      `${call.name}() in a JSONPath takes ${signature.takes.length} argument${signature.takes.length === 1 ? '' : 's'}, not ${call.arguments.length}`,
    );
  }
  const [first, second] = call.arguments.map((argument, index) =>
    compileArgument(call.name, argument, signature.takes[index] ?? 'value', facts),
  );
  if (call.name === 'match' || call.name === 'search') facts.regexes += 1;
  return (node, root) => callFunction(call.name, first?.(node, root), second?.(node, root));
}

function compileArgument(
  name: string,
  argument: FunctionCall['arguments'][number],
  takes: 'value' | 'nodes',
  facts: JsonPathFacts,
): Evaluate {
  if (argument.type === 'FilterQuery') {
    const select = compileQuery(argument, facts);
    if (takes === 'nodes') return select;
    if (!isSingular(argument.value)) {
      facts.problems.push(`${name}() in a JSONPath takes one value: the query it is given can select several`);
    }
    return (node, root) => {
      const nodes = select(node, root);
      return nodes.length === 1 ? nodes[0] : nothing;
    };
  }
  if (takes === 'nodes') {
    facts.problems.push(`${name}() in a JSONPath takes a query such as @.items`);
    return () => [];
  }
  if (argument.type === 'Literal') return compileComparable(argument, facts);
  if (argument.type === 'FunctionExpr') return compileComparable(argument, facts);
  facts.problems.push(`${name}() in a JSONPath takes a value, not a condition`);
  return () => nothing;
}

function childrenOf(node: unknown): readonly unknown[] {
  if (Array.isArray(node)) return node;
  return isRecord(node) ? Object.values(node) : [];
}
