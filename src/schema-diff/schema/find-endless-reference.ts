import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { appendPointer } from '../../json/json-pointer.ts';
import { referenceKeywords, unionKeywords } from './keywords.ts';

const inPlaceOne = ['not', 'if', 'then', 'else'];
/** Those that hold for the very value that the schema around them holds for. */
const inPlaceKeywords = [...referenceKeywords, ...inPlaceOne, ...unionKeywords, 'dependentSchemas', 'dependencies'];

/** A schema and its JSON Pointer. */
interface Placed {
  readonly schema: JsonObject | boolean;
  readonly pointer: string;
}

interface Edge {
  /** JSON Pointer to the keyword that leads there. */
  readonly from: string;
  readonly to: JsonValue;
  /** The place of `to` itself. */
  readonly pointer: string;
}

interface Frame {
  readonly schema: JsonObject;
  readonly edges: Iterator<Edge>;
}

/**
 * Finds a schema that refers to itself for the same value, so that no validator would ever finish.
 * Recursion through properties or items is fine: there the value gets smaller. Returns where the circle closes.
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

/** Depth first on a stack of its own, since chains of references can be longer than the engine's. */
function walk(
  root: JsonValue,
  pointer: string,
  resolve: (from: JsonObject, ref: string, pointer: string) => Placed,
  done: Set<JsonValue>,
): string | undefined {
  const open = new Set<JsonValue>();
  const stack: Frame[] = [];
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
