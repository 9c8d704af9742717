import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startServer } from '../../support/http-server.ts';
import {
  cancelOrder,
  findOrder,
  type McpServerSpec,
  startMcpServer,
  stdioServerText,
} from '../../support/mcp-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

/** What the command says of a server, whose file stays as it was. */
async function refusalOf(source: string, ...flags: readonly string[]) {
  const project = openTempProject();
  project.write('orders.mcp.json', 'as it was\n');
  const { code, stderr, stdout } = await project.run(['mcp', 'snapshot', source, '-o', 'orders.mcp.json', ...flags]);
  expect([code, stdout, project.read('orders.mcp.json')]).toEqual([2, '', 'as it was\n']);
  return stderr;
}

/** A program that answers `initialize` and then does something else. */
async function refusalOfProgram(text: string, ...flags: readonly string[]) {
  const project = openTempProject();
  project.write('server.mjs', text);
  const { code, stderr } = await project.run(['mcp', 'snapshot', 'exec:node server.mjs', '-o', 'a.mcp.json', ...flags]);
  expect([code, project.files().includes('a.mcp.json')]).toEqual([2, false]);
  return { stderr, project };
}

describe('a program that is no good server', () => {
  test.each([
    ['never answers', 'setInterval(() => {}, 1000);', 'gave no answer within 0.4 s'],
    [
      'crashes',
      "console.error('no database'); process.exit(3);",
      'ended with exit code 3; on stderr it wrote "no database"',
    ],
    ['ends at once', '', 'ended with exit code 0'],
    [
      'writes garbage',
      'for (let i = 0; i < 50; i += 1) console.log("ready?");',
      'no message of the protocol: "ready?"',
    ],
    ['writes garbage and waits', 'console.log("Listening"); setInterval(() => {}, 1000);', '"Listening"'],
    [
      'answers with broken JSON',
      'console.log(\'{"jsonrpc": "2.0", \' ); setInterval(() => {}, 1000);',
      'no message of the protocol',
    ],
    [
      'floods stdout without a line',
      "const x = 'x'.repeat(1 << 20); for (let i = 0; i < 40; i += 1) process.stdout.write(x); setInterval(() => {}, 1000);",
      'wrote a line of more than 16 MiB',
    ],
    [
      'acts on a terminal',
      "console.error('\\u001b[2J\\u001b]0;owned\\u0007::error::x'); process.exit(1);",
      'exit code 1',
    ],
  ])('it %s', { tags: ['slow'] }, async (_, text, expected) => {
    // What waits has written first what it is told by.
    const waits = expected.includes('Listening') || text.includes('2.0') ? '1s' : '20s';
    const { stderr } = await refusalOfProgram(text, '--timeout', expected.includes('no answer') ? '400ms' : waits);
    expect(stderr).toContain('error mcp-server: the MCP server exec:node server.mjs ');
    expect(stderr).toContain(expected);
    // oxlint-disable-next-line no-control-regex -- Control characters are what this looks for.
    expect(stderr).not.toMatch(/[\u001b\u0007]|^\s*::/m);
  });

  test('a program that floods stderr is read all the same', { tags: ['slow'] }, async () => {
    const project = openTempProject();
    const before = "const x = 'x'.repeat(1 << 16); for (let i = 0; i < 200; i += 1) process.stderr.write(x + '\\n');";
    project.write('server.mjs', stdioServerText([findOrder], { before }));
    expect(await project.run(['mcp', 'snapshot', 'exec:node server.mjs', '-o', 'a.mcp.json'])).toMatchObject({
      code: 0,
    });
  });

  test('what a program has started ends with it, though it ignores the end of its input', {
    tags: ['slow'],
  }, async () => {
    const project = openTempProject();
    const child = `setInterval(() => {}, 1000); require("fs").writeFileSync("child", String(process.pid));`;
    const before = `import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'ignore' });
while (!existsSync('child')) await new Promise((resolve) => setTimeout(resolve, 5));
writeFileSync('parent', String(process.pid));
setInterval(() => {}, 1000);`;
    project.write('server.mjs', stdioServerText([findOrder], { before }));
    expect((await project.run(['mcp', 'snapshot', 'exec:node server.mjs'])).code).toBe(0);
    for (const name of ['parent', 'child']) {
      const pid = readFileSync(project.path(name), 'utf8');
      await expect.poll(() => isRunning(pid)).toBe(false);
    }
  });

  test('a program whose child keeps its streams open ends all the same', { tags: ['slow'] }, async () => {
    const project = openTempProject();
    const child = 'setTimeout(() => {}, 300_000); require("fs").writeFileSync("child", String(process.pid));';
    // Its own session: it is in no group that could be killed.
    const before = `import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit', detached: true }).unref();
while (!existsSync('child')) await new Promise((resolve) => setTimeout(resolve, 5));
process.stdin.on('end', () => process.exit(0));`;
    project.write('server.mjs', stdioServerText([findOrder], { before }));
    try {
      expect((await project.run(['mcp', 'snapshot', 'exec:node server.mjs'])).code).toBe(0);
    } finally {
      process.kill(Number(readFileSync(project.path('child'), 'utf8')), 'SIGKILL');
    }
  });

  test('a command that does not exist', async () => {
    const stderr = await refusalOf('exec:no-such-program-here');
    expect(stderr).toContain("can't be started");
    expect(stderr).toContain('hint: write the command after exec:');
  });
});

/** A process that has ended and was not collected yet is no longer running. */
function isRunning(pid: string): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !/\) Z /.test(readFileSync(file, 'utf8'));
}

describe('an address that is no good server', () => {
  test.each([
    ['HTTP 404', { status: 404, body: 'not here' }, 'answered with HTTP 404: "not here"'],
    ['HTTP 401', { status: 401, body: '<b>who?</b>\u001b[31m' }, 'answered with HTTP 401'],
    ['HTTP 500 without a word', { status: 500 }, 'answered with HTTP 500'],
    ['a page', { headers: { 'content-type': 'text/html' }, body: '<html>' }, 'Unexpected content type'],
    ['JSON of another kind', { body: { hello: 1 } }, "can't be used"],
    ['broken JSON', { headers: { 'content-type': 'application/json' }, body: '{"jsonrpc":' }, "can't be used"],
    ['a redirect to another host', { status: 302, headers: { location: 'http://127.0.0.1:9/mcp' } }, 'HTTP 302'],
    ['a closed connection', 'reset', "can't be used"],
  ] as const)('it answers with %s', async (_, reply, expected) => {
    const server = await startServer([reply]);
    const stderr = await refusalOf(`${server.url}/mcp`);
    expect(stderr).toContain(`error mcp-server: the MCP server ${server.url}/mcp `);
    expect(stderr).toContain(expected);
    expect(stderr).not.toContain('\u001b');
    await server.close();
  });

  test('it never answers', async () => {
    const server = await startServer(['hang']);
    expect(await refusalOf(server.url, '--timeout', '200ms')).toContain('gave no answer within 0.2 s');
    await server.close();
  });
});

describe('a list that can not be kept', () => {
  const named = (name: string, more: object = {}) => ({ name, inputSchema: { type: 'object' as const }, ...more });

  test.each<readonly [string, McpServerSpec, string]>([
    ['is empty', { tools: [] }, 'lists no tools'],
    ['is another each time', { tools: (n) => [named(`tool_${n}`)] }, 'gives another list of tools each time'],
    ['has another text each time', { tools: (n) => [named('t', { description: `It is ${n}` })] }, '"t" changes'],
    ['has a tool twice', { tools: [named('a'), named('b'), named('a')] }, '"a" is in it twice'],
    [
      'is too long',
      { tools: Array.from({ length: 2001 }, (_, n) => named(`t${n}`)), pageSize: 500 },
      'lists more than 2000 tools',
    ],
    ['is too large', { tools: [named('a', { description: 'x'.repeat(9 << 20) })] }, 'tools of more than 8 MiB'],
    ['is nested too deep', { tools: [named('deep', { inputSchema: nest(150) })] }, 'nested more than 100 deep'],
    [
      'has a schema that is none',
      { tools: [named('a', { inputSchema: { type: 'object', properties: { x: { type: 'objct' } } } })] },
      'the inputSchema of the tool "a" can\'t be read',
    ],
    [
      'has a reference to a server',
      { tools: [named('a', { inputSchema: { type: 'object', properties: { x: { $ref: 'http://127.0.0.1:9/a' } } } })] },
      "can't be read",
    ],
  ])('it %s', async (_, spec, expected) => {
    const { url } = await startMcpServer(spec);
    expect(await refusalOf(url)).toContain(expected);
  });

  function nest(depth: number): object {
    let schema: object = { type: 'string' };
    for (let level = 0; level < depth; level += 1) schema = { type: 'object', properties: { inner: schema } };
    return schema;
  }

  test('a list that changes between two pages is read again', async () => {
    const project = openTempProject();
    const before = [named('a'), named('b'), named('c')];
    // The first reading sees a tool twice: one came in while it was under way.
    const lists = [[named('a'), named('b'), named('b')], before];
    const { url } = await startMcpServer({ tools: (n) => lists[n] ?? before, pageSize: 2 });
    expect((await project.run(['mcp', 'snapshot', url, '-o', 'a.mcp.json'])).stdout).toContain('3 tools');
    const { tools } = JSON.parse(project.read('a.mcp.json')) as { tools: { name: string }[] };
    expect(tools.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  test.each([
    ['the cursor comes again', { tools: [], nextCursor: 'x' }, 'without an end'],
    ['there is no list', { tools: 'none' }, 'without a list of tools'],
    ['a tool has no name', { tools: [{ inputSchema: {} }] }, 'a tool without a name'],
    ['a tool has no schema', { tools: [{ name: 'a' }] }, '"a" without an inputSchema'],
  ])('%s', async (_, result, expected) => {
    const server = await startServer(({ body }) => {
      const { id, method } = JSON.parse(body || '{}') as { id?: number; method?: string };
      if (id === undefined) return { status: 202 };
      const info = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'x', version: '1' } };
      return { body: { jsonrpc: '2.0', id, result: method === 'initialize' ? info : result } };
    });
    expect(await refusalOf(server.url)).toContain(expected);
    await server.close();
  });

  test('one faulty server does not keep the others from being written', async () => {
    const project = openTempProject();
    const good = await startMcpServer({ tools: [findOrder, cancelOrder] });
    const bad = await startMcpServer({ tools: [cancelOrder] });
    await project.run(['mcp', 'snapshot', good.url, '-o', 'evals/good.mcp.json']);
    await project.run(['mcp', 'snapshot', bad.url, '-o', 'evals/bad.mcp.json']);
    project.write('evals/bad.mcp.json', project.read('evals/bad.mcp.json').replace(bad.url, 'http://127.0.0.1:9/mcp'));
    project.write(
      'evals/a.eval.yaml',
      `suite: a
prompts: [{ id: v1, text: "Help.", params: { tools: [{ mcp: bad.mcp.json }, { mcp: good.mcp.json, only: [find_order] }] } }]
providers: ["openai:gpt-4o-mini"]
cases: [{ id: a, assert: [{ contains: x }] }]
`,
    );
    const { code, stdout, stderr } = await project.run(['mcp', 'snapshot']);
    expect([code, stdout]).toEqual([
      2,
      expect.stringContaining('evals/good.mcp.json: 2 tools of orders 1.0.0, unchanged'),
    ]);
    expect(stderr).toContain('the MCP server http://127.0.0.1:9/mcp');
  });
});
