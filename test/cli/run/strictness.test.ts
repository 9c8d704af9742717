import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startEchoServer, testKey } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

/** The first lines of problems: place, severity and code. */
function placesIn(stderr: string): readonly string[] {
  return [...stderr.matchAll(/^(\S+:\d+:\d+) error ([a-z-]+):/gm)].map(([, place, code]) => `${place} ${code}`);
}

test('every mistake of a project is named at once, with its place and suggestion, before any call', async () => {
  const project = openTempProject('mistakes');
  const server = await startEchoServer();
  const { code, stdout, stderr } = await project.run(['run'], { env: server.env });
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(server.requests).toHaveLength(0);
  expect(placesIn(stderr)).toEqual([
    'evals/many.eval.yaml:2:1 unknown-key',
    'evals/many.eval.yaml:5:24 missing-variable',
    'evals/many.eval.yaml:6:9 duplicate-id',
    'evals/many.eval.yaml:7:11 file-unreadable',
    'evals/many.eval.yaml:9:11 file-outside-project',
    'evals/many.eval.yaml:13:10 unknown-adapter',
    'evals/many.eval.yaml:14:13 literal-key',
    'evals/many.eval.yaml:18:5 unknown-key',
    'evals/many.eval.yaml:20:9 unknown-assertion',
    'evals/many.eval.yaml:21:16 invalid-regex',
    'evals/many.eval.yaml:22:29 unknown-key',
    'evals/many.eval.yaml:23:37 invalid-value',
    'evals/many.eval.yaml:24:29 invalid-schema',
    'evals/many.eval.yaml:25:9 unknown-assertion',
    'evals/many.eval.yaml:26:9 duplicate-id',
    'evals/many.eval.yaml:28:27 missing-variable',
    'evals/many.eval.yaml:29:5 no-assertion',
    'evals/many.eval.yaml:33:15 unknown-key',
    'evals/rows.jsonl:2:41 unknown-key',
    'evals/rows.jsonl:3:39 syntax',
  ]);
  for (const meant of ['prompts', 'email', 'openai', 'tags', 'contains', 'ignoreCase', 'assert']) {
    expect(stderr).toContain(`did you mean "${meant}"?`);
  }
  expect(stderr).toContain('> 20 |       - contians: refund\n     |         ^');
  expect(stderr).toContain('20 errors');
  expect(stderr).not.toContain('sk-live');
  expect(project.files('.llmcheck')).toEqual([]);
});

test('validate and run say the same of every known mistake, and neither sends anything', { tags: 'slow' }, async () => {
  const project = openTempProject();
  const mistakes = join(import.meta.dirname, '../../../fixtures/suite/mistakes');
  cpSync(mistakes, project.root, { recursive: true });
  const server = await startEchoServer();
  const names = readdirSync(mistakes).filter((name) => name.endsWith('.eval.yaml'));
  for (const name of names) {
    const validated = await project.run(['validate', name], { env: server.env });
    const run = await project.run(['run', name], { env: server.env });
    expect([name, validated.code, run.code]).toEqual([name, 2, 2]);
    expect(run.stderr).toBe(validated.stderr);
    expect([name, placesIn(run.stderr).length > 0]).toEqual([name, true]);
  }
  expect(names.length).toBeGreaterThan(50);
  expect(server.requests).toHaveLength(0);
});

test('a suite that is right is valid, and a variable that no template reads is a warning', async () => {
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml');
  project.write('evals/echo.eval.yaml', suite.replace('{ word: red }', '{ word: red, shade: dark }'));
  const server = await startEchoServer();
  const validated = await project.run(['validate'], { env: server.env });
  expect(validated.code).toBe(0);
  expect(validated.stderr).toContain('unused-variable');
  expect(validated.stdout).toContain('valid');
  expect((await project.run(['run'], { env: server.env })).code).toBe(0);
});

test('validate warns of a missing key', async () => {
  const project = openTempProject('echo');
  const { code, stderr } = await project.run(['validate']);
  expect(code).toBe(0);
  expect(stderr).toContain('OPENAI_API_KEY');
});

test('two suites of one id are named together', async () => {
  const project = openTempProject('echo');
  project.write('evals/again.eval.yaml', project.read('evals/echo.eval.yaml'));
  const { code, stderr } = await project.run(['run']);
  expect(code).toBe(2);
  expect(stderr).toContain('evals/again.eval.yaml');
  expect(stderr).toContain('evals/echo.eval.yaml');
});

test('a mistake in one suite keeps the others from being sent', async () => {
  const project = openTempProject('echo');
  project.write('evals/other.eval.yaml', 'suite: other\nprompts: []\n');
  const server = await startEchoServer();
  expect((await project.run(['run'], { env: server.env })).code).toBe(2);
  expect(server.requests).toHaveLength(0);
});

test('a key in a file is never repeated', async () => {
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml');
  project.write(
    'evals/echo.eval.yaml',
    suite.replace('params:', `headers: { Authorization: "Bearer ${testKey}" }\n    params:`),
  );
  const { code, stdout, stderr } = await project.run(['run']);
  expect(code).toBe(2);
  expect(stdout + stderr).not.toContain(testKey);
});

test('recordings that are a folder, and a bad line of them, are reported at their place', async () => {
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml');
  project.write('evals/echo.eval.yaml', `${suite}recordings: .\n`);
  const folder = await project.run(['run']);
  const line = suite.split('\n').length;
  expect(folder.code).toBe(2);
  expect(folder.stderr).toContain(`evals/echo.eval.yaml:${line}:13 error file-unreadable: evals is not a file`);
  expect(folder.stderr).toContain(`> ${line} | recordings: .\n`);
  project.write('evals/echo.eval.yaml', `${suite}recordings: r.jsonl\n`);
  project.write('evals/r.jsonl', '{"prompt":"v1","provider":"p","caseID":"c","completion":{"text":"red"}}\n');
  const { code, stderr } = await project.run(['run']);
  expect(code).toBe(2);
  expect(stderr).toContain(
    'evals/r.jsonl:1:31 error recording: This line is not a recorded answer: unknown key "caseID".\n> 1 | {"prompt"',
  );
  expect(stderr).toContain('hint: did you mean "caseId"?');
});
