import { writeJson } from '../../json/canonical-json.ts';
import { parseJson } from '../../json/parse-json.ts';
import type { PromptVersion } from '../../model/suite/suite.ts';
import { splitPaths } from '../../templates/template.ts';
import type { RefusedRow } from './recorded-call.ts';

/** Place of a variable, possibly filtered. */
interface PromptSlot {
  readonly path: string;
  /** Path with filters. Slots with equal ids have equal texts. */
  readonly id: string;
  readonly isJson?: true;
  /** Recovers the value of a text. `none` or `several`: no value, or more than one, gives this text. */
  readonly read: (text: string) => { readonly value: unknown } | 'none' | 'several';
}

/** A literal text, or a slot. */
export type PromptPart = string | PromptSlot;

export type Alignment =
  /** Values by path. */
  | { readonly kind: 'one'; readonly values: ReadonlyMap<string, unknown> }
  /** Not exactly one reading fits. `none`: another prompt sent the texts. */
  | { readonly kind: 'several' | 'none' | 'too-many' };

/** More steps than a prompt with a single reading needs. */
const maxSteps = 100_000;

/** Finds the values that make a prompt's messages equal to these texts. A variable has the same value everywhere. */
export function alignPrompt(messages: readonly (readonly PromptPart[])[], texts: readonly string[]): Alignment {
  if (messages.length !== texts.length) return { kind: 'none' };
  const search = new Search(messages, texts);
  search.walk(0, 0, 0);
  if (search.steps > maxSteps) return { kind: 'too-many' };
  const [first, second] = search.found;
  if (first === undefined) return { kind: 'none' };
  return second === undefined ? readValues(messages.flat(), first) : { kind: 'several' };
}

function readValues(parts: readonly PromptPart[], texts: ReadonlyMap<string, string>): Alignment {
  const values = new Map<string, unknown>();
  for (const part of parts) {
    if (typeof part === 'string') continue;
    const found = part.read(texts.get(part.id) ?? '');
    if (found === 'several' || found === 'none') return { kind: found };
    const known = values.get(part.path);
    // JSON shows a value's type; its plain text does not.
    if (known === undefined || part.isJson === true) values.set(part.path, found.value);
  }
  return { kind: 'one', values };
}

class Search {
  readonly found: ReadonlyMap<string, string>[] = [];
  steps = 0;
  private readonly messages: readonly (readonly PromptPart[])[];
  private readonly texts: readonly string[];
  private readonly values = new Map<string, string>();

  constructor(messages: readonly (readonly PromptPart[])[], texts: readonly string[]) {
    this.messages = messages;
    this.texts = texts;
  }

  /** Continues reading at a part of a message and a place in its text. Stops after two readings. */
  walk(message: number, index: number, place: number): void {
    this.steps += 1;
    if (this.steps > maxSteps || this.found.length > 1) return;
    const parts = this.messages[message];
    const text = this.texts[message];
    if (parts === undefined || text === undefined) {
      this.found.push(new Map(this.values));
      return;
    }
    const part = parts[index];
    if (part === undefined) {
      if (place === text.length) this.walk(message + 1, 0, 0);
      return;
    }
    const known = typeof part === 'string' ? part : this.values.get(part.id);
    if (known !== undefined) {
      if (text.startsWith(known, place)) this.walk(message, index + 1, place + known.length);
      return;
    }
    if (typeof part === 'string') return;
    for (const end of this.findEnds(parts, index, text, place)) {
      const value = text.slice(place, end);
      if (part.read(value) === 'none') continue;
      this.values.set(part.id, value);
      this.walk(message, index + 1, end);
      if (this.steps > maxSteps || this.found.length > 1) break;
    }
    this.values.delete(part.id);
  }

  /** Possible ends of a variable's value. */
  private *findEnds(parts: readonly PromptPart[], index: number, text: string, place: number): Generator<number> {
    const next = parts[index + 1];
    if (next === undefined) yield text.length;
    else if (typeof next !== 'string') for (let end = place; end <= text.length; end += 1) yield end;
    else if (index + 2 === parts.length) {
      const end = text.length - next.length;
      if (end >= place && text.endsWith(next)) yield end;
    } else {
      for (let end = text.indexOf(next, place); end !== -1; end = text.indexOf(next, end + 1)) yield end;
    }
  }
}

/** Splits a prompt's messages into literal texts and slots, or says why its values can't be recovered. */
export function readPromptParts(
  prompt: PromptVersion,
): { readonly messages: readonly (readonly PromptPart[])[] } | RefusedRow {
  const messages: (readonly PromptPart[])[] = [];
  for (const { template, attach = [] } of prompt.messages) {
    if (attach.length > 0) return { refused: 'the prompt sends files, which traces do not hold' };
    // A whole-file template is cut at its roles, and the result is trimmed.
    const parts = splitSlots(prompt.expand === undefined ? template.source : template.source.trim());
    if (typeof parts === 'string') return { refused: `the prompt has ${parts}, which can not be turned around` };
    messages.push(parts);
  }
  const paths = new Set(messages.flat().flatMap((part) => (typeof part === 'string' ? [] : [part.path])));
  const isList = [...paths].some((path) => /(?:^|\.)\d+(?:\.|$)/.test(path));
  const isBoth = [...paths].some((path) => [...paths].some((other) => other.startsWith(`${path}.`)));
  if (isList || isBoth) return { refused: 'the prompt reads items of a list, which can not be turned around' };
  return { messages };
}

const literal = String.raw`"[^"\\{}]*"|'[^'\\{}]*'`;
const filterPattern = new RegExp(String.raw`\|\s*(\w+)(?:\s*:\s*(${literal}))?\s*`, 'g');
const slotPattern = new RegExp(String.raw`^\s*([^|{}]+?)\s*((?:\|\s*\w+(?:\s*:\s*(?:${literal}))?\s*)*)$`);

/** Splits a template into texts and slots. Returns the obstacle in words if it contains more. */
function splitSlots(source: string): readonly PromptPart[] | string {
  const tag = /\{%-?\s*(\w+)/.exec(source)?.[1];
  if (tag !== undefined) return `logic ({% ${tag} %})`;
  if (/\{[%#]/.test(source)) return 'comments';
  const parts: PromptPart[] = [];
  let from = 0;
  for (let open = source.indexOf('{{'); open !== -1; open = source.indexOf('{{', from)) {
    const close = source.indexOf('}}', open);
    const slot = close === -1 ? 'an expression' : readSlot(source.slice(open + 2, close));
    if (typeof slot === 'string') return slot;
    if (open > from) parts.push(source.slice(from, open));
    parts.push(slot);
    from = close + 2;
  }
  if (from < source.length) parts.push(source.slice(from));
  return parts;
}

function readSlot(text: string): PromptSlot | string {
  const [, path = '', filters = ''] = slotPattern.exec(text) ?? [];
  const [only, second] = splitPaths(`{{ ${path} }}`) ?? [];
  const named = /\|\s*(\w+)/.exec(text)?.[1];
  const refused = named === undefined ? 'an expression' : `the filter "${named}"`;
  if (typeof only !== 'object' || second !== undefined) return refused;
  const id = `${only.segments.join('.')}${filters}`;
  let slot: PromptSlot = { path: only.segments.join('.'), id, read: (value) => ({ value }) };
  for (const [, name = '', written] of filters.matchAll(filterPattern)) {
    const next = withFilter(slot, name, written?.slice(1, -1));
    if (next === undefined) return `the filter "${name}"`;
    slot = next;
  }
  return slot;
}

type Read = PromptSlot['read'];

/** Adds a filter to a slot; undefined if several values could give the same text. */
function withFilter(slot: PromptSlot, name: string, argument: string | undefined): PromptSlot | undefined {
  const before = (read: Read): PromptSlot => ({ ...slot, read });
  const inner = slot.read;
  if (['json', 'dump', 'tojson'].includes(name) && argument === undefined)
    return slot.isJson === true ? undefined : { ...before((text) => readBack(inner, text)), isJson: true };
  if (argument === undefined || slot.isJson === true) return undefined;
  if (name === 'append')
    return before((text) => (text.endsWith(argument) ? inner(text.slice(0, text.length - argument.length)) : 'none'));
  if (name === 'prepend')
    return before((text) => (text.startsWith(argument) ? inner(text.slice(argument.length)) : 'none'));
  // The default's text may also be the actual value.
  if (name === 'default') return before((text) => (text === argument ? 'several' : text === '' ? 'none' : inner(text)));
  return undefined;
}

function readBack(inner: Read, text: string): ReturnType<Read> {
  const parsed = parseJson(text);
  if (!parsed.ok || writeJson(parsed.value) !== text) return 'none';
  return typeof parsed.value === 'string' ? inner(parsed.value) : { value: parsed.value };
}
