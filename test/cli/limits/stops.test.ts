import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startChatServer, startEchoServer, wordOf } from '../../support/chat-server.ts';
import { startJudgeServer, verdict } from '../../support/judge-server.ts';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';

const suiteFile = 'evals/echo.eval.yaml';

test('--bail stops after the first failed cell and says what was not judged', async () => {
  const project = openTempProject('two-providers');
  const server = await startChatServer(({ index, text }) => (index === 5 ? 'wrong' : wordOf(text)));
  const { code, report } = await project.report(['run', '--bail', '-j', '1'], { env: server.env });
  expect(report.totals.failed).toBe(1);
  expect(report.totals.skipped).toBeGreaterThan(60);
  expect(report.run).toMatchObject({ complete: false, stopReason: 'bail' });
  expect(server.requests.length).toBeLessThan(20);
  // Nothing was accepted that it could be compared with.
  expect(code).toBe(1);
});

test('--bail decides by the failure alone where no fresh trial may be made either', async () => {
  const project = openTempProject('two-providers');
  project.write('evals/pair.eval.yaml', `${project.read('evals/pair.eval.yaml')}gate: { confirm: { budget: 0 } }\n`);
  const server = await startChatServer(({ index, text }) => (index === 5 ? 'wrong' : wordOf(text)));
  const { code, report } = await project.report(['run', '--bail', '-j', '1'], { env: server.env });
  expect([code, report.run.stopReason, report.totals.failed]).toEqual([1, 'bail', 1]);
});

test.each([1, 4])('--bail leaves what waits for one of %d slots unsent', async (slots) => {
  const project = openTempProject('two-providers');
  const server = await startChatServer(() => 'wrong');
  const { report } = await project.report(['run', '--bail', '2', '-j', `${slots}`], { env: server.env });
  // Those in flight are let finish, and nothing else is asked for.
  expect(server.requests.length).toBeLessThanOrEqual(1 + slots);
  expect(report.totals.failed).toBe(server.requests.length);
  expect(report.totals).toMatchObject({ planned: 80, errored: 0, skipped: 80 - server.requests.length });
});

test('--bail counts no case that is only observed', async () => {
  const project = openTempProject();
  const cases = ['one', 'two', 'three'].map((word) => `  - { id: ${word}, vars: { word: ${word} }, observe: true }\n`);
  project.write(
    'evals/words.eval.yaml',
    `suite: words
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [openai:gpt-4o-mini]
defaults: { assert: [{ equals: "{{ word }}" }] }
cases:
${cases.join('')}  - { id: gated, vars: { word: gated } }
`,
  );
  const server = await startChatServer(({ text }) => (text === 'Say: gated' ? 'gated' : 'wrong'));
  const { code, report } = await project.report(['run', '--bail', '-j', '1'], { env: server.env });
  expect([code, report.run.stopReason, report.totals]).toMatchObject([0, null, { passed: 1, observed: 3 }]);
  expect(server.requests).toHaveLength(4);
});

test('--bail under a gate that the rest could still meet leaves the run incomplete', async () => {
  const project = openTempProject('two-providers');
  project.write('evals/pair.eval.yaml', `${project.read('evals/pair.eval.yaml')}gate: { passRate: { min: 0.5 } }\n`);
  const server = await startChatServer(({ index, text }) => (index < 2 ? 'wrong' : wordOf(text)));
  const { code, report } = await project.report(['run', '--bail', '2', '-j', '1'], { env: server.env });
  expect(code).toBe(4);
  expect(report.totals.failed).toBe(2);
});

test('--bail that is reached with the last cell has cut nothing off, though the suite skips a case itself', async () => {
  const project = openTempProject();
  project.write(
    'evals/words.eval.yaml',
    `suite: words
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [openai:gpt-4o-mini]
defaults: { assert: [{ equals: "{{ word }}" }] }
gate: { confirm: { budget: 0 } }
cases:
  - { id: later, vars: { word: later }, skip: not yet }
  - { id: now, vars: { word: now } }
`,
  );
  const server = await startChatServer(() => 'wrong');
  const { code, report } = await project.report(['run', '--bail', '-j', '1'], { env: server.env });
  expect([code, report.run]).toMatchObject([4, { complete: true, stopReason: null }]);
});

test('--bail that is reached with the last cell keeps it, and --resume confirms it', async () => {
  const project = openTempProject('echo');
  const server = await startChatServer(({ text }) => (text.includes('seven') ? 'wrong' : wordOf(text)));
  const { code, report } = await project.report(['run', '--bail', '-j', '1'], { env: server.env });
  expect([code, report.run]).toMatchObject([1, { complete: false, stopReason: 'bail' }]);
  expect((await project.report(['run', '--resume'], { env: server.env })).code).toBe(1);
});

test('--bail counts failed cells, and not the fresh trials of one', async () => {
  const project = openTempProject('echo');
  const isEdited = (body: Readonly<Record<string, unknown>>) => body['max_tokens'] === 21;
  const server = await startChatServer(({ text, body }) =>
    isEdited(body) && text.includes('seven') ? 'wrong' : wordOf(text),
  );
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept']);
  project.write(suiteFile, project.read(suiteFile).replace('max_tokens: 20', 'max_tokens: 21'));
  const argv = ['run', '--bail', '2', '-j', '1', '--cache', 'off'];
  const { code, report } = await project.report(argv, { env: server.env });
  expect([code, report.run]).toMatchObject([1, { complete: true, stopReason: null }]);
  // Twice three cases, and the fresh trials of one.
  expect(server.requests.length).toBeGreaterThan(6);
});

test('--bail lets a cell in work ask its judge', async () => {
  const project = openTempProject();
  project.write(
    'evals/words.eval.yaml',
    `suite: words
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
judges: [{ id: strict, use: openai:gpt-4o }]
gate: { confirm: { budget: 0 } }
cases:
  - { id: wrong, vars: { word: wrong }, assert: [{ equals: right }] }
  - { id: good, vars: { word: good }, assert: [{ rubric: It is good. }] }
`,
  );
  const recorded = () => project.files('.llmcheck/runs').map((file) => project.read(file));
  const server = await startJudgeServer(
    () => verdict(true),
    async (text) => {
      while (wordOf(text) === 'good' && !recorded().join('').includes('"failed"')) await setImmediate();
      return wordOf(text);
    },
  );
  const { report } = await project.report(['run', '--bail'], { env: server.env });
  expect([report.run.stopReason, report.totals.failed, report.totals.passed]).toEqual([null, 1, 1]);
});

test('--bail does not take a path for its value', async () => {
  const project = openTempProject('echo');
  const server = await startChatServer(() => 'wrong');
  const { code, report } = await project.report(['run', '--bail', 'evals/echo.eval.yaml', '-j', '1'], {
    env: server.env,
  });
  expect([code, report.run.stopReason, report.totals.failed]).toEqual([1, 'bail', 1]);
});

test('--deadline ends the run, aborts what is in flight, and keeps what is done', { tags: 'slow' }, async () => {
  const project = openTempProject('two-providers');
  const server = await startChatServer(({ index, text }) => (index < 10 ? wordOf(text) : 'hang'));
  const { code, report } = await project.report(['run', '--deadline', '2s', '-j', '4'], { env: server.env });
  expect(code).toBe(4);
  expect(report.totals).toMatchObject({ planned: 80, failed: 0, errored: 0 });
  // On a slow machine the deadline may come before the tenth answer.
  expect(report.totals.passed).toBeGreaterThan(0);
  expect(report.totals.passed).toBeLessThanOrEqual(10);
  expect(report.run).toMatchObject({ complete: false, stopReason: 'deadline' });
  expect(new Set(trialsOf(report).flatMap(({ skip }) => skip?.reason ?? []))).toEqual(new Set(['deadline']));
});

test('--deadline that a run did not need keeps no process alive', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  const countTimers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  await project.run(['run'], { env: server.env });
  const before = countTimers();
  await project.run(['run', '--deadline', '1h'], { env: server.env });
  // Timers of earlier connections may end meanwhile.
  expect(countTimers()).toBeLessThanOrEqual(before);
});

test('a signal gives a partial report and its own exit code; --resume finishes the run', {
  tags: ['slow'],
}, async () => {
  const project = openTempProject('two-providers');
  let isHanging = true;
  const server = await startChatServer(({ index, text }) => (isHanging && index >= 7 ? 'hang' : wordOf(text)));
  let interrupt = (_name: 'SIGINT' | 'SIGTERM'): void => {};
  const running = project.report(['run', '-j', '2'], { env: server.env, onReady: (signal) => (interrupt = signal) });
  await server.waitFor(9);
  interrupt('SIGINT');
  const partial = await running;
  expect(partial.code).toBe(130);
  expect(partial.report.totals).toMatchObject({ planned: 80, passed: 7, skipped: 73 });
  expect(partial.report.run).toMatchObject({ complete: false, stopReason: 'interrupted' });
  isHanging = false;
  const resumed = await project.report(['run', '--resume'], { env: server.env });
  expect(resumed.code).toBe(0);
  expect(resumed.report.run.id).toBe(partial.report.run.id);
  expect(resumed.report.totals).toMatchObject({ planned: 80, passed: 80 });
});

test('the first of two signals gives the exit code', async () => {
  const project = openTempProject('echo');
  const server = await startChatServer(() => 'hang');
  let interrupt = (_name: 'SIGINT' | 'SIGTERM'): void => {};
  const running = project.report(['run'], { env: server.env, onReady: (signal) => (interrupt = signal) });
  await server.waitFor(3);
  interrupt('SIGINT');
  interrupt('SIGTERM');
  expect((await running).code).toBe(130);
});

test('SIGTERM ends with 143', async () => {
  const project = openTempProject('echo');
  const server = await startChatServer(() => 'hang');
  let terminate = (_name: 'SIGINT' | 'SIGTERM'): void => {};
  const running = project.report(['run'], { env: server.env, onReady: (signal) => (terminate = signal) });
  await server.waitFor(3);
  terminate('SIGTERM');
  expect((await running).code).toBe(143);
});

test('--concurrency bounds the calls in flight', async () => {
  const project = openTempProject('two-providers');
  let [inFlight, most] = [0, 0];
  let release = () => {};
  // Nothing is answered before two calls are in flight.
  const several = new Promise<void>((resolve) => {
    release = resolve;
  });
  const server = await startChatServer(async ({ text }) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    if (inFlight > 1) release();
    await several;
    inFlight -= 1;
    return wordOf(text);
  });
  await project.run(['run', '-j', '3'], { env: server.env });
  expect(most).toBeLessThanOrEqual(3);
  expect(most).toBeGreaterThan(1);
});
