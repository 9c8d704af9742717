import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { appendPointer, splitPointer } from '../../json/json-pointer.ts';
import { attempt } from '../../text/attempt.ts';
import { decodePercent } from '../../text/decode-text.ts';
import { findEndlessReference, validateKeywords } from './check-document.ts';
import { referenceKeywords, visitChildren } from './keywords.ts';

export type RawSchema = JsonObject | boolean;

export interface LocatedSchema {
  readonly schema: RawSchema;
  readonly pointer: string;
}

/** Side of a comparison; undefined for a single schema. */
export type Side = 'old' | 'new' | undefined;

/** A checked schema whose references can be resolved. */
export interface SchemaDocument {
  readonly root: RawSchema;
  readonly side: Side;
  /** Pointer to a reference whose target depends on the path to it. Only the nearest target is known. */
  readonly dynamic: string | undefined;
  /** Resolves the reference `ref` that `from` contains at `pointer`. */
  resolve(from: JsonObject, ref: string, pointer: string): LocatedSchema;
}

interface SchemaProblemDetails {
  readonly side?: Side;
  /** Prompt that the schema belongs to, if prompts were compared. */
  readonly promptId?: string | undefined;
  /** Probable correction. */
  readonly hint?: string | undefined;
}

/** A schema that can't be compared: malformed, or with a dangling reference. */
export class SchemaProblem extends Error {
  /** JSON Pointer to the fault, from which the caller finds file and line. */
  readonly pointer: string;
  readonly side: Side;
  readonly promptId: string | undefined;
  readonly hint: string | undefined;
  /** Further problems of the same schema. */
  others: readonly SchemaProblem[] = [];

  constructor(pointer: string, message: string, { side, promptId, hint }: SchemaProblemDetails = {}) {
    super(message);
    this.name = 'SchemaProblem';
    this.pointer = pointer;
    this.side = side;
    this.promptId = promptId;
    this.hint = hint;
  }
}

export interface SchemaFault {
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
}

/** Finds why a schema can't be compared; empty if it can. Resolves references, but never fetches. */
export function findSchemaFaults(schema: unknown): readonly SchemaFault[] {
  const opened = attempt(() => openSchema(schema), SchemaProblem);
  const faults = opened instanceof SchemaProblem ? [opened, ...opened.others] : [];
  return faults.map(({ pointer, message, hint }) => ({ pointer, message, ...defined({ hint }) }));
}

/** Checks a schema (2020-12 or draft-07) and indexes its ids and anchors. Throws a `SchemaProblem`. */
export function openSchema(root: unknown, side?: Side): SchemaDocument {
  const index = new SchemaIndex(side);
  const schema = index.open(root);
  return {
    root: schema,
    side,
    dynamic: index.findDynamicReference(),
    resolve: (from, ref, pointer) => index.resolve(from, ref, pointer),
  };
}

/** Far deeper than real schemas. Keeps every recursion within the stack. */
const maxDepth = 400;
const defaultBase = 'schema:/root';

interface Reference {
  readonly from: JsonObject;
  readonly ref: string;
  readonly pointer: string;
}

/** Index of a schema's subschemas by id, anchor and base URI. */
class SchemaIndex {
  readonly #side: Side;
  readonly #bases = new Map<object, string>();
  readonly #resources = new Map<string, LocatedSchema>();
  readonly #anchors = new Map<string, LocatedSchema>();
  /** Number of declarations per dynamic anchor. */
  readonly #dynamicAnchors = new Map<string, number>();
  readonly #references: Reference[] = [];
  readonly #visited: LocatedSchema[] = [];
  /** Subschemas being visited, to find one that contains itself. */
  readonly #open = new Set<object>();
  readonly #faults: SchemaProblem[] = [];

  constructor(side: Side) {
    this.#side = side;
  }

  open(root: unknown): RawSchema {
    this.#visit(root, '', defaultBase, 0);
    const schema = this.#asSchema(root, '');
    this.#resources.set(defaultBase, { schema, pointer: '' });
    // Resolving can visit a place that no keyword reaches, and so append to this list.
    for (const { from, ref, pointer } of this.#references) {
      const target = attempt(() => this.resolve(from, ref, pointer), SchemaProblem);
      if (target instanceof SchemaProblem) this.#note(target);
    }
    const [fault, ...others] = this.#faults;
    if (fault !== undefined) {
      fault.others = others;
      throw fault;
    }
    const endless = findEndlessReference(this.#visited, (from, ref, pointer) => this.resolve(from, ref, pointer));
    if (endless !== undefined) throw this.#problem(endless, 'The schema refers to itself without end.');
    return schema;
  }

  resolve(from: JsonObject, ref: string, pointer: string): LocatedSchema {
    const base = this.#bases.get(from) ?? defaultBase;
    const hash = ref.indexOf('#');
    const address = hash === -1 ? ref : ref.slice(0, hash);
    const fragment = hash === -1 ? '' : ref.slice(hash + 1);
    const uri = address === '' ? base : resolveUri(address, base);
    const resource = this.#resources.get(uri);
    if (resource === undefined) {
      const message = `$ref ${JSON.stringify(ref)} leads out of the schema and nothing is fetched; copy its target under $defs.`;
      throw this.#problem(pointer, message);
    }
    const anchor = this.#anchors.get(`${uri}#${fragment}`);
    if (anchor !== undefined) return anchor;
    const tokens = splitPointer(decodePercent(fragment));
    const found = tokens === undefined ? undefined : walk(resource, tokens);
    if (found === undefined) {
      const message = `$ref ${JSON.stringify(ref)} leads nowhere; there is no such place in the schema.`;
      throw this.#problem(pointer, message);
    }
    this.#visit(found.value, found.pointer, uri, 0);
    return { schema: this.#asSchema(found.value, found.pointer), pointer: found.pointer };
  }

  /** Finds a reference to an anchor that is declared more than once: its target depends on the path to it. */
  findDynamicReference(): string | undefined {
    return this.#references.find(({ from, ref }) => {
      const anchor = '$dynamicRef' in from ? ref.slice(ref.indexOf('#')) : '$recursiveRef' in from ? '$recursive' : '';
      return (this.#dynamicAnchors.get(anchor) ?? 0) > 1;
    })?.pointer;
  }

  /** Adds a fault once, even if several references have the same invalid target. */
  #note(fault: SchemaProblem): void {
    const { pointer, message } = fault;
    if (!this.#faults.some((known) => known.pointer === pointer && known.message === message)) this.#faults.push(fault);
  }

  #visit(value: unknown, pointer: string, base: string, depth: number): void {
    if (typeof value === 'boolean') return;
    const note = (at: string, message: string, hint?: string) => this.#note(this.#problem(at, message, hint));
    if (!isJsonObject(value)) return note(pointer, notASchema(value));
    if (this.#open.has(value)) return note(pointer, 'The schema contains itself; use $ref for recursion.');
    if (this.#bases.has(value)) return;
    if (depth > maxDepth) return note(pointer, `The schema is nested deeper than ${maxDepth} levels.`);
    validateKeywords(value, pointer, note);
    this.#open.add(value);
    this.#visited.push({ schema: value, pointer });
    const ownBase = this.#readBase(value, pointer, base);
    this.#bases.set(value, ownBase);
    this.#addAnchors(value, pointer, ownBase);
    for (const keyword of referenceKeywords) {
      const ref = value[keyword];
      if (typeof ref === 'string') {
        this.#references.push({ from: value, ref, pointer: appendPointer(pointer, keyword) });
      }
    }
    visitChildren(value, pointer, (child, at) => this.#visit(child, at, ownBase, depth + 1));
    this.#open.delete(value);
  }

  #readBase(schema: JsonObject, pointer: string, base: string): string {
    const id = schema['$id'];
    if (typeof id !== 'string') return base;
    // Draft-07 writes an anchor as an id with only a fragment.
    if (id.startsWith('#')) {
      this.#anchors.set(base + id, { schema, pointer });
      return base;
    }
    const absolute = resolveUri(id, base);
    this.#resources.set(absolute, { schema, pointer });
    return absolute;
  }

  #addAnchors(schema: JsonObject, pointer: string, base: string): void {
    for (const keyword of ['$anchor', '$dynamicAnchor']) {
      const name = schema[keyword];
      if (typeof name !== 'string') continue;
      this.#anchors.set(`${base}#${name}`, { schema, pointer });
      if (keyword === '$dynamicAnchor') this.#countDynamicAnchor(`#${name}`);
    }
    if (schema['$recursiveAnchor'] === true) this.#countDynamicAnchor('$recursive');
  }

  #countDynamicAnchor(name: string): void {
    this.#dynamicAnchors.set(name, (this.#dynamicAnchors.get(name) ?? 0) + 1);
  }

  #asSchema(schema: unknown, pointer: string): RawSchema {
    if (typeof schema === 'boolean' || isJsonObject(schema)) return schema;
    throw this.#problem(pointer, notASchema(schema));
  }

  #problem(pointer: string, message: string, hint?: string): SchemaProblem {
    return new SchemaProblem(pointer, message, { side: this.#side, hint });
  }
}

function notASchema(value: unknown): string {
  return `A schema is an object, true or false; found ${describeJson(value)}.`;
}

function describeJson(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function walk(resource: LocatedSchema, tokens: readonly string[]): { value: JsonValue; pointer: string } | undefined {
  let value: JsonValue = resource.schema;
  for (const token of tokens) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, token)) return undefined;
    value = (value as JsonObject)[token] ?? null;
  }
  return { value, pointer: appendPointer(resource.pointer, ...tokens) };
}

function resolveUri(reference: string, base: string): string {
  const absolute = URL.canParse(reference, base) ? new URL(reference, base).href : reference;
  return absolute.endsWith('#') ? absolute.slice(0, -1) : absolute;
}
