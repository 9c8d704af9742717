import parse from 'jsonpath-rfc9535/parser';
import { isKeptByDouble } from '../text/exact-numbers.ts';
import { compileSegments, isSingular, type JsonPathAst } from './json-path-evaluator.ts';

/** A JSONPath (RFC 9535) parsed once. */
export interface JsonPath {
  readonly source: string;
  /** At most one node: names and indexes alone. */
  readonly singular: boolean;
  /** It runs regexes or visits nodes again and again, so that a hostile document can make it slow. */
  readonly costly: boolean;
  /** The values of the nodes, in document order. */
  query(root: unknown): readonly unknown[];
}

/** A path that is not RFC 9535; the message says where. */
export class JsonPathError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JsonPathError';
  }
}

const maxSourceLength = 1000;

/** Parses a path and checks its function calls; throws a `JsonPathError`. */
export function compileJsonPath(source: string): JsonPath {
  if (source.length > maxSourceLength) throw new JsonPathError(`a JSONPath has at most ${maxSourceLength} characters`);
  const ast = parsePath(source);
  const facts = { descents: 0, regexes: 0, queries: 0, problems: [] as string[] };
  const select = compileSegments(ast.segments, facts);
  const [problem = findLongLiteral(source)] = facts.problems;
  if (problem !== undefined) throw new JsonPathError(problem);
  return {
    source,
    singular: isSingular(ast),
    costly: facts.descents > 1 || facts.regexes > 0 || facts.queries > 0,
    query: (root) => select([root], root),
  };
}

/** A number of a filter is a double for the parser: one that a double would change could select something else. */
function findLongLiteral(source: string): string | undefined {
  const bare = source.replaceAll(/"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'/g, '""');
  const long = bare.match(/\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b/g)?.find((literal) => !isKeptByDouble(literal));
  return long === undefined ? undefined : `a JSONPath can't hold the number ${long}: it would be ${Number(long)}`;
}

// The library's own evaluator parses again for every query, anchors `match(@, "a|b")` as `^a|b$`
// and takes a call of an unknown function as false (1.3.0), so only its parser is used.
function parsePath(source: string): JsonPathAst {
  try {
    return parse(source);
  } catch (error) {
    // The parser's own error class only bears the name.
    if (!(error instanceof Error && error.name === 'SyntaxError')) throw error;
    if (!source.startsWith('$')) throw new JsonPathError('a JSONPath starts with "$"', { cause: error });
    const column = 'location' in error ? columnOf(error.location) : undefined;
    const place =
      column === undefined || column > source.length
        ? 'it ends too early'
        : `it can't be read at column ${column}: ${JSON.stringify(source.slice(column - 1, column + 19))}`;
    throw new JsonPathError(`not a JSONPath (RFC 9535): ${place}`, { cause: error });
  }
}

function columnOf(location: unknown): number | undefined {
  if (typeof location !== 'object' || location === null || !('start' in location)) return undefined;
  const { start } = location;
  if (typeof start !== 'object' || start === null || !('column' in start)) return undefined;
  return typeof start.column === 'number' ? start.column : undefined;
}
