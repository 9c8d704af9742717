import { rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunHeader } from '../../../src/model/run/record.ts';
import { startChatServer, startEchoServer, wordOf } from '../../support/chat-server.ts';
import { runCli } from '../../support/run-cli.ts';
import { openTempProject, statusesOf, withoutTimes } from '../../support/temp-project.ts';
import { openBaselineProject } from '../baseline/baseline-project.ts';

test('a record that breaks off at any byte is resumed to the same report', { tags: 'slow' }, async () => {
  const project = openTempProject('echo');
  const server = await startChatServer(({ text }) => (text.includes('green') ? 'no' : wordOf(text)));
  const whole = await project.report(['run'], { env: server.env });
  const [record = ''] = project.files('.llmcheck/runs');
  const bytes = project.read(record);
  const header = bytes.indexOf('\n') + 1;
  const ends = [...bytes.matchAll(/\n/g)].map(({ index }) => index + 1);
  const cuts = new Set([...ends, ...ends.map((end) => end - 1), ...ends.slice(1).map((end) => end - 40), header + 1]);
  for (const cut of cuts) {
    project.write(record, bytes.slice(0, cut));
    const resumed = await project.report(['run', '--resume'], { env: server.env });
    expect([cut, resumed.code]).toEqual([cut, whole.code]);
    expect(withoutTimes(resumed.report)).toEqual(withoutTimes(whole.report));
    expect(resumed.report.run.id).toBe(whole.report.run.id);
  }
  expect(cuts.size).toBeGreaterThan(10);
});

test('a record that broke off within its first line holds nothing to resume: --resume starts a new run', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  const whole = await project.report(['run'], { env: server.env });
  const [record = ''] = project.files('.llmcheck/runs');
  for (const text of ['', '{"type":"run","for']) {
    for (const other of project.files('.llmcheck/runs')) project.write(other, text);
    const again = await project.report(['run', '--resume'], { env: server.env });
    expect(again.code).toBe(0);
    expect(again.report.totals).toMatchObject({ planned: 3, passed: 3 });
    expect(again.stderr).toContain('nothing to resume');
    const id = whole.report.run.id;
    const named = await project.run(['run', '--resume', id], { env: server.env });
    expect([named.code, named.stderr.includes(record)]).toEqual([2, true]);
  }
});

test('answers whose rows a kill prevented are the run’s own, not some that the baseline holds', {
  tags: 'slow',
}, async () => {
  const project = openTempProject('two-providers');
  const server = await startEchoServer();
  await project.run(['run', '--cache', 'off'], { env: server.env });
  await project.run(['baseline', 'accept'], { env: server.env });
  await project.run(['run'], { env: server.env });
  const record = project.files('.llmcheck/runs').toSorted().at(-1) ?? '';
  const whole = await project.report(['report', record]);
  const text = project.read(record);
  project.write(record, text.slice(0, text.length / 2));
  const sent = server.requests.length;
  const resumed = await project.report(['run', '--resume'], { env: server.env });
  expect(server.requests).toHaveLength(sent);
  expect(resumed.report.totals).toEqual(whole.report.totals);
  expect(JSON.stringify(resumed.report)).not.toContain('the very ones the baseline holds');
  // Another run finds them in the cache, and has asked for none.
  const { report } = await project.report(['run'], { env: server.env });
  expect(report.totals).toMatchObject({ cached: whole.report.totals.planned, spentUsd: 0 });
});

test('an answer that serves both sides is billed once, and nothing new was measured', { tags: ['slow'] }, async () => {
  const project = openTempProject('two-providers');
  const { env, requests } = await startEchoServer();
  await project.run(['run', '--cache', 'off'], { env });
  await project.run(['baseline', 'accept'], { env });
  const flags = ['run', '--rerun-baseline'];
  const whole = await project.report(flags, { env });
  expect(whole.report.totals.cached).toBe(whole.report.totals.planned / 2);
  const { id } = whole.report.run;
  const record = `.llmcheck/runs/${id}.jsonl`;
  const lines = project.read(record).split('\n');
  const sent = requests.length;
  for (const kept of [1, 2, 50, 101]) {
    project.write(record, `${lines.slice(0, kept).join('\n')}\n`);
    const { report } = await project.report([...flags, '--resume', id], { env });
    expect([kept, requests.length]).toEqual([kept, sent]);
    expect(report.totals).toEqual(whole.report.totals);
    expect(report.decision).toEqual(whole.report.decision);
  }
});

test('an answer that arrived within a minute after the last row is billed to the run that was killed', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  const whole = await project.report(['run'], { env: server.env });
  expect(whole.report.totals.spentUsd).toBeGreaterThan(0);
  const [record = ''] = project.files('.llmcheck/runs');
  const text = project.read(record);
  project.write(record, text.slice(0, text.indexOf('\n') + 1));
  // The answers are in the cache; a judge took half a minute, so that the record is older than they are.
  const lastRow = Date.now() / 1000 - 30;
  utimesSync(join(project.root, record), lastRow, lastRow);
  const { report } = await project.report(['run', '--resume'], { env: server.env });
  expect(server.requests).toHaveLength(3);
  expect(report.totals).toEqual(whole.report.totals);
});

test('what came long after the last row was asked for by another run', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  const [record = ''] = project.files('.llmcheck/runs');
  const text = project.read(record);
  project.write(record, text.slice(0, text.indexOf('\n') + 1));
  utimesSync(join(project.root, record), 1000, 1000);
  const { report } = await project.report(['run', '--resume'], { env: server.env });
  expect(report.totals).toMatchObject({ planned: 3, cached: 3, spentUsd: 0 });
});

test('what came before the run began was asked for by another run', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  const [first = ''] = project.files('.llmcheck/runs');
  await project.run(['run'], { env: server.env });
  const record = project.files('.llmcheck/runs').find((file) => file !== first) ?? '';
  const text = project.read(record);
  project.write(record, text.slice(0, text.indexOf('\n') + 1));
  const { report } = await project.report(['run', '--resume'], { env: server.env });
  expect(report.totals).toMatchObject({ planned: 3, cached: 3, spentUsd: 0 });
});

test('--resume keeps fresh trials whose checks compare with the accepted answer', async () => {
  const project = openTempProject('echo');
  project.write(
    'evals/echo.eval.yaml',
    project.read('evals/echo.eval.yaml').replaceAll(/assert: \[.*\]/g, 'assert: [{ snapshot: normalised }]'),
  );
  let wrong = 'none';
  const server = await startChatServer(({ text }) => (text.includes(wrong) ? 'quite another answer' : wordOf(text)));
  await project.run(['run', '--cache', 'off'], { env: server.env });
  await project.run(['baseline', 'accept', '--force']);
  wrong = 'seven';
  const suite = project.read('evals/echo.eval.yaml');
  project.write('evals/echo.eval.yaml', suite.replace('max_tokens: 20', 'max_tokens: 21'));
  const first = await project.report(['run', '--cache', 'off'], { env: server.env });
  expect(first.report.totals.failed).toBeGreaterThan(0);
  const sent = server.requests.length;
  // Three cases in each run, and the fresh trials of one.
  expect(sent).toBeGreaterThan(6);
  const resumed = await project.report(['run', '--cache', 'off', '--resume'], { env: server.env });
  expect(server.requests.length).toBe(sent);
  expect(withoutTimes(resumed.report)).toEqual(withoutTimes(first.report));
});

test('--resume removes what a kill left of an earlier rewrite, and nothing that may still be written', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  const left = '.llmcheck/runs/20260101-000000-abcdef.jsonl.0123456789ab.tmp';
  const fresh = '.llmcheck/runs/20260101-000000-abcdef.jsonl.ba9876543210.tmp';
  const foreign = '.llmcheck/runs/notes.tmp';
  for (const file of [left, fresh, foreign]) project.write(file, 'half a record');
  for (const file of [left, foreign]) utimesSync(join(project.root, file), 1000, 1000);
  expect((await project.run(['run', '--resume'], { env: server.env })).code).toBe(0);
  const files = project.files('.llmcheck/runs');
  expect([files.includes(left), files.includes(fresh), files.includes(foreign)]).toEqual([false, true, true]);
});

test('--resume re-runs what was errored, and what has changed since', async () => {
  const project = openTempProject('echo');
  let isBroken = true;
  const server = await startChatServer(({ text }) =>
    isBroken && text.includes('green') ? { status: 400, body: { error: { message: 'no' } } } : wordOf(text),
  );
  const first = await project.report(['run', '--cache', 'off'], { env: server.env });
  expect([first.code, server.requests.length]).toEqual([3, 3]);
  isBroken = false;
  const suite = project.read('evals/echo.eval.yaml');
  project.write('evals/echo.eval.yaml', suite.replace('{ word: seven }', '{ word: seven of nine }'));
  const second = await project.report(['run', '--resume', '--cache', 'off'], { env: server.env });
  // One that errored, one that changed, and its six fresh trials.
  expect(server.requests).toHaveLength(11);
  expect(statusesOf(second.report)).toEqual({ red: 'passed', green: 'passed', seven: 'failed' });
});

test('--resume keeps the fresh trials that errored in a run that was stopped', { tags: ['slow'] }, async () => {
  const project = await openBaselineProject();
  await project.accept();
  const badRequest = { status: 400, body: { error: { message: 'no' } } };
  project.answers.set('w05', (asked) => (asked === 0 ? 'sorry' : badRequest));
  const whole = await project.compared(['run', '--cache', 'off']);
  const file = project.files('.llmcheck/runs').at(-1) ?? '';
  project.write(file, project.read(file).replace('{"type":"end",', '{"type":"end","stopReason":"interrupted",'));
  const sent = project.server.requests.length;
  const resumed = await project.compared(['run', '--resume']);
  expect([resumed.code, project.server.requests.length - sent]).toEqual([whole.code, 0]);
});

test.each([
  ['is marked where its headers have changed', 'others', expect.stringMatching(/^[0-9a-f]{16}$/)],
  ['is not marked where nothing has changed', 'evals', undefined],
])('--resume: a variant %s', async (_, team, resumedWith) => {
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml');
  const writeTeam = (name: string) =>
    project.write('evals/echo.eval.yaml', suite.replace('params:', `headers: { X-Team: ${name} }\n    params:`));
  const server = await startEchoServer();
  writeTeam('evals');
  await project.run(['run'], { env: server.env });
  writeTeam(team);
  await project.run(['run', '--resume'], { env: server.env });
  const [header = ''] = project.read(project.files('.llmcheck/runs')[0] ?? '').split('\n');
  const { options } = (JSON.parse(header) as RunHeader).suites[0]?.variants[0] ?? {};
  expect(options?.['resumedWith']).toEqual(resumedWith);
});

test('--resume goes on with the selection that the run began with', async () => {
  const project = openTempProject('echo');
  let isBroken = true;
  const server = await startChatServer(({ text }) =>
    isBroken ? { status: 400, body: { error: { message: 'no' } } } : wordOf(text),
  );
  await project.run(['run', '--tag', 'colour', '--trials', '2'], { env: server.env });
  isBroken = false;
  const { report } = await project.report(['run', '--resume'], { env: server.env });
  expect(report.totals).toMatchObject({ planned: 4, passed: 4 });
});

test('--resume goes on with the cases that failed last when the run began', async () => {
  const project = openTempProject('echo');
  let wrong = /red|green/;
  let status = 200;
  const server = await startChatServer(({ text }) =>
    status === 200 ? (wrong.test(text) ? 'no' : wordOf(text)) : { status, body: { error: { message: 'no' } } },
  );
  await project.run(['run'], { env: server.env });
  wrong = /nothing/;
  status = 400;
  const { report } = await project.report(['run', '--last-failed', '--cache', 'off'], { env: server.env });
  expect(report.totals).toMatchObject({ planned: 2, errored: 2 });
  status = 200;
  const resumed = await project.report(['run', '--resume'], { env: server.env });
  expect(statusesOf(resumed.report)).toEqual({ red: 'passed', green: 'passed' });
  const again = await project.report(['run', '--resume'], { env: server.env });
  expect(statusesOf(again.report)).toEqual(statusesOf(resumed.report));
});

test.each([
  ['--resume', []],
  ['--resume --allow-empty', ['--allow-empty']],
])('a run whose suites are gone keeps its answers under %s', async (_, more) => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  const [record = ''] = project.files('.llmcheck/runs');
  const before = project.read(record);
  rmSync(project.path('evals/echo.eval.yaml'));
  const { code, stderr } = await project.run(['run', '--resume', ...more], { env: server.env });
  expect([code, stderr]).toEqual([2, expect.stringContaining('none of its suites and cases is found now')]);
  expect(project.read(record)).toBe(before);
});

test('--resume finds the suites of a run from another folder', async () => {
  const project = openTempProject('echo');
  project.write('evals/other.eval.yaml', project.read('evals/echo.eval.yaml').replace(/^suite:.*$/m, 'suite: other'));
  project.write('llmcheck.config.yaml', '');
  const server = await startEchoServer();
  const first = await runCli(['run', 'echo.eval.yaml', '-r', 'json'], { cwd: project.path('evals'), env: server.env });
  const { id } = (JSON.parse(first.stdout) as { run: { id: string } }).run;
  const { report } = await project.report(['run', '--resume', id], { env: server.env });
  expect(report.suites.map(({ suite }) => suite)).toEqual(['echo']);
});

test.each([
  ['1', true],
  ['true', true],
  ['0', false],
])('LLMCHECK_RESUME may be %s', async (value, isResumed) => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  const before = server.requests.length;
  const env = { ...server.env, LLMCHECK_RESUME: value, LLMCHECK_CACHE: 'off' };
  expect((await project.run(['run'], { env })).code).toBe(0);
  expect(server.requests.length - before).toBe(isResumed ? 0 : before);
});

describe('--resume drops no cell that has an answer', () => {
  test.each([
    [['--filter', 'red'], '--filter'],
    [['--last-failed'], '--last-failed'],
    [['--sample', '1'], '--sample'],
    [['evals/echo.eval.yaml'], 'evals/other.eval.yaml'],
  ])('%j is a usage error', async (argv, named) => {
    const project = openTempProject('echo');
    const echo = project.read('evals/echo.eval.yaml');
    project.write('evals/other.eval.yaml', `suite: other\n${echo.replace(/^suite:.*\n/m, '')}`);
    const server = await startEchoServer();
    await project.run(['run'], { env: server.env });
    const [record = ''] = project.files('.llmcheck/runs');
    const before = project.read(record);
    const { code, stderr } = await project.run(['run', '--resume', ...argv], { env: server.env });
    expect([code, stderr]).toEqual([2, expect.stringContaining(named)]);
    expect(project.read(record)).toBe(before);
  });

  test('the flags that it began with may be repeated', async () => {
    const project = openTempProject('echo');
    const server = await startEchoServer();
    const argv = ['run', 'evals/echo.eval.yaml', '--tag', 'colour', '--sample', '1'];
    const env = { ...server.env, LLMCHECK_LAST_FAILED: '0' };
    const first = await project.report(argv, { env });
    const { report } = await project.report([...argv, '--resume'], { env });
    expect(report.run.id).toBe(first.report.run.id);
  });
});

test('--resume masks secrets in what it renews of the rows that it keeps', async () => {
  const project = openTempProject();
  const suite = (description: string) => `suite: words
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: "openai:gpt-4o-mini", limits: { retries: 0 } }]
defaults: { assert: [{ equals: "{{ word }}" }] }
cases:
  - { id: one, vars: { word: one }, description: "${description}", tags: ["${description}"] }
  - { id: two, vars: { word: two } }
`;
  const server = await startChatServer(({ text }) =>
    text.endsWith('two') ? { status: 400, body: { error: { message: 'no' } } } : wordOf(text),
  );
  const secret = server.env['OPENAI_API_KEY'] ?? '';
  project.write('evals/words.eval.yaml', suite('plain'));
  await project.run(['run'], { env: server.env });
  project.write('evals/words.eval.yaml', suite(`with ${secret}`));
  await project.run(['run', '--resume'], { env: server.env });
  expect(server.requests.filter(({ body }) => body.includes('Say: one'))).toHaveLength(1);
  const [record = ''] = project.files('.llmcheck/runs');
  expect(project.read(record)).toContain('"description":"with ');
  expect(project.read(record)).not.toContain(secret);
});

test('--resume of a run that ended well sends nothing and says the same', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  const first = await project.report(['run'], { env: server.env });
  const again = await project.report(['run', '--resume', first.report.run.id], { env: server.env });
  expect(withoutTimes(again.report)).toEqual(withoutTimes(first.report));
  expect(again.report.run.startedAt).toBe(first.report.run.startedAt);
  expect(server.requests).toHaveLength(3);
});

test('--resume without a run is a new one that says so; of one that is not there, a usage error', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  expect((await project.run(['run', '--resume', '20200101-000000-aaaaaa'], { env: server.env })).code).toBe(2);
  expect(server.requests).toHaveLength(0);
  const { code, stderr } = await project.run(['run', '--resume', '--tag', 'colour'], { env: server.env });
  expect([code, server.requests.length]).toEqual([0, 2]);
  expect(stderr).toContain('this is a new run');
});

test('--resume does not take a path for a run id', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  const { code } = await project.run(['run', '--resume', 'evals/echo.eval.yaml'], { env: server.env });
  expect(code).toBe(0);
});
