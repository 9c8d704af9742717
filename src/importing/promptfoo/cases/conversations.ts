import { canonicalJson } from '../../../json/canonical-json.ts';
import { defined } from '../../../json/defined.ts';
import { compileTemplate, escapeTemplate, loadTemplateEngine } from '../../../templates/template.ts';
import { type Draft, LeftOut, type Written } from '../../draft.ts';
import type { ConvertedPrompt } from '../prompts.ts';
import { reads } from './case-vars.ts';

type Case = Readonly<Record<string, unknown>>;

/** A test as a case, before the tests of a conversation are joined. */
export interface ConvertedTest {
  readonly testCase: Case;
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
  tests: readonly (ConvertedTest | LeftOut)[],
  prompts: readonly (ConvertedPrompt | LeftOut)[],
  draft: Draft,
): Promise<readonly (Case | LeftOut)[]> {
  const written = prompts.flatMap((prompt) => (prompt instanceof LeftOut ? [] : [prompt]));
  const chats = written.flatMap(({ question, prompt }) => (question === undefined ? [] : [{ question, prompt }]));
  if (chats.length === 0) return tests.map((test) => (test instanceof LeftOut ? test : test.testCase));
  await loadTemplateEngine();
  const groups = new Map<unknown, [ConvertedTest, ...ConvertedTest[]]>();
  const joined: ([ConvertedTest, ...ConvertedTest[]] | LeftOut)[] = [];
  for (const test of tests) {
    const group = test instanceof LeftOut ? undefined : groups.get(test.conversation);
    if (test instanceof LeftOut) joined.push(test);
    else if (group === undefined) {
      const started: [ConvertedTest, ...ConvertedTest[]] = [test];
      groups.set(test.conversation, started);
      joined.push(started);
    } else group.push(test);
  }
  return joined.map((group) => {
    if (group instanceof LeftOut) return group;
    if (group.length === 1) return group[0].testCase;
    if (chats.length === written.length) return joinGroup(group, chats, draft);
    return draft.refuse(group[0].test, 'a conversation with prompts that do not repeat it has no equivalent here');
  });
}

function joinGroup(
  group: readonly [ConvertedTest, ...ConvertedTest[]],
  chats: readonly { readonly question: string; readonly prompt: Case }[],
  draft: Draft,
): Case | LeftOut {
  const [first, ...others] = group;
  const turns: object[] = first.testCase['assert'] === undefined ? [] : [{ assert: first.testCase['assert'] }];
  for (const [index, { testCase, test }] of others.entries()) {
    const fault = findFault(first.testCase, testCase, chats);
    if (fault !== undefined) return draft.refuse(test, `a test of a conversation ${fault}`);
    const [text = '', ...more] = new Set(chats.map(({ question }) => ask(question, testCase)));
    if (more.length > 0) return draft.refuse(test, 'a test of a conversation is asked in several ways');
    const isLast = index === others.length - 1;
    turns.push({ user: escapeTemplate(text), ...defined({ assert: isLast ? undefined : testCase['assert'] }) });
  }
  draft.note(first.test, 'the tests of this conversation are the turns of one case, which passes where all of them do');
  const { assert: _assert, observe: _observe, ...rest } = first.testCase;
  return defined({
    ...rest,
    observe: group.every(({ testCase }) => testCase['observe'] === true) ? true : undefined,
    turns,
    assert: others.at(-1)?.testCase['assert'],
  });
}

/** Why a test can't be a turn of the case that another test starts; undefined if it can. */
function findFault(first: Case, other: Case, chats: readonly { readonly prompt: Case }[]): string | undefined {
  if (other['trials'] !== undefined || first['trials'] !== undefined) return 'is repeated';
  if (other['threshold'] !== undefined || first['threshold'] !== undefined) return 'has a threshold of its own';
  for (const key of ['prompts', 'providers'])
    if (canonicalJson(other[key]) !== canonicalJson(first[key])) return `has other ${key}`;
  const [own, vars] = [other['vars'], first['vars']].map((given) => Object(given) as Case);
  const changed = [...new Set([...Object.keys(Object(own)), ...Object.keys(Object(vars))])].filter(
    (name) => canonicalJson(own?.[name]) !== canonicalJson(vars?.[name]),
  );
  // All messages but the question come from the first test.
  const fixed = chats.map(({ prompt }) => (prompt['messages'] as readonly unknown[]).slice(0, -1));
  const read = changed.find((name) => reads(JSON.stringify([fixed, other['assert']]), name));
  return read === undefined ? undefined : `reads the variable "${read}", which changes from turn to turn`;
}

function ask(question: string, { vars }: Case): string {
  const template = compileTemplate(question);
  const missing = Object.fromEntries(template.variables.map((name) => [name, '']));
  return template.render({ ...missing, ...Object(vars) });
}
