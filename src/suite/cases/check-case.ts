import { isRecord } from '../../json/deep-equal.ts';
import { defined } from '../../json/defined.ts';
import type { SourceLocation } from '../../model/problem.ts';
import { isSystemRole } from '../../model/run/completion.ts';
import { type Case, hasWorkspace, type ProviderConfig } from '../../model/suite/suite.ts';
import type { TemplateError } from '../../templates/template-error.ts';
import { formatCount } from '../../text/format-amount.ts';
import { findNearest } from '../../text/words/did-you-mean.ts';
import type { Scope } from '../assertions/value-template.ts';
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
  if (turns.length === 0) return;
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
  return version.messages.every(({ role }) => isSystemRole(role));
}

interface IdContext {
  readonly problems: Problems;
  /** The first place of each id. */
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

/** A template that could not be rendered for a case. */
interface CaseFault {
  /** The reader of the variable, for messages: `prompt "v1"`. */
  readonly reader: string;
  /** The reader itself, to count by. */
  readonly key: object;
  /** The place of the failing template. */
  readonly at: SourceLocation;
  readonly error: TemplateError;
  readonly caseId: string;
  readonly row: Located;
  readonly scope: Scope;
}

/** Collects template errors of cases. If many cases fail in one template, they are reported as one mistake. */
export interface CaseFaults {
  readonly add: (fault: CaseFault) => void;
  /** Counts a case that the reader was tried on. */
  readonly tried: (key: object) => void;
  readonly flush: (problems: Problems) => void;
}

export function createCaseFaults(): CaseFaults {
  const groups = new Map<string, CaseFault[]>();
  const attempts = new WeakMap<object, { count: number }>();
  return {
    tried(key) {
      const known = attempts.get(key);
      if (known === undefined) attempts.set(key, { count: 1 });
      else known.count += 1;
    },
    add(fault) {
      const { at, error } = fault;
      const key = `${at.file}:${at.line}:${at.column}:${error.kind}:${error.message}`;
      const group = groups.get(key);
      // All errors of a group have the same message, and an error object is large.
      if (group?.[0] === undefined) groups.set(key, [fault]);
      else group.push({ ...fault, error: group[0].error });
    },
    flush(problems) {
      for (const group of groups.values()) {
        const [first] = group;
        if (first === undefined) continue;
        if (first.error.kind !== 'missing-variable') reportTemplate(first, group.length, problems);
        else if (group.length >= (attempts.get(first.key)?.count ?? 0)) reportMissingEverywhere(first, problems);
        else for (const fault of group) reportMissing(fault, problems);
      }
    },
  };
}

function reportTemplate({ at, error, caseId }: CaseFault, count: number, problems: Problems): void {
  problems.report({
    code: 'invalid-template',
    message: `${error.message}, in case "${caseId}"${count > 1 ? ` and ${count - 1} more` : ''}`,
    ...defined({ hint: error.hint }),
    at,
  });
}

function reportMissingEverywhere({ at, error, reader, scope }: CaseFault, problems: Problems): void {
  const variable = error.variable ?? '';
  problems.report({
    code: 'missing-variable',
    message: `${reader} reads the variable "${variable}", which no case supplies`,
    hint:
      variable === 'expected' && !reader.startsWith('prompt')
        ? 'add expected to the cases'
        : (nearestVariable(variable, scope) ??
          error.hint ??
          `add it to the cases' vars, or write {{ ${variable} | default: "…" }}`),
    at,
  });
}

function reportMissing({ at, error, reader, caseId, row, scope }: CaseFault, problems: Problems): void {
  const variable = error.variable ?? '';
  problems.report({
    code: 'missing-variable',
    message: `case "${caseId}" has no ${variable === 'expected' ? '"expected"' : `variable "${variable}"`}, which ${reader} reads (${at.file}:${at.line}:${at.column})`,
    hint:
      findRename(variable, scope) ??
      (variable === 'expected' ? 'add expected to the case' : "add it to the case's vars"),
    at: locate(row),
  });
}

function nearestVariable(variable: string, scope: Scope): string | undefined {
  const walked: string[] = [];
  let value: unknown = scope;
  for (const step of variable.split(/[.[\]]+/).filter((part) => part !== '')) {
    if (!isRecord(value)) return undefined;
    if (!Object.hasOwn(value, step)) {
      const nearest = findNearest(step, Object.keys(value));
      return nearest === undefined ? undefined : `did you mean "${[...walked, nearest].join('.')}"?`;
    }
    value = value[step];
    walked.push(step);
  }
  return undefined;
}

/** Suggests renaming the case's variable, because the problem is shown at the case. */
function findRename(variable: string, scope: Scope): string | undefined {
  const nearest = findNearest(variable, Object.keys(scope));
  return nearest === undefined ? nearestVariable(variable, scope) : `rename "${nearest}" in its vars to "${variable}"`;
}
