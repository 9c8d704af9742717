import parse from 'jsonpath-rfc9535/parser';
import * as z from 'zod';
import { attempt } from '../text/attempt.ts';
import { formatCount } from '../text/format-amount.ts';
import { isKeptByDouble } from '../text/yaml/exact-numbers.ts';
import {
  type Comparison,
  type FilterQuery,
  type FunctionCall,
  type JsonPathQuery,
  type NumberSelector,
  type Segment,
  selectNodes,
  signatures,
  type TestExpression,
} from './json-path-evaluator.ts';

/** A JSONPath (RFC 9535) parsed once. */
export interface JsonPath {
  readonly source: string;
  /** The names and indexes of a path that selects one node at most; undefined for other paths. */
  readonly steps: readonly (string | number)[] | undefined;
  /** True if it runs regexes or visits nodes repeatedly, so that a hostile document can make it slow. */
  readonly costly: boolean;
  /** The values of the nodes, in document order. */
  query(root: unknown): readonly unknown[];
}

/** A path that violates RFC 9535. The message names the position. */
export class JsonPathError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JsonPathError';
  }
}

const maxSourceLength = 1000;

/** A path as a parameter. */
export const jsonPathParam = z.string().superRefine((source, context) => {
  const compiled = attempt(() => compileJsonPath(source), JsonPathError);
  if (compiled instanceof JsonPathError) context.addIssue({ code: 'custom', message: compiled.message });
});

/** Parses a path and checks its function calls; throws a `JsonPathError`. */
export function compileJsonPath(source: string): JsonPath {
  if (source.length > maxSourceLength) throw new JsonPathError(`a JSONPath has at most ${maxSourceLength} characters`);
  const query = parsePath(source);
  const nodes = [...visitNodes(query)];
  const [problem = findLongLiteral(source)] = nodes.flatMap(findProblems);
  if (problem !== undefined) throw new JsonPathError(problem);
  return {
    source,
    steps: findSteps(query),
    costly: nodes.filter(({ type }) => type === 'DescendantSegment').length > 1 || nodes.some(isCostly),
    query: (root) => selectNodes(query.segments, { node: root, root }),
  };
}

// Only the parser of the library is used. Its evaluator (1.3.0) parses again for every query. It takes a call of an
// unknown function as false, and anchors `match(@, "a|b")` as `^a|b$`.
function parsePath(source: string): JsonPathQuery {
  try {
    const query = parse(source);
    const nested = nestAnds(source);
    return nested === source ? query : parse(nested);
  } catch (error) {
    // The parser's own error class only bears the name.
    if (!(error instanceof Error && error.name === 'SyntaxError')) throw error;
    if (!source.startsWith('$')) throw new JsonPathError('a JSONPath starts with "$"', { cause: error });
    const { location } = error as { readonly location?: { readonly start: { readonly column: number } } };
    const column = location?.start.column ?? source.length + 1;
    const place =
      column > source.length
        ? 'it ends too early'
        : `it can't be read at column ${column}: ${JSON.stringify(source.slice(column - 1, column + 19))}`;
    throw new JsonPathError(`not a JSONPath (RFC 9535): ${place}`, { cause: error });
  }
}

/**
 * Writes `a && b && c` as `a && (b && (c))`: the parser (1.3.0) reads the first as `a && (b || c)`. Brackets tell both
 * apart, which its tree does not.
 */
function nestAnds(source: string): string {
  let nested = '';
  // How many brackets were added at each depth, and are closed where the operand ends.
  const added = [0];
  const close = () => {
    nested += ')'.repeat(added.pop() ?? 0);
  };
  for (const [token] of source.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'|&&|\|\||[^]/gu)) {
    if (token === '&&') {
      added.push((added.pop() ?? 0) + 1);
      nested += '&&(';
      continue;
    }
    if (token === '(' || token === '[') added.push(0);
    else if (token === ')' || token === ']') close();
    else if (token === ',' || token === '||') {
      close();
      added.push(0);
    }
    nested += token;
  }
  close();
  return nested;
}

/** A number of a filter is a double for the parser: one that a double would change could select something else. */
function findLongLiteral(source: string): string | undefined {
  const bare = source.replaceAll(/"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'/g, '""');
  const long = bare.match(/\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b/g)?.find((literal) => !isKeptByDouble(literal));
  return long === undefined ? undefined : `a JSONPath can't hold the number ${long}: it would be ${Number(long)}`;
}

/** The nodes of the syntax tree that say something about a path. */
type SyntaxNode = Segment | NumberSelector | FilterQuery | TestExpression | Comparison | FunctionCall;

function* visitNodes(value: unknown): Iterable<SyntaxNode> {
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value) yield value as SyntaxNode;
  for (const part of Object.values(value)) yield* visitNodes(part);
}

/** The names and indexes of a query that can select one node at most; undefined for other queries. */
function findSteps({ segments }: { readonly segments: readonly Segment[] }): (string | number)[] | undefined {
  const steps: (string | number)[] = [];
  for (const { type, node } of segments) {
    const [selector, another] = node.type === 'BracketedSelection' ? node.selectors : [node];
    if (type === 'DescendantSegment' || selector === undefined || another !== undefined) return undefined;
    const { type: kind } = selector;
    if (kind !== 'MemberNameShorthand' && kind !== 'NameSelector' && kind !== 'IndexSelector') return undefined;
    steps.push(selector.value);
  }
  return steps;
}

/** A regex, or a query in a filter that visits many nodes or starts at the root. */
function isCostly(node: SyntaxNode): boolean {
  if (node.type === 'FilterQuery') return findSteps(node.value) === undefined || node.value.type === 'JsonPathQuery';
  return node.type === 'FunctionExpr' && (node.name === 'match' || node.name === 'search');
}

/** RFC 9535, 2.4.3: whether function calls are of the right types. */
function findProblems(node: SyntaxNode): readonly string[] {
  if (node.type === 'IndexSelector') return findWideNumbers([node.value]);
  if (node.type === 'SliceSelector') return findWideNumbers([node.start, node.end, node.step]);
  if (node.type === 'FunctionExpr') return findCallProblems(node);
  if (node.type === 'ComparisonExpr') {
    return [node.left, node.right].flatMap((side) => (side.type === 'FunctionExpr' ? findTruth(side) : []));
  }
  if (node.type !== 'TestExpr' || node.expression.type !== 'FunctionExpr') return [];
  if (givesOf(node.expression) !== 'value') return [];
  return [`${node.expression.name}() in a JSONPath gives a value: compare it, as in ${node.expression.name}(…) == 1`];
}

/** RFC 9535, 2.1: a number of a path is at most 2^53 - 1. */
function findWideNumbers(values: readonly (number | null)[]): readonly string[] {
  const wide = values.find((value) => value !== null && !Number.isSafeInteger(value));
  return wide === undefined ? [] : [`a JSONPath can't hold the number ${wide}: it is beyond 2^53 - 1`];
}

function findCallProblems({ name, arguments: list }: FunctionCall): readonly string[] {
  const signature = signatures.get(name);
  if (signature === undefined) {
    return [`${name}() is not a JSONPath function: there are ${[...signatures.keys()].join(', ')}`];
  }
  const { length } = signature.takes;
  if (list.length !== length) {
    return [`${name}() in a JSONPath takes ${formatCount(length, 'argument')}, not ${list.length}`];
  }
  return list.flatMap((argument, index) => {
    if (signature.takes[index] === 'nodes') {
      return argument.type === 'FilterQuery' ? [] : [`${name}() in a JSONPath takes a query such as @.items`];
    }
    if (argument.type === 'Literal') return [];
    if (argument.type === 'FunctionExpr') return findTruth(argument);
    if (argument.type !== 'FilterQuery') return [`${name}() in a JSONPath takes a value, not a condition`];
    return findSteps(argument.value) === undefined
      ? [`${name}() in a JSONPath takes one value: the query it is given can select several`]
      : [];
  });
}

function findTruth(call: FunctionCall): readonly string[] {
  if (givesOf(call) !== 'truth') return [];
  return [`${call.name}() in a JSONPath is true or false by itself and can't be compared`];
}

function givesOf({ name }: FunctionCall): 'value' | 'truth' | undefined {
  return signatures.get(name)?.gives;
}
