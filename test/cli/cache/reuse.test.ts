import { expect, test } from 'vitest';
import { startChatServer, startEchoServer, wordOf } from '../../support/chat-server.ts';
import {
  openTempProject,
  plannedTrialsOf,
  type TempProject,
  trialsOf,
  withoutTimes,
} from '../../support/temp-project.ts';

test('a second run sends nothing and reports the same verdicts, costs and latencies, with nothing spent', async () => {
  const project = openTempProject('echo');
  const server = await startChatServer(({ text }) => (text.includes('seven') ? 'eight' : wordOf(text)));
  const first = await project.report(['run'], { env: server.env });
  const second = await project.report(['run'], { env: server.env });
  expect([first.code, second.code]).toEqual([1, 1]);
  // Three cases, and six fresh trials of the one that fails.
  expect(server.requests).toHaveLength(9);
  const withoutSpend = (report: typeof first.report): unknown =>
    JSON.parse(JSON.stringify(withoutTimes(report)), (key, value) => (key === 'spentApartUsd' ? undefined : value));
  expect(withoutSpend(second.report)).toEqual(withoutSpend(first.report));
  const latencies = (report: typeof first.report) => trialsOf(report).map(({ latencyMs }) => latencyMs);
  expect(latencies(second.report)).toEqual(latencies(first.report));
  expect(first.report.totals.costUsd).toBeGreaterThan(0);
  expect(first.report.totals.spentUsd).toBeCloseTo((9 / 3) * (first.report.totals.costUsd ?? Number.NaN), 12);
  expect(second.report.totals).toMatchObject({ costUsd: first.report.totals.costUsd, spentUsd: 0, cached: 3 });
});

test('another key, timeout or limit still hits', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  const suite = project.read('evals/echo.eval.yaml');
  const limits = 'limits: { concurrency: 2, timeout: 9s, retries: 1 }\n    params:';
  project.write('evals/echo.eval.yaml', suite.replace('params:', limits));
  const env = { ...server.env, OPENAI_API_KEY: 'sk-another-key-0123456789' };
  const { code } = await project.run(['run', '--timeout', '5s', '-j', '1'], { env });
  expect([code, server.requests.length]).toEqual([0, 3]);
});

const changes: Readonly<Record<string, (project: TempProject) => void>> = {
  temperature: edit('max_tokens: 20', 'max_tokens: 20, temperature: 0.5'),
  seed: edit('max_tokens: 20', 'max_tokens: 20, seed: 7'),
  model: edit('openai:gpt-4o-mini', 'openai:gpt-4o'),
  'system prompt': edit(
    'text: "Say: {{ word }}"',
    'messages: [{ role: system, content: Be brief. }, { role: user, content: "Say: {{ word }}" }]',
  ),
  tool: edit(
    'max_tokens: 20',
    'max_tokens: 20, tools: [{ type: function, function: { name: look, parameters: { type: object } } }]',
  ),
  'response format': edit('max_tokens: 20', 'max_tokens: 20, response_format: { type: text }'),
};

test.each(Object.entries(changes))('another %s misses', async (_what, change) => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  change(project);
  const { report } = await project.report(['run'], { env: server.env });
  expect(server.requests).toHaveLength(6);
  expect(report.totals.cached).toBe(0);
});

test('another base URL misses', async () => {
  const project = openTempProject('echo');
  const [one, two] = [await startEchoServer(), await startEchoServer()];
  await project.run(['run'], { env: one.env });
  await project.run(['run'], { env: two.env });
  expect([one.requests.length, two.requests.length]).toEqual([3, 3]);
});

test('every trial is its own sample: more trials send only what is new', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run', '--trials', '2'], { env: server.env });
  expect(server.requests).toHaveLength(6);
  const { report } = await project.report(['run', '--trials', '3'], { env: server.env });
  expect(server.requests).toHaveLength(9);
  expect(report.totals).toMatchObject({ planned: 9, cached: 6 });
});

test('--cache refresh asks again and stores, off asks again and stores nothing', { tags: ['slow'] }, async () => {
  const project = openTempProject('echo');
  let version = 0;
  const server = await startChatServer(() => `answer ${version}`);
  const outputs = async (mode: string) => {
    version += 1;
    const { report } = await project.report(['run', '-t', 'red', '--cache', mode], { env: server.env });
    return plannedTrialsOf(report).map(({ output }) => output);
  };
  expect(await outputs('use')).toEqual(['answer 1']);
  expect(await outputs('refresh')).toEqual(['answer 2']);
  expect(await outputs('off')).toEqual(['answer 3']);
  expect(await outputs('use')).toEqual(['answer 2']);
  // The answer is wrong, so each run but the last asks for it six times more.
  expect(server.requests).toHaveLength(3 * 7);
});

test('--cache replay passes on hits with the server gone, and a miss is errored and names its key', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run', '-t', 'red'], { env: server.env });
  await server.close();
  const hit = await project.report(['run', '-t', 'red', '--cache', 'replay'], { env: server.env });
  const both = await project.report(['run', '--cache', 'replay'], { env: server.env });
  expect([hit.code, both.code]).toEqual([0, 3]);
  expect(both.report.totals).toMatchObject({ passed: 1, errored: 2 });
  const miss = trialsOf(both.report).find(({ status }) => status === 'errored');
  expect(miss?.error).toMatchObject({ kind: 'cacheMiss' });
  expect(miss?.error?.message).toMatch(/[0-9a-f]{64}/);
});

test('replay needs no key', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  const { code } = await project.run(['run', '--cache', 'replay'], { env: { OPENAI_BASE_URL: `${server.url}/v1` } });
  expect(code).toBe(0);
});

test('identical requests in flight are sent once', async () => {
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml');
  const twin = suite.replace('prompts:', 'prompts:\n  - id: twin\n    text: "Say: {{ word }}"');
  project.write('evals/echo.eval.yaml', twin);
  const server = await startEchoServer();
  const { report } = await project.report(['run'], { env: server.env });
  expect(report.totals).toMatchObject({ planned: 6, passed: 6 });
  expect(server.requests).toHaveLength(3);
});

test('entries that were damaged are fetched again, with a warning', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  for (const name of project.files('.llmcheck/answers')) {
    project.write(name, project.read(name).replaceAll(/"(red|green)"/g, '"bl\u0000e"'));
  }
  const again = await project.report(['run'], { env: server.env });
  expect(again.code).toBe(0);
  expect(server.requests).toHaveLength(5);
  expect(again.stderr).toMatch(/A stored answer in .*checksum does not match/);
  const healed = await project.report(['run'], { env: server.env });
  expect([healed.report.totals.cached, server.requests.length]).toEqual([3, 5]);
});

test('runs that share a folder at the same time lose no answer', { tags: ['slow'] }, async () => {
  const project = openTempProject('two-providers');
  const server = await startEchoServer();
  const results = await Promise.all(Array.from({ length: 4 }, () => project.report(['run'], { env: server.env })));
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  expect(new Set(results.map(({ report }) => report.run.id)).size).toBe(4);
  const asked = server.requests.length;
  const after = await project.report(['run'], { env: server.env });
  expect([after.report.totals.cached, server.requests.length]).toEqual([80, asked]);
  const verified = await project.run(['cache', 'verify']);
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+ entries checked, 0 damaged\n$/) });
  await project.run(['cache', 'prune', '--older-than', '720h']);
  expect((await project.run(['cache', 'verify'])).stdout).toBe('80 entries checked, 0 damaged\n');
});

function edit(from: string, to: string): (project: TempProject) => void {
  return (project) => {
    const suite = project.read('evals/echo.eval.yaml');
    if (!suite.includes(from)) throw new Error(`the fixture has no ${from}`);
    project.write('evals/echo.eval.yaml', suite.replace(from, to));
  };
}
