import { getActiveResourcesInfo } from 'node:process';
import { describe, expect, test } from 'vitest';
import { connectServer, type McpPorts } from '../../src/mcp/connect-server.ts';
import { systemClock } from '../../src/model/clock.ts';
import { type Scripted, startServer } from '../support/http-server.ts';
import { greeting, scriptedPorts } from '../support/mcp-ports.ts';

/** Ports of a project with this version of the SDK; nothing may be loaded or started. */
function portsWith(version: string | undefined): McpPorts {
  const refuse = () => {
    throw new Error('nothing may be loaded or started');
  };
  const refused = { importPackage: refuse, startProgram: refuse, selectEnv: refuse };
  return { clock: systemClock, env: {}, packageVersion: () => version, ...refused };
}

const server = { source: 'exec:node server.js', folder: '/' };
const install = 'npm install --save-dev @modelcontextprotocol/sdk@1';

test.each([
  [undefined, `@modelcontextprotocol/sdk (not installed): ${install}`],
  ['1.23.1', `@modelcontextprotocol/sdk ^1.24 (1.23.1 is installed): ${install}`],
  ['2.0.0', `@modelcontextprotocol/sdk ^1.24 (2.0.0 is installed): ${install}`],
])('a project with the SDK %s learns which one to install, before the server starts', async (version, expected) => {
  await expect(connectServer(server, 1000, portsWith(version))).rejects.toThrow(`needs the package ${expected}`);
});

test.each([
  [{ source: 'exec:node ${A} ${B}', env: ['C'] }, {}, 'A'],
  [{ source: 'exec:node ${A} ${B}', env: ['C'] }, { A: 'a' }, 'B'],
  [{ source: 'exec:node ${A} ${B}', env: ['C'] }, { A: 'a', B: 'b' }, 'C'],
  [{ source: 'https://a/', headers: { authorization: 'Bearer ${TOKEN}', other: '${X}' } }, { X: 'x' }, 'TOKEN'],
  [{ source: 'https://a/${A}', headers: { authorization: 'Bearer ${TOKEN}' } }, { TOKEN: 't', A: '' }, 'A'],
])('a variable of %j that is not set beside %j is named before the server starts', async (asked, env, missing) => {
  const connecting = connectServer({ ...asked, folder: '/' }, 1000, { ...portsWith('1.24.0'), env });
  await expect(connecting).rejects.toThrow(`needs the variable ${missing}, which is not set`);
});

describe('a program', () => {
  const start = (more: object) =>
    `start ${JSON.stringify({ argv: ['node', 'server.js'], cwd: '/', env: {}, maxLineBytes: 16_777_216, ...more })}`;

  test('is started with the values of its variables, asked, and ended', async () => {
    const ports = scriptedPorts((method, params) => (method === 'tools/call' ? params : undefined), {
      env: { NAME: 'server.js', KEY: 'k' },
    });
    const asked = { ...server, source: 'exec:node ${NAME}', env: ['KEY'] };
    const connection = await connectServer(asked, 1000, ports);
    expect(connection.info).toEqual({ name: 'shop', version: '1.2', protocol: '2025-06-18' });
    expect(await connection.request('tools/call', { name: 'a' }, 1000)).toEqual({ name: 'a' });
    await connection.close();
    expect(ports.log).toEqual([
      start({ env: { KEY: 'seen' } }),
      'initialize',
      'notifications/initialized',
      'tools/call',
      'close',
    ]);
  });

  test.each([-32602, -32000])('that answers with the error %d can go on', async (code) => {
    const ports = scriptedPorts((method) => (method === 'initialize' ? undefined : { code, message: 'no' }));
    const connection = await connectServer(server, 1000, ports);
    await expect(connection.request('tools/call', {}, 1000)).rejects.toMatchObject({
      name: 'McpFault',
      isAnswer: true,
      message: `answered with the error "${code}: no"`,
    });
  });

  test('whose connection is closed can not go on', async () => {
    const waiting = scriptedPorts(() => undefined);
    const open = await connectServer(server, 1000, waiting);
    const asked = open.request('tools/list', {}, 1000).catch((error: unknown) => error);
    await open.close();
    expect(await asked).toMatchObject({ isAnswer: false, message: 'closed the connection' });
  });

  test('that gives no answer in time is ended, and quoted', async () => {
    const silent = scriptedPorts(() => undefined, { stderr: `${'w'.repeat(300)} ${'e'.repeat(299)}\n` });
    const connection = await connectServer(server, 1000, silent);
    await expect(connection.request('tools/list', {}, 20)).rejects.toMatchObject({
      isAnswer: false,
      message: `gave no answer within 0.02 s: it gave no answer; on stderr it wrote "${'e'.repeat(299)}"`,
    });
    const quiet = await connectServer(
      server,
      1000,
      scriptedPorts(() => undefined),
    );
    await expect(quiet.request('tools/list', {}, 20)).rejects.toThrow(/^gave no answer within 0.02 s$/);
    const strange = scriptedPorts((method) => (method === 'initialize' ? { protocolVersion: 5 } : undefined));
    await expect(connectServer(server, 1000, strange)).rejects.toThrow(/^can't be used: "/);
    expect(strange.log).toEqual([start({}), 'initialize', 'close']);
  });

  test('that does not even greet is ended', async () => {
    const ports = scriptedPorts(() => undefined);
    const mute: McpPorts = {
      ...ports,
      startProgram: (call) => ({ ...ports.startProgram(call), write: () => undefined }),
    };
    await expect(connectServer(server, 20, mute)).rejects.toThrow(/^gave no answer within 0.02 s$/);
    expect(ports.log).toEqual([start({}), 'close']);
  });

  test('keeps no timer once it has answered', async () => {
    const timers = () => getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const connection = await connectServer(
      server,
      1000,
      scriptedPorts((method) => (method === 'tools/list' ? { tools: [] } : undefined)),
    );
    await connection.request('tools/list', {}, 1000);
    await connection.close();
    expect(timers()).toBe(before);
  });

  test('that ends or writes no message says why', async () => {
    const ended = scriptedPorts(() => undefined);
    const connection = await connectServer(server, 1000, ended);
    const request = connection.request('tools/list', {}, 1000);
    ended.end('ended with exit code 1');
    await expect(request).rejects.toThrow(/^ended with exit code 1$/);
    const talking = scriptedPorts(() => undefined);
    const other = await connectServer(server, 1000, talking);
    talking.say('b'.repeat(130));
    await expect(other.request('tools/list', {}, 20)).rejects.toThrow(
      `gave no answer within 0.02 s: it wrote to stdout what is no message of the protocol: "${'b'.repeat(120)}"… (130 characters)`,
    );
  });
});

describe('an address', () => {
  /** What is asked of a server, whose replies after the first are given by the method. */
  async function connect(reply: (method: string, id: number) => Scripted, more: object = {}) {
    const http = await startServer(({ method, body }) => {
      const message = JSON.parse(body === '' ? '{}' : body) as { id: number; method?: string };
      if (message.method !== 'initialize') return reply(message.method ?? method, message.id);
      const headers = { 'content-type': 'application/json', 'mcp-session-id': 's1', 'x-other': '1' };
      return { headers, body: { jsonrpc: '2.0', id: message.id, result: greeting }, ...more };
    });
    const ports = scriptedPorts(() => undefined, { env: { KEY: 'k' } });
    const asked = { source: `${http.url}/\${KEY}`, folder: '/', headers: { authorization: 'Bearer ${KEY}' } };
    return { http, connection: await connectServer(asked, 1000, ports) };
  }

  test.each([202, 204])(
    'that answers notifications with %i is asked without a stream, and its session is ended',
    async (status) => {
      const { http, connection } = await connect((method, id) =>
        method === 'tools/list'
          ? { body: { jsonrpc: '2.0', id, result: { tools: [] } } }
          : { status: method === 'DELETE' ? 500 : status },
      );
      expect(connection.info).toEqual({ name: 'shop', version: '1.2', protocol: '2025-06-18' });
      expect(await connection.request('tools/list', {}, 1000)).toEqual({ tools: [] });
      // It refuses to end its session, which is no fault.
      await connection.close();
      const seen = http.requests.map(({ method, url, headers }) =>
        [method, url, headers.authorization, headers['mcp-session-id']].join(' '),
      );
      expect(seen).toEqual([
        'POST /k Bearer k ',
        'POST /k Bearer k s1',
        'POST /k Bearer k s1',
        'DELETE /k Bearer k s1',
      ]);
      await http.close();
    },
  );

  test.each<[status: number, body: string, message: string]>([
    [300, 'moved', 'answered with HTTP 300: "moved"'],
    [404, ' \n', 'answered with HTTP 404'],
    [500, ' down\n', 'answered with HTTP 500: "down"'],
    [599, '', 'answered with HTTP 599'],
    [200, '<html>', `can't be used: "Streamable HTTP error: Unexpected content type: text/html"`],
  ])('that answers with %i %j is no server', async (status, body, message) => {
    const headers = { 'content-type': 'text/html' };
    const opened = connect(() => ({ status: 202 }), { status, body, headers });
    await expect(opened).rejects.toMatchObject({ message, isAnswer: false });
  });
});
