import { expect, test } from 'vitest';
import {
  checkAnswer,
  compareRecords,
  defineAssertion,
  defineReporter,
  renderReport,
  runSuites,
  UserError,
} from '../../src/index.ts';
import { startEchoServer } from '../support/chat-server.ts';
import { openTempProject } from '../support/temp-project.ts';

/** As a program without types would write them. */
type Loose = Readonly<Record<string, unknown>>;

async function problemsOf(work: () => unknown): Promise<readonly string[]> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems.map(({ message, hint = '' }) => `${message}; ${hint}`);
  }
  return [];
}

test('an option that is not an option is an error of every function, with what was meant, and nothing is sent', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  const { root: cwd } = project;
  const context = { cwd, env: server.env };
  const run = (options: Loose) => () => runSuites({ ...context, ...options }).report;
  expect(await problemsOf(run({ trails: 3, maxcost: 1 }))).toEqual([
    'runSuites has no option "trails"; did you mean "trials"?',
    'runSuites has no option "maxcost"; did you mean "maxCost"?',
  ]);
  expect(await problemsOf(run({ reporter: ['json'] }))).toHaveLength(1);
  expect(await problemsOf(run({ constructor: 1 }))).toHaveLength(1);
  expect(await problemsOf(run({ trials: null }))).toHaveLength(1);
  expect(await problemsOf(run({ paths: 'eval', tag: 'x' }))).toEqual(['eval does not exist; did you mean "evals"?']);
  const compare: Loose = { ...context, baseline: 'a', candidate: 'b', suite: ['x'] };
  expect(await problemsOf(() => compareRecords(compare as never))).toEqual([
    'compareRecords has no option "suite"; did you mean "suites"?',
  ]);
  expect(await problemsOf(() => checkAnswer('a', [{ contains: 'a' }], { var: {} } as never))).toHaveLength(1);
  expect(await problemsOf(() => checkAnswer({ text: 'a', latency: 3 } as never, [{ contains: 'a' }]))).toHaveLength(1);
  expect(server.requests).toHaveLength(0);
  const report = await runSuites(context);
  expect(await problemsOf(() => renderReport(report, 'json', { colour: true } as never))).toHaveLength(1);
});

test('a plug-in with a key that is none, or without its function, is an error', async () => {
  const project = openTempProject('echo');
  const { env } = await startEchoServer();
  const plugins: readonly (readonly [unknown, string])[] = [
    [defineReporter({ name: 'own', summary: 's', extention: 't', render: () => [] } as never), '"extention"; did you'],
    [defineAssertion({ name: 'own', summary: 's', timeout: 3, check: () => ({ pass: true }) } as never), '"timeout"'],
    [{ kind: 'provider', name: 'own', summary: 's' }, '"complete" must be a function'],
    [{ kind: 'assertion', name: 'own', summary: 's', check: () => true, timeoutMs: -1 }, 'timeoutMs'],
    [null, 'is not a plug-in'],
  ];
  for (const [plugin, said] of plugins) {
    const problems = await problemsOf(() => runSuites({ cwd: project.root, env, plugins: [plugin as never] }).report);
    expect(problems).toEqual([expect.stringContaining(said)]);
  }
});
