import type { JsonObject, JsonValue } from '../../json/json.ts';
import { mergeShapes } from './merge-shapes.ts';
import { normalizeShape } from './normal-form.ts';
import { readNotes } from './read-facets.ts';
import { findReference, isOpenSchema, isPlainReference, type NodeReader, readShapes } from './read-shapes.ts';
import { type LocatedSchema, type RawSchema, type SchemaDocument, SchemaProblem } from './schema-document.ts';
import { type NodeFactory, type Notes, noNotes, openShape, type SchemaNode, type Shape } from './shape.ts';

/** Makes the nodes of one comparison. */
export function createNodeFactory(): NodeFactory & { readonly make: MakeNode } {
  let nextId = 0;
  const reading: ReadingDepth = { depth: 0 };
  const conjunctions = new Map<string, SchemaNode>();
  const parts = new Map<SchemaNode, readonly SchemaNode[]>();
  const byShape = new Map<Shape, SchemaNode>();

  const make: MakeNode = (parts) => {
    nextId += 1;
    return new LazyNode(nextId, parts, reading);
  };

  const any: SchemaNode = make({ pointer: undefined, source: true, open: true, read: () => [openShape(any)] });
  const never: SchemaNode = make({
    pointer: undefined,
    source: false,
    read: () => [{ ...openShape(any), source: false, types: new Set(), stated: new Set() }],
  });
  const factory: NodeFactory & { readonly make: MakeNode } = { any, never, conjoin, fromShape, make };
  return factory;

  function conjoin(nodes: readonly SchemaNode[]): SchemaNode {
    const flat = nodes.flatMap((node) => parts.get(node) ?? [node]).filter((node) => !node.open);
    const members = [...new Set(flat)];
    const [first, second] = members;
    if (members.some((node) => node.source === false)) return never;
    if (first === undefined) return nodes[0] ?? any;
    if (second === undefined) return first;
    const key = members
      .map((node) => node.id)
      .sort((a, b) => a - b)
      .join();
    const known = conjunctions.get(key);
    if (known !== undefined) return known;
    const node = make({
      pointer: undefined,
      source: { allOf: members.map((member) => member.source) },
      read() {
        const shapes = members.flatMap((member) => member.shapes());
        const merged = mergeShapes(shapes, factory);
        return merged === undefined ? shapes : [normalizeShape(merged, factory)];
      },
    });
    conjunctions.set(key, node);
    parts.set(node, members);
    return node;
  }

  function fromShape(shape: Shape): SchemaNode {
    let node = byShape.get(shape);
    if (node === undefined) {
      node = make({ pointer: undefined, source: shape.source, notes: shape.notes, read: () => [shape] });
      byShape.set(shape, node);
    }
    return node;
  }
}

/** The root node of a document. `implyTypes`: `properties` without a type means an object. */
export function openNodes(
  document: SchemaDocument,
  factory: NodeFactory & { readonly make: MakeNode },
  implyTypes: boolean,
): SchemaNode {
  const { side } = document;
  const known = new Map<object, SchemaNode>();
  const reader: NodeReader = { factory, implyTypes, node: nodeAt, follow };
  return nodeAt(document.root, '');

  function nodeAt(schema: RawSchema, pointer: string): SchemaNode {
    if (typeof schema === 'boolean') return schema ? factory.any : factory.never;
    let node = known.get(schema);
    if (node === undefined) {
      node = nodeOf(schema, pointer);
      known.set(schema, node);
    }
    return node;
  }

  function nodeOf(schema: JsonObject, pointer: string): SchemaNode {
    const notes = readNotes(schema);
    const read = (): readonly Shape[] => readShapes(schema, pointer, reader);
    const reference = findReference(schema);
    if (reference === undefined) {
      return factory.make({ pointer, side, source: schema, notes, open: isOpenSchema(schema), read });
    }
    const target = (): SchemaNode => follow(reference.schema, pointer);
    const { nullable } = reference;
    return factory.make({ pointer, side, source: schema, notes, target, nullable, read });
  }

  /** Follows a chain of references in a loop, because a long one would overflow the stack. */
  function follow(schema: JsonObject, pointer: string): SchemaNode {
    const seen = new Set<object>();
    let at: LocatedSchema = { schema, pointer };
    do {
      if (typeof at.schema === 'boolean') break;
      if (seen.has(at.schema)) throw new SchemaProblem(pointer, 'The schema refers to itself without end.', { side });
      seen.add(at.schema);
      at = document.resolve(at.schema, referenceOf(at.schema), at.pointer);
    } while (typeof at.schema !== 'boolean' && isPlainReference(at.schema));
    return nodeAt(at.schema, at.pointer);
  }
}

type MakeNode = (parts: NodeParts) => SchemaNode;

function referenceOf(schema: JsonObject): string {
  const ref = schema['$ref'] ?? schema['$dynamicRef'] ?? schema['$recursiveRef'];
  return typeof ref === 'string' ? ref : '';
}

/** Most nested references and branches before reading gives up. */
const maxReadDepth = 500;

/** The parts of a node. */
interface NodeParts {
  readonly pointer: string | undefined;
  readonly source: JsonValue;
  readonly side?: 'old' | 'new' | undefined;
  readonly open?: boolean;
  readonly notes?: Notes;
  readonly target?: () => SchemaNode;
  readonly nullable?: boolean;
  readonly read: () => readonly Shape[];
}

/** Number of nodes being read inside each other. Shared by a factory's nodes. */
interface ReadingDepth {
  depth: number;
}

/** A node whose shapes are read on first use. */
class LazyNode implements SchemaNode {
  readonly id: number;
  readonly pointer: string | undefined;
  readonly source: JsonValue;
  readonly open: boolean;
  readonly notes: Notes;
  readonly nullable: boolean;
  readonly #parts: NodeParts;
  readonly #reading: ReadingDepth;
  #state: 'unread' | 'reading' | readonly Shape[] = 'unread';
  #target: SchemaNode | undefined;

  constructor(id: number, parts: NodeParts, reading: ReadingDepth) {
    const { pointer, source, open = false, notes = noNotes, nullable = false } = parts;
    this.id = id;
    this.pointer = pointer;
    this.source = source;
    this.open = open;
    this.notes = notes;
    this.nullable = nullable;
    this.#parts = parts;
    this.#reading = reading;
  }

  get target(): SchemaNode | undefined {
    this.#target ??= this.#parts.target?.();
    return this.#target;
  }

  reading(): boolean {
    return this.#state === 'reading';
  }

  shapes(): readonly Shape[] {
    if (typeof this.#state !== 'string') return this.#state;
    if (this.#state === 'reading') this.#fail('The schema refers to itself without end.');
    if (this.#reading.depth >= maxReadDepth) {
      this.#fail(`More than ${maxReadDepth} references lead into each other here.`);
    }
    this.#state = 'reading';
    this.#reading.depth += 1;
    try {
      const shapes = this.#parts.read();
      this.#state = shapes;
      return shapes;
    } finally {
      this.#reading.depth -= 1;
      if (this.#state === 'reading') this.#state = 'unread';
    }
  }

  #fail(message: string): never {
    throw new SchemaProblem(this.pointer ?? '', message, { side: this.#parts.side });
  }
}
