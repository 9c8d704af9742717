import { spell } from '../json/canonical-json.ts';
import { isJsonObject } from '../json/json.ts';
import { type ParsedJson, parseJson } from '../json/parse-json.ts';
import type { ToolCall } from '../model/run/completion.ts';
import { quote } from '../text/shorten.ts';
import type { CompletionView, Target } from './define.ts';

/** The text for a text assertion: a JSON string's content, or the JSON of any other value. */
export function textOf(target: Target): string {
  return target.kind === 'text' ? target.text : spell(target.value);
}

/** The value for an assertion that decides by it. Selected text, such as a code block, is parsed. */
export function jsonOf(target: Target): ParsedJson {
  return target.kind === 'json' ? { ok: true, value: target.value } : parseJson(target.text);
}

/** Tells why a text is not JSON. If the JSON is in a fence, names the selection to use. */
export function describeNotJson(target: Target, reason: string): string {
  const text = target.kind === 'text' ? target.text : '';
  const fence = text.includes('```') ? '; a fenced code block is selected by {codeBlock: json}' : '';
  return `not JSON, ${reason}${fence}: found ${quote(text)}`;
}

/** The place of an offset in words: line and column, both from 1. */
export function describePlace(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf('\n') + 1;
  return `line ${before.split('\n').length}, column ${offset - start + 1}`;
}

/** Shows the start of a found secret: enough to find it, too little to use it, because CI logs show reasons. */
export function hintAtFinding(found: string): string {
  const characters = Array.from(found);
  const shown = Math.min(4, Math.floor(characters.length / 4));
  return `${quote(`${characters.slice(0, shown).join('')}…`)} (${characters.length} characters)`;
}

/** A tool call as a JSON value; arguments that are not JSON stay text. */
interface ToolCallValue {
  readonly name: string;
  readonly arguments: unknown;
}

export function describeToolCalls(calls: readonly ToolCall[]): readonly ToolCallValue[] {
  return calls.map((call) => ({ name: call.name, arguments: argumentsOf(call) ?? call.rawArguments }));
}

/** The parsed arguments with every digit; undefined if they are not JSON, or nested too deeply. */
export function argumentsOf(call: ToolCall): unknown {
  const parsed = parseJson(call.rawArguments);
  return parsed.ok ? parsed.value : undefined;
}

/**
 * The first skill that an agent loads, by its tool or by reading its file, or `none`. Without the steps of an agent, the
 * answer itself names it: `{"skill": "pdf"}`.
 */
export function selectSkill(view: CompletionView): Target | { readonly missing: string; readonly isUnknown?: true } {
  const { steps, toolCalls, text, isPathUnknown } = view;
  const calls = steps?.flatMap((step) => step.calls) ?? toolCalls;
  const loaded = calls.map(findSkillOfCall).find((name) => name !== undefined);
  if (loaded !== undefined) return { kind: 'text', text: loaded };
  const named = /"skill"\s*:\s*(?:"([^"\\]{1,200})"|null)/.exec(text);
  if (named !== null) return { kind: 'text', text: named[1] ?? 'none' };
  if (steps !== undefined && isPathUnknown !== true) {
    if (calls.length > 0 || showsAnswer(view)) return { kind: 'text', text: 'none' };
    return { missing: 'the agent shows no work: it called no tool and answered nothing', isUnknown: true };
  }
  return { missing: `the answer has no steps, and names no skill as {"skill": "…"}: found ${quote(text)}` };
}

/** True if there is an answer. An agent that did nothing did not decide against the skill. */
function showsAnswer({ text, steps = [], usage }: CompletionView): boolean {
  return usage?.outputTokens !== 0 && [text, ...steps.map((step) => step.text)].some((one) => one.trim() !== '');
}

function findSkillOfCall({ name, arguments: given }: ToolCall): string | undefined {
  if (!isJsonObject(given)) return undefined;
  const texts = (keys: readonly string[]) => keys.map((key) => given[key]).find((value) => typeof value === 'string');
  if (/(?:^|__)skill$/i.test(name)) {
    // Skills of plug-ins are named PLUGIN:SKILL.
    return texts(['skill', 'command', 'name'])?.replace(/^\//, '').replace(/^.*:/, '').trim();
  }
  const path = texts(['file_path', 'path', 'absolute_path']);
  return path === undefined ? undefined : /([^/\\]+)[/\\]SKILL\.md$/i.exec(path)?.[1];
}
