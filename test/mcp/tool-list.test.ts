import { describe, expect, test } from 'vitest';
import { createLineTransport, type McpConnection } from '../../src/mcp/connect-server.ts';
import { readToolList, writeSnapshot } from '../../src/mcp/tool-list.ts';

const empty = { type: 'object' };
const named = (name: string, more: object = {}) => ({ name, inputSchema: empty, ...more });

/** A server that answers with these pages in turn, and with the last one from then on. */
async function read(...pages: readonly unknown[]) {
  const asked: unknown[] = [];
  const connection: Pick<McpConnection, 'request'> = {
    request(method, params) {
      asked.push([method, params]);
      return Promise.resolve(pages[Math.min(asked.length, pages.length) - 1]);
    },
  };
  const outcome = await readToolList(connection as McpConnection, 1000).catch((error: unknown) => String(error));
  return { outcome, asked };
}

const page = (...tools: readonly unknown[]) => ({ tools });
const [a, b, changed] = [named('a'), named('b'), named('a', { description: 'new' })];

describe('the tools of a server', () => {
  test.each<[what: string, pages: readonly unknown[], names: readonly string[], requests: number]>([
    ['twice the same', [page(b, a)], ['a', 'b'], 2],
    ['another order', [page(b, a), page(a, b)], ['a', 'b'], 2],
    ['a change between two readings', [page(a), page(changed), page(changed)], ['a'], 3],
    ['a tool that is in it twice for once', [page(a), page(a, a), page(a), page(a)], ['a'], 4],
    [
      'pages',
      [{ tools: [b], nextCursor: '2' }, { tools: [a], nextCursor: '' }, { tools: [b], nextCursor: '2' }, page(a)],
      ['a', 'b'],
      4,
    ],
    ['no tool', [page()], [], 2],
  ])('are read until two readings are the same: %s', async (_, pages, names, requests) => {
    const { outcome, asked } = await read(...pages);
    expect(outcome).toEqual(names.map((name) => expect.objectContaining({ name })));
    expect(asked).toHaveLength(requests);
    expect(asked[0]).toEqual(['tools/list', {}]);
  });

  test('are asked for page by page', async () => {
    const pages = Array.from({ length: 103 }, (_, n) => ({
      tools: [named(`t${n}`)],
      ...(n < 102 ? { nextCursor: `c${n}` } : {}),
    }));
    const { outcome, asked } = await read(...pages, ...pages);
    expect(outcome).toHaveLength(103);
    expect(asked.slice(0, 2)).toEqual([
      ['tools/list', {}],
      ['tools/list', { cursor: 'c0' }],
    ]);
    expect(asked.slice(102, 104)).toEqual([
      ['tools/list', { cursor: 'c101' }],
      ['tools/list', {}],
    ]);
  });

  test('may be as many and as large as a snapshot takes', { tags: ['slow'] }, async () => {
    expect((await read(page(...Array.from({ length: 2000 }, (_, n) => named(`t${n}`))))).outcome).toHaveLength(2000);
    const rest = 8 * 1024 * 1024 - JSON.stringify(page(named('a', { description: '' }))).length;
    const large = (bytes: number) => read(page(named('a', { description: 'x'.repeat(bytes) })));
    expect((await large(rest)).outcome).toHaveLength(1);
    expect((await large(rest + 1)).outcome).toContain('of more than 8 MiB');
    // Its pages count together.
    const half = (name: string) => named(name, { description: 'x'.repeat(rest / 2 + 100) });
    const pages = [{ tools: [half('a')], nextCursor: 'b' }, page(half('b'))];
    expect((await read(...pages)).outcome).toContain('of more than 8 MiB');
  });

  test('are not asked for without an end, where the pages are empty', async () => {
    const { outcome, asked } = await read(
      ...Array.from({ length: 200 }, (_, n) => ({ tools: [], nextCursor: `c${n}` })),
    );
    expect([outcome, asked.length]).toEqual([
      'McpFault: lists its tools without an end: the cursor "c101" comes again',
      102,
    ]);
  });

  const nest = (depth: number): object => (depth === 0 ? {} : { not: nest(depth - 1) });
  const cyclic = { tools: [a], nextCursor: 'x' };
  const long = (sign: string, length: number) => named(sign.repeat(length));
  const cut = (sign: string, length: number) => `"${sign.repeat(60)}"… (${length} characters)`;

  test.each<[what: string, pages: readonly unknown[], fault: string]>([
    ['another list each time', [page(a), page(changed), page(a), page(changed)], '"a" changes'],
    ['a tool that comes and goes', [page(a), page(a, b), page(a), page(a, b)], '"b" comes and goes'],
    ['a tool that goes', [page(a, b), page(a), page(a, b), page(a)], '"b" comes and goes'],
    [
      'a tool twice, and no list that comes twice',
      [page(a, a), page(a, a), page(a, a), page(a)],
      'each time that it is asked: "a" is in it twice',
    ],
    ['two tools twice', [page(b, b, a, a)], 'each time that it is asked: "a" is in it twice'],
    ['a long name twice', [page(long('l', 70), long('l', 70))], `: ${cut('l', 70)} is in it twice`],
    [
      'a long name that changes',
      [
        page(long('l', 70)),
        page({ ...long('l', 70), title: 'x' }),
        page(long('l', 70)),
        page({ ...long('l', 70), title: 'x' }),
      ],
      `: ${cut('l', 70)} changes`,
    ],
    [
      'a long name that comes',
      [page(), page(long('l', 70)), page(), page(long('l', 70))],
      `: ${cut('l', 70)} comes and goes`,
    ],
    [
      'a long name that goes',
      [page(long('l', 70)), page(), page(long('l', 70)), page()],
      `: ${cut('l', 70)} comes and goes`,
    ],
    ['a long cursor', [{ tools: [a], nextCursor: 'c'.repeat(70) }], `the cursor ${cut('c', 70)} comes again`],
    ['a name that is too long', [page(long('l', 257))], `too long a name: ${cut('l', 257)}`],
    ['no tool at all', [page(null)], 'lists a tool without a name'],
    ['a tool twice', [page(a, a)], 'each time that it is asked: "a" is in it twice'],
    ['no list', [{ tools: {} }], 'answered tools/list without a list of tools'],
    ['nothing', [null], 'answered tools/list without a list of tools'],
    ['a cursor that comes again', [cyclic], 'without an end: the cursor "x" comes again'],
    ['a tool without a name', [page({ inputSchema: empty })], 'lists a tool without a name'],
    ['an empty name', [page(named(''))], 'lists a tool without a name'],
    ['a long name', [page(named('n'.repeat(257)))], 'lists a tool with too long a name: "nnn'],
    ['no schema', [page({ name: 'a' })], 'lists the tool "a" without an inputSchema'],
    ['a list as its schema', [page({ name: 'a', inputSchema: [] })], 'lists the tool "a" without an inputSchema'],
    ['a deep schema', [page({ name: 'a', inputSchema: nest(101) })], 'nested more than 100 deep'],
    ['a deep schema of its output', [page(named('a', { outputSchema: nest(101) }))], 'nested more than 100 deep'],
    ['deep annotations', [page(named('a', { annotations: nest(101) }))], 'nested more than 100 deep'],
    ['too many tools', [page(...Array.from({ length: 2001 }, (_, n) => named(`t${n}`)))], 'lists more than 2000 tools'],
    ['too many bytes', [page(named('a', { description: 'x'.repeat(8 * 1024 * 1024) }))], 'of more than 8 MiB'],
  ])('are not taken with %s', async (_, pages, fault) => {
    expect((await read(...pages)).outcome).toContain(fault);
  });

  test('have their members in one order, but not their data', async () => {
    const inputSchema = {
      type: 'object',
      required: ['b', 'a'],
      properties: {
        required: { enum: ['z', 'y'], default: { d: { required: ['z', 'y'] }, c: ['z', 'y'], required: ['z', 'y'] } },
        a: { required: ['b', 'a', 1] },
        b: { type: 'object', required: ['d', 'c'], default: null, anyOf: [{ type: 'object', required: ['f', 'e'] }] },
      },
    };
    const tool = {
      title: 'T',
      description: 5,
      annotations: { z: 1, y: 2 },
      outputSchema: [],
      inputSchema,
      name: 'n'.repeat(256),
      x: 1,
    };
    const { outcome } = await read(page({ ...tool, inputSchema: { ...inputSchema, $defs: nest(99) } }));
    expect(JSON.stringify(outcome)).toBe(
      JSON.stringify([
        {
          name: 'n'.repeat(256),
          inputSchema: {
            $defs: nest(99),
            properties: {
              a: { required: ['b', 'a', 1] },
              b: {
                anyOf: [{ required: ['e', 'f'], type: 'object' }],
                default: null,
                required: ['c', 'd'],
                type: 'object',
              },
              required: {
                default: { c: ['z', 'y'], d: { required: ['z', 'y'] }, required: ['z', 'y'] },
                enum: ['z', 'y'],
              },
            },
            required: ['a', 'b'],
            type: 'object',
          },
          title: 'T',
          annotations: { y: 2, z: 1 },
        },
      ]),
    );
    const other = {
      name: 'b',
      title: 5,
      annotations: [],
      outputSchema: { type: 'object', required: ['b', 'a'] },
      inputSchema: {},
    };
    expect((await read(page(other))).outcome).toStrictEqual([
      { name: 'b', inputSchema: {}, outputSchema: { required: ['a', 'b'], type: 'object' } },
    ]);
  });

  test('are written with where their server is, and no character that is not seen', () => {
    const tools = [{ name: 'a\u200b', inputSchema: empty, description: 'd' }];
    const info = { name: 'shop', version: '1' };
    const write = (server: Parameters<typeof writeSnapshot>[0]['server'], folder: string) =>
      writeSnapshot({ server, info, tools }, folder);
    const text = write({ source: 'exec:node s.js', folder: '/p', env: ['KEY'] }, '/p/tools');
    expect(text).toContain(String.raw`"name": "a\u200b"`);
    expect(JSON.parse(text)).toEqual({
      format: 1,
      source: 'exec:node s.js',
      folder: '..',
      env: ['KEY'],
      server: info,
      tools,
    });
    expect(text).toMatch(/^\{\n  "format": 1,\n[^]*\n\}\n$/);
    const full = named('full', { title: 'T', outputSchema: empty, annotations: { readOnlyHint: true } });
    const remote = { source: 'https://a/mcp', folder: '/p', headers: { authorization: '${KEY}' } };
    expect(JSON.parse(writeSnapshot({ server: remote, info, tools: [full] }, '/p'))).toEqual({
      format: 1,
      source: 'https://a/mcp',
      headers: { authorization: '${KEY}' },
      server: info,
      tools: [full],
    });
    expect(JSON.parse(write({ source: 'exec:s', folder: '/p' }, '/p'))).toHaveProperty('folder', '.');
    expect(JSON.parse(write({ source: 'https://a/mcp', folder: '/p' }, '/p'))).not.toHaveProperty('folder');
  });
});

describe('messages over the lines of a program', () => {
  function open(stderr = '') {
    const log: string[] = [];
    let on: { onLine: (line: string) => void; onEnd: (why: string) => void } | undefined;
    const transport = createLineTransport((given) => {
      on = given;
      return {
        write: (line) => void log.push(`write ${line}`),
        stderr: () => stderr,
        close: () => Promise.resolve(void log.push('close')),
      };
    });
    Object.assign(transport, {
      onmessage: (message: unknown) => log.push(`message ${JSON.stringify(message)}`),
      onclose: () => log.push('closed'),
    });
    void transport.start();
    return { transport, log, line: (text: string) => on?.onLine(text), end: (why: string) => on?.onEnd(why) };
  }

  test('are those of the protocol; a banner is passed over', async () => {
    const { transport, log, line } = open();
    for (let n = 0; n < 19; n += 1) line('banner');
    line('{"jsonrpc":"2.0","id":1}');
    await transport.send({ jsonrpc: '2.0', id: 1, method: 'm' });
    transport.setProtocolVersion?.('2025');
    await transport.close();
    expect(log).toEqual([
      'message {"jsonrpc":"2.0","id":1}',
      'write {"jsonrpc":"2.0","id":1,"method":"m"}',
      'close',
      'closed',
    ]);
    expect(transport.protocolVersion).toBe('2025');
    expect(transport.fault()).toBe('wrote to stdout what is no message of the protocol: "banner"');
  });

  test('end with twenty lines that are none, and with the program', () => {
    const flooded = open();
    for (const text of ['null', '{"jsonrpc":"1.0"}', '[', ...Array.from({ length: 17 }, () => 'x')]) flooded.line(text);
    expect(flooded.log).toEqual(['closed', 'close']);
    expect(flooded.transport.fault()).toContain('no message of the protocol: "null"');
    const { transport, log, end } = open(' oops \n');
    expect(transport.fault()).toBe('gave no answer; on stderr it wrote "oops"');
    end('ended with exit code 1');
    end('later');
    expect(log).toEqual(['closed', 'closed']);
    expect(transport.fault()).toBe('ended with exit code 1; on stderr it wrote "oops"');
    expect(open().transport.fault()).toBeUndefined();
    const mute = createLineTransport(() => ({
      write: () => undefined,
      stderr: () => '',
      close: () => Promise.resolve(),
    }));
    expect(mute.fault()).toBeUndefined();
    const loud = open(`first ${'w'.repeat(290)} ${'e'.repeat(9)}`).transport;
    expect(loud.fault()).toBe(`gave no answer; on stderr it wrote "${'w'.repeat(290)} ${'e'.repeat(9)}"`);
    const frames = Array.from({ length: 9 }, (_, index) => `    at run (node:internal/main/run_main:28:${index})`);
    const thrown = open(`Error: Cannot find module 'a.mjs'\n${frames.join('\n')}`).transport;
    expect(thrown.fault()).toBe(`gave no answer; on stderr it wrote "Error: Cannot find module 'a.mjs'"`);
    const louder = open('w'.repeat(301)).transport;
    expect(louder.fault()).toBe(`gave no answer; on stderr it wrote "${'w'.repeat(300)}"`);
  });
});
