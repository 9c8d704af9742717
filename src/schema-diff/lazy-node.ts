import type { JsonValue } from '../json/json.ts';
import { SchemaProblem } from './schema-problem.ts';
import { type Notes, noNotes, type SchemaNode, type Shape } from './shape.ts';

/** References and branches that lead into each other, one within the next, before reading gives up. */
const maxReadDepth = 500;

/** What a node is made of. */
export interface NodeParts {
  readonly pointer: string | undefined;
  readonly source: JsonValue;
  readonly side?: 'old' | 'new' | undefined;
  readonly open?: boolean;
  readonly notes?: Notes;
  readonly target?: () => SchemaNode;
  readonly nullable?: boolean;
  readonly read: () => readonly Shape[];
}

/** How many nodes are being read within each other; shared by the nodes of a factory. */
export interface ReadingDepth {
  depth: number;
}

/** A node whose shapes are read when they are asked for. A class, since large schemas have thousands of them. */
export class LazyNode implements SchemaNode {
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
