import type { JsonObject } from '../json/json.ts';
import { LazyNode, type NodeParts, type ReadingDepth } from './lazy-node.ts';
import { alterShape, openShape } from './make-shape.ts';
import { mergeShapes } from './merge-shapes.ts';
import { readNotes } from './read-notes.ts';
import { findReference, isOpenSchema, isPlainReference, type NodeReader, readShapes } from './read-shapes.ts';
import type { LocatedSchema, RawSchema, SchemaDocument } from './schema-document.ts';
import { SchemaProblem } from './schema-problem.ts';
import { settleShape } from './settle-shape.ts';
import type { NodeFactory, SchemaNode, Shape } from './shape.ts';

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
    read: () => [alterShape(openShape(any), { source: false, types: new Set() })],
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
        return merged === undefined ? shapes : [settleShape(merged, any)];
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

  /** Follows a chain of references in a loop, since a long one would not fit the stack. */
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
