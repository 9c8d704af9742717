import { canonicalJson } from '../../../json/canonical-json.ts';
import { defined } from '../../../json/defined.ts';
import { compileTemplate, escapeTemplate, loadTemplateEngine } from '../../../templates/template.ts';
import { type Draft, LeftOut, type Written } from '../../draft.ts';
import type { ConvertedPrompt } from '../prompts.ts';
import { reads } from './case-vars.ts';

type Case = Readonly<Record<string, unknown>>;

/** A test's case, before tests of one conversation are joined. */
export interface Told {
  readonly one: Case;
  readonly test: Written;
  /** `metadata.conversationId` of the test. */
  readonly conversation: unknown;
}

export function findConversation(layers: readonly Written[]): unknown {
  const ids = layers.map((layer) => layer.child('metadata').child('conversationId').value);
  return ids.findLast((id) => id !== undefined);
}

/**
 * Joins the tests of a conversation into one case. promptfoo repeats earlier tests in the next prompt; here they are
 * turns.
 */
export async function joinConversations(
  told: readonly (Told | LeftOut)[],
  prompts: readonly (ConvertedPrompt | LeftOut)[],
  draft: Draft,
): Promise<readonly (Case | LeftOut)[]> {
  const written = prompts.flatMap((prompt) => (prompt instanceof LeftOut ? [] : [prompt]));
  const chats = written.flatMap(({ question, prompt }) => (question === undefined ? [] : [{ question, prompt }]));
  if (chats.length === 0) return told.map((one) => (one instanceof LeftOut ? one : one.one));
  await loadTemplateEngine();
  const groups = new Map<unknown, [Told, ...Told[]]>();
  const joined: ([Told, ...Told[]] | LeftOut)[] = [];
  for (const one of told) {
    const group = one instanceof LeftOut ? undefined : groups.get(one.conversation);
    if (one instanceof LeftOut) joined.push(one);
    else if (group === undefined) {
      const begun: [Told, ...Told[]] = [one];
      groups.set(one.conversation, begun);
      joined.push(begun);
    } else group.push(one);
  }
  return joined.map((group) => {
    if (group instanceof LeftOut) return group;
    if (group.length === 1) return group[0].one;
    if (chats.length === written.length) return joinGroup(group, chats, draft);
    return draft.refuse(group[0].test, 'a conversation with prompts that do not repeat it has no equivalent here');
  });
}

function joinGroup(
  group: readonly [Told, ...Told[]],
  chats: readonly { readonly question: string; readonly prompt: Case }[],
  draft: Draft,
): Case | LeftOut {
  const [first, ...others] = group;
  const turns: object[] = first.one['assert'] === undefined ? [] : [{ assert: first.one['assert'] }];
  for (const [index, { one, test }] of others.entries()) {
    const fault = findFault(first.one, one, chats);
    if (fault !== undefined) return draft.refuse(test, `a test of a conversation ${fault}`);
    const [text = '', ...more] = new Set(chats.map(({ question }) => ask(question, one)));
    if (more.length > 0) return draft.refuse(test, 'a test of a conversation is asked in several ways');
    const isLast = index === others.length - 1;
    turns.push({ user: escapeTemplate(text), ...defined({ assert: isLast ? undefined : one['assert'] }) });
  }
  draft.note(first.test, 'the tests of this conversation are the turns of one case, which passes where all of them do');
  const { assert: _assert, observe: _observe, ...rest } = first.one;
  return defined({
    ...rest,
    observe: group.every(({ one }) => one['observe'] === true) ? true : undefined,
    turns,
    assert: others.at(-1)?.one['assert'],
  });
}

/** Why a test can't be a turn of the case that another test starts; undefined if it can. */
function findFault(first: Case, one: Case, chats: readonly { readonly prompt: Case }[]): string | undefined {
  if (one['trials'] !== undefined || first['trials'] !== undefined) return 'is repeated';
  if (one['threshold'] !== undefined || first['threshold'] !== undefined) return 'has a threshold of its own';
  for (const key of ['prompts', 'providers'])
    if (canonicalJson(one[key]) !== canonicalJson(first[key])) return `has other ${key}`;
  const [own, vars] = [one['vars'], first['vars']].map((given) => Object(given) as Case);
  const changed = [...new Set([...Object.keys(Object(own)), ...Object.keys(Object(vars))])].filter(
    (name) => canonicalJson(own?.[name]) !== canonicalJson(vars?.[name]),
  );
  // All messages but the question come from the first test.
  const fixed = chats.map(({ prompt }) => (prompt['messages'] as readonly unknown[]).slice(0, -1));
  const read = changed.find((name) => reads(JSON.stringify([fixed, one['assert']]), name));
  return read === undefined ? undefined : `reads the variable "${read}", which changes from turn to turn`;
}

function ask(question: string, { vars }: Case): string {
  const template = compileTemplate(question);
  const missing = Object.fromEntries(template.variables.map((name) => [name, '']));
  return template.render({ ...missing, ...Object(vars) });
}
