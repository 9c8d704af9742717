import { expect, test } from 'vitest';
import { startChatServer } from '../../support/chat-server.ts';
import { openTempProject, statusesOf, type TempProject } from '../../support/temp-project.ts';

const inline = (schema: string) =>
  `{ response_format: { type: json_schema, json_schema: { name: a, schema: ${schema} } } }`;
const verdictFirst = '{ type: object, properties: { verdict: { type: string }, reasoning: { type: string } } }';
const reasoningFirst = '{ type: object, properties: { reasoning: { type: string }, verdict: { type: string } } }';
const tool = (parameters: string) => `{ tools: [{ name: find, parameters: ${parameters} }] }`;

/** A model that answers well where it may reason first: it reads a schema in its order. */
function startServer() {
  return startChatServer(({ received }) =>
    received.body.indexOf('"reasoning"') < received.body.indexOf('"verdict"') ? 'right' : 'wrong',
  );
}

function write(project: TempProject, providers: string, more = '') {
  project.write(
    'evals/order.eval.yaml',
    `prompts: [{ id: v1, text: Sort it. }]
providers: [${providers}]
gate: { confirm: { budget: 0 } }
${more}cases: [{ id: a, assert: [{ equals: right }] }]
`,
  );
}

const mini = (rest: string) => `{ id: mini, use: openai:mini, ${rest} }`;

const spellings: readonly (readonly [string, (schema: string) => string, (schema: string) => string])[] = [
  ['a schema in params', (schema) => mini(`params: ${inline(schema)}`), () => ''],
  ['the parameters of a tool', (schema) => mini(`params: ${tool(schema)}`), () => ''],
  ['a parameter that llmcheck does not know', (schema) => mini(`params: { extra: [${schema}] }`), () => ''],
  ['a contract that is sent', () => mini('structured: true'), (schema) => `contract: { output: ${schema} }\n`],
];

test.each(spellings)('the order of members in %s is another request', async (_, provider, more) => {
  const project = openTempProject();
  const { env, requests } = await startServer();
  const run = async (schema: string, flags: readonly string[] = []) => {
    write(project, provider(schema), more(schema));
    const { code, report } = await project.report(['run', ...flags], { env });
    return [code, report.suites[0]?.cases[0]?.trials[0]?.output];
  };
  expect((await run(reasoningFirst))[1]).toBe('right');
  expect((await run(verdictFirst))[1]).toBe('wrong');
  expect(requests).toHaveLength(2);
  // Each has its own answer in the cache.
  expect((await run(reasoningFirst))[1]).toBe('right');
  expect((await run(verdictFirst, ['--cache', 'replay']))[1]).toBe('wrong');
  expect(requests).toHaveLength(2);
});

test('two providers of one run whose schemas differ in order are asked both', async () => {
  const project = openTempProject();
  const { env, requests } = await startServer();
  const provider = (id: string, schema: string) => `{ id: ${id}, use: openai:mini, params: ${inline(schema)} }`;
  write(project, `${provider('good', reasoningFirst)}, ${provider('bad', verdictFirst)}`);
  const { report } = await project.report(['run'], { env });
  expect(requests).toHaveLength(2);
  expect(report.suites[0]?.cases.map(({ provider: id, status }) => [id, status])).toEqual([
    ['bad', 'failed'],
    ['good', 'passed'],
  ]);
});

test('a recorded answer is stale once the order of a schema changes, and one without an order in its hash is no answer', async () => {
  const project = openTempProject();
  const { env, requests } = await startServer();
  const recordings = 'recordings: order.jsonl\n';
  write(project, mini(`params: ${inline(reasoningFirst)}`), recordings);
  expect((await project.run(['run', '--record'], { env })).code).toBe(0);
  expect((await project.run(['run'], { env })).code).toBe(0);

  const recorded = project.read('evals/order.jsonl');
  project.write('evals/order.jsonl', recorded.replace('"format":2', '"format":1'));
  const old = await project.report(['run'], { env });
  expect([old.code, statusesOf(old.report)]).toEqual([3, { a: 'errored' }]);
  expect(old.report.suites[0]?.cases[0]?.trials[0]?.error?.message).toContain('or one of an earlier format');
  expect((await project.run(['cache', 'import', 'evals/order.jsonl'], { env })).code).toBe(0);
  expect(project.read('evals/order.jsonl')).toBe(recorded);

  write(project, mini(`params: ${inline(verdictFirst)}`), recordings);
  const stale = await project.report(['run'], { env });
  expect([stale.code, statusesOf(stale.report)]).toEqual([3, { a: 'errored' }]);
  expect(requests).toHaveLength(1);
});

test('a baseline keeps the order of what is sent, and its prompt is asked again in it', {
  tags: ['slow'],
}, async () => {
  const project = openTempProject();
  const { env, requests } = await startServer();
  write(project, mini(`params: ${inline(reasoningFirst)}`));
  await project.run(['run'], { env });
  expect((await project.run(['baseline', 'accept'])).code).toBe(0);
  write(project, mini(`params: ${inline(verdictFirst)}`));
  const { stdout } = await project.run(['run'], { env });
  expect(stdout).toContain('params.response_format:');
  await project.run(['run', '--rerun-baseline', '--cache', 'refresh'], { env });
  const orders = requests.map(({ body }) => body.indexOf('"reasoning"') < body.indexOf('"verdict"'));
  expect(orders.filter((isFirst) => isFirst).length).toBeGreaterThan(1);
});

test('templates of two http providers that differ in order are sent each in its own', async () => {
  const project = openTempProject();
  const server = await startChatServer(() => ({ body: { text: 'right' } }));
  const suite = (name: string, body: string) =>
    project.write(
      `evals/${name}.eval.yaml`,
      `prompts: [{ id: v1, text: Sort it. }]
providers: [{ id: app, use: http:app, baseURL: ${server.url}, request: ${body} }]
cases: [{ id: a, assert: [{ equals: right }] }]
`,
    );
  suite('one', '{ messages: [{ content: "{{ prompt }}" }], b: 1, c: 2 }');
  suite('two', '{ messages: [{ content: "{{ prompt }}" }], c: 2, b: 1 }');
  expect((await project.run(['run'])).code).toBe(0);
  expect(new Set(server.requests.map(({ body }) => body.includes('"b":1,"c":2')))).toEqual(new Set([false, true]));
});
