import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const suiteFile = 'evals/echo.eval.yaml';
const baselineFile = 'evals/echo.baseline.jsonl';

/** a folder outside of any project. */
function openOutside(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'llmcheck-outside-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A project with git's folder, a run of it, and that run's record as CI would hand it over. */
async function openWithRecord() {
  const project = openTempProject('echo');
  mkdirSync(project.path('.git/hooks'), { recursive: true });
  const { env } = await startEchoServer();
  await project.run(['run'], { env });
  const [record = ''] = project.files('.llmcheck/runs');
  const writeRecord = (suitePath: string, suite = 'echo') => {
    const [header = '', ...rows] = project.read(record).split('\n');
    const parsed = JSON.parse(header) as { suites: { path: string; suite: string }[] };
    for (const recorded of parsed.suites) Object.assign(recorded, { path: suitePath, suite });
    const others = rows.map((row) => row.replaceAll('"suite":"echo"', `"suite":${JSON.stringify(suite)}`));
    project.write('artifact.jsonl', [JSON.stringify(parsed), ...others].join('\n'));
  };
  const editHeader = (change: (header: Record<string, Record<string, unknown>>) => void) => {
    const [header = '', ...rows] = project.read(record).split('\n');
    const parsed = JSON.parse(header) as Record<string, Record<string, unknown>>;
    change(parsed);
    project.write('artifact.jsonl', [JSON.stringify(parsed), ...rows].join('\n'));
  };
  return { project, env, writeRecord, editHeader, record };
}

function baselinesOf(project: TempProject): readonly string[] {
  return project.files().filter((file) => file.endsWith('.baseline.jsonl'));
}

test.each([
  ['leads out of the project', () => '../outside/triage.eval.yaml'],
  ['is absolute', (outside: string) => join(outside, 'triage.eval.yaml')],
  ['leads into git', () => '.git/hooks/triage.eval.yaml'],
  ['goes through a link', () => 'linked/triage.eval.yaml'],
  ['has no suite', () => 'evals/other.eval.yaml'],
  ['is no suite file', () => 'evals/prompt.md'],
  ['is a pattern', () => 'evals/*.eval.yaml'],
  ['is empty', () => ''],
])('baseline accept refuses a record whose suite path %s', async (_what, pathOf) => {
  const { project, writeRecord } = await openWithRecord();
  const outside = openOutside();
  writeFileSync(join(outside, 'triage.eval.yaml'), project.read(suiteFile));
  project.write('.git/hooks/triage.eval.yaml', project.read(suiteFile));
  symlinkSync(outside, project.path('linked'));
  writeRecord(pathOf(outside));
  const { code, stderr } = await project.run(['baseline', 'accept', '--run', 'artifact.jsonl']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('artifact.jsonl')]);
  expect(stderr).not.toContain('bug in llmcheck');
  expect(baselinesOf(project)).toEqual([]);
  expect(existsSync(join(outside, 'triage.baseline.jsonl'))).toBe(false);
});

test('baseline accept refuses a record of a suite that the file does not hold', async () => {
  const { project, writeRecord } = await openWithRecord();
  writeRecord(suiteFile, 'other');
  const { code, stderr } = await project.run(['baseline', 'accept', '--run', 'artifact.jsonl']);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/artifact\.jsonl.*"other".*evals\/echo\.eval\.yaml/)]);
  expect(baselinesOf(project)).toEqual([]);
});

test('a baseline that is a link out of the project is neither read nor written, and never quoted', async () => {
  const { project, env } = await openWithRecord();
  const secret = join(openOutside(), 'secret.txt');
  writeFileSync(secret, 'machine example.com password hunter2-hunter2');
  symlinkSync(secret, project.path(baselineFile));
  for (const argv of [
    ['baseline', 'accept'],
    ['baseline', 'show'],
    ['baseline', 'list'],
    ['baseline', 'prune'],
    ['run'],
    ['run', '--update-baseline'],
    ['compare', baselineFile, 'latest'],
    ['run', '--baseline', baselineFile],
  ]) {
    const { code, stdout, stderr } = await project.run(argv, { env });
    expect([argv, code, stdout + stderr]).toEqual([argv, 2, expect.stringContaining(baselineFile)]);
    expect(stdout + stderr).not.toContain('hunter2');
  }
  expect(readFileSync(secret, 'utf8')).toBe('machine example.com password hunter2-hunter2');
});

test.each(['gone.jsonl', 'gone/deeper.jsonl'])(
  'a baseline that is a link to a missing file outside the project is refused: %s',
  async (name) => {
    const { project, env } = await openWithRecord();
    const outside = openOutside();
    symlinkSync(join(outside, name), project.path('evals/step.jsonl'));
    symlinkSync('step.jsonl', project.path(baselineFile));
    for (const argv of [['baseline', 'accept'], ['baseline', 'list'], ['run'], ['run', '--update-baseline']]) {
      const { code, stdout, stderr } = await project.run(argv, { env });
      expect([argv, code, stdout + stderr]).toEqual([argv, 2, expect.stringContaining('lies outside the project')]);
    }
    expect(lstatSync(project.path(baselineFile)).isSymbolicLink()).toBe(true);
    expect(existsSync(join(outside, name))).toBe(false);
  },
);

test('a baseline that links to another file of the project is that file', async () => {
  const { project } = await openWithRecord();
  await project.run(['baseline', 'accept']);
  project.write('kept/echo.jsonl', project.read(baselineFile));
  rmSync(project.path(baselineFile));
  symlinkSync(project.path('kept/echo.jsonl'), project.path(baselineFile));
  const { code, stdout } = await project.run(['baseline', 'accept']);
  expect([code, stdout]).toEqual([0, expect.stringContaining('unchanged')]);
});

test('a report never reads the baseline that a record names', async () => {
  const { project, editHeader } = await openWithRecord();
  const outside = join(openOutside(), 'other.jsonl');
  writeFileSync(outside, 'password hunter2-hunter2');
  editHeader((header) => Object.assign(header['settings'] ?? {}, { baseline: { source: outside } }));
  for (const argv of [
    ['report', './artifact.jsonl'],
    ['ci', 'github', '--run', './artifact.jsonl'],
  ]) {
    const { code, stdout, stderr } = await project.run(argv);
    expect([argv, code, stdout + stderr]).toEqual([argv, 0, expect.not.stringContaining('hunter2')]);
  }
});

test.each([
  ['reporter', (outside: string) => `[html=${outside}/report.html]`],
  ['reporter', () => '[json=../report.json]'],
  ['reporter', () => '[terminal, json=.git/hooks/pre-commit]'],
  ['reporter', () => '[json=linked/report.json]'],
  ['envFile', (outside: string) => `${outside}/.env`],
  ['baseline', (outside: string) => `${outside}/base.jsonl`],
  ['baseline', () => 'linked/base.jsonl'],
])('the config names no %s outside the project (%#)', async (key, valueOf) => {
  const project = openTempProject('echo');
  mkdirSync(project.path('.git/hooks'), { recursive: true });
  const outside = openOutside();
  for (const name of ['.env', 'base.jsonl']) writeFileSync(join(outside, name), 'SECRET=hunter2-hunter2\n');
  symlinkSync(outside, project.path('linked'));
  const server = await startEchoServer();
  project.write('llmcheck.config.yaml', `run:\n  ${key}: ${valueOf(outside)}\n`);
  for (const command of ['validate', 'run']) {
    const { code, stderr } = await project.run([command], { env: server.env });
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/llmcheck\.config\.yaml:2:\d+ error file-outside-project/),
    ]);
    expect(stderr).not.toContain('hunter2');
  }
  expect(server.requests).toHaveLength(0);
});

test('a flag or a variable of the process may name a path anywhere, an env file may not', async () => {
  const project = openTempProject('echo');
  const outside = openOutside();
  const { env } = await startEchoServer();
  const path = join(outside, 'report.json');
  expect((await project.run(['run', '-r', `json=${path}`], { env })).code).toBe(0);
  expect((await project.run(['run'], { env: { ...env, LLMCHECK_REPORTER: `json=${path}.2` } })).code).toBe(0);
  expect([existsSync(path), existsSync(`${path}.2`)]).toEqual([true, true]);
  project.write('.env', `LLMCHECK_REPORTER=json=${path}.3\n`);
  const { code, stderr } = await project.run(['run', '--env-file', '.env'], { env });
  expect([code, stderr]).toEqual([2, expect.stringContaining('LLMCHECK_REPORTER')]);
  expect(existsSync(`${path}.3`)).toBe(false);
});

test('nothing of git is read as a prompt, a case file or recordings', async () => {
  const project = openTempProject('echo');
  project.write('.git/config', 'extraheader = AUTHORIZATION: basic hunter2-hunter2\n');
  const suite = project.read(suiteFile);
  project.write(suiteFile, `${suite}recordings: ../.git/answers.jsonl\n`);
  const { code, stderr } = await project.run(['validate']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('file-outside-project')]);
  project.write(suiteFile, suite.replace(/^prompts:[\s\S]*?(?=^\w)/m, 'prompts: [{ id: v1, file: ../.git/config }]\n'));
  const read = await project.run(['validate']);
  expect([read.code, read.stderr]).toEqual([2, expect.stringContaining('file-outside-project')]);
  expect(read.stderr).not.toContain('hunter2');
});

test('what was measured of judges is not read through a link out of the project', async () => {
  const project = openTempProject();
  const secret = join(openOutside(), 'secret.json');
  writeFileSync(secret, 'hunter2-hunter2');
  project.write(
    'evals/color.eval.yaml',
    `suite: color
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
judges: [{ id: strict, use: openai:gpt-4o, minKappa: 0.6, labels: strict.jsonl }]
cases: [{ id: red, vars: { word: red }, assert: [{ rubric: The answer is good. }] }]
`,
  );
  project.write('evals/strict.jsonl', '{"id": "a", "question": "Which?", "answer": "1", "label": "pass"}\n');
  symlinkSync(secret, project.path('evals/color.judges.json'));
  for (const argv of [['run'], ['judge', 'check']]) {
    const { code, stdout, stderr } = await project.run(argv);
    expect([argv, code, stdout + stderr]).toEqual([argv, 2, expect.stringContaining('file-outside-project')]);
    expect(stdout + stderr).not.toContain('hunter2');
  }
  expect(readFileSync(secret, 'utf8')).toBe('hunter2-hunter2');
});

test('a run that goes on takes no path outside the project from its record', async () => {
  const { project, env, record } = await openWithRecord();
  const outside = openOutside();
  const [header = '', ...rows] = project.read(record).split('\n');
  const parsed = JSON.parse(header) as Record<string, unknown>;
  const kept = rows.filter((row) => !row.includes('"type":"end"'));
  const report = join(outside, 'report.json');
  for (const flags of [{ reporter: [`json=${report}`] }, { envFile: join(outside, '.env') }, { baseline: report }]) {
    project.write(record, [JSON.stringify({ ...parsed, invocation: { paths: [], flags } }), ...kept].join('\n'));
    const { code, stderr } = await project.run(['run', '--resume'], { env });
    expect([code, stderr]).toEqual([2, expect.stringContaining('lies outside the project')]);
  }
  expect(existsSync(report)).toBe(false);
});

test('a module that is a link out of the project is not run as a provider', async () => {
  const project = openTempProject('echo');
  const module = join(openOutside(), 'answer.mjs');
  writeFileSync(module, 'export default () => "red";\n');
  symlinkSync(module, project.path('answer.mjs'));
  project.write(suiteFile, project.read(suiteFile).replace('use: openai:gpt-4o-mini', 'use: module:../answer.mjs'));
  const { code, stderr } = await project.run(['validate']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('is outside the project')]);
});
