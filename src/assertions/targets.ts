import { spell, writeJson } from '../json/canonical-json.ts';
import { type ParsedJson, parseJson } from '../json/parse-json.ts';
import type { ToolCall } from '../model/completion.ts';
import { SpelledNumber } from '../text/exact-numbers.ts';
import { quote } from '../text/shorten.ts';
import type { Target } from './define.ts';

/** What a text assertion reads: of a JSON string its letters, of any other value its JSON. */
export function textOf(target: Target): string {
  return target.kind === 'text' ? target.text : spell(target.value);
}

/** What a structural assertion reads: selected text, such as a code block, is parsed. */
export function jsonOf(target: Target): ParsedJson {
  return target.kind === 'json' ? { ok: true, value: target.value } : parseJson(target.text);
}

/** Why a text is not JSON, with the selection to use where the JSON is in a fence. */
export function describeNotJson(text: string, reason: string): string {
  const fence = text.includes('```') ? '; a fenced code block is selected by {codeBlock: json}' : '';
  return `not JSON, ${reason}${fence}: found ${quote(text)}`;
}

/** A JSON value in a few words or letters: `the string "a"`, `an object with the keys a, b`. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `the string ${quote(value)}`;
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${String(value)}`;
  if (value instanceof SpelledNumber) return `the number ${value.source}`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  const json = shortJson(value);
  if (json !== undefined) return json;
  if (Array.isArray(value)) return `a list of ${value.length} items`;
  const keys = Object.keys(value);
  return `an object with ${keys.length} keys, the first ${quote(keys[0] ?? '')}`;
}

const maxShortNodes = 20;
const maxShortLength = 120;

// Measured before it is written: a hostile value may be megabytes long.
function shortJson(value: object): string | undefined {
  const pending: unknown[] = [value];
  let nodes = 0;
  let length = 0;
  while (pending.length > 0) {
    const next = pending.pop();
    nodes += 1;
    if (typeof next === 'string') length += next.length;
    if (nodes > maxShortNodes || length > maxShortLength) return undefined;
    if (typeof next !== 'object' || next === null || next instanceof SpelledNumber) continue;
    const entries: readonly unknown[] = Array.isArray(next) ? next : Object.entries(next).flat();
    if (entries.length > 2 * maxShortNodes) return undefined;
    for (const entry of entries) pending.push(entry);
  }
  const json = writeJson(value) ?? '';
  return json.length > maxShortLength * 2 ? undefined : json;
}

/** The place of an offset in words: line and column, both from 1. */
export function describePlace(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf('\n') + 1;
  return `line ${before.split('\n').length}, column ${offset - start + 1}`;
}

/** The start of a found secret: enough to find it, too little to use it, since reasons end up in CI logs. */
export function hintAtFinding(found: string): string {
  const characters = Array.from(found);
  const shown = Math.min(4, Math.floor(characters.length / 4));
  return `${quote(`${characters.slice(0, shown).join('')}…`)} (${characters.length} characters)`;
}

/** A tool call as a JSON value; arguments that are not JSON stay text. */
export interface ToolCallValue {
  readonly name: string;
  readonly arguments: unknown;
}

export function describeToolCalls(calls: readonly ToolCall[]): readonly ToolCallValue[] {
  return calls.map((call) => ({ name: call.name, arguments: argumentsOf(call) ?? call.rawArguments }));
}

/** The parsed arguments with every digit; undefined where they are no JSON, or nested too deep to be walked. */
export function argumentsOf(call: ToolCall): unknown {
  const parsed = parseJson(call.rawArguments);
  return parsed.ok ? parsed.value : undefined;
}
