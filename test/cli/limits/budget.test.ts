import { expect, test } from 'vitest';
import { completionOf, startChatServer, startEchoServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject, type TempProject, trialsOf } from '../../support/temp-project.ts';

/** A dollar for a thousand tokens either way: an answer costs 0.015, its bound is about 0.04. */
function openPriced(maxTokens: number | null = 20): TempProject {
  const project = openTempProject('two-providers');
  const params = maxTokens === null ? '' : `\n    params: { max_tokens: ${maxTokens} }`;
  const suite = project
    .read('evals/pair.eval.yaml')
    .replaceAll(/(use: openai:gpt-4o(?:-mini)?)/g, `$1\n    price: { input: 1000, output: 1000 }${params}`);
  project.write('evals/pair.eval.yaml', suite);
  return project;
}

test('--max-cost is not exceeded, the rest is skipped, and the run is incomplete', async () => {
  const project = openPriced();
  const server = await startEchoServer();
  const { code, report } = await project.report(['run', '--max-cost', '0.3', '-j', '4'], { env: server.env });
  expect(code).toBe(4);
  const { spentUsd, passed, skipped, errored, planned } = report.totals;
  expect(spentUsd).toBeCloseTo(server.requests.length * 0.015, 9);
  expect(spentUsd).toBeLessThanOrEqual(0.3);
  // What is left is less than another bound.
  expect(spentUsd).toBeGreaterThan(0.3 - 0.05);
  expect([passed, skipped, errored, planned]).toEqual([server.requests.length, 80 - server.requests.length, 0, 80]);
  expect(report.run).toMatchObject({ complete: false, stopReason: 'budget' });
  const reasons = new Set(trialsOf(report).flatMap(({ skip }) => skip?.reason ?? []));
  expect(reasons).toEqual(new Set(['budget']));
});

test('a server that answers more than it was asked for exceeds the cap by no more than the calls that were admitted', async () => {
  const project = openPriced();
  const usage = { prompt_tokens: 10, completion_tokens: 200, total_tokens: 210 };
  const server = await startChatServer(({ text }) => ({ body: { ...completionOf(wordOf(text)), usage } }));
  const { code, report } = await project.report(['run', '--max-cost', '0.3', '-j', '4'], { env: server.env });
  expect(code).toBe(4);
  // Seven bounds fit at first; as soon as the first bill has come, nothing more does.
  expect(server.requests.length).toBeLessThanOrEqual(8);
  expect(report.totals.skipped).toBe(80 - server.requests.length);
});

test('answers that are billed and of no use are spent, and used up by what their usage says', async () => {
  const project = openPriced();
  const usage = { prompt_tokens: 10, completion_tokens: 100 };
  const server = await startChatServer(() => ({ body: { choices: [], usage } }));
  const { report } = await project.report(['run', '--max-cost', '0.3', '-j', '1'], { env: server.env });
  const sent = server.requests.length;
  // Two providers may each have one under way when the rest no longer fits.
  expect(sent).toBeLessThanOrEqual(4);
  expect(report.totals).toMatchObject({ errored: sent, skipped: 80 - sent });
  expect(report.totals.spentUsd).toBeCloseTo(sent * 0.11, 9);
  const first = trialsOf(report).find(({ status }) => status === 'errored');
  expect(first).toMatchObject({ error: { kind: 'malformed' }, costUsd: expect.closeTo(0.11, 9) });
});

test('what an answer of no use cost that tells no usage is not known', { tags: ['slow'] }, async () => {
  const project = openPriced();
  const server = await startChatServer(({ text }) => ({
    body: wordOf(text) === 'w1' ? { choices: [] } : completionOf(wordOf(text)),
  }));
  const { report } = await project.report(['run', '--max-errors', '5'], { env: server.env });
  expect(report.totals.errored).toBeGreaterThan(0);
  expect(report.totals).toMatchObject({ spentUsd: null, costUsd: null });
});

test('a budget that is used up is resumed with another, and only the rest is sent', { tags: ['slow'] }, async () => {
  const project = openPriced();
  const server = await startEchoServer();
  await project.run(['run', '--max-cost', '0.3'], { env: server.env });
  const sent = server.requests.length;
  const { code, report } = await project.report(['run', '--resume', '--max-cost', '5'], { env: server.env });
  expect(code).toBe(0);
  expect(report.totals).toMatchObject({ planned: 80, passed: 80 });
  expect(server.requests).toHaveLength(80);
  expect(sent).toBeLessThan(80);
});

test('answers from the cache are free: a run that was paid for passes under a budget of nothing', {
  tags: ['slow'],
}, async () => {
  const project = openPriced();
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  const { code, report } = await project.report(['run', '--max-cost', '0'], { env: server.env });
  expect([code, report.totals.passed, report.totals.spentUsd, server.requests.length]).toEqual([0, 80, 0, 80]);
});

test('without a limit on output tokens an estimate is reserved, which is said once', { tags: 'slow' }, async () => {
  const project = openPriced(null);
  const server = await startEchoServer();
  const { stderr, report } = await project.report(['run', '--max-cost', '10', '-j', '1'], { env: server.env });
  expect(stderr.match(/set no limit on output tokens/g)?.length).toBe(2);
  expect(report.totals.spentUsd).toBeLessThanOrEqual(10);
});

test('a budget on a model without a price is a usage error before any call', async () => {
  const project = openTempProject('echo');
  project.write('evals/echo.eval.yaml', project.read('evals/echo.eval.yaml').replace('gpt-4o-mini', 'my-own-model'));
  const server = await startEchoServer();
  const { code, stderr } = await project.run(['run', '--max-cost', '1'], { env: server.env });
  expect(code).toBe(2);
  expect(stderr).toContain('missing-price');
  expect(server.requests).toHaveLength(0);
});

test('an unknown price is null and never 0', async () => {
  const project = openTempProject('echo');
  project.write('evals/echo.eval.yaml', project.read('evals/echo.eval.yaml').replace('gpt-4o-mini', 'my-own-model'));
  const server = await startEchoServer();
  const { code, report, stdout } = await project.report(['run'], { env: server.env });
  expect(code).toBe(0);
  expect(report.totals).toMatchObject({ costUsd: null, spentUsd: null });
  expect(stdout).not.toContain('"costUsd":0');
});

test.each(['max: 0.1', 'maxIncrease: 10%'])(
  'a cost gate (%s) on a model without a price is a usage error before any call',
  async (limit) => {
    const project = openTempProject('echo');
    const suite = project.read('evals/echo.eval.yaml').replace('gpt-4o-mini', 'my-own-model');
    project.write('evals/echo.eval.yaml', `gate: { cost: { ${limit} } }\n${suite}`);
    const server = await startEchoServer();
    const { code, stderr } = await project.run(['run'], { env: server.env });
    expect([code, stderr]).toEqual([2, expect.stringContaining("the cost gate of suite echo can't be held")]);
    expect(server.requests).toHaveLength(0);
  },
);
