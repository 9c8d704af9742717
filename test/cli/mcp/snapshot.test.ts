import type { Tool } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, test } from 'vitest';
import {
  cancelOrder,
  findOrder,
  type McpServerSpec,
  startMcpServer,
  stdioServerText,
  type ToolList,
} from '../../support/mcp-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const empty = { type: 'object' } as const;
const named = (name: string, more: Partial<Tool> = {}): Tool => ({ name, inputSchema: empty, ...more });

/** Another order at each request: of the tools, and of the members of every map. */
function shuffled(tools: ToolList): (listing: number) => ToolList {
  const turn = (value: unknown, by: number): unknown => {
    if (Array.isArray(value)) return value.map((item: unknown) => turn(item, by));
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value).map(([key, item]) => {
      const isSet = key === 'required' && Array.isArray(item) && by % 2 === 1;
      return [key, isSet ? item.toReversed() : turn(item, by)] as const;
    });
    return Object.fromEntries([...members.slice(by % members.length), ...members.slice(0, by % members.length)]);
  };
  return (listing) => {
    const rotated = [...tools.slice(listing % tools.length), ...tools.slice(0, listing % tools.length)];
    return turn(rotated, listing) as ToolList;
  };
}

const tree: Tool = {
  name: 'walk',
  inputSchema: {
    type: 'object',
    properties: { root: { $ref: '#/$defs/node' }, depth: { type: 'integer', maximum: 9007199254740991 } },
    required: ['depth', 'root'],
    $defs: {
      node: {
        type: 'object',
        properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
        required: ['name'],
      },
    },
  },
};

const servers: readonly (readonly [string, McpServerSpec])[] = [
  ['two tools', { tools: [findOrder, cancelOrder] }],
  ['the same, in another order each time', { tools: shuffled([findOrder, cancelOrder, tree]) }],
  ['pages of three', { tools: Array.from({ length: 10 }, (_, index) => named(`tool_${index}`)), pageSize: 3 }],
  ['hundreds of tools', { tools: Array.from({ length: 700 }, (_, index) => named(`t${index}`)), pageSize: 50 }],
  ['names and texts in other scripts', { tools: [named('注文', { description: 'Čísla 🧾 ‮ \u001b[31m<b>' })] }],
  ['nested schemas and definitions', { tools: [tree] }],
  ['annotations', { tools: [named('drop', { annotations: { destructiveHint: true, title: 'Drop' } })] }],
  ['no description', { tools: [named('ping')] }],
  ['a stream of events', { tools: [findOrder], isStream: true }],
  ['int64 bounds', { tools: [named('add', { inputSchema: JSON.parse(bounds()) as Tool['inputSchema'] })] }],
];

function bounds(): string {
  return '{"type":"object","properties":{"n":{"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807}}}';
}

function useSnapshot(file: string): string {
  return `suite: shop
prompts: [{ id: v1, text: "Help.", params: { tools: [{ mcp: ${file} }] } }]
providers: ["openai:gpt-4o-mini"]
cases: [{ id: a, assert: [{ contains: x }] }]
`;
}

describe('mcp snapshot', () => {
  test.each(servers)(
    'writes the same bytes each time for a server with %s, usable by a suite',
    { tags: ['slow'] },
    async (_, spec) => {
      const project = openTempProject();
      const { url } = await startMcpServer(spec);
      const taken = await project.run(['mcp', 'snapshot', url, '-o', 'a.mcp.json']);
      expect([taken.code, taken.stderr.replace(/warning invalid-value: .*\n\n1 warning\n/, '')]).toEqual([0, '']);
      await project.run(['mcp', 'snapshot', url, '-o', 'b.mcp.json']);
      expect(project.read('b.mcp.json')).toBe(project.read('a.mcp.json'));
      const again = await project.run(['mcp', 'snapshot', '-o', 'a.mcp.json']);
      expect(again.stdout).toContain(', unchanged');
      const { tools } = JSON.parse(project.read('a.mcp.json')) as { tools: ToolList };
      const wanted = (typeof spec.tools === 'function' ? spec.tools(0) : spec.tools).toSorted((a, b) =>
        a.name < b.name ? -1 : 1,
      );
      expect(tools.map(({ name }) => name)).toEqual(wanted.map(({ name }) => name));
      expect(tools).toEqual(wanted);
      project.write('evals/shop.eval.yaml', useSnapshot('../a.mcp.json'));
      expect(await project.run(['validate'])).toMatchObject({ code: 0 });
      expect(await project.run(['validate', '--live'])).toMatchObject({ code: 0 });
    },
  );

  test('of a program keeps its command and its folder, and nothing else of the machine', { tags: 'slow' }, async () => {
    const project = openTempProject();
    project.write('bin/server.mjs', stdioServerText([findOrder]));
    const taken = await project.run(['mcp', 'snapshot', 'exec:node bin/server.mjs', '-o', 'tools/orders.mcp.json']);
    expect(taken).toMatchObject({ code: 0, stdout: 'tools/orders.mcp.json: 1 tool of orders 1.0.0, written\n' });
    const { tools: _, ...head } = JSON.parse(project.read('tools/orders.mcp.json')) as { tools: unknown };
    expect(head).toMatchObject({
      format: 1,
      source: 'exec:node bin/server.mjs',
      folder: '..',
      server: { name: 'orders' },
    });
    expect(project.read('tools/orders.mcp.json')).not.toContain(project.root);
    const printed = await project.run(['mcp', 'snapshot', 'exec:node bin/server.mjs']);
    expect(printed.stdout).toBe(project.read('tools/orders.mcp.json').replace('"folder": ".."', '"folder": "."'));
  });

  test('leaves the file alone where only the version of the server has changed', async () => {
    const project = openTempProject();
    const tools = [findOrder];
    const first = await startMcpServer({ tools, version: '1.0.0' });
    await project.run(['mcp', 'snapshot', first.url, '-o', 'a.mcp.json']);
    const before = project.read('a.mcp.json');
    const second = await startMcpServer({ tools, version: '1.0.1' });
    project.write('a.mcp.json', before.replace(first.url, second.url));
    expect((await project.run(['mcp', 'snapshot', '-o', 'a.mcp.json'])).stdout).toContain('unchanged');
  });

  test('writes a file whose schemas can not be read again', async () => {
    const project = openTempProject();
    const { url } = await startMcpServer({ tools: [named('ping')] });
    await project.run(['mcp', 'snapshot', url, '-o', 'a.mcp.json']);
    const text = project.read('a.mcp.json');
    project.write('a.mcp.json', text.replace('"type": "object"', '"$ref": "#"'));
    const again = await project.run(['mcp', 'snapshot', url, '-o', 'a.mcp.json']);
    expect([again.code, project.read('a.mcp.json')]).toEqual([0, text]);
    expect(again.stdout).toBe('a.mcp.json: 1 tool of orders 1.0.0, written\n');
  });

  test('without a source writes every file that suites use again, and says what has changed', async () => {
    const project = openTempProject();
    let tools: ToolList = [findOrder, cancelOrder];
    const { url } = await startMcpServer({ tools: () => tools });
    await project.run(['mcp', 'snapshot', url, '-o', 'tools/orders.mcp.json']);
    project.write('evals/shop.eval.yaml', useSnapshot('../tools/orders.mcp.json'));
    tools = [findOrder];
    expect(await project.run(['mcp', 'snapshot'])).toMatchObject({
      code: 0,
      stdout:
        'tools/orders.mcp.json: 1 tool of orders 1.0.0, written\n' +
        '  error tool-removed at /tools/cancel_order: The tool "cancel_order" was removed.\n',
    });
    expect(await openTempProject().run(['mcp', 'snapshot'])).toMatchObject({ code: 2 });
  });
});

describe('secrets', () => {
  const key = 'sk-very-secret-value-0123456789';

  test.each([
    [['exec:node "a'], 'usage', 'leaves a quote open'],
    [['exec: '], 'usage', 'exec: names no command'],
    [['exec:node a.mjs sk-ant-api03-Ab1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV'], 'literal-key', 'the command holds '],
    [['exec:node a.mjs', '--header', 'A: ${B}'], 'usage', '--header: a command gets no headers'],
    [['ftp://a.example/mcp'], 'usage', 'is neither a URL nor a command'],
    ...['ann:pass', 'ann', ':pass'].map(
      (who) => [[`https://${who}@a.example/mcp`], 'literal-key', 'the URL holds a user name or password'] as const,
    ),
    [['https://a.example/mcp?api_key=Ab1cD2eF3gH4'], 'literal-key', 'the URL holds a key ("api_key" in its query)'],
    [['https://a.example/mcp', '--env', 'TOKEN'], 'usage', '--env: a URL gets no variables'],
    [['exec:node a.mjs', '--env', 'TOKEN=1'], 'usage', 'is not the name of a variable'],
    [['https://a.example/mcp', '--header', 'Bearer abc'], 'usage', '--header: a header is "Name: value"'],
    [['-o', 'a.mcp.json', '--env', 'TOKEN'], 'usage', '--header and --env need a source'],
    [[], 'usage', 'no suite uses a snapshot, so there is none to write again'],
  ] as const)('refuses %j before anything is asked', async (argv, code, words) => {
    const result = await openTempProject().run(['mcp', 'snapshot', ...argv]);
    expect([result.code, result.stdout]).toEqual([2, '']);
    expect(result.stderr).toContain(`error ${code}`);
    expect(result.stderr).toContain(words);
  });

  test('ends the session that a server has opened', async () => {
    const ended: unknown[] = [];
    const { url } = await startMcpServer({
      tools: [findOrder],
      intercept: (request, response) => {
        response.setHeader('mcp-session-id', 's1');
        if (request.method !== 'DELETE') return false;
        ended.push(request.headers['mcp-session-id']);
        response.end();
        return true;
      },
    });
    expect((await openTempProject().run(['mcp', 'snapshot', url])).code).toBe(0);
    expect(ended).toEqual(['s1']);
  });

  test('headers and variables are sent; files hold their names alone', async () => {
    const project = openTempProject();
    const { url, headers } = await startMcpServer({
      tools: [findOrder],
      intercept(request, response) {
        if (request.headers.authorization === `Bearer ${key}` || request.headers['x-key'] === key) return false;
        response.writeHead(401).end('who are you?');
        return true;
      },
    });
    const env = { ORDERS_KEY: key };
    const literal = ['mcp', 'snapshot', url, '--header', `X-Key: ${key}`, '-o', 'literal.mcp.json'];
    const byLiteral = await project.run(literal);
    expect(byLiteral).toMatchObject({ code: 0, stdout: expect.stringContaining('not stored: the header x-key') });
    const byName = ['mcp', 'snapshot', url, '--header', 'Authorization: Bearer ${ORDERS_KEY}', '-o', 'named.mcp.json'];
    expect(await project.run(byName, { env })).toMatchObject({ code: 0 });
    expect(headers.at(-1)?.authorization).toBe(`Bearer ${key}`);
    for (const file of project.files()) expect(project.read(file)).not.toContain(key);
    expect(JSON.parse(project.read('named.mcp.json'))).toMatchObject({
      headers: { authorization: 'Bearer ${ORDERS_KEY}' },
    });
    // The reference is enough to ask the server again.
    expect(await project.run(['mcp', 'snapshot', '-o', 'named.mcp.json'], { env })).toMatchObject({ code: 0 });
    const unset = await project.run(['mcp', 'snapshot', '-o', 'named.mcp.json']);
    expect([unset.code, unset.stderr]).toEqual([2, expect.stringContaining('needs the variable ORDERS_KEY')]);
    const refused = await project.run(['mcp', 'snapshot', '-o', 'literal.mcp.json']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('HTTP 401')]);
    expect(refused.stderr).toContain("send a key: --header 'Authorization: Bearer ${NAME}'");
  });

  test('a program sees the basic variables and those that are named', { tags: 'slow' }, async () => {
    const project = openTempProject();
    const say = "process.env.ORDERS_KEY ?? 'none'";
    project.write('server.mjs', stdioServerText([findOrder]).replace('"Finds an order by its id."', say));
    const env = { ORDERS_KEY: 'visible', OTHER: 'hidden' };
    const described = async (...flags: string[]) =>
      (await project.run(['mcp', 'snapshot', 'exec:node server.mjs', ...flags], { env })).stdout;
    expect(await described()).toContain('"description": "none"');
    expect(await described('--env', 'ORDERS_KEY')).toMatch(/"env": \[\s*"ORDERS_KEY"\s*\]/);
  });

  test.each([
    ['a password in the URL', 'https://user:pass@example.com/mcp', []],
    ['a key in the query', 'https://example.com/mcp?api_key=0123456789abcdef', []],
    ['a key in the command', `exec:node server.js --key sk-ant-${'a1B2'.repeat(8)}`, []],
    ['a value after --env', 'exec:node server.js', ['--env', 'KEY=value']],
    ['a header without a name', 'https://example.com/mcp', ['--header', 'just-a-key']],
    ['a header for a command', 'exec:node server.js', ['--header', 'a: b']],
    ['neither a URL nor a command', 'node server.js', []],
    ['an open quote', 'exec:node "server.js', []],
    ['no command', 'exec:', []],
  ])('%s is refused, and not repeated', async (_, source, flags) => {
    const project = openTempProject();
    const { code, stderr } = await project.run(['mcp', 'snapshot', source, ...flags, '-o', 'a.mcp.json']);
    expect([code, project.files()]).toEqual([2, []]);
    expect(stderr).not.toMatch(/user:pass|0123456789abcdef|a1B2a1B2|KEY=value.*KEY=value/s);
  });
});
