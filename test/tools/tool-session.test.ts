import { describe, expect, test } from 'vitest';
import type { ArgumentMatch } from '../../src/json/plain-path.ts';
import type { ToolCall } from '../../src/model/run/completion.ts';
import type { McpServer, RecordSource, StubAnswer, ToolStub } from '../../src/model/suite/agent.ts';
import type { CodeOutcome, ModuleJob } from '../../src/model/suite/own-code.ts';
import { describeStubCall, maskResult, readWhen, stubKey } from '../../src/tools/recorded-stubs.ts';
import { openToolSession } from '../../src/tools/tool-session.ts';
import {
  createExecTools,
  createModuleTools,
  createRealServers,
  createServerTools,
  type RealTools,
  type ServerReply,
  type ToolProgramResult,
} from '../../src/tools/tool-sources.ts';

const { signal } = new AbortController();
const call = (name: string, rawArguments = '{"id":1}'): ToolCall => ({ name, arguments: undefined, rawArguments });
const result = (content: string, more = {}) => ({ kind: 'result', result: { content, ...more } });
const longName = 'n'.repeat(70);
/** The same outcome for a tool whose long name is cut. */
const renamed = (outcome: object): unknown => {
  const shown = JSON.stringify(`"${'n'.repeat(60)}"… (70 characters)`).slice(1, -1);
  return JSON.parse(JSON.stringify(outcome).replaceAll('\\"find\\"', shown));
};
const notJson = (raw: string) => result(`the arguments are not JSON: ${JSON.stringify(raw)}`, { isError: true });

describe('a module as tools', () => {
  const source = (file = '/p/stubs/shop.mjs') =>
    ({ file, folder: '/p', exportName: 'tools', limits: { memoryMb: 9 } }) as never;

  function moduleThat(outcome: CodeOutcome, latencyMs?: number, file?: string) {
    const jobs: ModuleJob[] = [];
    let closed = 0;
    const tools = createModuleTools(source(file), {
      run(job) {
        jobs.push(job);
        return Promise.resolve({ outcome, ...(latencyMs === undefined ? {} : { latencyMs }) });
      },
      close: () => void (closed += 1),
    });
    return { tools, jobs, closed: () => closed };
  }

  test.each<[said: object, outcome: object]>([
    [{ content: 'ok' }, result('ok', { latencyMs: 7 })],
    [{ error: 'no' }, result('no', { isError: true, latencyMs: 7 })],
    [{ bytes: 300_000 }, { kind: 'fails', reason: 'the result of "find" has 300,000 bytes, and 262,144 are the most' }],
    [{ unknown: [] }, { kind: 'unknown', hint: 'export "find" from "stubs/shop.mjs", which has no tools' }],
    [
      { unknown: ['a', 5, 'b'] },
      { kind: 'unknown', hint: 'export "find" from "stubs/shop.mjs", which has only "a", "b"' },
    ],
    [{ isKnown: true }, notJson('{"id":1}')],
    ...[{}, null as never].map((said): [object, object] => [
      said,
      { kind: 'errored', message: 'tools: "stubs/shop.mjs" sent no result, called for "find"' },
    ]),
  ])('can say %j', async (returned, outcome) => {
    const { tools, jobs, closed } = moduleThat({ returned }, 7);
    expect(await tools.answer(call('find'), signal)).toEqual(outcome);
    expect(jobs).toEqual([
      expect.objectContaining({
        exportName: 'tools',
        tool: 'call',
        input: { name: 'find', args: { id: 1 } },
        timeoutMs: 10_000,
        memoryMb: 9,
      }),
    ]);
    expect(await tools.answer(call(longName), signal)).toEqual(renamed(outcome));
    tools.close();
    expect(closed()).toBe(1);
  });

  test('is named by the start of its file, where that is long', async () => {
    const file = `/p/${'m'.repeat(110)}`;
    const shown = `"${'m'.repeat(100)}"… (110 characters)`;
    const crashed = moduleThat({ fault: 'crashed' }, 7, file).tools;
    const [answered, state] = [await crashed.answer(call('find'), signal), await crashed.state(signal)];
    expect(answered).toEqual({ kind: 'errored', message: `tools: ${shown} crashed, called for "find"` });
    expect(state).toEqual({ fault: `tools: ${shown} crashed, asked for its state` });
    const hint = `export "find" from ${shown}, which has only "${'n'.repeat(60)}"… (70 characters)`;
    expect(await moduleThat({ returned: { unknown: [longName] } }, 7, file).tools.answer(call('find'), signal)).toEqual(
      { kind: 'unknown', hint },
    );
  });

  test('can crash, or be called with what is no JSON', async () => {
    const crashed = moduleThat({ fault: 'crashed' });
    const message = 'tools: "stubs/shop.mjs" crashed, called for "find"';
    expect(await crashed.tools.answer(call('find', '{'), signal)).toEqual({ kind: 'errored', message });
    expect(crashed.jobs[0]?.input).toStrictEqual({ name: 'find' });
    expect(await crashed.tools.state(signal)).toEqual({
      fault: 'tools: "stubs/shop.mjs" crashed, asked for its state',
    });
    const { tools } = moduleThat({ returned: { state: { a: 1 } } });
    expect(await tools.state(signal)).toEqual({ state: { a: 1 } });
    expect(await moduleThat({ returned: null }).tools.state(signal)).toEqual({ state: undefined });
  });
});

describe('a program as tools', () => {
  const ended = (exitCode: number, stdout: string, stderr = ''): ToolProgramResult => ({
    exitCode,
    stdout,
    stderr,
    latencyMs: 7,
  });

  test.each<[end: ToolProgramResult, outcome: object]>([
    [ended(0, 'ok\r\n', 'log'), result('ok', { latencyMs: 7 })],
    [ended(0, ' a\n\n'), result(' a\n', { latencyMs: 7 })],
    [ended(1, 'x', ' no such order\n'), result('no such order', { isError: true, latencyMs: 7 })],
    [ended(2, 'x'), result('ended with exit code 2', { isError: true, latencyMs: 7 })],
    ...[75, 126, 127].map((code): [ToolProgramResult, object] => [
      ended(code, '', 'busy'),
      { kind: 'errored', message: `tools: shop ended with exit code ${code}, called for "find": busy` },
    ]),
    [ended(75, ''), { kind: 'errored', message: 'tools: shop ended with exit code 75, called for "find"' }],
    [{ fault: "can't be started" }, { kind: 'errored', message: `tools: shop can't be started, called for "find"` }],
  ])('that ends with %j', async (end, outcome) => {
    const inputs: string[] = [];
    const tools = createExecTools('shop', (input) => {
      inputs.push(input);
      return Promise.resolve(end);
    });
    expect(await tools.answer(call('find', '{"id":12345678901234567890}'), signal)).toEqual(outcome);
    await tools.answer(call('find', ' '), signal);
    expect(inputs).toEqual([
      '{"tool":"find","arguments":{"id":12345678901234567890}}\n',
      '{"tool":"find","arguments":{}}\n',
    ]);
    expect(await tools.answer(call(longName), signal)).toEqual(renamed(outcome));
  });
});

describe('servers as tools', () => {
  const shop: McpServer = { source: 'exec:shop', folder: '/p' };
  const servers = new Map([
    ['find', shop],
    ['cancel', { ...shop }],
    ['other', { ...shop, source: 'exec:other' }],
    [longName, shop],
  ]);

  function serversThat(reply: ServerReply | { readonly result: unknown }) {
    const log: string[] = [];
    const start = ({ source }: McpServer) => {
      log.push(`start ${source}`);
      return {
        call(name: string, args: unknown) {
          log.push(`${source} ${name} ${JSON.stringify(args)}`);
          return Promise.resolve({ latencyMs: 7, ...reply });
        },
        close: () => void log.push(`close ${source}`),
      };
    };
    return { log, tools: createServerTools(servers, start), real: createRealServers(servers, start) };
  }

  test.each<[reply: object, outcome: object]>([
    [
      {
        result: {
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      },
      result('a\nb', { latencyMs: 7 }),
    ],
    [
      { result: { content: [{ type: 'text', text: 'no' }], isError: true } },
      result('no', { latencyMs: 7, isError: true }),
    ],
    [{ result: { content: [], structuredContent: { a: 1 } } }, result('{"a":1}', { latencyMs: 7 })],
    [{ result: { structuredContent: [1] } }, result('[1]', { latencyMs: 7 })],
    [{ result: { content: [] } }, result('', { latencyMs: 7 })],
    [
      {
        result: {
          content: [
            'x',
            null,
            { type: 'image', mimeType: 'image/png' },
            { type: 'text' },
            { type: 'audio', mimeType: 'audio/wav', text: 'a transcript' },
            { type: 'resource', resource: { text: 'of it', uri: 'u' } },
            { type: 'resource', resource: { uri: 'u' } },
            { type: 'resource', resource: {} },
            { type: 'resource_link', uri: 'v' },
            { type: 'resource_link' },
          ],
          structuredContent: {},
        },
      },
      result(
        '[part]\n[part]\n[image image/png]\n[text]\n[audio audio/wav]\nof it\n[resource u]\n[resource]\n[resource v]\n[resource_link]',
        {
          latencyMs: 7,
        },
      ),
    ],
    ...[5, null, { content: {} }].map((found): [object, object] => [
      { result: found },
      { kind: 'errored', message: `tools: the server's result of "find" has no content` },
    ]),
    [{ refusal: 'not now' }, result('not now', { isError: true, latencyMs: 7 })],
    [{ fault: 'the server is gone' }, { kind: 'errored', message: 'tools: the server is gone, called for "find"' }],
  ])('that reply %j', async (reply, outcome) => {
    const { tools } = serversThat(reply as ServerReply);
    expect(await tools.answer(call('find'), signal)).toEqual(outcome);
    expect(await tools.answer(call(longName), signal)).toEqual(renamed(outcome));
  });

  test('are started once each, for the tools that they have', async () => {
    const { tools, log, real } = serversThat({ result: { content: [] } });
    expect(tools.answer(call('none'), signal)).toBeUndefined();
    for (const raw of ['[1]', '{']) expect(await tools.answer(call('find', raw), signal)).toEqual(notJson(raw));
    expect(log).toEqual(['start exec:shop']);
    await tools.answer(call('find', ' '), signal);
    await tools.answer(call('cancel'), signal);
    await tools.answer(call('other'), signal);
    tools.close();
    expect(log).toEqual([
      'start exec:shop',
      'exec:shop find {}',
      'exec:shop cancel {"id":1}',
      'start exec:other',
      'exec:other other {"id":1}',
      'close exec:shop',
      'close exec:other',
    ]);
    const hint = `take a snapshot that has the tool; the servers have only find, cancel, other, ${longName}`;
    expect(await real.answer(call('none'), signal)).toEqual({ kind: 'unknown', hint });
    expect(await real.answer(call('find'), signal)).toEqual(result('', { latencyMs: 7 }));
    real.close();
    expect(log.at(-1)).toBe('close exec:shop');
  });

  test('name at most twenty tools in a message', async () => {
    const many = new Map(Array.from({ length: 22 }, (_, index) => [`t${index}`, shop]));
    const names = Array.from({ length: 20 }, (_, index) => `t${index}`).join(', ');
    const real = createRealServers(many, () => ({ call: () => Promise.reject(new Error()), close: () => undefined }));
    expect(await real.answer(call('none'), signal)).toEqual({
      kind: 'unknown',
      hint: `take a snapshot that has the tool; the servers have only ${names}`,
    });
  });
});

describe('what is recorded of a call', () => {
  const mask = (text: string) => text.replaceAll('s3cret', '***');
  const token = `ghp_${'a1B2'.repeat(9)}`;

  test('are its arguments, where a stub can hold them', () => {
    expect(readWhen(call('find', ' '), mask)).toEqual({ when: {} });
    expect(readWhen(call('find', '{"a":[1.50]}'), mask)).toEqual({ when: { a: [1.5] } });
    for (const raw of ['[1]', '{', '"a"'])
      expect(readWhen(call('find', raw), mask)).toEqual({ reason: 'its arguments are no JSON object' });
    expect(readWhen(call('find', '{"a":12345678901234567890}'), mask)).toHaveProperty(
      'reason',
      expect.stringContaining('too long'),
    );
    for (const text of ['s3cret', token]) {
      expect(readWhen(call('find', JSON.stringify({ text })), mask)).toEqual({ reason: 'its arguments hold a secret' });
    }
    expect(stubKey('find', { b: 1, a: 2 })).toBe(stubKey('find', { a: 2, b: 1 }));
    expect(stubKey('find', { a: 1 })).not.toBe(stubKey('other', { a: 1 }));
  });

  test('is its result without secrets, and without personal data that the call does not hold', () => {
    const random = 'zX9kQ2vR7mT4wL1pB8nC6dF3gH5jK0sY';
    const content = `s3cret ${token} ann@example.com Bob@Example.com +49 30 1234567 ${random}`;
    const asked = call('find', '{"mail":"bob@example.com"}');
    expect(maskResult({ content, isError: true }, asked, mask)).toEqual({
      content: `*** *** *** Bob@Example.com +49 30 1234567 ${random}`,
      isError: true,
    });
  });
});

test('a call is described by the start of its name and arguments', () => {
  expect(describeStubCall(call('find', '{"id":1}'))).toBe('"find" with "{\\"id\\":1}"');
  expect(describeStubCall(call(longName, '9'.repeat(110)))).toBe(
    `"${'n'.repeat(60)}"… (70 characters) with "${'9'.repeat(100)}"… (110 characters)`,
  );
});

describe('the tools of a cell', () => {
  const stub = (name: string, answer: StubAnswer, when?: ArgumentMatch): ToolStub => ({
    name,
    answer,
    ...(when === undefined ? {} : { when }),
  });
  const returns = (content: string): StubAnswer => ({ kind: 'returns', content });
  const never: StubAnswer = { kind: 'never' };

  function openSession(stubs: readonly ToolStub[], more: object = {}, ports: object = {}) {
    const log: string[] = [];
    const tools = (name: string, known: string): RealTools => ({
      answer: (asked) => {
        log.push(`${name} ${asked.name}`);
        return Promise.resolve(
          asked.name === known ? (result(`of ${name}`) as never) : { kind: 'unknown', hint: `add it to ${name}` },
        );
      },
      close: () => void log.push(`close ${name}`),
    });
    const session = openToolSession(
      { stubs, maxSteps: 3, ...more },
      {
        deadline: (run) => run(),
        startModule: () => {
          log.push('start module');
          return { ...tools('module', 'a'), state: () => Promise.resolve({ state: { n: 1 } }) };
        },
        startServer: ({ source }) => ({
          call: (name) => {
            log.push(`${source} ${name}`);
            return Promise.resolve({ latencyMs: 1, result: { content: [] } });
          },
          close: () => void log.push(`close ${source}`),
        }),
        recording: {
          startReal: ({ kind }: RecordSource) => {
            log.push(`start ${kind}`);
            return tools('real', 'c');
          },
          record: (_, __, ask) => ask(),
        },
        ...ports,
      },
    );
    return { session, log };
  }

  test('are its first stubs that match', async () => {
    const { session } = openSession([
      stub('find', returns('one'), { args: { id: 1 }, compare: 'subset' }),
      stub('find', { kind: 'fails', message: 'no' }, { compare: 'subset', schema: { required: ['id'] } }),
      stub('find', never, { args: {}, compare: 'exact' }),
      stub('odd', returns('x'), { compare: 'subset', schema: { required: 5 } }),
      stub('dump', returns('x'.repeat(262_145))),
      stub('fits', returns('x'.repeat(262_144))),
      stub('drop', never),
    ]);
    expect(await session.answer(call('find', '{"id":1,"b":2}'), signal)).toEqual(result('one'));
    expect(await session.answer(call('find', '{"id":2}'), signal)).toEqual(result('no', { isError: true }));
    expect(await session.answer(call('find', '{'), signal)).toEqual(notJson('{'));
    const reason = 'calls find({}), which it must never call';
    expect(await session.answer(call('find', '{}'), signal)).toEqual({ kind: 'fails', reason });
    expect(await session.answer(call('drop', '{'), signal)).toEqual({
      kind: 'fails',
      reason: 'calls drop({), which it must never call',
    });
    expect(await session.answer(call('odd'), signal)).toEqual({
      kind: 'errored',
      message: expect.stringContaining('a stub of "odd": '),
    });
    expect(await session.answer(call('dump'), signal)).toEqual({
      kind: 'fails',
      reason: expect.stringContaining('262,145 bytes'),
    });
    expect(await session.answer(call('fits'), signal)).toMatchObject({ kind: 'result' });
    expect(await session.answer(call('find', '{"x":1}'), signal)).toEqual({
      kind: 'fails',
      reason:
        'no stub of "find" matches its call; to answer it, add under tools: find: [ { when: { x: 1 }, returns: … } ]',
    });
    expect(await session.answer(call('fnd', '{'), signal)).toEqual({
      kind: 'fails',
      reason: 'no stub answers "fnd", did you mean "find"?; to answer it, add under tools: fnd: [ { returns: … } ]',
    });
    expect(
      [call('find', '{}'), call('find'), call('find', '{"x":1}'), call('fits'), call('odd'), call('drop')].map(
        (made) => session.judge(made)?.kind,
      ),
    ).toEqual(['fails', undefined, undefined, undefined, undefined, 'fails']);
    expect(await session.state(signal)).toEqual({ state: undefined });
    session.close();
  });

  test('are then its module, its servers, and what is recorded, each started once by the first call for it', async () => {
    const code = { file: '/p/m.mjs' };
    const target = { file: '/p/s.yaml', shown: 's.yaml', source: { kind: 'exec', argv: [], code } };
    const ofServer = { source: 'exec:b', folder: '/p' };
    const servers = new Map([
      ['a', ofServer],
      ['b', ofServer],
    ]);
    const { session, log } = openSession([stub('s', returns('stub'))], { module: code, servers, record: target });
    for (const name of ['s', 'a', 'b', 'c', 'c']) await session.answer(call(name), signal);
    expect(log).toEqual([
      'start module',
      'module a',
      'module b',
      'exec:b b',
      'module c',
      'start exec',
      'real c',
      'module c',
      'real c',
    ]);
    expect(await session.answer(call('d'), signal)).toEqual({
      kind: 'fails',
      reason: expect.stringMatching(/^no stub answers "d".*, or add it to real$/),
    });
    expect(await session.state(signal)).toEqual({ state: { n: 1 } });
    log.length = 0;
    session.close();
    expect(log).toEqual(['close module', 'close exec:b', 'close real']);
    const plain = openSession([], { module: code });
    expect(await plain.session.answer(call('d'), signal)).toEqual({
      kind: 'fails',
      reason: expect.stringMatching(/, or add it to module$/),
    });
    expect(await openSession([]).session.answer(call('d', ''), signal)).toEqual({
      kind: 'fails',
      reason: expect.stringMatching(/d: \[ \{ returns: … \} \]$/),
    });
  });

  test.each<[raw: string, added: string]>([
    ['{}', '[ { returns: … } ]'],
    ['[]', '[ { returns: … } ]'],
    ['null', '[ { returns: … } ]'],
    ['"text"', '[ { returns: … } ]'],
    ['{', '[ { returns: … } ]'],
    ['{"a":{"b":[1.50]}}', '[ { when: { a: { b: [ 1.5 ] } }, returns: … } ]'],
    [`{"a":"${'x'.repeat(492)}"}`, `[ { when: { a: ${'x'.repeat(492)} }, returns: … } ]`],
    [`{"a":"${'x'.repeat(493)}"}`, '[ { returns: … } ]'],
  ])('without a stub for the arguments %s get a message what to add', async (raw, added) => {
    const { session } = openSession([stub('find', never, { args: { id: 9 }, compare: 'exact' })]);
    const start = 'to answer it, add under tools:';
    expect(await session.answer(call('find', raw), signal)).toEqual({
      kind: 'fails',
      reason: `no stub of "find" matches its call; ${start} find: ${added}`,
    });
    const [shown, key] = [`"${'n'.repeat(60)}"… (70 characters)`, `${'n'.repeat(60)}…`];
    expect(await session.answer(call(longName, raw), signal)).toEqual({
      kind: 'fails',
      reason: `no stub answers ${shown}; ${start} ${key}: ${added}`,
    });
  });

  test('cut a long name and long arguments', async () => {
    const raw = `{"a":"${'x'.repeat(300)}"}`;
    const { session } = openSession([
      stub(
        longName,
        { kind: 'returns', content: 'x' },
        { compare: 'subset', args: { id: 9 }, schema: { required: 5 } },
      ),
      stub(longName, never, { compare: 'subset', args: { a: 'x'.repeat(300) } }),
      stub(longName, returns('x'), { compare: 'subset', schema: { required: 5 } }),
    ]);
    expect(await session.answer(call(longName, raw), signal)).toEqual({
      kind: 'fails',
      reason: `calls ${'n'.repeat(60)}…(${raw.slice(0, 200)}…), which it must never call`,
    });
    expect(await session.answer(call(longName, '{"id":1}'), signal)).toEqual({
      kind: 'errored',
      message: expect.stringContaining(`a stub of "${'n'.repeat(60)}"… (70 characters): `),
    });
    const { session: other } = openSession([stub(longName, never, { args: { id: 9 }, compare: 'exact' })]);
    expect(await other.answer(call(longName, '{}'), signal)).toEqual({
      kind: 'fails',
      reason: `no stub of "${'n'.repeat(60)}"… (70 characters) matches its call; to answer it, add under tools: ${'n'.repeat(60)}…: [ { returns: … } ]`,
    });
  });

  test('bound the time of a schema with a regular expression alone', async () => {
    let bounded = 0;
    const deadline = <T>(run: () => T): T => {
      bounded += 1;
      return run();
    };
    const cheap: ArgumentMatch = { compare: 'subset', schema: { required: ['id'] } };
    const pattern: ArgumentMatch = {
      compare: 'subset',
      schema: { properties: { id: { type: 'string', pattern: '(a+)+b' } } },
    };
    const { session } = openSession(
      [stub('a', returns('x'), cheap), stub('b', returns('x'), pattern)],
      {},
      { deadline },
    );
    await session.answer(call('a'), signal);
    expect(bounded).toBe(0);
    await session.answer(call('b', '{"id":"ab"}'), signal);
    expect(bounded).toBe(1);
    const unreadable: ArgumentMatch = { compare: 'subset', schema: { $ref: '#/none' } };
    const { session: broken } = openSession([stub('b', returns('x'), unreadable), stub('b', never), stub('c', never)]);
    const raw = '{"id":"ab"}';
    expect(broken.judge(call('b', raw))?.kind).toBe('errored');
    expect(broken.judge(call('c', raw))?.kind).toBe('fails');
  });

  test('fail a result of a server that is too long, and have no verdict where it is gone', async () => {
    const servers = new Map([['b', { source: 'exec:b', folder: '/p' }]]);
    const reply = (said: object) => ({
      startServer: () => ({
        call: () => Promise.resolve({ latencyMs: 1, ...said } as ServerReply),
        close: () => undefined,
      }),
    });
    const content = [{ type: 'text', text: 'x'.repeat(262_145) }];
    expect(
      await openSession([], { servers }, reply({ result: { content } })).session.answer(call('b'), signal),
    ).toEqual({
      kind: 'fails',
      reason: 'the result of "b" has 262,145 bytes, and 262,144 are the most',
    });
    expect(
      await openSession([], { servers }, reply({ fault: 'it is gone' })).session.answer(call('b'), signal),
    ).toEqual({
      kind: 'errored',
      message: 'tools: it is gone, called for "b"',
    });
  });

  test('that could be recorded say so where nothing is recorded', async () => {
    const record = { file: '/p/s.yaml', shown: 's.yaml', source: { kind: 'exec', argv: [] } };
    const { session, log } = openSession([], { record }, { recording: undefined });
    expect(await session.answer(call('d', '{}'), signal)).toEqual({
      kind: 'fails',
      reason:
        'no stub answers "d"; to answer it, add under tools: d: [ { returns: … } ], or record it: llmcheck run --record-tools',
    });
    session.close();
    expect(log).toEqual([]);
  });
});

test('whatever answers a call is stopped with its cell', async () => {
  const own = new AbortController().signal;
  const seen: (AbortSignal | undefined)[] = [];
  const note = (given: AbortSignal | undefined) => void seen.push(given);
  const module = createModuleTools({ file: '/p/m.mjs', folder: '/p', exportName: 'tools' } as never, {
    run(job) {
      note(job.signal);
      return Promise.resolve({ outcome: { returned: { unknown: [] } } });
    },
    close: () => undefined,
  });
  const shop: McpServer = { source: 'exec:shop', folder: '/p' };
  const startServer = () => ({
    call(_name: string, _args: unknown, given: AbortSignal) {
      note(given);
      return Promise.resolve({ latencyMs: 1, result: { content: [] } });
    },
    close: () => undefined,
  });
  const target = { file: '/p/s.yaml', shown: 's.yaml', source: { kind: 'exec', argv: [], code: {} } };
  const session = openToolSession(
    {
      stubs: [],
      maxSteps: 3,
      module: { file: '/p/m.mjs' },
      servers: new Map([['find', shop]]),
      record: target,
    } as never,
    {
      deadline: (run: () => unknown) => run(),
      startModule: () => module,
      startServer,
      recording: {
        startReal: () => ({
          answer(_call: ToolCall, given: AbortSignal) {
            note(given);
            return Promise.resolve({ kind: 'result', result: { content: '' } });
          },
          close: () => undefined,
        }),
        record: (_target: unknown, _call: unknown, ask: () => unknown) => ask(),
      },
    } as never,
  );
  await session.answer(call('find'), own);
  await session.answer(call('other'), own);
  await session.state(own);
  expect(seen).toHaveLength(5);
  expect(seen.every((given) => given === own)).toBe(true);
});
