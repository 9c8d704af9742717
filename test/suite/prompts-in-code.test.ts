import { describe, expect, test } from 'vitest';
import { findAddedSecret, findDifference, readPromptAnswer } from '../../src/suite/prompts/read-prompt-answer.ts';

const forms = 'a prompt is a text, a list of {role, content}, or {messages, params, tools}';
const user = { role: 'user', content: 'hi' };
const read = { role: 'user' as const, content: 'hi', attach: [] };
const tool = { name: 'find' };

test.each<[unknown, unknown]>([
  ['hi', { messages: [read], params: {} }],
  [[user], { messages: [read], params: {} }],
  [
    ['system', 'developer', 'user', 'assistant'].map((role) => ({ role, content: role })),
    { messages: [{ role: 'system' }, { role: 'developer' }, { role: 'user' }, { role: 'assistant' }] },
  ],
  [[{ role: 'system', content: ' ' }, user], { messages: [{ content: ' ' }, read] }],
  [{ messages: [user] }, { messages: [read], params: {} }],
  [
    { messages: [user], params: { seed: 1 } },
    { messages: [read], params: { seed: 1 } },
  ],
  [{ messages: [user], params: { seed: 1 }, tools: [tool] }, { params: { seed: 1, tools: [tool] } }],
  [{ messages: [user], params: { tools: [tool] } }, { params: { tools: [tool] } }],
])('what a prompt in code returns is sent: %j', (returned, expected) => {
  expect(readPromptAnswer(returned)).toMatchObject(expected as object);
});

test.each<[unknown, string]>([
  [3, `returned 3: ${forms}`],
  [null, `returned null: ${forms}`],
  ['  ', 'returned an empty prompt'],
  [[], 'returned an empty prompt'],
  [[{ role: 'system', content: '\n' }], 'returned an empty prompt'],
  [{ messages: [user], model: 'm', other: 1 }, `returned the unknown key "model": ${forms}`],
  [{ params: {} }, `returned an object without a list of messages: ${forms}`],
  [{ messages: 'hi' }, `returned an object without a list of messages: ${forms}`],
  [{ messages: [user], params: [] }, 'returned params that are a list, not an object'],
  [{ messages: [user], params: { tools: [] }, tools: [] }, 'returned tools twice: beside params and in them'],
  [{ messages: [user], tools: { find: {} } }, 'returned tools that are a map, not a list'],
  [{ messages: [user], params: { tools: 'x' } }, 'returned tools that are "x", not a list'],
  [{ messages: [user], tools: [tool, 'find'] }, 'returned a tool that is no object'],
  [
    { messages: [user], tools: [tool, { mcp: 'tools.json' }] },
    'returned tools of an MCP server: write them under params of the suite',
  ],
  [[user, 'x'], `returned "x" as message 2: ${forms}`],
  [[user, { ...user, name: 'Ann' }], 'returned the unknown key "name" in message 2'],
  [[{ role: 'tool', content: 'x' }], 'returned the role "tool" in message 1: use system, developer, user, assistant'],
  [[{ content: 'x' }], 'returned the role none in message 1: use system, developer, user, assistant'],
  [[{ role: 'user', content: ['x'] }], 'returned a list as the content of message 1, which must be a text'],
])('what is no prompt is a fault: %j', (returned, fault) => {
  expect(readPromptAnswer(returned)).toEqual({ fault });
});

test('a key in a message is a fault, unless a variable of the case has it', () => {
  const key = 'sk-proj-abcdefgh1234567890ABCDEFGH';
  const prompt = { messages: [read, { ...read, content: `Use "${key}"` }], params: {} };
  expect(findAddedSecret(prompt, { word: 'hi' })).toMatch(
    /^returned a message that holds an? .*key, which no variable has$/,
  );
  expect(findAddedSecret(prompt, { word: `the key ${key}` })).toBeUndefined();
  expect(findAddedSecret({ messages: [read], params: {} }, {})).toBeUndefined();
});

describe('two results for one case', () => {
  const long = (tail: string): string => `${'a'.repeat(30)}${tail}${'z'.repeat(70)}`;
  const of = (...contents: readonly string[]) => ({
    messages: contents.map((content) => ({ ...read, content })),
    params: {},
  });
  test.each<[Parameters<typeof findDifference>[0], Parameters<typeof findDifference>[0], string | undefined]>([
    [of('a', 'b'), of('a', 'b'), undefined],
    [of('a', 'b'), of('a'), 'message 2 is missing the second time'],
    [of('a'), of('a', 'b'), 'there are more messages the second time'],
    [
      of('a'),
      { messages: [{ ...read, role: 'system' as const }], params: {} },
      'the role of message 1 is user, then system',
    ],
    [of('a', 'time 1'), of('a', 'time 2'), 'message 2 has "time 1", then "time 2"'],
    [
      of(long('b')),
      of(long('c')),
      `message 1 has "…${'a'.repeat(20)}b${'z'.repeat(39)}…", then "…${'a'.repeat(20)}c${'z'.repeat(39)}…"`,
    ],
    [
      { ...of('a'), params: { seed: 1 } },
      { ...of('a'), params: { seed: 2 } },
      'params or tools have "{\\"seed\\":1}", then "{\\"seed\\":2}"',
    ],
  ])('differ first where that is said %#', (first, second, said) => {
    expect(findDifference(first, second)).toBe(said);
  });
});
