import { type Contract } from '../../model/suite/recorded-settings.ts';
import { type PromptVersion, renderMessages } from '../../model/suite/suite.ts';
import { findPersonal } from '../../secrets/personal-data.ts';
import { createInputCheck } from '../../suite/contracts/check-contract.ts';
import { TemplateError } from '../../templates/template-error.ts';
import { attemptOr } from '../../text/attempt.ts';
import type { TurnMessage } from '../data-sets/chat-messages.ts';
import { isMap } from '../draft.ts';
import { type Alignment, alignPrompt, type PromptPart, readPromptParts } from './align-prompt.ts';
import type { RefusedRow, TraceRow } from './recorded-call.ts';

type Vars = Readonly<Record<string, unknown>>;

/** Case data that render the recorded messages. */
export interface Recovered {
  readonly vars: Vars;
  /** The user's message after a prompt of only system messages. It is a variable, since its braces are no template. */
  readonly turns?: readonly { readonly user: string }[];
}

/** Finds the variables of a sent prompt, or says why they are unknown. */
export type RecoverVars = (row: TraceRow) => Recovered | RefusedRow;

export function createRecoverVars(prompt: PromptVersion, contract: Contract): RecoverVars {
  const input = prompt.contract?.input ?? contract.input;
  const findBreaches = input === undefined ? () => [] : createInputCheck(input);
  const parts = readPromptParts(prompt);
  const names = [...new Set(prompt.messages.flatMap(({ template }) => template.variables.map(rootOf)))];
  const recover = (row: TraceRow): Recovered | RefusedRow => {
    const taken = row.vars === undefined ? undefined : takeVars(row.vars, names, prompt);
    if (taken !== undefined && (row.messages.length === 0 || makes(taken, row.messages, prompt))) return taken;
    if ('refused' in parts) return parts;
    return alignRow(row.messages, parts.messages, prompt);
  };
  return (row) => {
    const recovered = recover(row);
    if ('refused' in recovered) return recovered;
    const vars = withTypes(recovered.vars, input);
    return findBreaches(vars).length === 0 ? { ...recovered, vars } : { refused: 'its variables break contract.input' };
  };
}

function rootOf(path: string): string {
  return /^[^.[]+/.exec(path)?.[0] ?? path;
}

const reasons: Readonly<Record<Exclude<Alignment['kind'], 'one'>, string>> = {
  none: 'it is not from this prompt: its messages have other texts',
  several: 'two readings fit: a value holds the text that separates variables, or is the default of one',
  'too-many': 'too many readings are possible',
};

function alignRow(
  sent: readonly TurnMessage[],
  parts: readonly (readonly PromptPart[])[],
  prompt: PromptVersion,
): Recovered | RefusedRow {
  const roles = prompt.messages.map(({ role }) => role);
  const question = sent.length === roles.length + 1 ? sent.at(-1) : undefined;
  if (question?.role === 'user' && roles.every((role) => plainRole(role) === 'system'))
    return withQuestion(alignRow(sent.slice(0, -1), parts, prompt), question.content, prompt);
  const isAlike = (index: number) =>
    plainRole(sent[index]?.role) === plainRole(roles[index]) && sent[index]?.calls.length === 0;
  if (!roles.every((_, index) => isAlike(index)))
    return { refused: 'it is not from this prompt: its messages have other roles' };
  if (sent.length > roles.length) return { refused: 'the conversation goes on after the prompt' };
  const texts = sent.map(({ content }) => content);
  const exact = alignPrompt(parts, texts);
  // Some programs trim the texts they send.
  const found =
    exact.kind === 'none'
      ? alignPrompt(
          parts.map(trimParts),
          texts.map((text) => text.trim()),
        )
      : exact;
  if (found.kind !== 'one') return { refused: reasons[found.kind] };
  const vars = buildVars(found.values);
  const isSame = render(prompt, vars)?.every((text, index) => text.trim() === texts[index]?.trim()) === true;
  return isSame ? { vars } : { refused: reasons.none };
}

/** Adds the first turn, which is sent together with such a prompt. */
function withQuestion(
  found: Recovered | RefusedRow,
  content: string,
  { messages }: PromptVersion,
): Recovered | RefusedRow {
  if ('refused' in found) return found;
  const taken = new Set(messages.flatMap(({ template }) => template.variables.map(rootOf)));
  let name = 'user_message';
  while (taken.has(name)) name += '_';
  return { vars: { ...found.vars, [name]: content }, turns: [{ user: `{{ ${name} }}` }] };
}

function plainRole(role: string | undefined): string | undefined {
  return role === 'developer' ? 'system' : role;
}

function trimParts(parts: readonly PromptPart[]): readonly PromptPart[] {
  const last = parts.length - 1;
  return parts
    .map((part, index) => {
      if (typeof part !== 'string') return part;
      const start = index === 0 ? part.trimStart() : part;
      return index === last ? start.trimEnd() : start;
    })
    .filter((part) => part !== '');
}

function buildVars(values: ReadonlyMap<string, unknown>): Vars {
  const vars: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const steps = path.split('.');
    const last = steps.pop() ?? path;
    let map = vars;
    for (const step of steps) {
      const inner: Record<string, unknown> = isMap(map[step]) ? map[step] : {};
      map[step] = inner;
      map = inner;
    }
    map[last] = value;
  }
  return vars;
}

/** True if the prompt renders to the sent messages with these variables. */
function makes(
  taken: { readonly vars: Vars } | RefusedRow,
  sent: readonly TurnMessage[],
  prompt: PromptVersion,
): boolean {
  const texts = 'refused' in taken ? undefined : render(prompt, taken.vars);
  return texts?.length === sent.length && texts.every((text, index) => text.trim() === sent[index]?.content.trim());
}

/** Renders a prompt; undefined if it can't be rendered with these variables. */
function render(prompt: PromptVersion, vars: Vars): readonly string[] | undefined {
  return attemptOr(() => renderMessages(prompt, vars).map(({ content }) => content), TemplateError, undefined);
}

/** Detects that masked variables form a key or personal data once the prompt joins them. */
export function createSpreadCheck(prompt: PromptVersion): (vars: Vars) => boolean {
  const literals = prompt.messages.map(({ template }) => template.source).join('\n');
  return (vars) =>
    render(prompt, vars)?.some((text) => findPersonal(text).some((found) => !literals.includes(found))) === true;
}

/** Takes the prompt's variables from those stored in the file. */
function takeVars(given: Vars, names: readonly string[], prompt: PromptVersion): { readonly vars: Vars } | RefusedRow {
  if (names.length === 0 || !names.every((name) => Object.hasOwn(given, name)))
    return { refused: 'its input is neither messages nor the variables of the prompt' };
  const vars = Object.fromEntries(names.map((name) => [name, given[name]]));
  return render(prompt, vars) === undefined ? { refused: 'its variables do not render' } : { vars };
}

/** Converts texts to the numbers and booleans that contract.input requires. */
function withTypes(vars: Vars, input: Contract['input']): Vars {
  const properties = isMap(input) ? input['properties'] : undefined;
  if (!isMap(properties)) return vars;
  return Object.fromEntries(
    Object.entries(vars).map(([name, value]) => {
      const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
      const type = isMap(schema) ? schema['type'] : undefined;
      const isNumber = (type === 'number' || type === 'integer') && String(Number(value)) === value;
      if (isNumber) return [name, Number(value)];
      return [name, type === 'boolean' && (value === 'true' || value === 'false') ? value === 'true' : value];
    }),
  );
}
