import { defined } from '../../json/defined.ts';
import { isSystemRole } from '../../model/run/completion.ts';
import { isTemplate } from '../../templates/template.ts';
import { groupBy } from '../../text/group-by.ts';
import { type Draft, LeftOut, takeName, type Written } from '../draft.ts';
import type { ChatMessage } from './chat-messages.ts';
import type { DataRow } from './data-row.ts';

interface Built {
  readonly prompts: readonly unknown[];
  readonly cases: readonly unknown[];
  readonly defaults: { readonly vars: Readonly<Record<string, unknown>> } | undefined;
}

/** Rows with the same form of prompt: the same roles, or no conversation. */
interface Group {
  readonly id: string;
  readonly roles: readonly ChatMessage['role'][];
  readonly rows: DataRow[];
  /** Messages that every row has at the same place. They become part of the prompt. */
  shared: readonly (string | undefined)[];
}

/** Builds one prompt per form of conversation, which shows every variable, and the cases. */
export function buildPrompts(rows: readonly (DataRow | LeftOut)[], written: readonly Written[], draft: Draft): Built {
  const kept = rows.filter((row) => !(row instanceof LeftOut)) as readonly DataRow[];
  const groups = new Map<string, Group>();
  const keyOf = ({ chat }: DataRow) => chat.map(({ role }) => role).join(' ');
  for (const row of kept) {
    const group = groups.get(keyOf(row)) ?? {
      id: `v${groups.size + 1}`,
      roles: row.chat.map(({ role }) => role),
      rows: [],
      shared: [],
    };
    groups.set(keyOf(row), group);
    group.rows.push(row);
  }
  for (const group of groups.values()) group.shared = group.roles.map((_, index) => sameContent(group.rows, index));
  const variables = nameVariables(kept);
  const prompts = [...groups.values()].map((group) => buildPrompt(group, variables));
  const ids = new Set<string>();
  const seen = new Set<string>();
  const cases = rows.map((row, index): unknown => {
    if (row instanceof LeftOut) return row;
    const group = groups.get(keyOf(row));
    const vars = { ...chatVars(row, group), ...dataVars(row, variables) };
    const at = written[index];
    if (row.id !== undefined && ids.has(row.id) && at !== undefined)
      draft.note(at, `another row has the id "${row.id}"`);
    const id = row.id === undefined ? undefined : uniqueId(row.id, ids);
    const key = JSON.stringify(vars);
    if (seen.has(key) && row.id === undefined && at !== undefined)
      return draft.refuse(at, 'the row has the variables of an earlier one', 'give each an id');
    seen.add(key);
    return {
      ...defined({ id, prompts: groups.size > 1 && group !== undefined ? [group.id] : undefined }),
      vars,
      ...(row.answer === undefined ? { observe: true } : { expected: row.answer, assert: [buildCheck(row.answer)] }),
    };
  });
  const missing = [...variables].filter(([name]) => kept.some(({ vars }) => !vars.has(name)));
  const defaults =
    missing.length === 0
      ? undefined
      : { vars: Object.fromEntries(missing.map(([, { name, empty }]) => [name, empty])) };
  return { prompts, cases, defaults };
}

function uniqueId(id: string, taken: Set<string>): string {
  const base = id
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, 280);
  return takeName(base, taken);
}

interface Variable {
  readonly name: string;
  /** Text shown in the prompt. */
  readonly shown: string;
  /** Value for a row without the field. */
  readonly empty: unknown;
}

/** Words that templates read as values, and the assertions' name of the golden answer. */
const reservedNames = [
  'true',
  'false',
  'nil',
  'null',
  'empty',
  'blank',
  'size',
  'first',
  'last',
  'and',
  'or',
  'contains',
  'in',
  'not',
  'expected',
];
const chatNamePattern = /^(?:system|developer|user|assistant)(?:_\d+)?$/;

/** Gives each field a name that templates can read, and a filter if it is no text. */
function nameVariables(rows: readonly DataRow[]): ReadonlyMap<string, Variable> {
  const fields = groupBy(
    rows.flatMap(({ vars }) => [...vars]),
    ([name]) => name,
  );
  const hasChat = rows.some(({ chat }) => chat.length > 0);
  const taken = new Set(reservedNames);
  return new Map(
    [...fields].map(([field, entries]): [string, Variable] => {
      const items = entries.map(([, value]) => value);
      const plain = field.replace(/^(?:input|inputs)\./, '').replaceAll(/[^\p{L}\p{N}_-]+/gu, '_');
      const base = `${/^[\p{L}_]/u.test(plain) ? '' : 'field_'}${plain}`;
      let name = hasChat && chatNamePattern.test(base) ? `${base}_field` : base;
      for (let count = 2; taken.has(name); count += 1) name = `${base}_${count}`;
      taken.add(name);
      const isText = items.every((item) => typeof item !== 'object');
      const isList = items.every((item) => typeof item !== 'object' || isTextList(item));
      if (isText) return [field, { name, shown: `{{ ${name} }}`, empty: '' }];
      return [
        field,
        isList
          ? { name, shown: `{{ ${name} | join: "\\n" }}`, empty: '' }
          : { name, shown: `{{ ${name} | json }}`, empty: {} },
      ];
    }),
  );
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' || typeof item === 'number');
}

function buildPrompt({ id, roles, rows, shared }: Group, variables: ReadonlyMap<string, Variable>): unknown {
  const used = [...variables].filter(([field]) => rows.some(({ vars }) => vars.has(field)));
  const [only, second] = used;
  const labels =
    only !== undefined && second === undefined && roles.length === 0
      ? only[1].shown
      : used.map(([, { name, shown }]) => `${name}: ${shown}`).join('\n');
  if (roles.length === 0) return { id, text: labels };
  const names = nameRoles(roles);
  const messages = roles.map((role, index) => {
    return { role, content: shared[index] ?? `{{ ${names[index] ?? role} }}` };
  });
  return { id, messages: labels === '' ? messages : [...messages, { role: 'user', content: labels }] };
}

/** Names roles: `system`, `user`, or `user_1` and `user_2` if a role speaks twice. */
function nameRoles(roles: readonly string[]): readonly string[] {
  return roles.map((role, index) => {
    const place = roles.slice(0, index + 1).filter((other) => other === role).length;
    return roles.filter((other) => other === role).length === 1 ? role : `${role}_${place}`;
  });
}

/**
 * Text of a system message that all rows share, which becomes part of the prompt. Any other message is data and never
 * rendered.
 */
function sameContent(rows: readonly DataRow[], index: number): string | undefined {
  const [first, ...others] = rows.map(({ chat }) => chat[index]);
  if (first === undefined || others.length === 0) return undefined;
  const isSame = others.every((other) => other?.content === first.content);
  return isSystemRole(first.role) && isSame && !isTemplate(first.content) ? first.content : undefined;
}

function chatVars({ chat }: DataRow, group: Group | undefined): Readonly<Record<string, unknown>> {
  const names = nameRoles(chat.map(({ role }) => role));
  const own = chat.flatMap(({ content }, index) =>
    group?.shared[index] !== undefined ? [] : [[names[index] ?? '', content] as const],
  );
  return Object.fromEntries(own);
}

function dataVars({ vars }: DataRow, variables: ReadonlyMap<string, Variable>): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...vars].map(([field, value]) => [variables.get(field)?.name ?? field, value]));
}

/** Builds the check. With a list, any of its answers is right. */
function buildCheck(answer: unknown): unknown {
  if (Array.isArray(answer) && answer.length > 0 && answer.every((item) => typeof item === 'string'))
    return { oneOf: '{{expected}}' };
  return typeof answer === 'object'
    ? { equals: '{{expected}}', select: { json: true } }
    : { equals: { value: '{{expected}}', trim: true } };
}
