import { expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

/** The echo suite without providers of its own. */
function openBare(config: string): TempProject {
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml');
  project.write('evals/echo.eval.yaml', suite.replace(/providers:[\s\S]*?(?=cases:)/, ''));
  project.write('llmcheck.config.yaml', config);
  return project;
}

test('a suite without providers runs on all of the config', async () => {
  const project = openBare('providers:\n  - openai:gpt-4o-mini\n  - { id: big, use: "openai:gpt-4o" }\n');
  const { env } = await startEchoServer();
  const { code, report } = await project.report(['run'], { env });
  expect(code).toBe(0);
  expect(report.suites[0]?.variants.map(({ provider }) => provider)).toEqual(['big', 'openai:gpt-4o-mini']);
});

test('a suite names a provider of the config by its id', async () => {
  const project = openBare(
    'providers:\n  - openai:gpt-4o-mini\n  - { id: big, use: "openai:gpt-4o", params: { seed: 3 } }\n',
  );
  project.write(
    'evals/echo.eval.yaml',
    project.read('evals/echo.eval.yaml').replace('cases:', 'providers: [big]\ncases:'),
  );
  const server = await startEchoServer();
  const { report } = await project.report(['run'], { env: server.env });
  expect(report.suites[0]?.variants.map(({ provider }) => provider)).toEqual(['big']);
  expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({ model: 'gpt-4o', seed: 3 });
});

test('defaults, gate and prices of the config hold where the suite says nothing', async () => {
  const project = openBare(`providers: [openai:mine]
defaults: { trials: 2, assert: [{ contains: blue }] }
gate: { passRate: { min: 0 } }
prices: { mine: { input: 1000, output: 1000 } }
`);
  const { env } = await startEchoServer();
  const { code, report } = await project.report(['run'], { env });
  expect(code).toBe(0);
  expect(report.totals).toMatchObject({ planned: 6, failed: 6 });
  expect(report.totals.costUsd).toBeCloseTo(6 * 0.015, 9);
});

test('a config that is wrong is a usage error at its place', async () => {
  const project = openBare('providrs: [openai:gpt-4o]\ngate: { passRate: { min: 3 } }\n');
  const { code, stderr } = await project.run(['run']);
  expect(code).toBe(2);
  expect(stderr).toContain('llmcheck.config.yaml:1:1');
  expect(stderr).toContain('did you mean "providers"?');
  expect(stderr).toContain('llmcheck.config.yaml:2:');
});

test('-c names another config, and a missing one is a usage error', async () => {
  const project = openBare('providers: [openai:gpt-4o-mini]\n');
  project.write('other.yaml', 'providers: [openai:gpt-4o]\n');
  const { env } = await startEchoServer();
  const { report } = await project.report(['run', '-c', 'other.yaml'], { env });
  expect(report.suites[0]?.variants.map(({ provider }) => provider)).toEqual(['openai:gpt-4o']);
  const missing = await project.run(['run', '-c', 'none.yaml'], { env });
  expect([missing.code, missing.stderr.includes('none.yaml')]).toEqual([2, true]);
});

test('paths may be files, folders and globs, and a suite named twice runs once', async () => {
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml');
  project.write('evals/deep/other.eval.yaml', suite.replace('suite: echo', 'suite: other'));
  project.write('evals/deep/third.eval.yml', suite.replace('suite: echo', 'suite: third'));
  const { env } = await startEchoServer();
  const ran = async (...paths: readonly string[]) =>
    (await project.report(['run', ...paths], { env })).report.suites.map((entry) => entry.suite);
  expect(await ran()).toEqual(['echo', 'other', 'third']);
  expect(await ran('evals/deep')).toEqual(['other', 'third']);
  expect(await ran('evals/deep/other.eval.yaml')).toEqual(['other']);
  expect(await ran('evals/**/*o*.eval.yaml')).toEqual(['echo', 'other']);
  expect(await ran('evals', 'evals/echo.eval.yaml', './evals/echo.eval.yaml')).toEqual(['echo', 'other', 'third']);
  expect(await ran(project.path('evals/echo.eval.yaml'))).toEqual(['echo']);
});

test('a suite id defaults to the name of its file', async () => {
  const project = openTempProject('echo');
  project.write('evals/echo.eval.yaml', project.read('evals/echo.eval.yaml').replace('suite: echo\n', ''));
  const { env } = await startEchoServer();
  expect((await project.report(['run'], { env })).report.suites.map(({ suite }) => suite)).toEqual(['echo']);
});
