import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startChatServer, startEchoServer } from '../../support/chat-server.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const spawnCli = prepareSpawn();

const reporter = (render: string) =>
  `export const own = { kind: 'reporter', name: 'own', summary: 'mine', extension: 'txt', render: ${render} };\n`;

function openWithReporter(render: string): TempProject {
  const project = openTempProject('echo');
  project.write('llmcheck.config.yaml', 'plugins: [./own.mjs]\n');
  project.write('own.mjs', reporter(render));
  return project;
}

const broken = [
  ['throws', '() => { throw new Error("broken") }', 'broken'],
  ['throws a system error', '() => { throw Object.assign(new Error("broken"), { code: "E" }) }', 'broken'],
  ['throws null', '() => { throw null }', 'null'],
  ['throws what has no text', '() => { throw Object.create(null) }', 'no text'],
  ['throws while it is read', 'function* () { yield "a"; throw new TypeError("broken") }', 'broken'],
  ['rejects', 'async () => { throw new Error("broken") }', 'broken'],
  ['returns nothing', '() => {}', 'must return'],
  ['returns a number', '() => 3', 'must return'],
  ['returns parts that are no texts', '() => [1, null]', 'not a text'],
] as const;

test.each(broken)('a reporter that %s is a warning of run, with its name and the verdict kept', async (...row) => {
  const [, render, said] = row;
  const project = openWithReporter(render);
  const passing = await startEchoServer();
  const failing = await startChatServer(() => 'wrong');
  for (const target of ['own', 'own=out.txt']) {
    const good = await project.run(['run', '--cache', 'off', '-r', target, '-r', 'json=all.json'], {
      env: passing.env,
    });
    expect([good.code, good.stderr]).toEqual([
      0,
      expect.stringMatching(/warning: the own report could not be written/),
    ]);
    expect(good.stderr).toContain(said);
    expect(good.stderr).not.toMatch(/[A-Z]\w*Error:|: null$/m);
    expect(JSON.parse(project.read('all.json'))).toMatchObject({ decision: { exitCode: 0 } });
    const bad = await project.run(['run', '--cache', 'off', '-r', target], { env: failing.env });
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining('the own report could not be written')]);
    const again = await project.run(['report', '-r', target]);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining(said)]);
    expect(good.stderr + bad.stderr + again.stderr).not.toContain('bug in llmcheck');
  }
});

test('a reporter can not change the verdict of the report that it is handed', async () => {
  const project = openWithReporter(
    '(report) => { try { report.exitCode = 0; report.decision.exitCode = 0 } catch {} return ["ok"] }',
  );
  const { env } = await startChatServer(() => 'wrong');
  expect((await project.run(['run', '-r', 'own'], { env })).code).toBe(1);
  expect((await project.run(['run', '-r', 'own'], { env })).code).toBe(1);
});

test.each([
  ['throws', 'throw new Error("broken");'],
  ['throws null', 'throw null;'],
  ['throws what has no text', 'throw Object.create(null);'],
  ['has a syntax error', 'export const ='],
  ['exports no function', 'export const own = { kind: "reporter", name: "own", summary: "s", extension: "txt" };'],
  [
    'misspells a key',
    'export const own = { kind: "reporter", name: "own", summary: "s", extention: "t", render: () => [] };',
  ],
  ['exports nothing', ''],
])('a plug-in whose module %s is a usage error at its place', async (_what, text) => {
  const project = openTempProject('echo');
  project.write('llmcheck.config.yaml', 'plugins: [./own.mjs]\n');
  project.write('own.mjs', text);
  for (const argv of [['validate'], ['run', '-r', 'own'], ['list', 'reporters']]) {
    const { code, stderr } = await project.run(argv);
    expect([argv, code, stderr]).toEqual([argv, 2, expect.stringMatching(/llmcheck\.config\.yaml:1:\d+ error/)]);
  }
});

test.each([
  ['throws', '{ throw new Error("broken") }'],
  ['throws null', '{ throw null }'],
  ['throws what has no text', '{ throw Object.create(null) }'],
  ['throws what calls itself a deadline', '{ throw Object.assign(new Error("broken"), { name: "DeadlineError" }) }'],
  ['rejects', '{ return Promise.reject(new Error("broken")) }'],
  ['returns nothing', '{}'],
  ['returns a circle', '{ const a = {}; a.a = a; return a }'],
  ['returns a number that JSON does not know', '{ return 1n }'],
])('an assertion or a provider of a plug-in that %s is an errored cell', async (_what, body) => {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'plugins: [./own.mjs]\n');
  project.write(
    'own.mjs',
    `export const good = { kind: 'provider', name: 'good', summary: 's', complete: () => 'yes' };
export const bad = { kind: 'provider', name: 'bad', summary: 's', complete() ${body} };
export const odd = { kind: 'assertion', name: 'odd', summary: 's', check() ${body} };
`,
  );
  project.write(
    'evals/own.eval.yaml',
    `suite: own
prompts: [{ id: v1, text: Hello }]
providers: [good:m, bad:m]
cases:
  - { id: a, providers: ["good:m"], assert: [odd: {}] }
  - { id: b, providers: ["bad:m"], assert: [contains: yes] }
  - { id: c, providers: ["good:m"], assert: [contains: yes] }
`,
  );
  const { report, stderr } = await project.report(['run']);
  expect([report.totals.errored, report.totals.passed, report.decision.exitCode]).toEqual([2, 1, 3]);
  expect(stderr).not.toContain('bug in llmcheck');
});

test('report and history end with 2 where a report can not be written, run, compare and contract keep their verdict', async () => {
  const project = openTempProject('echo');
  const { env } = await startEchoServer();
  mkdirSync(project.path('taken'));
  project.write('file', 'no folder');
  for (const target of ['json=taken', 'json=file/report.json']) {
    const run = await project.run(['run', '-r', target], { env });
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('warning: the json report')]);
    expect(run.stderr).not.toContain('StorageError');
    for (const argv of [
      ['report', '-r', target],
      ['history', '-r', target],
    ]) {
      const { code, stderr } = await project.run(argv);
      expect([argv, code, stderr]).toEqual([argv, 2, expect.stringContaining('the json report could not be written')]);
    }
    expect((await project.run(['compare', 'latest', 'latest', '-r', target])).code).toBe(0);
  }
});

test('init keeps files, and no folder in the place of one', async () => {
  const project = openTempProject();
  mkdirSync(project.path('evals/greeting.eval.yaml'), { recursive: true });
  const { code, stderr } = await project.run(['init']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('greeting.eval.yaml failed: it is a folder')]);
});

test('what can not be written to stdout ends with 2, and a verdict stays', { tags: 'slow' }, async () => {
  const project = openTempProject('echo');
  const { env } = await startEchoServer();
  await project.run(['run'], { env });
  const full = (argv: readonly string[]) => spawnCli(argv, { cwd: project.root, env, stdout: '/dev/full' }).ended;
  for (const argv of [
    ['report', '-r', 'json'],
    ['completion', 'bash'],
  ]) {
    const { code, stderr } = await full(argv);
    expect([argv, code, stderr]).toEqual([argv, 2, expect.stringContaining('stdout could not be written')]);
  }
  const run = await full(['run']);
  expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('stdout could not be written')]);
});
