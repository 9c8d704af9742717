import type { SourceLocation } from '../../model/problem.ts';
import { type Case, hasWorkspace, type ProviderConfig } from '../../model/suite.ts';
import { formatCount } from '../../text/format-amount.ts';
import { childOf, itemsOf, type Located, locate, type Problems } from '../documents/locate.ts';
import type { CompiledPrompt } from '../prompts/parse-prompts.ts';

interface TurnContext {
  readonly problems: Problems;
  readonly prompts: readonly CompiledPrompt[];
}

/** Reports files for a workspace that no provider of the case has. */
export function checkWorkspace(
  row: Located,
  { id, workspace, providers: own }: Case,
  { problems, providers }: Pick<TurnContext, 'problems'> & { readonly providers: readonly ProviderConfig[] },
): void {
  if (workspace === undefined) return;
  if (providers.some((one) => hasWorkspace(one) && own?.includes(one.id) !== false)) return;
  problems.report({
    code: 'invalid-value',
    message: `case "${id}" puts files into a workspace, and none of its providers has one`,
    hint: 'only programs have one: exec:… with workspace: FOLDER',
    at: locate(childOf(row, 'workspace'), 'key'),
  });
}

/** Reports turns that have no place in the conversation of their case. */
export function checkTurns(row: Located, testCase: Case, { problems, prompts }: TurnContext): void {
  const { id, turns, agent } = testCase;
  const items = itemsOf(childOf(row, 'turns'));
  const refuse = (at: Located, message: string, hint: string) =>
    problems.report({ code: 'invalid-value', message: `case "${id}" ${message}`, hint, at: locate(at) });
  for (const [index, turn] of turns.entries()) {
    const item = items[index];
    if (item === undefined) continue;
    if (turn.kind === 'first' && index > 0) {
      refuse(
        item,
        'has a turn of assert alone that is not the first',
        'write assert beside the user or toolResult that it is about',
      );
    }
    if (turn.kind === 'toolResult' && agent !== undefined) {
      refuse(item, 'has tools and a toolResult, which both answer calls', 'write the result as a stub under tools');
    }
  }
  const silent = turns[0]?.kind === 'first' ? prompts.find((prompt) => isAskedLater(prompt, testCase)) : undefined;
  if (silent !== undefined && items[0] !== undefined) {
    const message = `checks the first answer, and prompt "${silent.version.id}" has none before the user's first turn`;
    refuse(items[0], message, 'write assert beside the first user turn');
  }
  const userTurns = turns.filter(({ kind }) => kind === 'user').length;
  // Each prompt is answered before the first turn, unless it is asked together with it.
  const isAskedBefore = (prompt: CompiledPrompt) =>
    isAsked(prompt, testCase) && prompt.version.expand === undefined && !isAskedLater(prompt, testCase);
  const answers = prompts.some(isAskedBefore) ? userTurns + 1 : userTurns;
  const maxSteps = childOf(row, 'maxSteps');
  if (agent !== undefined && agent.maxSteps < answers && userTurns > 0) {
    const at = maxSteps.value === undefined ? childOf(row, 'turns') : maxSteps;
    const [needed, allowed] = [answers, agent.maxSteps].map((count) => formatCount(count, 'answer'));
    refuse(at, `needs ${needed} for its turns, and maxSteps allows ${allowed}`, 'raise maxSteps');
  }
}

function isAsked({ version }: CompiledPrompt, { prompts }: Case): boolean {
  return prompts?.includes(version.id) !== false;
}

/** True for a prompt of system messages alone: it is asked together with the user's first turn. */
function isAskedLater(prompt: CompiledPrompt, testCase: Case): boolean {
  const { version } = prompt;
  if (!isAsked(prompt, testCase) || version.expand !== undefined) return false;
  return version.messages.every(({ role }) => role === 'system' || role === 'developer');
}

interface IdContext {
  readonly problems: Problems;
  /** Where each id comes first. */
  readonly firstPlaces: Map<string, SourceLocation>;
}

/** Reports an id that comes twice. */
export function registerId(
  id: string,
  isWritten: boolean,
  { row, at }: { readonly row: Located; readonly at: SourceLocation },
  { firstPlaces, problems }: IdContext,
): void {
  const first = firstPlaces.get(id);
  if (first === undefined) {
    firstPlaces.set(id, at);
    return;
  }
  const where = ` (the first at ${first.file}:${first.line})`;
  problems.report({
    code: 'duplicate-id',
    message: isWritten
      ? `two cases have the id "${id}"${where}`
      : `two cases have the same vars and turns, and so the id "${id}"${where}`,
    hint: isWritten ? 'every case of a suite needs an id of its own' : 'remove one, or give each an id',
    at: locate(isWritten ? childOf(row, 'id') : row),
  });
}
