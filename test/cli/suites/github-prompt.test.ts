import { describe, expect, test } from 'vitest';
import { type ChatServer, startChatServer } from '../../support/chat-server.ts';
import { openTempProject, plannedTrialsOf, trialsOf } from '../../support/temp-project.ts';

/** Answers the model under test with a case's own answer, and a judge with what it is to say. */
function startServer(replies: Readonly<Record<string, string>>): Promise<ChatServer> {
  return startChatServer(({ model, text }) => (model === 'judge' ? (replies['judge'] ?? '') : (replies[text] ?? text)));
}

/** The verdicts of a prompt file by case, each of them by evaluator. */
async function runPrompt(text: string, replies: Readonly<Record<string, string>> = {}) {
  const project = openTempProject();
  project.write(
    'llmcheck.config.yaml',
    'judges: [{ id: openai/judge, use: openai:judge }, { id: openai/gpt-4o, use: openai:judge }]\n',
  );
  project.write('x.prompt.yml', text);
  const server = await startServer(replies);
  const { report, stderr, code } = await project.report(['run', 'x.prompt.yml', '--no-baseline'], { env: server.env });
  const checks = plannedTrialsOf(report).flatMap((trial) =>
    trial.checks.map(({ name, pass, score }) => [name, pass, score]),
  );
  return { checks, report, stderr, code, server };
}

function promptOf(evaluator: string, item = '{ input: hello, expected: Billing }'): string {
  return `model: openai/m
messages: [{ role: user, content: "{{input}}" }]
testData: [${item}]
evaluators: [{ name: e, ${evaluator} }]
`;
}

describe('a .prompt.yml runs alone', () => {
  test('with its messages, model, parameters and response format', async () => {
    const { server, code } = await runPrompt(
      `name: ticket-router
model: openai/gpt-4o-mini
modelParameters: { temperature: 0, maxTokens: 60, topP: 0.5 }
responseFormat: json_schema
jsonSchema: |-
  {"name":"route","strict":true,"schema":{"type":"object","properties":{"team":{"enum":["billing","tech"]}},"required":["team"],"additionalProperties":false}}
messages:
  - role: System
    content: Route the ticket to one team.
  - role: user
    content: "{{ ticket }} / {{ticket}}"
testData:
  - ticket: My card was charged twice
    expected: billing
evaluators:
  - name: names the team
    string: { contains: "{{expected}}" }
`,
      { 'My card was charged twice / My card was charged twice': '{"team": "billing"}' },
    );
    expect(code).toBe(0);
    const [request] = server.requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(request).toMatchObject({
      model: 'gpt-4o-mini',
      temperature: 0,
      max_tokens: 60,
      top_p: 0.5,
      messages: [
        { role: 'system', content: 'Route the ticket to one team.' },
        { role: 'user', content: 'My card was charged twice / My card was charged twice' },
      ],
      response_format: { type: 'json_schema', json_schema: { name: 'route', strict: true } },
    });
  });

  test('with its parameters under the names of chat completions too', async () => {
    const { server, code } = await runPrompt(
      promptOf('string: { contains: "{{expected}}" }').replace(
        'messages:',
        'modelParameters: { max_tokens: 60, top_p: 0.5, frequency_penalty: 1, presence_penalty: 0 }\nmessages:',
      ),
      { hello: 'billing' },
    );
    expect(code).toBe(0);
    expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({
      max_tokens: 60,
      top_p: 0.5,
      frequency_penalty: 1,
      presence_penalty: 0,
    });
    const limited = await runPrompt(
      promptOf('string: { contains: "{{expected}}" }').replace(
        'messages:',
        'modelParameters: { max_completion_tokens: 70 }\nmessages:',
      ),
      { hello: 'billing' },
    );
    expect(JSON.parse(limited.server.requests[0]?.body ?? '')).toMatchObject({ max_completion_tokens: 70 });
  });

  test('and its schema is the contract: an answer that breaks it fails', async () => {
    const { report } = await runPrompt(
      `model: openai/m
responseFormat: json_schema
jsonSchema: '{"name":"n","schema":{"type":"object","required":["team"]}}'
${promptOf('string: { contains: a }').split('\n').slice(1).join('\n')}`,
      { hello: '{"a": 1}' },
    );
    expect(
      plannedTrialsOf(report).flatMap(({ checks }) => checks.map(({ assertion, pass }) => [assertion, pass])),
    ).toEqual([
      ['contract', false],
      ['contains', true],
    ]);
  });
});

describe('evaluators give the verdicts of the original rules', () => {
  test.each<[evaluator: string, answer: string, pass: boolean]>([
    // equals: case counts, blanks around the reply do not.
    ['string: { equals: "{{expected}}" }', 'Billing', true],
    ['string: { equals: "{{expected}}" }', '  Billing\n', true],
    ['string: { equals: "{{expected}}" }', 'billing', false],
    ['string: { equals: " Billing" }', ' Billing', false],
    // The other three: case does not count.
    ['string: { contains: "{{expected}}" }', 'it is BILLING.', true],
    ['string: { contains: "{{expected}}" }', 'tech', false],
    ['string: { startsWith: "{{expected}}" }', '\n billing it is', true],
    ['string: { startsWith: "{{expected}}" }', 'the billing', false],
    ['string: { endsWith: "{{expected}}" }', 'to billing \n', true],
    ['string: { endsWith: "{{expected}}" }', 'billing.', false],
    // One is taken, in a fixed order.
    ['string: { contains: nothing, equals: Billing }', 'Billing', true],
    ['string: { endsWith: Billing, startsWith: x }', 'Billing', false],
    // A value is data: what looks like a template in it stands for itself.
    ['string: { contains: "{% if %}{{ a b }}" }', '{% IF %}{{ a b }}', true],
  ])('%s on %j: %s', async (evaluator, answer, pass) => {
    const { checks } = await runPrompt(promptOf(evaluator), { hello: answer });
    expect(checks).toEqual([['e', pass, Number(pass)]]);
  });

  const judged = (choices: string) =>
    `llm: { modelId: openai/judge, systemPrompt: "Be {{strict}}", prompt: "Q {{input}} A {{completion}}", choices: [${choices}] }`;

  test.each<[choices: string, reply: string, pass: boolean, score: number]>([
    ['{ choice: "yes", score: 1 }, { choice: "no", score: 0 }', 'Yes, it is.', true, 1],
    ['{ choice: "yes", score: 1 }, { choice: "no", score: 0 }', 'No.', false, 0],
    ['{ choice: "good", score: 0.2 }, { choice: "bad", score: 0 }', 'GOOD', true, 0.2],
    // The first choice that is a part of the reply counts.
    ['{ choice: "1", score: 0 }, { choice: "10", score: 1 }', '10', false, 0],
    ['{ choice: "yes", score: 1 }', 'maybe', false, 0],
  ])('choices %s, judged %j: %s', async (choices, judge, pass, score) => {
    const { checks, server, stderr } = await runPrompt(promptOf(judged(choices)), { hello: 'fine', judge });
    expect(checks).toEqual([['e', pass, score]]);
    expect(stderr).toContain('the first choice found anywhere');
    const asked = server.requests.map(({ body }) => JSON.parse(body) as { messages: unknown });
    expect(asked.at(-1)?.messages).toEqual([
      { role: 'system', content: 'Be {{strict}}' },
      { role: 'user', content: 'Q hello A fine' },
    ]);
  });

  test.each<[rating: string, pass: boolean, score: number]>([
    ['1', false, 0],
    ['2', true, 0.25],
    ['3', true, 0.5],
    ['4', true, 0.75],
    ['5', true, 1],
  ])('uses: a rating of %s: %s', async (judge, pass, score) => {
    const { checks, stderr } = await runPrompt(promptOf('uses: github/similarity'), { judge });
    expect(checks).toEqual([['e', pass, score]]);
    expect(stderr).toContain('a rating of 2 of 5 passes');
  });
});

test('values are filled in once, and print as the original prints them', async () => {
  const item = '{ input: "{{other}}", other: secret, list: [a, 1, true], map: { b: 2, a: null } }';
  const { server } = await runPrompt(
    promptOf('string: { contains: a }', item).replace(
      '"{{input}}"',
      '"{{input}} {{list}} {{map}} {{ other }} { {x} }"',
    ),
  );
  const [request] = server.requests.map(({ body }) => JSON.parse(body) as { messages: { content: string }[] });
  expect(request?.messages[0]?.content).toBe('{{other}} [a 1 true] map[a:<nil> b:2] secret { {x} }');
});

test.each<[why: string, text: string, place: string]>([
  [
    'a map as jsonSchema',
    'responseFormat: json_schema\njsonSchema: { name: a, schema: {} }\n',
    '2:13 error invalid-value',
  ],
  ['JSON that is none', 'responseFormat: json_schema\njsonSchema: |-\n  {"name": }\n', '3:12 error syntax'],
  [
    'a schema without a name',
    'responseFormat: json_schema\njsonSchema: \'{"schema": {}}\'\n',
    '2:13 error invalid-value',
  ],
  ['json_schema without one', 'responseFormat: json_schema\n', '1:17 error invalid-value'],
  ['a format that is none', 'responseFormat: json\n', '1:17 error invalid-value'],
  ['a parameter that is not a number', 'modelParameters: { temperature: hot }\n', '1:33 error invalid-value'],
  ['a parameter that is not known', 'modelParameters: { min_tokens: 5 }\n', '1:20 error unknown-key'],
  [
    'a parameter by both of its names',
    'modelParameters: { maxTokens: 5, max_tokens: 5 }\n',
    '1:34 error invalid-value',
  ],
  ['a limit that is no number', 'modelParameters: { max_tokens: many }\n', '1:32 error invalid-value'],
  ['a key that is nearly one', 'evaluator: []\n', '1:1 error unknown-key'],
  ['an evaluator of no kind', 'evaluators: [{ name: a }]\n', '1:14 error invalid-value'],
  ['a string evaluator that says nothing', 'evaluators: [{ name: a, string: {} }]\n', '1:33 error invalid-value'],
  ['a plug-in that is not known', 'evaluators: [{ name: a, uses: github/similarty }]\n', '1:31 error invalid-value'],
  ['test data that is not a map', 'testData: [hello]\n', '1:12 error invalid-value'],
  ['broken YAML', 'a: [\n', '1:4 error syntax'],
  [
    'an alias bomb',
    `a: &a [${'1,'.repeat(99)}1]\nb: &b [${'*a,'.repeat(99)}*a]\nc: &c [${'*b,'.repeat(99)}*b]\nd: [${'*c,'.repeat(99)}*c]\n`,
    'error syntax',
  ],
])('%s is refused with its place', async (_, text, place) => {
  const project = openTempProject();
  project.write('x.prompt.yml', `${text}model: openai/m\nmessages: [{ role: user, content: hi }]\n`);
  const { code, stderr } = await project.run(['validate', 'x.prompt.yml']);
  expect(code).toBe(2);
  expect(stderr).toContain(place);
});

test.each<[why: string, text: string]>([
  ['an unknown role', 'messages: [{ role: tool, content: hi }]\n'],
  ['no messages', 'model: openai/m\n'],
  ['a content that is not a text', 'messages: [{ role: user, content: [a] }]\n'],
])('%s is refused, never sent as text', async (_, text) => {
  const project = openTempProject();
  project.write('x.prompt.yml', text);
  project.write(
    'evals/a.eval.yaml',
    'prompts: [{ id: v1, file: ../x.prompt.yml }]\nproviders: [openai:m]\ncases: []\n',
  );
  expect((await project.run(['validate', 'x.prompt.yml'])).stderr).toMatch(/x\.prompt\.yml:1:\d+ error invalid-value/);
  expect((await project.run(['validate'])).code).toBe(2);
});

test('a suite may name it as a prompt and as its cases, with another provider', async () => {
  const project = openTempProject();
  project.write('prompts/x.prompt.yml', promptOf('string: { equals: "{{expected}}" }'));
  project.write(
    'evals/a.eval.yaml',
    `prompts: [{ id: v1, file: ../prompts/x.prompt.yml, params: { temperature: 1 } }]
providers: [{ id: mine, use: "openai:other" }]
cases: [{ file: ../prompts/x.prompt.yml, tags: [own] }]
`,
  );
  const server = await startServer({ hello: 'Billing' });
  const { report } = await project.report(['run', '--tag', 'own'], { env: server.env });
  expect(trialsOf(report).map(({ provider, status }) => [provider, status])).toEqual([['mine', 'passed']]);
  expect(JSON.parse(server.requests[0]?.body ?? '{}')).toMatchObject({ model: 'other', temperature: 1 });
});

test('prompts of a suite without providers run each on the model of its own file', async () => {
  const project = openTempProject();
  project.write('a.prompt.yml', promptOf('string: { contains: h }'));
  project.write('b.prompt.yml', promptOf('string: { contains: h }').replace('openai/m', 'openai/other'));
  project.write(
    'evals/a.eval.yaml',
    'prompts: [{ id: a, file: ../a.prompt.yml }, { id: b, file: ../b.prompt.yml }]\ncases: [{ file: ../a.prompt.yml }]\n',
  );
  const { stdout } = await project.run(['list', 'cases']);
  expect(stdout).toContain('a');
  const server = await startServer({});
  const { report } = await project.report(['run'], { env: server.env });
  expect(trialsOf(report).map(({ prompt, provider }) => [prompt, provider])).toEqual([
    ['a', 'openai:m'],
    ['b', 'openai:other'],
  ]);
});

test('a provider of the config with the name of its model takes its place', async () => {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'providers: [{ id: meta/llama, use: "openai:llama" }, openai:unused]\n');
  project.write('x.prompt.yml', promptOf('string: { contains: h }').replace('openai/m', 'meta/llama'));
  const server = await startServer({});
  const { report } = await project.report(['run', 'x.prompt.yml'], { env: server.env });
  expect(trialsOf(report).map(({ provider }) => provider)).toEqual(['meta/llama']);
  project.write('llmcheck.config.yaml', '');
  expect((await project.run(['run', 'x.prompt.yml'])).stderr).toContain('x.prompt.yml:1:8 error unknown-adapter');
});

test('a file without test data is no suite', async () => {
  const project = openTempProject();
  project.write('x.prompt.yml', 'model: openai/m\nmessages: [{ role: user, content: hi }]\n');
  const { code, stderr } = await project.run(['run', 'x.prompt.yml']);
  expect([code, stderr.includes('holds no test data')]).toEqual([2, true]);
});
