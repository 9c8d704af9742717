import { getEventListeners } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../../src/model/problem.ts';
import type { Cell } from '../../../src/model/run/cell.ts';
import type { AgentSettings, McpServer, RecordSource } from '../../../src/model/suite/agent.ts';
import type { Suite } from '../../../src/model/suite/suite.ts';
import type { Plan } from '../../../src/plan/build-plan.ts';
import { createToolOpener, refuseLiveTools } from '../../../src/run/cells/start-tools.ts';
import type { RecordAnswer } from '../../../src/tools/tool-session.ts';
import { buildCell, buildSuite, neverAborted } from '../../support/build-case.ts';
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

  test('runs in one child for its cell, with the variables that it names, until the cell ends', async () => {
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

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('live tools', () => {
  const snapshots: NonNullable<Suite['snapshots']> = { used: [] } as never;
  const live = { stubs: [], servers: new Map([['find', shop]]), maxSteps: 10 };

  /** The cells of each suite, by its id. */
  function refusedOf(
    cells: Readonly<Record<string, readonly (Partial<Cell> & { readonly caseId: string })[]>>,
    {
      env = {},
      replayed = [],
      without = [],
    }: { env?: Record<string, string>; replayed?: string[]; without?: string[] },
  ): readonly string[] {
    const suites = Object.keys(cells).map((id) => ({
      suite: buildSuite([], { id, ...(without.includes(id) ? {} : { snapshots }) }),
    }));
    const all = Object.entries(cells).flatMap(([suite, own]) =>
      own.map(({ caseId, ...more }) => buildCell({ ...more, key: { ...buildCell().key, suite, caseId } })),
    );
    const plan = {
      suites,
      providerKeys: ['p'],
      cells: (_key: string, isWanted: (suite: string, caseId: string) => boolean) =>
        all.filter(({ key }) => isWanted(key.suite, key.caseId)),
    } as unknown as Plan;
    try {
      refuseLiveTools({ plan }, { answersFromStoreOnly: ({ id }) => replayed.includes(id), env });
      return [];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.problems.map(({ message, hint, at }) => `${at?.line}: ${message}; ${hint}`);
    }
  }

  const two = {
    a: [{ caseId: 'stubbed' }, { caseId: 'skipped', agent: live, skip: 'later' }, { caseId: 'x', agent: live }],
    b: [
      { caseId: 'y', agent: live },
      { caseId: 'z', agent: live },
    ],
  };

  const fork = '; select other cases there, or write stubs in place of mcp: live';
  const isFork = ', and this is a pull request from a fork, on which no server is asked';

  test('are asked where nothing speaks against it', () => {
    expect(refusedOf(two, {})).toEqual([]);
    expect(refusedOf(two, { env: { GITHUB_EVENT_NAME: 'push' } })).toEqual([]);
  });

  test('are not asked where stored answers alone answer, at the first such case of each suite', () => {
    const stored = ', and stored answers alone answer this run; write stubs in place of mcp: live';
    expect(refusedOf(two, { replayed: ['b'] })).toEqual([`12: case y of suite b has tools: { mcp: live }${stored}`]);
    expect(refusedOf(two, { replayed: ['a'] })).toEqual([`12: case x of suite a has tools: { mcp: live }${stored}`]);
    expect(refusedOf(two, { replayed: ['a', 'b'] })).toHaveLength(2);
    expect(refusedOf(two, { replayed: ['a', 'b'], without: ['a'] })).toHaveLength(1);
    expect(refusedOf(two, { replayed: ['a', 'b'], without: ['a', 'b'] })).toEqual([]);
    expect(refusedOf({ a: two.a.slice(0, 2) }, { replayed: ['a'] })).toEqual([]);
  });

  test.each<[string, Record<string, string>, boolean]>([
    ['pull request of which no more is known', { GITHUB_EVENT_NAME: 'pull_request' }, true],
    ['pull request from the outside of which no more is known', { GITHUB_EVENT_NAME: 'pull_request_target' }, true],
    ['merge request from a fork', gitlabEnv('7', '8'), true],
    ['merge request of the project', gitlabEnv('7', '7'), false],
  ])('are asked by a %s or not', (_what, env, isRefused) => {
    const own = { a: [{ caseId: 'x', agent: live }] };
    expect(refusedOf(own, { env })).toEqual(
      isRefused ? [`12: case x of suite a has tools: { mcp: live }${isFork}${fork}`] : [],
    );
  });

  test.each<[string, string | undefined, boolean]>([
    ['of the same repository', 'me/shop', false],
    ['of a fork', 'them/shop', true],
    ['without a file of it', undefined, true],
  ])('are asked by a pull request %s or not', (_what, head, isRefused) => {
    const project = openTempProject();
    const pull = { number: 3, head: { repo: { full_name: head } }, base: { ref: 'main' } };
    if (head !== undefined) project.write('event.json', JSON.stringify({ pull_request: pull }));
    const env = {
      GITHUB_REPOSITORY: 'me/shop',
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_EVENT_PATH: project.path('event.json'),
    };
    const own = { a: [{ caseId: 'x', agent: live }] };
    expect(refusedOf(own, { env })).toHaveLength(isRefused ? 1 : 0);
    // A folder can't be read as a file.
    expect(refusedOf(own, { env: { ...env, GITHUB_EVENT_PATH: project.root } })).toHaveLength(1);
  });
});

function gitlabEnv(project: string, target: string): Record<string, string> {
  return {
    GITLAB_CI: 'true',
    CI_PROJECT_ID: project,
    CI_API_V4_URL: 'https://gitlab.example/api/v4',
    CI_COMMIT_SHA: 'a'.repeat(40),
    CI_MERGE_REQUEST_IID: '5',
    CI_MERGE_REQUEST_PROJECT_ID: target,
  };
}
