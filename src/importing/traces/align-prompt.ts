/** A place of a variable, or of what filters make of it. */
export interface PromptSlot {
  readonly path: string;
  /** The path with its filters: slots with one id have one text. */
  readonly id: string;
  readonly isJson?: true;
  /** The value that comes to a text: none does, or several do. */
  readonly read: (text: string) => { readonly value: unknown } | 'none' | 'several';
}

/** A literal text, or a slot. */
export type PromptPart = string | PromptSlot;

export type Alignment =
  /** The values by path. */
  | { readonly kind: 'one'; readonly values: ReadonlyMap<string, unknown> }
  /** Two readings fit; those of another prompt fit none. */
  | { readonly kind: 'several' | 'none' | 'too-many' };

/** More steps than a prompt with one reading takes. */
const maxSteps = 100_000;

/** Finds the values with which the messages of a prompt come to these texts. A variable has one value everywhere. */
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
    // JSON says of what type a value is; its text elsewhere does not.
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

  /** Reads on from a part of a message, at a place in its text. Ends once two readings are found. */
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

  /** Where the value of a variable may end. */
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
