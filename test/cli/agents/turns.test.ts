import { expect, test } from 'vitest';
import { type ScriptedStep, startAgentServer } from '../../support/agent-server.ts';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';

const suiteOf = (prompt: string, rest: string) => `suite: shop
prompts: [{ id: v1, ${prompt} }]
providers: [{ id: mini, use: "openai:gpt-4o-mini" }]
cases:
  - id: late
    vars: { q: "Where is it?" }
${rest}
`;

async function runTurns(suite: string, steps: readonly ScriptedStep[]) {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: [shop.eval.yaml]\n');
  project.write('shop.eval.yaml', suite);
  const server = await startAgentServer(steps);
  const { code, report } = await project.report(['run', '--no-baseline'], { env: server.env });
  const trial = trialsOf(report)[0];
  const bodies = server.requests.map(
    ({ body }) => JSON.parse(body) as { messages: { role: string; content: string }[] },
  );
  return { code, trial, requests: bodies.map(({ messages }) => messages.map(({ role }) => role)) };
}

const user = 'text: "{{ q }}"';

test('the first turn may check the answer to the prompt itself', async () => {
  const rest =
    '    turns: [{ assert: [{ contains: one }] }, { user: again, assert: [{ contains: two }] }]\n    assert: [{ contains: two }]';
  const { code, trial } = await runTurns(suiteOf(user, rest), ['one', 'two']);
  expect(code).toBe(0);
  expect(trial?.checks.map(({ turn, pass }) => [turn, pass])).toEqual([
    [0, true],
    [1, true],
    [undefined, true],
  ]);
  const failed = await runTurns(suiteOf(user, rest), ['zero', 'two']);
  expect([failed.code, failed.trial?.checks[0]]).toEqual([1, expect.objectContaining({ turn: 0, pass: false })]);
});

test('the answer to a tool result may be checked', async () => {
  const rest = `    turns:
      - { toolResult: { name: find, content: lost }, assert: [{ contains: sorry }] }
      - { user: thanks }
    assert: [{ contains: bye }]`;
  const call: ScriptedStep = [['find', {}]];
  expect((await runTurns(suiteOf(user, rest), [call, 'sorry', 'bye'])).code).toBe(0);
  expect((await runTurns(suiteOf(user, rest), [call, 'whatever', 'bye'])).trial?.checks[0]).toMatchObject({
    turn: 0,
    pass: false,
  });
});

test("a prompt of system messages alone is asked together with the user's first turn", async () => {
  const prompt = 'messages: [{ role: system, content: "Be kind." }]';
  const rest =
    '    turns: [{ user: "{{ q }}", assert: [{ contains: one }] }, { user: and? }]\n    assert: [{ contains: two }]';
  const { code, requests } = await runTurns(suiteOf(prompt, rest), ['one', 'two']);
  expect(code).toBe(0);
  expect(requests).toEqual([
    ['system', 'user'],
    ['system', 'user', 'assistant', 'user'],
  ]);
});

test('tools answer calls in every turn, and a check of a turn sees the calls of that turn', async () => {
  const rest = `    tools: { find: { returns: lost }, refund: { returns: done } }
    turns:
      - { assert: [{ toolCalls: { names: [find], order: exact } }] }
      - { user: "refund it", assert: [{ toolCalls: { names: [refund], order: exact } }] }
    assert: [{ trajectory: { calls: [find, refund], order: exact, steps: 4 } }]`;
  const { code, requests } = await runTurns(suiteOf(user, rest), [
    [['find', {}]],
    'It is lost.',
    [['refund', {}]],
    'Done.',
  ]);
  expect(code).toBe(0);
  expect(requests.at(-1)).toEqual(['user', 'assistant', 'tool', 'assistant', 'user', 'assistant', 'tool']);
});

test.each([
  [
    'a turn of assert alone that is not the first',
    user,
    '    turns: [{ user: a }, { assert: [{ contains: b }] }]',
    'that is not the first',
    7,
  ],
  [
    'tools beside a toolResult',
    user,
    '    tools: { f: { returns: 1 } }\n    turns: [{ toolResult: { name: f, content: x } }]',
    'both answer calls',
    8,
  ],
  [
    'fewer steps than turns',
    user,
    '    tools: { f: { returns: 1 } }\n    maxSteps: 2\n    turns: [{ user: a }, { user: b }]',
    'case "late" needs 3 answers for its turns, and maxSteps allows 2 answers',
    8,
  ],
  [
    'fewer steps than turns of a prompt that is asked with the first one',
    'messages: [{ role: system, content: "{{ q }}" }]',
    '    tools: { f: { returns: 1 } }\n    maxSteps: 1\n    turns: [{ user: a }, { user: b }]',
    'case "late" needs 2 answers for its turns, and maxSteps allows 1 answer',
    8,
  ],
  [
    'a check of the first answer where the prompt has none',
    'messages: [{ role: system, content: x }]',
    '    turns: [{ assert: [{ contains: b }] }, { user: "{{ q }}" }]',
    "before the user's first turn",
    7,
  ],
])('%s is refused at its place', async (_, prompt, rest, message, line) => {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: [shop.eval.yaml]\n');
  project.write('shop.eval.yaml', `${suiteOf(prompt, rest)}    assert: [{ contains: x }]\n`);
  const { code, stderr } = await project.run(['validate']);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
  expect(stderr).toContain(`shop.eval.yaml:${line}:`);
});
