import { describe, expect, test } from 'vitest';
import { McpFault } from '../../src/mcp/connect-server.ts';
import type { McpServer } from '../../src/model/suite/agent.ts';
import { UserError } from '../../src/model/problem.ts';
import {
  describeServer,
  findSecretValues,
  openMcpPorts,
  parseServer,
  readServer,
} from '../../src/snapshots/read-server.ts';
import { startServer } from '../support/http-server.ts';
import { greeting, scriptedPorts } from '../support/mcp-ports.ts';

/** The server that flags name, or the messages of its problems with their codes and hints. */
function parse(source: string, headers: readonly string[] = [], env: readonly string[] = []) {
  try {
    return parseServer({ source, headers, env }, '/p');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.map(({ code, severity, message, hint }) => `${severity} ${code}: ${message} | ${hint}`);
  }
}

const url = 'https://a.example/mcp';
const key = `sk-ant-api03-${'Ab1cD2eF3gH4'.repeat(3)}`;
const hint = 'write ${NAME} in its place, with the name of a variable, in single quotes';

describe('where a server is', () => {
  test('is kept with names in place of values', () => {
    expect(parse(url)).toEqual({ server: { source: url, folder: '/p' }, headers: {} });
    expect(parse('exec:node server.js', [], ['_a1', 'B', '_a1'])).toEqual({
      server: { source: 'exec:node server.js', folder: '/p', env: ['B', '_a1'] },
      headers: {},
    });
    const headers = [
      ' Authorization : Bearer ${KEY} ',
      'X-Plain:${PLAIN}',
      'X-Two: ${A}${B}',
      'X-Text: text ${A} b',
      'X-Name: ${1A}',
      'X-Other: value',
    ];
    expect(parse(url, headers)).toEqual({
      server: { source: url, folder: '/p', headers: { authorization: 'Bearer ${KEY}', 'x-plain': '${PLAIN}' } },
      headers: { 'x-two': '${A}${B}', 'x-text': 'text ${A} b', 'x-name': '${1A}', 'x-other': 'value' },
    });
    expect(parse('http://${HOST}a.example/${PATH}')).toMatchObject({ headers: {} });
  });

  test.each<[source: string, headers: readonly string[], env: readonly string[], problems: readonly string[]]>([
    ['exec:node "a', [], [], ['error usage: "exec:node \\"a" leaves a quote open | close it']],
    [
      `exec:"${'a'.repeat(90)}`,
      [],
      [],
      [`error usage: "exec:\\"${'a'.repeat(74)}"… (96 characters) leaves a quote open | close it`],
    ],
    ['exec: ', [], [], ['error usage: exec: names no command | write "exec:node server.js"']],
    [
      `exec:node a.js ${key}`,
      [],
      [],
      [`error literal-key: the command holds an Anthropic key, and is stored | ${hint}`],
    ],
    ['exec:a', ['A: b'], [], ['error usage: --header: a command gets no headers | use --env NAME']],
    [
      'ftp://a',
      [],
      [],
      [
        'error usage: "ftp://a" is neither a URL nor a command | write "exec:node server.js" or https://example.com/mcp',
      ],
    ],
    [
      'https://[',
      [],
      [],
      [
        'error usage: "https://[" is neither a URL nor a command | write "exec:node server.js" or https://example.com/mcp',
      ],
    ],
    [
      'node a',
      [],
      [],
      ['error usage: "node a" is neither a URL nor a command | write "exec:node server.js" or https://example.com/mcp'],
    ],
    [
      'n'.repeat(90),
      [],
      [],
      [
        `error usage: "${'n'.repeat(80)}"… (90 characters) is neither a URL nor a command | write "exec:node server.js" or https://example.com/mcp`,
      ],
    ],
    ...['u@', ':p@', 'u:p@'].map((who): [string, readonly string[], readonly string[], readonly string[]] => [
      `https://${who}a.example/`,
      [],
      [],
      [`error literal-key: the URL holds a user name or password, and is stored | use --header 'Authorization: …'`],
    ]),
    [
      'https://a.example/?api_key=Ab1cD2eF3gH4',
      [],
      [],
      [`error literal-key: the URL holds a key ("api_key" in its query), and is stored | ${hint}`],
    ],
    [
      `https://a.example/${key}`,
      [],
      [],
      [`error literal-key: the URL holds an Anthropic key, and is stored | ${hint}`],
    ],
    [
      'exec:node a',
      ['A: b', 'none'],
      ['1A', 'A-B', 'x'.repeat(39) + '=1'],
      [
        `error usage: --header: a header is "Name: value" | write --header 'Authorization: Bearer \${NAME}'`,
        ...['"1A"', '"A-B"', `"${'x'.repeat(39)}="… (41 characters)`].map(
          (name) => `error usage: --env: ${name} is not the name of a variable | write --env NAME, without a value`,
        ),
        'error usage: --header: a command gets no headers | use --env NAME',
      ],
    ],
    [
      url,
      ['', 'a b: c', 'A:', 'A: b\nC: d'],
      ['A'],
      [
        ...Array.from(
          { length: 4 },
          () => `error usage: --header: a header is "Name: value" | write --header 'Authorization: Bearer \${NAME}'`,
        ),
        'error usage: --env: a URL gets no variables | use --header',
      ],
    ],
  ])('is refused for %j with the headers %j and the variables %j', (source, headers, env, problems) => {
    expect(parse(source, headers, env)).toEqual(problems);
  });

  test('is no secret where the text only looks random', () => {
    const random = 'zX9kQ2vR7mT4wL1pB8nC6dF3gH5jK0sY';
    expect(parse(`exec:node a.js ${random}`)).toHaveProperty('server');
    expect(parse(`https://a.example/${random}`)).toHaveProperty('server');
  });
});

describe('reading a server', () => {
  const server: McpServer = { source: 'exec:node server.js', folder: '/' };
  const tool = { name: 'a', inputSchema: { type: 'object' } };

  /** What is read of a server whose list fails with a message. */
  const faultOf = async (message: string) => {
    const ports = scriptedPorts((method) => {
      if (method === 'tools/list') throw new McpFault(message);
      return undefined;
    });
    return readServer({ server, timeoutMs: 1000 }, ports);
  };

  test('gives its tools, with what it says of itself, and closes the connection', async () => {
    const ports = scriptedPorts((method) => (method === 'tools/list' ? { tools: [tool] } : undefined));
    expect(await readServer({ server, timeoutMs: 1000 }, ports)).toEqual({
      snapshot: { server, info: { name: 'shop', version: '1.2', protocol: '2025-06-18' }, tools: [tool] },
    });
    expect(ports.log.at(-1)).toBe('close');
  });

  test('that lists no tools, or that fails, is a problem that holds no secret', async () => {
    const at = { file: 'a.mcp.json', line: 1, column: 1 };
    const empty = scriptedPorts((method) => (method === 'tools/list' ? { tools: [] } : undefined));
    expect(await readServer({ server, timeoutMs: 1000, at }, empty)).toEqual({
      problem: {
        code: 'mcp-server',
        severity: 'error',
        message: 'the MCP server exec:node server.js lists no tools',
        at,
      },
    });
    expect(empty.log.at(-1)).toBe('close');
    const code = { code: -1, message: 'no stored-1-abcdef env-22-abcdef given-3-abcdef for ${KEY}' };
    const ports = scriptedPorts((method) => (method === 'tools/list' ? code : undefined), {
      env: { KEY: 'stored-1-abcdef', SEEN: 'env-22-abcdef' },
    });
    const asked = { ...server, source: 'exec:node ${KEY}', env: ['SEEN'] };
    const headers = { 'x-key': 'given-3-abcdef' };
    expect(await readServer({ server: asked, headers, timeoutMs: 1000 }, ports)).toEqual({
      problem: {
        code: 'mcp-server',
        severity: 'error',
        message: 'the MCP server exec:node ${KEY} answered with the error "-1: no *** *** *** for ${KEY}"',
      },
    });
  });

  test('sends the headers of the server and those of the call, and shows none of their values', async () => {
    const http = await startServer(({ headers, body }) => {
      const { id, method } = JSON.parse(body === '' ? '{}' : body) as { id?: number; method?: string };
      if (method === 'initialize') return { body: { jsonrpc: '2.0', id, result: greeting } };
      if (method !== 'tools/list') return { status: 202 };
      return { status: 500, body: [headers['x-stored'], headers['x-given'], headers['x-both']].join(' ') };
    });
    const ports = scriptedPorts(() => undefined, { env: { KEY: 'stored-1-abcdef' } });
    const asked = { source: http.url, folder: '/', headers: { 'x-stored': 'a ${KEY}', 'x-both': 'both-2-abcdef' } };
    const headers = { 'x-given': 'given-3-abcdef', 'x-both': 'other-4-abcdef' };
    expect(await readServer({ server: asked, headers, timeoutMs: 5000 }, ports)).toMatchObject({
      problem: { message: `the MCP server ${http.url} answered with HTTP 500: "*** *** ***"` },
    });
    const sent = http.requests.map(({ headers: found }) => [found['x-stored'], found['x-given'], found['x-both']]);
    expect(new Set(sent.map((values) => values.join(', ')))).toEqual(
      new Set(['a stored-1-abcdef, given-3-abcdef, other-4-abcdef']),
    );
    await http.close();
  });

  test.each([
    ['answered with HTTP 401', "send a key: --header 'Authorization: Bearer ${NAME}', with the variable's name"],
    ['answered with HTTP 403: "x"', "send a key: --header 'Authorization: Bearer ${NAME}', with the variable's name"],
    ['answered with HTTP 404', 'many servers answer at the path /mcp: name the whole address'],
    ["can't be used: connect ECONNREFUSED", 'start the server, or correct the address'],
    ["can't be started", 'write the command after exec:, such as "exec:node server.js"'],
    ['wrote to stdout what is no message of the protocol: "x"', 'a server may write its log to stderr alone'],
    ['answered with HTTP 500', undefined],
  ])('says what helps where it %s', async (message, expected) => {
    const read = await faultOf(message);
    expect(read).toEqual({
      problem: {
        code: 'mcp-server',
        severity: 'error',
        message: expect.stringContaining(message.slice(0, 16)),
        ...(expected === undefined ? {} : { hint: expected }),
      },
    });
  });

  test('hides what servers are given', () => {
    const env = { A: 'a-value', B: 'b-value', C: 'c-value' };
    expect(
      findSecretValues({ ...server, source: 'https://${A}/', headers: { x: 'Bearer ${B}' }, env: ['C', 'D'] }, env),
    ).toEqual(['a-value', 'b-value', 'c-value', 'Bearer b-value']);
    expect(findSecretValues(server, env)).toEqual([]);
    expect(describeServer({ ...server, source: 's'.repeat(130) })).toBe(`the MCP server ${'s'.repeat(120)}…`);
    const ports = openMcpPorts(process.cwd(), { PATH: '/bin', A: 'a', B: 'b' });
    expect(ports.selectEnv(['A'])).toMatchObject({ PATH: '/bin', A: 'a' });
    expect(ports.selectEnv(['A'])).not.toHaveProperty('B');
    expect(ports.packageVersion('@modelcontextprotocol/sdk')).toMatch(/^1\./);
    expect(ports.packageVersion('no-such-package')).toBeUndefined();
  });
});
