import { describe, expect, test } from 'vitest';
import { completionOf, startChatServer, startEchoServer, wordOf } from '../../support/chat-server.ts';
import type { ScriptedReply } from '../../support/http-server.ts';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';

const refusals: Readonly<Record<string, ScriptedReply>> = {
  401: { status: 401, body: { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } } },
  404: { status: 404, body: { error: { message: 'The model does not exist', code: 'model_not_found' } } },
};

describe.each(Object.entries(refusals))('a provider that answers %s', (status, refusal) => {
  test('is asked no more than the calls in flight, and the other provider finishes', async () => {
    const project = openTempProject('two-providers');
    let refused = 0;
    const server = await startChatServer(({ model, text }) => {
      if (model === 'gpt-4o-mini') return wordOf(text);
      refused += 1;
      return refusal;
    });
    const { code, report } = await project.report(['run', '-j', '4'], { env: server.env });
    expect(code).toBe(3);
    expect(report.suites[0]?.variants.map(({ provider, passed, errored }) => [provider, passed, errored])).toEqual([
      ['alive', 40, 0],
      ['dead', 0, 40],
    ]);
    expect(refused).toBeLessThanOrEqual(4);
    const errors = trialsOf(report).flatMap(({ error }) => error ?? []);
    expect(new Set(errors.map((error) => error.status))).toEqual(new Set([Number(status)]));
    expect(report.decision).toMatchObject({ outcome: 'incomplete' });
    expect(report.decision.breaches.map((breach) => breach.code)).toContain('errors-exceeded');
  });

  test('leaves nothing to judge where it is the only one', async () => {
    const project = openTempProject('echo');
    const server = await startChatServer(() => refusal);
    const { code, report } = await project.report(['run'], { env: server.env });
    expect(code).toBe(3);
    expect(report.totals).toMatchObject({ planned: 3, errored: 3, passed: 0 });
  });
});

test('a missing key errors the cells and names the variable, without a request', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  const { code, report } = await project.report(['run'], { env: { OPENAI_BASE_URL: `${server.url}/v1` } });
  expect(code).toBe(3);
  expect(server.requests).toHaveLength(0);
  expect(trialsOf(report)[0]?.error?.message).toContain('OPENAI_API_KEY');
});

test('a rate limit is waited out as the server asks, and the waits are not latency', { tags: ['slow'] }, async () => {
  const project = openTempProject('echo');
  const arrivedMs: number[] = [];
  const server = await startChatServer(({ index, text }) => {
    arrivedMs.push(performance.now());
    return index < 2
      ? { status: 429, headers: { 'retry-after-ms': '400' }, body: { error: { message: 'slow down' } } }
      : wordOf(text);
  });
  const { code, report } = await project.report(['run', '-t', 'red'], { env: server.env });
  const endedMs = performance.now();
  const [trial] = trialsOf(report);
  expect([code, server.requests.length]).toEqual([0, 3]);
  const [first = 0, second = 0, third = 0] = arrivedMs;
  expect(third - first).toBeGreaterThan(790);
  // The last request was sent no sooner than this, however long a busy machine took for it.
  expect(trial?.latencyMs).toBeLessThan(endedMs - second - 390);
});

test('retry-after in seconds is honoured', { tags: 'slow' }, async () => {
  const project = openTempProject('echo');
  const arrivedMs: number[] = [];
  const server = await startChatServer(({ index, text }) => {
    arrivedMs.push(performance.now());
    return index === 0 ? { status: 429, headers: { 'retry-after': '1' }, body: {} } : wordOf(text);
  });
  const { code } = await project.run(['run', '-t', 'red'], { env: server.env });
  expect(code).toBe(0);
  expect((arrivedMs[1] ?? 0) - (arrivedMs[0] ?? 0)).toBeGreaterThan(990);
});

test.each([500, 503, 529, 408, 409, 425])('an answer after one %i passes', async (status) => {
  const project = openTempProject('echo');
  const server = await startChatServer(({ index, text }) =>
    index === 0 ? { status, headers: { 'retry-after-ms': '1' }, body: { error: { message: 'oops' } } } : wordOf(text),
  );
  const { code, report } = await project.report(['run', '-t', 'red'], { env: server.env });
  expect(code).toBe(0);
  expect(server.requests).toHaveLength(2);
  expect(report.totals).toMatchObject({ passed: 1, errored: 0 });
});

test.each([400, 403])('%i is not asked again', async (status) => {
  const project = openTempProject('echo');
  const server = await startChatServer(() => ({ status, body: { error: { message: 'no' } } }));
  const { code } = await project.run(['run', '-t', 'red'], { env: server.env });
  expect(code).toBe(3);
  expect(server.requests).toHaveLength(1);
});

test('a connection that breaks off is tried again', { tags: 'slow' }, async () => {
  const project = openTempProject('echo');
  const server = await startChatServer(({ index, text }) => (index === 0 ? 'reset' : wordOf(text)));
  const { code, report } = await project.report(['run', '-t', 'red'], { env: server.env });
  expect([code, server.requests.length, report.totals.passed]).toEqual([0, 2, 1]);
});

test('a server that never answers ends after --timeout, and the other cells are not held up', {
  tags: 'slow',
}, async () => {
  const project = openTempProject('echo');
  const server = await startChatServer(({ text }) => (text.includes('green') ? 'hang' : wordOf(text)));
  const { code, report } = await project.report(['run', '--timeout', '2s'], { env: server.env });
  expect(code).toBe(3);
  expect(report.totals).toMatchObject({ passed: 2, errored: 1 });
  expect(trialsOf(report).find(({ caseId }) => caseId === 'green')?.error).toMatchObject({ kind: 'timeout' });
});

test('limits.timeout of a provider wins over --timeout', { tags: 'slow' }, async () => {
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml');
  project.write('evals/echo.eval.yaml', suite.replace('params:', 'limits: { timeout: 200ms }\n    params:'));
  const server = await startChatServer(() => 'hang');
  const { code, report } = await project.report(['run', '-t', 'red', '--timeout', '60s'], { env: server.env });
  expect(code).toBe(3);
  expect(trialsOf(report)[0]?.error?.kind).toBe('timeout');
});

const noAnswers: Readonly<Record<string, ScriptedReply>> = {
  'a body that is not JSON': { body: '<html>Bad gateway</html>', headers: { 'content-type': 'text/html' } },
  'broken JSON': { body: '{"choices": ]}', headers: { 'content-type': 'application/json' } },
  'an empty body': { body: '', headers: { 'content-type': 'application/json' } },
  null: { body: 'null', headers: { 'content-type': 'application/json' } },
  'a list': { body: '[]', headers: { 'content-type': 'application/json' } },
  'no choices': { body: { id: 'x', object: 'chat.completion' } },
  'empty choices': { body: { ...completionOf('x'), choices: [] } },
  'a choice without a message': { body: { ...completionOf('x'), choices: [{ index: 0, finish_reason: 'stop' }] } },
  'an error object under 200': { body: { error: { message: 'I can not do that', type: 'invalid_request_error' } } },
};

test.each(Object.entries(noAnswers))('%s is errored and not cached', async (_name, reply) => {
  const project = openTempProject('echo');
  const server = await startChatServer(({ index, text }) => (index === 0 ? reply : wordOf(text)));
  const argv = ['run', '-t', 'red', '--timeout', '5s'];
  const first = await project.report(argv, { env: server.env });
  const second = await project.report(argv, { env: server.env });
  expect(trialsOf(first.report)[0]).toMatchObject({ status: 'errored', cached: false, output: null });
  expect([first.code, second.code, server.requests.length]).toEqual([3, 0, 2]);
});

test('an answer that the filter refused fails the cell, and is not cached', async () => {
  const project = openTempProject('echo');
  const filtered = {
    ...completionOf(''),
    choices: [{ index: 0, finish_reason: 'content_filter', message: { role: 'assistant', content: '' } }],
  };
  let isFiltered = true;
  const server = await startChatServer(({ text }) => (isFiltered ? { body: filtered } : wordOf(text)));
  const first = await project.report(['run', '-t', 'red'], { env: server.env });
  isFiltered = false;
  const second = await project.report(['run', '-t', 'red'], { env: server.env });
  expect(first.report.totals).toMatchObject({ failed: 1, errored: 0 });
  // Asked seven times, six of them to confirm it, and then again.
  expect([first.code, second.code, server.requests.length]).toEqual([1, 0, 8]);
});

test('a prompt that is too long for the model fails the cell', async () => {
  const project = openTempProject('echo');
  const body = { error: { message: 'maximum context length is 128 tokens', code: 'context_length_exceeded' } };
  const server = await startChatServer(() => ({ status: 400, body }));
  const { code, report } = await project.report(['run', '-t', 'red'], { env: server.env });
  expect(code).toBe(1);
  expect(report.totals).toMatchObject({ failed: 1, errored: 0 });
});

test('an empty answer is judged and not stored', async () => {
  const project = openTempProject('echo');
  let isEmpty = true;
  const server = await startChatServer(({ text }) => (isEmpty ? '' : wordOf(text)));
  const first = await project.report(['run', '-t', 'red'], { env: server.env });
  isEmpty = false;
  const second = await project.report(['run', '-t', 'red'], { env: server.env });
  // Asked seven times, six of them to confirm it, and then again.
  expect([first.code, second.code, server.requests.length]).toEqual([1, 0, 8]);
});

test('--max-errors tolerates a share of the planned cells, which leave the pass rate', { tags: 'slow' }, async () => {
  const project = openTempProject('two-providers');
  const server = await startChatServer(({ text, model }) =>
    text.endsWith('w7') && model === 'gpt-4o' ? { status: 400, body: { error: { message: 'no' } } } : wordOf(text),
  );
  const none = await project.report(['run'], { env: server.env });
  const share = await project.report(['run', '--max-errors', '2%'], { env: server.env });
  const count = await project.report(['run', '--max-errors', '1'], { env: server.env });
  expect([none.code, share.code, count.code]).toEqual([3, 0, 0]);
  const dead = count.report.suites[0]?.variants.find(({ provider }) => provider === 'dead');
  expect(dead).toMatchObject({ planned: 40, passed: 39, errored: 1, passRate: { value: 1, n: 39 } });
});
