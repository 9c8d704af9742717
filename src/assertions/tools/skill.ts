import { isJsonObject } from '../../json/json.ts';
import type { ToolCall } from '../../model/completion.ts';
import { quote } from '../../text/shorten.ts';
import type { CompletionView, Target } from '../define.ts';

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

/** An agent that did nothing has loaded no skill either, which is no sign that it decided so. */
function showsAnswer({ text, steps = [], usage }: CompletionView): boolean {
  return usage?.outputTokens !== 0 && [text, ...steps.map((step) => step.text)].some((said) => said.trim() !== '');
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
