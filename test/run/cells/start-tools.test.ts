import { getEventListeners } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AgentSettings, McpServer, RecordSource } from '../../../src/model/suite/agent.ts';
import { createToolOpener } from '../../../src/run/cells/start-tools.ts';
import type { RecordAnswer } from '../../../src/tools/tool-session.ts';
import { neverAborted } from '../../support/build-case.ts';
import { isAlive } from '../../support/is-alive.ts';
import { scriptedPorts } from '../../support/mcp-ports.ts';
import { openTempProject } from '../../support/temp-project.ts';

const call = (name: string, args: object = {}) => ({ name, arguments: {}, rawArguments: JSON.stringify(args) });
const says = (text: string) => ({ content: [{ type: 'text', text }] });
/** Keeps no answer, so that each call is asked. */
const recorder: { readonly record: RecordAnswer } = { record: (_target, _call, ask) => ask() };
const settle = () => new Promise((resolve) => setImmediate(resolve));

const shop: McpServer = { source: 'exec:node shop.js', folder: '/' };
const bank: McpServer = { source: 'exec:node bank.js', folder: '/' };
const withServers = (servers: Readonly<Record<string, McpServer>>): AgentSettings => ({
  stubs: [],
  servers: new Map(Object.entries(servers)),
  maxSteps: 10,
});

type Answer = Parameters<typeof scriptedPorts>[0];

function openWith(answer: Answer, env: Readonly<Record<string, string>> = {}) {
  const mcp = scriptedPorts(answer, { env });
  const open = createToolOpener({}, { mcp });
  const count = (what: string) => mcp.log.filter((line) => line.startsWith(what)).length;
  return { open, mcp, count };
}

const answered = (method: string, { name }: Readonly<Record<string, unknown>>) =>
  method === 'tools/call' ? says(`from ${String(name)}`) : undefined;

describe('the servers of a cell', () => {
  test('are started once each with their first call, and ended with the cell', async () => {
    const { open, mcp, count } = openWith(answered);
    const session = open(withServers({ find: shop, list: { ...shop }, pay: bank }));
    expect(mcp.log).toEqual([]);
    for (const name of ['find', 'list', 'find', 'pay']) {
      expect(await session.answer(call(name), neverAborted)).toMatchObject({
        kind: 'result',
        result: { content: `from ${name}`, latencyMs: expect.any(Number) },
      });
    }
    expect(mcp.log.filter((line) => line === 'tools/call')).toHaveLength(4);
    expect([count('start'), count('close')]).toEqual([2, 0]);
    session.close();
    await settle();
    expect(count('close')).toBe(2);
  });

  test('say what they refuse, and end the cell where they can’t be asked', async () => {
    const secret = 'token-a8f3';
    const { open } = openWith(
      (method) => (method === 'tools/call' ? { code: -1, message: `bad ${secret}` } : undefined),
      {
        KEY: secret,
      },
    );
    const refused = await open(withServers({ find: { ...shop, env: ['KEY'] } })).answer(call('find'), neverAborted);
    expect(refused).toEqual({
      kind: 'result',
      result: { content: 'answered with the error "-1: bad ***"', isError: true, latencyMs: expect.any(Number) },
    });
    const unset = await open(withServers({ find: { ...shop, env: ['OTHER'] } })).answer(call('find'), neverAborted);
    expect(unset).toEqual({
      kind: 'errored',
      message: 'tools: the MCP server exec:node shop.js needs the variable OTHER, which is not set, called for "find"',
    });
  });

  test('are asked no longer once the run is stopped', async () => {
    const { open, count } = openWith(() => undefined);
    const stop = new AbortController();
    const session = open(withServers({ find: shop }));
    const asked = session.answer(call('find'), stop.signal);
    await settle();
    stop.abort();
    expect(await asked).toEqual({
      kind: 'errored',
      message: 'tools: the MCP server exec:node shop.js was stopped with the run, called for "find"',
    });
    session.close();
    expect(count('start')).toBe(1);
  });

  test('leave nothing that waits for the stop of the run', async () => {
    const { open } = openWith(answered);
    const stop = new AbortController();
    const before = getEventListeners(stop.signal, 'abort').length;
    await open(withServers({ find: shop })).answer(call('find'), stop.signal);
    await settle();
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(before);
  });

  test('are those of sixteen cells at once, however many each cell has', async () => {
    const { open, count } = openWith(answered);
    const both = withServers({ find: shop, pay: bank });
    const ask = async () => {
      const session = open(both);
      await session.answer(call('find'), neverAborted);
      await session.answer(call('pay'), neverAborted);
      return session;
    };
    const first = await Promise.all(Array.from({ length: 16 }, ask));
    expect(count('start')).toBe(32);
    const stop = new AbortController();
    const stopped = open(both);
    const asked = stopped.answer(call('find'), stop.signal);
    const waiting = ask();
    await settle();
    stop.abort();
    expect(await asked).toMatchObject({ kind: 'errored' });
    await settle();
    expect(count('start')).toBe(32);
    // The place of the stopped cell goes on to the next one.
    first[0]?.close();
    await settle();
    stopped.close();
    const second = await waiting;
    expect(count('start')).toBe(34);
    for (const session of [...first.slice(1), second]) session.close();
    await settle();
    expect(count('close')).toBe(34);
    const last = await Promise.all(Array.from({ length: 16 }, ask));
    expect(count('start')).toBe(34 + 32);
    for (const session of last) session.close();
  });

  test('are not asked where answers are stored already', async () => {
    const session = createToolOpener({})(withServers({ find: shop }));
    expect(await session.answer(call('find'), neverAborted)).toEqual({
      kind: 'errored',
      message: 'tools: no server is asked by this command, called for "find"',
    });
  });
});

describe('a program of real tools', () => {
  function openProgram(script: string, { env = {}, code = {} }: { env?: object; code?: object } = {}) {
    const project = openTempProject();
    project.write('tools/shop.sh', script);
    const source: RecordSource = {
      kind: 'exec',
      argv: ['sh', 'shop.sh'],
      code: { folder: project.path('tools'), hash: '', ...code },
    };
    const target = { file: project.path('stubs.yaml'), shown: 'stubs.yaml', source };
    const open = createToolOpener({ PATH: process.env['PATH'], ...env }, { recorder });
    const session = open({ stubs: [], record: target, maxSteps: 10 });
    onTestFinished(() => session.close());
    return { project, session };
  }

  test.each<[string, string, object, object]>([
    ['gives its output', 'cat', {}, { kind: 'result', result: { content: '{"tool":"find","arguments":{"id":7}}' } }],
    ['runs in its folder', 'ls', {}, { kind: 'result', result: { content: 'shop.sh' } }],
    [
      'sees the variables that it names alone',
      'echo "$SHOP_KEY$BANK_KEY"',
      { env: { SHOP_KEY: 'a', BANK_KEY: 'b' }, code: { envNames: ['SHOP_KEY'] } },
      { kind: 'result', result: { content: 'a' } },
    ],
    [
      'takes no longer than it may',
      'exec sleep 30',
      { code: { limits: { timeoutMs: 50 } } },
      { kind: 'errored', message: 'tools: sh shop.sh took longer than 50 ms, called for "find"' },
    ],
    [
      'is ended by a signal',
      'kill -9 $$',
      {},
      { kind: 'errored', message: 'tools: sh shop.sh was ended by SIGKILL, called for "find"' },
    ],
    [
      'writes no text',
      "printf '\\377'",
      {},
      {
        kind: 'errored',
        message: expect.stringMatching(/^tools: sh shop\.sh wrote a result that can't be read: .*, called for "find"$/),
      },
    ],
  ])('that %s', async (_what, script, options, expected) => {
    const { session } = openProgram(script, options);
    expect(await session.answer(call('find', { id: 7 }), neverAborted)).toMatchObject(expected);
  });

  test('is ended with the run', async () => {
    const { session } = openProgram('exec sleep 30');
    const stop = new AbortController();
    const asked = session.answer(call('find'), stop.signal);
    await settle();
    stop.abort();
    expect(await asked).toEqual({
      kind: 'errored',
      message: 'tools: sh shop.sh was stopped with the run, called for "find"',
    });
  });

  test('waits until one of sixteen cells ends', async () => {
    const { project } = openProgram('cat');
    const source: RecordSource = {
      kind: 'exec',
      argv: ['sh', 'shop.sh'],
      code: { folder: project.path('tools'), hash: '' },
    };
    const record = { file: project.path('stubs.yaml'), shown: 'stubs.yaml', source };
    const mcp = scriptedPorts(answered);
    const open = createToolOpener({ PATH: process.env['PATH'] }, { mcp, recorder });
    const held = await Promise.all(
      Array.from({ length: 16 }, async () => {
        const session = open(withServers({ find: shop }));
        await session.answer(call('find'), neverAborted);
        return session;
      }),
    );
    const events: string[] = [];
    const session = open({ stubs: [], record, maxSteps: 10 });
    const ran = session.answer(call('find'), neverAborted).then(() => events.push('ran'));
    for (let turn = 0; turn < 5; turn += 1) await settle();
    events.push('ended');
    held[0]?.close();
    await ran;
    expect(events).toEqual(['ended', 'ran']);
    for (const one of [...held, session]) one.close();
  });
});

describe('a module of tools', () => {
  const text = `export const tools = {
  who: () => [process.pid, process.env.SHOP_KEY, process.env.BANK_KEY].join(' '),
};
`;

  test('runs in one child for its cell, with the variables that it names, until the cell ends', {
    tags: ['slow'],
  }, async () => {
    const project = openTempProject();
    project.write('shop.mjs', text);
    const module = { file: project.path('shop.mjs'), folder: project.root, hash: '', envNames: ['SHOP_KEY'] };
    const open = createToolOpener({ SHOP_KEY: 'a', BANK_KEY: 'b' });
    const session = open({ stubs: [], module, maxSteps: 10 });
    const first = await session.answer(call('who'), neverAborted);
    const second = await session.answer(call('who'), neverAborted);
    const contentOf = (outcome: typeof first) => (outcome.kind === 'result' ? outcome.result.content : outcome.kind);
    expect(contentOf(first)).toMatch(/^\d+ a $/);
    expect(contentOf(second)).toBe(contentOf(first));
    const pid = Number.parseInt(contentOf(first), 10);
    expect(isAlive(pid)).toBe(true);
    session.close();
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  test('is not started once the run is stopped', async () => {
    const project = openTempProject();
    project.write('shop.mjs', text);
    const module = { file: project.path('shop.mjs'), folder: project.root, hash: '' };
    const session = createToolOpener({})({ stubs: [], module, maxSteps: 10 });
    expect(await session.answer(call('who'), AbortSignal.abort())).toEqual({
      kind: 'errored',
      message: 'tools: "shop.mjs" was stopped with the run, called for "who"',
    });
    session.close();
  });
});
