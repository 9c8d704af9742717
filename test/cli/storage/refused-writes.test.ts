import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startChatServer, startEchoServer, wordOf } from '../../support/chat-server.ts';
import { startJudgeServer, verdict } from '../../support/judge-server.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const spawnCli = prepareSpawn();

/** Files of this name can be, and the files under which others are written first can't: the name of those is too long. */
const long = 'x'.repeat(230);

/** Exit code 2, the path and the reason, no word of a bug, and every file as it was. */
async function expectRefused(
  project: TempProject,
  argv: readonly string[],
  { path, code, env = {} }: { path: string; code: string; env?: Readonly<Record<string, string>> },
): Promise<void> {
  const before = snapshotOf(project);
  const result = await project.run(argv, { env });
  expect([result.code, result.stderr]).toEqual([2, expect.stringContaining(project.path(path))]);
  expect(result.stderr).toContain(`(${code})`);
  expect(result.stderr).not.toContain('bug in llmcheck');
  expect(snapshotOf(project)).toEqual(before);
}

function snapshotOf(project: TempProject): Readonly<Record<string, string>> {
  return Object.fromEntries(project.files().map((file) => [file, project.read(file)]));
}

async function openLongProject() {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  await project.run(['baseline', 'accept']);
  const accepted = project.read('evals/echo.baseline.jsonl');
  project.write(
    `evals/${long}.eval.yaml`,
    project.read('evals/echo.eval.yaml').replace('suite: echo', 'suite: long').replace('- id: seven', '- id: eight'),
  );
  return { project, env: server.env, server, accepted, argv: [`evals/${long}.eval.yaml`] };
}

test('a baseline that can not be written is a usage error of accept and prune, and stays as it was', async () => {
  const { project, env, accepted, argv } = await openLongProject();
  await project.run(['run', ...argv], { env });
  const refused = { path: `evals/${long}.baseline.jsonl`, code: 'ENAMETOOLONG' };
  await expectRefused(project, ['baseline', 'accept', ...argv], refused);
  project.write(`evals/${long}.baseline.jsonl`, accepted.replace('"suite":"echo"', '"suite":"long"'));
  await expectRefused(project, ['baseline', 'accept', ...argv], refused);
  await expectRefused(project, ['baseline', 'prune', ...argv], refused);
  expect(project.read(refused.path)).toContain('"caseId":"seven"');
});

test('where one baseline can not be written, none is', async () => {
  const { project, env, accepted } = await openLongProject();
  project.write('evals/echo.eval.yaml', project.read('evals/echo.eval.yaml').replace('- id: seven', '- id: nine'));
  await project.run(['run'], { env });
  await expectRefused(project, ['baseline', 'accept'], { path: `evals/${long}.baseline.jsonl`, code: 'ENAMETOOLONG' });
  expect(project.read('evals/echo.baseline.jsonl')).toBe(accepted);
});

test('run --update-baseline finds it before its first call', async () => {
  const { project, env, argv, server } = await openLongProject();
  const asked = server.requests.length;
  const refused = { path: `evals/${long}.baseline.jsonl`, code: 'ENAMETOOLONG', env };
  await expectRefused(project, ['run', '--cache', 'off', '--update-baseline', ...argv], refused);
  expect(server.requests).toHaveLength(asked);
});

test('run --record finds recordings that can not be written or kept before its first call', async () => {
  const server = await startEchoServer();
  const path = `evals/${long}.answers.jsonl`;
  const project = openTempProject('recordings');
  const suite = project.read('evals/echo.eval.yaml');
  project.write('evals/echo.eval.yaml', suite.replace('answers.jsonl', path.slice('evals/'.length)));
  await expectRefused(project, ['run', '--record'], { path, code: 'ENAMETOOLONG', env: server.env });

  const blocked = openTempProject('recordings');
  blocked.write('evals/echo.eval.yaml', suite.replace('answers.jsonl', 'blocked/answers.jsonl'));
  blocked.write('evals/blocked', 'no folder');
  const refused = await blocked.run(['run', '--record'], { env: server.env });
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('evals/blocked/answers.jsonl')]);
  const damaged = openTempProject('recordings');
  damaged.write('evals/answers.jsonl', 'damaged\n');
  expect((await damaged.run(['run', '--record'], { env: server.env })).code).toBe(2);
  expect(server.requests).toHaveLength(0);
});

test('recordings that can not be written after the last call end the run with 4 and a report', async () => {
  const project = openTempProject('recordings');
  const suite = project.read('evals/echo.eval.yaml');
  project.write('evals/echo.eval.yaml', suite.replace('answers.jsonl', 'later/answers.jsonl'));
  const server = await startChatServer(({ text }) => {
    project.write('evals/later', 'no folder');
    return wordOf(text);
  });
  const { code, report, stderr } = await project.report(['run', '--record'], { env: server.env });
  expect([code, report.run.stopReason, report.totals.passed]).toEqual([4, 'storage', 2]);
  expect(stderr).toContain('ENOTDIR');
});

test('judge check makes no call where it could not store its measurement', async () => {
  const project = openTempProject();
  const server = await startJudgeServer(() => verdict(true));
  project.write(
    `evals/${long}.eval.yaml`,
    `suite: long
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
judges: [{ id: strict, use: openai:gpt-4o, minKappa: 0.6, labels: strict.jsonl }]
cases: [{ id: red, vars: { word: red }, assert: [{ rubric: The answer is good. }] }]
`,
  );
  project.write('evals/strict.jsonl', '{"id": "a", "question": "Which?", "answer": "1", "label": "pass"}\n');
  const refused = { path: `evals/${long}.judges.json`, code: 'ENAMETOOLONG', env: server.env };
  await expectRefused(project, ['judge', 'check'], refused);
  expect(server.requests).toHaveLength(0);
  expect((await project.run(['judge', 'check', '--no-keep'], { env: server.env })).stderr).not.toContain(
    'ENAMETOOLONG',
  );
  mkdirSync(project.path(`evals/${long}.judges.json`));
  await expectRefused(project, ['judge', 'check'], { ...refused, code: 'EISDIR' });
});

test('review refuses to accept into a baseline that can not be written', async () => {
  const { project, accepted, argv } = await openLongProject();
  project.write(`evals/${long}.baseline.jsonl`, accepted.replace('"suite":"echo"', '"suite":"long"'));
  const server = await startChatServer(({ text }) => `${wordOf(text)}!`);
  await project.run(['run', '--cache', 'off', ...argv], { env: server.env });
  const refused = { path: `evals/${long}.baseline.jsonl`, code: 'ENAMETOOLONG' };
  await expectRefused(project, ['review', '--accept', '*', '--into', 'baseline'], refused);
  expect(project.read(refused.path)).not.toContain('red!');
});

test('init and import name the file that they can not write', async () => {
  const project = openTempProject();
  project.write('file', 'no folder');
  await expectRefused(project, ['init', 'file/sub'], { path: 'file/sub/llmcheck.config.yaml', code: 'ENOTDIR' });
  mkdirSync(project.path('.gitignore'));
  const { code, stderr } = await project.run(['init']);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/Reading .*\.gitignore failed: it is a folder/)]);
  project.write(
    'promptfooconfig.yaml',
    'prompts: ["Say {{w}}"]\nproviders: [openai:gpt-4o-mini]\ntests: [{ vars: { w: red }, assert: [{ type: equals, value: red }] }]\n',
  );
  const output = ['import', 'promptfoo', 'promptfooconfig.yaml', '-o', 'file/new.eval.yaml'];
  await expectRefused(project, output, { path: 'file/new.eval.yaml', code: 'ENOTDIR' });
});

test('the cache commands name the folder that refuses, and an export leaves the old file alone', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  await project.run(['cache', 'export', 'all.jsonl']);
  const full = await project.run(['cache', 'export', '/dev/full']);
  expect([full.code, full.stderr]).toEqual([2, expect.stringContaining('no space is left on the disk (ENOSPC)')]);
  const name = 'x'.repeat(250);
  project.write(name, 'old');
  await expectRefused(project, ['cache', 'export', name], { path: name, code: 'ENAMETOOLONG' });

  const other = openTempProject();
  other.write('.llmcheck/answers', 'no folder');
  other.write('llmcheck.config.yaml', '');
  other.write('all.jsonl', project.read('all.jsonl'));
  await expectRefused(other, ['cache', 'import', 'all.jsonl'], { path: '.llmcheck/answers', code: 'ENOTDIR' });
});

test('a full disk leaves no half of a merged record, and no half of an imported answer', {
  tags: ['slow'],
}, async () => {
  const project = openTempProject('two-providers');
  const server = await startEchoServer();
  for (const shard of ['1/2', '2/2']) await project.run(['run', '--shard', shard], { env: server.env });
  await project.run(['cache', 'export', 'all.jsonl']);
  await project.run(['cache', 'clear']);
  const before = snapshotOf(project);
  const runs = project.files('.llmcheck/runs');
  const merged = await spawnCli(['merge', ...runs], { cwd: project.root, maxFileBlocks: 20, env: {} }).ended;
  expect([merged.code, merged.stderr]).toEqual([2, expect.stringContaining('(EFBIG)')]);
  const imported = await spawnCli(['cache', 'import', 'all.jsonl'], { cwd: project.root, maxFileBlocks: 0, env: {} })
    .ended;
  expect([imported.code, imported.stderr]).toEqual([2, expect.stringContaining('(EFBIG)')]);
  expect(snapshotOf(project)).toEqual(before);
});
