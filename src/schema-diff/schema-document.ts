import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { appendPointer, splitPointer } from '../json/json-pointer.ts';
import { findEndlessReference } from './find-endless-reference.ts';
import { referenceKeywords } from './keywords.ts';
import { SchemaProblem } from './schema-problem.ts';
import { validateKeywords } from './validate-keywords.ts';
import { visitChildren } from './visit-children.ts';

export type RawSchema = JsonObject | boolean;

export interface LocatedSchema {
  readonly schema: RawSchema;
  readonly pointer: string;
}

/** A schema whose form has been checked and whose references can be followed. */
export interface SchemaDocument {
  readonly root: RawSchema;
  /** Which of two compared schemas it is. */
  readonly side: 'old' | 'new' | undefined;
  /** Where a reference stands whose target depends on the way to it; only the nearest one is known here. */
  readonly dynamic: string | undefined;
  /** Follows a reference that stands in `from`. */
  resolve(from: JsonObject, ref: string, pointer: string): LocatedSchema;
}

/** Far beyond what people and generators write; keeps every recursion within the stack. */
const maxDepth = 400;
const defaultBase = 'schema:/root';

/** Checks a schema (2020-12 or draft-07) and indexes its ids and anchors. Throws a `SchemaProblem`. */
export function openSchema(root: unknown, side?: 'old' | 'new'): SchemaDocument {
  const bases = new Map<object, string>();
  const resources = new Map<string, LocatedSchema>();
  const anchors = new Map<string, LocatedSchema>();
  const open = new Set<object>();
  const visited: LocatedSchema[] = [];
  const dynamicAnchors = new Map<string, number>();
  const references: { readonly from: JsonObject; readonly ref: string; readonly pointer: string }[] = [];
  const faults: SchemaProblem[] = [];
  const fail = (pointer: string, message: string, hint?: string): never => {
    throw new SchemaProblem(pointer, message, { side, hint });
  };
  const note = (pointer: string, message: string, hint?: string) =>
    void faults.push(new SchemaProblem(pointer, message, { side, hint }));

  visit(root, '', defaultBase, 0);
  const checkedRoot = asSchema(root, '');
  resources.set(defaultBase, { schema: checkedRoot, pointer: '' });
  // Following one may come upon a place that no keyword leads to, with references of its own.
  for (const { from, ref, pointer } of references) {
    try {
      resolve(from, ref, pointer);
    } catch (error) {
      if (!(error instanceof SchemaProblem)) throw error;
      faults.push(error);
    }
  }
  const [fault, ...others] = faults;
  if (fault !== undefined) {
    fault.others = others;
    throw fault;
  }
  const endless = findEndlessReference(visited, resolve);
  if (endless !== undefined) fail(endless, 'The schema refers to itself without end.');
  const dynamic = references.find(({ from, ref }) => {
    const anchor = '$dynamicRef' in from ? ref.slice(ref.indexOf('#')) : '$recursiveRef' in from ? '$recursive' : '';
    return (dynamicAnchors.get(anchor) ?? 0) > 1;
  })?.pointer;
  return { root: checkedRoot, side, dynamic, resolve };

  function countAnchor(name: string): void {
    dynamicAnchors.set(name, (dynamicAnchors.get(name) ?? 0) + 1);
  }

  function asSchema(schema: unknown, pointer: string): RawSchema {
    if (typeof schema === 'boolean' || isJsonObject(schema)) return schema;
    return fail(pointer, notASchema(schema));
  }

  function visit(value: unknown, pointer: string, base: string, depth: number): void {
    if (typeof value === 'boolean') return;
    if (!isJsonObject(value)) return note(pointer, notASchema(value));
    const schema = value;
    if (open.has(schema)) return note(pointer, 'The schema contains itself; use $ref for recursion.');
    if (bases.has(schema)) return;
    if (depth > maxDepth) return note(pointer, `The schema is nested deeper than ${maxDepth} levels.`);
    validateKeywords(schema, pointer, note);
    open.add(schema);
    visited.push({ schema, pointer });
    const ownBase = readBase(schema, pointer, base);
    bases.set(schema, ownBase);
    for (const keyword of ['$anchor', '$dynamicAnchor']) {
      const name = schema[keyword];
      if (typeof name !== 'string') continue;
      anchors.set(`${ownBase}#${name}`, { schema, pointer });
      if (keyword === '$dynamicAnchor') countAnchor(`#${name}`);
    }
    if (schema['$recursiveAnchor'] === true) countAnchor('$recursive');
    for (const keyword of referenceKeywords) {
      const ref = schema[keyword];
      if (typeof ref === 'string') references.push({ from: schema, ref, pointer: appendPointer(pointer, keyword) });
    }
    visitChildren(schema, pointer, (child, at) => visit(child, at, ownBase, depth + 1));
    open.delete(schema);
  }

  function readBase(schema: JsonObject, pointer: string, base: string): string {
    const id = schema['$id'];
    if (typeof id !== 'string') return base;
    // Draft-07 spells an anchor as an id that is only a fragment.
    if (id.startsWith('#')) {
      anchors.set(base + id, { schema, pointer });
      return base;
    }
    const absolute = resolveUri(id, base);
    resources.set(absolute, { schema, pointer });
    return absolute;
  }

  function resolve(from: JsonObject, ref: string, pointer: string): LocatedSchema {
    const base = bases.get(from) ?? defaultBase;
    const hash = ref.indexOf('#');
    const address = hash === -1 ? ref : ref.slice(0, hash);
    const fragment = hash === -1 ? '' : ref.slice(hash + 1);
    const uri = address === '' ? base : resolveUri(address, base);
    const resource = resources.get(uri);
    if (resource === undefined) {
      return fail(
        pointer,
        `$ref ${JSON.stringify(ref)} leads out of the schema and nothing is fetched; copy its target under $defs.`,
      );
    }
    const anchor = anchors.get(`${uri}#${fragment}`);
    if (anchor !== undefined) return anchor;
    const tokens = splitPointer(decodeFragment(fragment));
    const found = tokens === undefined ? undefined : walk(resource, tokens);
    if (found === undefined) {
      return fail(pointer, `$ref ${JSON.stringify(ref)} leads nowhere; there is no such place in the schema.`);
    }
    visit(found.value, found.pointer, uri, 0);
    return { schema: asSchema(found.value, found.pointer), pointer: found.pointer };
  }
}

function notASchema(value: unknown): string {
  return `A schema is an object, true or false; here stands ${describeJson(value)}.`;
}

export function describeJson(value: unknown): string {
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

function decodeFragment(fragment: string): string {
  if (!fragment.includes('%')) return fragment;
  try {
    return decodeURIComponent(fragment);
  } catch (error) {
    if (error instanceof URIError) return fragment;
    throw error;
  }
}
