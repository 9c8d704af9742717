import { spell } from '../json/canonical-json.ts';
import { type ParsedJson, parseJson } from '../json/parse-json.ts';
import type { ToolCall } from '../model/completion.ts';
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
