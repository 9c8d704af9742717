import { describe, expect, test } from 'vitest';
import { completionOf, startChatServer } from '../../support/chat-server.ts';
import { initRepository } from '../../support/git.ts';
import { hostileTexts } from '../../support/hostile-texts.ts';
import { startServer } from '../../support/http-server.ts';
import { cancelOrder, findOrder, startMcpServer, type ToolList } from '../../support/mcp-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const adapters = {
  'openai chat': ['openai:gpt-4o-mini', 'OPENAI_BASE_URL', ''],
  'openai responses': ['openai:gpt-4o-mini', 'OPENAI_BASE_URL', ', api: responses'],
  anthropic: ['anthropic:claude-haiku-4-5', 'ANTHROPIC_BASE_URL', ''],
} as const;

function suiteText({
  entry = '{ mcp: orders.mcp.json }',
  use = 'openai:gpt-4o-mini',
  more = '',
  inPrompt = false,
} = {}) {
  const params = `params: { tools: [${entry}] }`;
  return `suite: shop
prompts: [{ id: v1, text: "Where is order 7731?"${inPrompt ? `, ${params}` : ''} }]
providers: [{ id: mini, use: "${use}"${more}${inPrompt ? '' : `, ${params}`} }]
cases: [{ id: a, assert: [{ contains: Hello }] }]
`;
}

/** A project with a snapshot of a server whose list can be changed. */
async function openShop(tools: ToolList = [findOrder, cancelOrder]) {
  const project = openTempProject();
  let served = tools;
  const { url } = await startMcpServer({ tools: () => served });
  const take = () => project.run(['mcp', 'snapshot', url, '-o', 'evals/orders.mcp.json']);
  expect((await take()).code).toBe(0);
  project.write('evals/shop.eval.yaml', suiteText());
  return { project, serve: (list: ToolList) => ((served = list), take()) };
}

describe('the tools of a snapshot', () => {
  test.each(Object.entries(adapters))('are sent in the form of %s', async (name, [use, variable, more]) => {
    const { project } = await openShop();
    const server = await startServer([{ status: 400, body: { error: { message: 'no' } } }]);
    const env = { OPENAI_API_KEY: 'key', ANTHROPIC_API_KEY: 'key', [variable]: server.url };
    project.write(
      'evals/shop.eval.yaml',
      suiteText({ use, more, entry: '{ mcp: orders.mcp.json, only: [find_order] }' }),
    );
    await project.run(['run', '--no-baseline'], { env });
    const { tools } = JSON.parse(server.requests[0]?.body ?? '{}') as { tools: readonly Record<string, unknown>[] };
    const own = { name: 'find_order', description: findOrder.description };
    const [tool] = tools;
    const sent = name === 'openai chat' ? tool?.['function'] : tool;
    const schema = name === 'anthropic' ? 'input_schema' : 'parameters';
    expect(tools).toHaveLength(1);
    expect(sent).toMatchObject({ ...own, [schema]: findOrder.inputSchema });
    // What no API takes is not sent.
    expect(JSON.stringify(tools)).not.toMatch(/mcp|outputSchema|readOnlyHint|Find an order/);
  });

  test('may be those of a prompt, of a provider of the config, and beside tools that are written out', async () => {
    const { project } = await openShop();
    const bodies: string[] = [];
    const server = await startChatServer(({ text }) => (bodies.push(text), 'Hello'));
    const own = '{ name: extra, parameters: { type: object } }';
    project.write('evals/shop.eval.yaml', suiteText({ inPrompt: true, entry: `${own}, { mcp: orders.mcp.json }` }));
    expect((await project.run(['run', '--no-baseline'], { env: server.env })).code).toBe(0);
    expect(server.requests[0]?.body).toMatch(/extra.*cancel_order.*find_order/);
    project.write(
      'llmcheck.config.yaml',
      'providers: [{ id: mini, use: "openai:gpt-4o-mini", params: { tools: [{ mcp: evals/orders.mcp.json }] } }]\n',
    );
    project.write('evals/shop.eval.yaml', suiteText().replace(/providers: .*/, 'providers: [mini]'));
    expect((await project.run(['run', '--no-baseline'], { env: server.env })).code).toBe(0);
    expect(server.requests[1]?.body).toMatch(/cancel_order.*find_order/);
  });

  test.each([
    [
      'a tool that the server does not have',
      '{ mcp: orders.mcp.json, only: [find_ordr] }',
      'find_ordr',
      'unknown-id',
      'did you mean "find_order"?',
    ],
    ['no tool', '{ mcp: orders.mcp.json, only: [] }', '[] }', 'invalid-value', 'needs at least one tool'],
    ['an unknown key', '{ mcp: orders.mcp.json, onyl: [a] }', 'onyl', 'unknown-key', 'did you mean "only"?'],
    [
      'no file',
      '{ mcp: other.mcp.json }',
      'other',
      'file-unreadable',
      'hint: `llmcheck mcp snapshot "exec:node server.js" -o evals/other.mcp.json` writes it',
    ],
    ['a file at another place', '{ mcp: evals/orders.mcp.json }', 'evals/', 'file-unreadable', 'write orders.mcp.json'],
    ['a file outside the project', '{ mcp: ../../orders.mcp.json }', '../', 'file-outside-project', 'lies outside'],
    [
      'the same tool twice',
      '{ mcp: orders.mcp.json }, { name: find_order }',
      '{ name',
      'duplicate-id',
      'two tools have the name "find_order"',
    ],
  ])('%s is a problem at its place', async (_, entry, at, problem, message) => {
    const { project } = await openShop();
    project.write('.git/HEAD', '');
    project.write('evals/shop.eval.yaml', suiteText({ entry }));
    const { code, stderr } = await project.run(['validate']);
    const line = project.read('evals/shop.eval.yaml').split('\n')[2] ?? '';
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(`evals/shop.eval.yaml:3:${line.indexOf(at) + 1} error ${problem}: `),
    ]);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/\n1 error\n/);
  });

  test('a map in place of the list is a problem', async () => {
    const { project } = await openShop();
    project.write(
      'evals/shop.eval.yaml',
      suiteText().replace('[{ mcp: orders.mcp.json }]', '{ mcp: orders.mcp.json }'),
    );
    expect((await project.run(['validate'])).stderr).toContain('params: tools must be a list');
  });

  test.each([
    ['a conflict of git', (text: string) => text.replace('  "tools"', '<<<<<<< ours\n  "tools"'), ':9:1 error syntax'],
    ['a mistake in its JSON', (text: string) => text.replace('"format": 1,', '"format": 1'), ':3:3 error syntax'],
    ['another format', (text: string) => text.replace('"format": 1', '"format": 2'), ':2:13 error invalid-value'],
    [
      'no tools',
      (text: string) => `${text.slice(0, text.indexOf('"tools"'))}"tools": []}`,
      ':9:12 error invalid-value',
    ],
    [
      'a schema that is none',
      (text: string) => text.replace('"type": "integer"', '"type": "objct"'),
      ' error invalid-schema',
    ],
    [
      'a tool twice',
      (text: string) => text.replace('"name": "find_order"', '"name": "cancel_order"'),
      ' error duplicate-id',
    ],
  ])('%s in the file is a problem in its line, with the command that writes it', async (_, edit, place) => {
    const { project } = await openShop();
    project.write('evals/orders.mcp.json', edit(project.read('evals/orders.mcp.json')));
    const { code, stderr } = await project.run(['validate']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`evals/orders.mcp.json`)]);
    expect(stderr).toContain(place);
    expect(stderr).toMatch(
      /hint: `llmcheck mcp snapshot "http:[^"]*\/mcp" -o evals\/orders\.mcp\.json` writes it again/,
    );
  });
});

describe('a changed snapshot', () => {
  async function openCommitted() {
    const shop = await openShop();
    initRepository(shop.project.root);
    return shop;
  }

  const check = ['contract', 'check', '--against', 'git:HEAD'];

  test('breaks the contract by the rules of tools, at its line in the file', async () => {
    const { project, serve } = await openCommitted();
    expect((await project.run(check)).code).toBe(0);
    const inputSchema = { ...findOrder.inputSchema, required: ['order_id', 'status'] };
    await serve([{ ...findOrder, inputSchema }, cancelOrder]);
    const { code, stdout } = await project.run([...check, '-r', 'json']);
    const { findings } = JSON.parse(stdout) as { findings: readonly { at?: { file: string; line: number } }[] };
    expect([code, findings]).toMatchObject([
      1,
      [{ ruleId: 'tool-parameter-property-became-required', severity: 'error', direction: 'input' }],
    ]);
    const [line] = findings.flatMap(({ at }) => (at?.file === 'evals/orders.mcp.json' ? at.line : []));
    expect(project.read('evals/orders.mcp.json').split('\n')[(line ?? 0) - 1]).toContain('"status"');
  });

  test('is info if a description changed, and the cases that use it run again', { tags: ['slow'] }, async () => {
    const { project, serve } = await openCommitted();
    const server = await startChatServer(() => 'Hello');
    await project.run(['run', '--no-baseline'], { env: server.env });
    await project.run(['run', '--no-baseline'], { env: server.env });
    expect(server.requests).toHaveLength(1);
    await serve([{ ...findOrder, description: 'Finds any order.' }, cancelOrder]);
    const { code, stdout } = await project.run(check);
    expect([code, stdout]).toEqual([0, expect.stringContaining('description-or-title-changed')]);
    expect(stdout).toContain('info');
    await project.run(['run', '--no-baseline'], { env: server.env });
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]?.body).toContain('Finds any order.');
  });

  test('is judged in a run against the accepted baseline', async () => {
    const { project, serve } = await openCommitted();
    const server = await startChatServer(() => 'Hello');
    await project.run(['run', '--update-baseline'], { env: server.env });
    expect((await project.run(['contract', 'check'])).code).toBe(0);
    await serve([findOrder]);
    expect((await project.run(['contract', 'check'])).stdout).toContain('tool-removed');
    const run = await project.run(['run'], { env: server.env });
    expect([run.code, run.stdout]).toEqual([1, expect.stringContaining('tool-removed')]);
    const stored = await serve([{ ...findOrder, outputSchema: { type: 'object' } }, cancelOrder]);
    expect(stored.code).toBe(0);
    expect((await project.run(['contract', 'check'])).stdout).toContain('tool-result-');
  });

  test('is judged for a provider of the config too', { tags: 'slow' }, async () => {
    const { project, serve } = await openShop();
    const config =
      'providers: [{ id: mini, use: "openai:gpt-4o-mini", params: { tools: [{ mcp: evals/orders.mcp.json }] } }]\n';
    project.write('llmcheck.config.yaml', config);
    project.write('evals/shop.eval.yaml', suiteText().replace(/providers: .*/, 'providers: [mini]'));
    initRepository(project.root);
    expect((await project.run(check)).code).toBe(0);
    await serve([findOrder]);
    const { code, stdout } = await project.run(check);
    expect([code, stdout]).toEqual([1, expect.stringContaining('tool-removed')]);
    const server = await startChatServer(() => 'Hello');
    const changed = await project.run(['run', '--no-baseline', '--changed=HEAD', '--dry-run'], { env: server.env });
    expect(changed.stdout + changed.stderr).toContain('evals/orders.mcp.json changed');
  });

  test('selects its suites with --changed', async () => {
    const { project, serve } = await openCommitted();
    const server = await startChatServer(() => 'Hello');
    const changed = ['run', '--no-baseline', '--changed=HEAD', '--dry-run'];
    expect((await project.run(changed, { env: server.env })).stdout).toContain('dry run: 0 cells');
    await serve([findOrder]);
    const { stdout, stderr } = await project.run(changed, { env: server.env });
    expect(stdout + stderr).toContain('evals/orders.mcp.json changed');
  });
});

describe('hostile texts of a server', () => {
  const texts = Object.values(hostileTexts)
    .filter((text) => text.length < 100_000)
    .map((text) => text.replace(/\p{Surrogate}/gu, '\ufffd'));
  const parts = [0, 1, 2, 3].map((part) => texts.filter((_, index) => index % 4 === part));

  test.each(parts)('harm no file, message or report (part %$)', { tags: ['slow'] }, async (...part) => {
    const { project, serve } = await openShop();
    initRepository(project.root);
    const taken = await serve(
      part.flatMap((text, index) => [
        { ...findOrder, name: `${findOrder.name}_${index}`, description: text, title: text },
        { ...cancelOrder, name: text.slice(0, 100) },
      ]),
    );
    const shown = [taken.stdout, taken.stderr];
    for (const reporter of ['terminal', 'markdown', 'github', 'junit', 'json']) {
      const { stdout, stderr } = await project.run(['contract', 'check', '--against', 'git:HEAD', '-r', reporter]);
      shown.push(stdout, stderr);
    }
    shown.push((await project.run(['validate'])).stderr, project.read('evals/orders.mcp.json'));
    for (const output of shown) {
      // oxlint-disable-next-line no-control-regex -- Control characters are what this looks for.
      expect(output).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b\u2028]/);
      expect(output).not.toMatch(/##(?:\[|vso\[|teamcity\[)/);
    }
    const stored = JSON.parse(project.read('evals/orders.mcp.json')) as { tools: readonly { description?: string }[] };
    expect(stored.tools.map(({ description }) => description)).toEqual(expect.arrayContaining(part));
  });
});

test('a server is not asked, and the SDK not loaded, unless a command needs it', async () => {
  const { project } = await openShop();
  project.write(
    'evals/orders.mcp.json',
    project.read('evals/orders.mcp.json').replace(/http:[^"]*/, 'exec:touch asked'),
  );
  const server = await startChatServer(() => ({ body: completionOf('Hello', 'm', {}) }));
  for (const argv of [['validate'], ['run', '--no-baseline'], ['list', 'cases'], ['contract', 'check']])
    await project.run(argv, { env: server.env });
  expect(project.files()).not.toContain('asked');
});
