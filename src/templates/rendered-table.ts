import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { Role } from '../model/completion.ts';
import type {
  PromptVersion,
  RenderedMessage,
  RenderedTable,
  StoredMessage,
  Vars,
  WrittenMessage,
} from '../model/suite.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { sha256Hex } from '../text/sha256.ts';
import { TemplateError } from './template-error.ts';

/** The messages that code makes, by what it made them of: equal variables have equal messages. */
export type RenderedByVars = ReadonlyMap<string, readonly RenderedMessage[]>;

export function keyOfVars(vars: Vars): string {
  return sha256Hex(canonicalJson(plainNumbers(vars))).slice(0, 16);
}

/** Keeps each line once: most lines of a prompt are the same in all cases. */
export function writeTable(rendered: RenderedByVars): RenderedTable {
  const numbers = new Map<string, number>();
  const numberOf = (line: string): number => {
    const known = numbers.get(line) ?? numbers.size;
    numbers.set(line, known);
    return known;
  };
  const sorted = [...rendered].sort(([a], [b]) => (a < b ? -1 : 1));
  const cases = sorted.map(([key, messages]): [string, readonly StoredMessage[]] => [
    key,
    messages.map(({ role, content }) => [role, joinRuns(content.split('\n').map(numberOf))]),
  ]);
  return { lines: [...numbers.keys()], cases: Object.fromEntries(cases) };
}

/** `3-5` stands for the lines 3, 4 and 5. */
function joinRuns(lines: readonly number[]): string {
  const runs: [from: number, to: number][] = [];
  for (const line of lines) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] + 1 === line) last[1] = line;
    else runs.push([line, line]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(' ');
}

/** The messages of a case; throws a `TemplateError` where they were made for other cases alone. */
export function expandTable({ lines, cases }: RenderedTable, vars: Vars): readonly RenderedMessage[] {
  const key = keyOfVars(vars);
  if (!Object.hasOwn(cases, key)) {
    throw new TemplateError('its code was not called with the variables of this case', { kind: 'syntax' });
  }
  return readCase({ lines, cases }, key).map((message) => ({ ...message, attach: [] }));
}

function readCase(
  { lines, cases }: RenderedTable,
  key: string,
): readonly { readonly role: Role; readonly content: string }[] {
  return (cases[key] ?? []).map(([role, runs]) => ({ role: toRole(role), content: readRuns(lines, runs) }));
}

function textOf(table: RenderedTable, key: string): string {
  return canonicalJson(readCase(table, key));
}

function readRuns(lines: readonly string[], runs: string): string {
  return runs
    .split(' ')
    .flatMap((run) => {
      const [from = '', to = from] = run.split('-');
      return lines.slice(Number(from), Number(to) + 1);
    })
    .join('\n');
}

function toRole(role: string): Role {
  return role === 'system' || role === 'developer' || role === 'assistant' ? role : 'user';
}

/** What stands in the place of lines that not all cases have. */
const differing = '…';

/** The lines that the messages of all cases have in common. Cases with other roles in turn are shown apart. */
export function findCommon(rendered: RenderedByVars): readonly { readonly role: Role; readonly content: string }[] {
  const groups = new Map<string, (readonly RenderedMessage[])[]>();
  for (const messages of rendered.values()) {
    const key = messages.map(({ role }) => role).join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [messages]);
    else group.push(messages);
  }
  return [...groups.values()].flatMap(([first = [], ...others]) =>
    first.map(({ role, content }, index) => ({
      role,
      content: joinCommon(
        content,
        others.map((messages) => messages[index]?.content ?? ''),
      ),
    })),
  );
}

function joinCommon(first: string, others: readonly string[]): string {
  const [own, ...texts] = [first, ...others].map((text) => text.split('\n'));
  if (own === undefined) return first;
  // Lines in the same places differ within themselves.
  if (texts.every(({ length }) => length === own.length)) {
    return own.map((line, index) => joinLine(line, texts, index)).join('\n');
  }
  const common = new Set(own);
  for (const text of texts) {
    const lines = new Set(text);
    for (const line of common) if (!lines.has(line)) common.delete(line);
  }
  const shown: string[] = [];
  for (const line of own) {
    if (common.has(line)) shown.push(line);
    else if (shown.at(-1) !== differing) shown.push(differing);
  }
  return shown.join('\n');
}

function joinLine(line: string, texts: readonly (readonly string[])[], index: number): string {
  let [start, end] = [line.length, line.length];
  for (const text of texts) {
    const other = text[index] ?? '';
    if (other === line) continue;
    let [from, to] = [0, 0];
    while (from < start && from < other.length && other[from] === line[from]) from += 1;
    while (to < end && to < other.length - from && to < line.length - from && other.at(-1 - to) === line.at(-1 - to))
      to += 1;
    [start, end] = [from, to];
  }
  return start === line.length ? line : `${line.slice(0, start)}${differing}${line.slice(line.length - end)}`;
}

/** Two sides as a diff shows them: of prompts in code, what their cases have in common, or the first case that differs. */
export function showBoth(
  a: readonly WrittenMessage[],
  b: readonly WrittenMessage[],
): { readonly baseline: readonly WrittenMessage[]; readonly candidate: readonly WrittenMessage[] } {
  const [before, after] = [a, b].map((messages) => messages[0]?.language?.rendered);
  const plain = (messages: readonly WrittenMessage[]) =>
    messages.map(({ language, ...message }) =>
      language?.name === 'code' ? message : { ...message, ...defined({ language }) },
    );
  const sides = { baseline: plain(a), candidate: plain(b) };
  if (before === undefined || after === undefined || canonicalJson(sides.baseline) !== canonicalJson(sides.candidate))
    return sides;
  const key = Object.keys(before.cases).find(
    (one) => Object.hasOwn(after.cases, one) && textOf(before, one) !== textOf(after, one),
  );
  if (key === undefined) return sides;
  return { baseline: readCase(before, key), candidate: readCase(after, key) };
}

/** True where both say the same. Of prompts in code: for every case that both were rendered for. */
export function isSamePrompt(a: readonly WrittenMessage[], b: readonly WrittenMessage[]): boolean {
  const [before, after] = [a[0]?.language?.rendered, b[0]?.language?.rendered];
  if (before === undefined || after === undefined) return canonicalJson(a) === canonicalJson(b);
  const shared = Object.keys(before.cases).filter((key) => Object.hasOwn(after.cases, key));
  return shared.length > 0 && shared.every((key) => textOf(before, key) === textOf(after, key));
}

/** False for a case that the messages of a prompt in code were not made for: it is newer than they are. */
export function knowsCase({ messages }: Pick<PromptVersion, 'messages'>, vars: Vars): boolean {
  const table = messages[0]?.template.language?.rendered;
  return table === undefined || Object.hasOwn(table.cases, keyOfVars(vars));
}
