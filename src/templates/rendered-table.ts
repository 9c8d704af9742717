import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { type Role, toRole } from '../model/run/completion.ts';
import type { RenderedTable, StoredMessage, WrittenMessage } from '../model/suite/recorded-settings.ts';
import type { PromptVersion, RenderedMessage, Vars } from '../model/suite/suite.ts';
import { groupBy } from '../text/group-by.ts';
import { sha256Hex } from '../text/sha256.ts';
import { plainNumbers } from '../text/yaml/exact-numbers.ts';
import { TemplateError } from './template-error.ts';

/** Messages of a prompt in code, by the variables that they were made from. */
export type RenderedByVars = ReadonlyMap<string, readonly RenderedMessage[]>;

export function keyOfVars(vars: Vars): string {
  return sha256Hex(canonicalJson(plainNumbers(vars))).slice(0, 16);
}

/** A message as line numbers. Equal lines have equal numbers. */
interface NumberedMessage {
  readonly role: Role;
  readonly lines: readonly number[];
}

/** Builds the stored form of the messages, with each line once, and the part common to all cases. */
export function tabulate(rendered: RenderedByVars): {
  readonly table: RenderedTable;
  readonly common: readonly CommonMessage[];
} {
  const numbers = new Map<string, number>();
  const numberOf = (line: string): number => {
    const known = numbers.get(line);
    if (known !== undefined) return known;
    numbers.set(line, numbers.size);
    return numbers.size - 1;
  };
  const sorted = [...rendered].sort(([a], [b]) => (a < b ? -1 : 1));
  const numbered = sorted.map(([key, messages]): [string, readonly NumberedMessage[]] => [
    key,
    messages.map(({ role, content }) => ({ role, lines: content.split('\n').map(numberOf) })),
  ]);
  const lines = [...numbers.keys()];
  const cases = numbered.map(([key, messages]): [string, readonly StoredMessage[]] => [
    key,
    messages.map((message) => [message.role, joinRuns(message.lines)]),
  ]);
  const all = numbered.map(([, messages]) => messages);
  return { table: { lines, cases: Object.fromEntries(cases) }, common: findCommon(all, lines) };
}

/** Shortens runs of lines: `3-5` stands for 3, 4 and 5. */
function joinRuns(lines: readonly number[]): string {
  const runs: [from: number, to: number][] = [];
  for (const line of lines) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] + 1 === line) last[1] = line;
    else runs.push([line, line]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(' ');
}

/** The messages of a case. Throws a `TemplateError` if they were not rendered for it. */
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

/** Placeholder for lines that differ between cases. */
const differing = '…';

interface CommonMessage {
  readonly role: Role;
  readonly content: string;
}

/** The part of the messages common to all cases. Cases with other sequences of roles are shown separately. */
function findCommon(all: readonly (readonly NumberedMessage[])[], texts: readonly string[]): readonly CommonMessage[] {
  const groups = groupBy(all, (messages) => messages.map(({ role }) => role).join());
  return [...groups.values()].flatMap(([first, ...others]) =>
    first.map(({ role, lines }, index) => ({
      role,
      content: joinCommon(
        lines,
        others.map((messages) => messages[index]?.lines ?? []),
        texts,
      ),
    })),
  );
}

function joinCommon(
  first: readonly number[],
  others: readonly (readonly number[])[],
  texts: readonly string[],
): string {
  // The longest case has a place for lines that others lack.
  const own = others.reduce((longest, other) => (other.length > longest.length ? other : longest), first);
  // Equally many lines: compare each line's beginning and end.
  const all = [first, ...others];
  if (all.every(({ length }) => length === own.length)) {
    return own
      .map((line, index) => {
        const different = new Set([line]);
        for (const other of all) different.add(other[index] ?? line);
        return joinLine([...different].map((number) => texts[number] ?? ''));
      })
      .join('\n');
  }
  const common = new Set(own);
  for (const other of all) {
    const lines = new Set(other);
    for (const line of common) if (!lines.has(line)) common.delete(line);
  }
  const shown: string[] = [];
  for (const line of own) {
    if (common.has(line)) shown.push(texts[line] ?? '');
    else if (shown.at(-1) !== differing) shown.push(differing);
  }
  return shown.join('\n');
}

/** Joins lines by their common beginning and end. */
function joinLine([line = '', ...others]: readonly string[]): string {
  if (others.length === 0) return line;
  let [start, end] = [line.length, line.length];
  for (const other of others) {
    const most = Math.min(line.length, other.length);
    let from = 0;
    while (from < Math.min(start, most) && other[from] === line[from]) from += 1;
    start = from;
    let to = 0;
    while (to < Math.min(end, most - start) && other.at(-1 - to) === line.at(-1 - to)) to += 1;
    end = to;
  }
  return `${line.slice(0, start)}${differing}${line.slice(line.length - end)}`;
}

/** Both sides of a diff. For prompts in code, the common part of their cases, or the first case that differs. */
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

/** True if both prompts are equal. For prompts in code, in every case rendered for both. */
export function isSamePrompt(a: readonly WrittenMessage[], b: readonly WrittenMessage[]): boolean {
  const [before, after] = [a[0]?.language?.rendered, b[0]?.language?.rendered];
  if (before === undefined || after === undefined) return canonicalJson(a) === canonicalJson(b);
  const shared = Object.keys(before.cases).filter((key) => Object.hasOwn(after.cases, key));
  return shared.length > 0 && shared.every((key) => textOf(before, key) === textOf(after, key));
}

/** False if a prompt in code was not rendered for a case, because the case is newer. */
export function knowsCase({ messages }: Pick<PromptVersion, 'messages'>, vars: Vars): boolean {
  const table = messages[0]?.template.language?.rendered;
  return table === undefined || Object.hasOwn(table.cases, keyOfVars(vars));
}
