import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { openTempProject } from '../../support/temp-project.ts';

const spawnCli = prepareSpawn();

test('a suite outside the project is refused', async () => {
  const outside = openTempProject('echo');
  const project = openTempProject('echo');
  project.write('llmcheck.config.yaml', '');
  const server = await startEchoServer();
  const { code, stderr } = await project.run(['run', outside.path('evals/echo.eval.yaml')], { env: server.env });
  expect(code).toBe(2);
  expect(stderr).toContain('file-outside-project');
  expect(server.requests).toHaveLength(0);
});

test('a link that leads out of the project is refused, one inside is followed', async () => {
  const outside = openTempProject('echo');
  outside.write('secret.md', 'Say: {{ word }}');
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml').replace('text: "Say: {{ word }}"', 'file: linked.md');
  project.write('evals/echo.eval.yaml', suite);
  symlinkSync(outside.path('secret.md'), project.path('evals/linked.md'));
  const server = await startEchoServer();
  const refused = await project.run(['run'], { env: server.env });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('file-outside-project');

  const inside = openTempProject('echo');
  inside.write('evals/echo.eval.yaml', suite);
  inside.write('prompts/real.md', 'Say: {{ word }}');
  symlinkSync(inside.path('prompts/real.md'), inside.path('evals/linked.md'));
  expect((await inside.run(['run'], { env: server.env })).code).toBe(0);
});

test('a folder of links that go in circles ends', async () => {
  const project = openTempProject('echo');
  symlinkSync(project.path('evals'), project.path('evals/loop'));
  const server = await startEchoServer();
  const { code } = await project.run(['run'], { env: server.env });
  expect(code).toBe(0);
  expect(server.requests).toHaveLength(3);
});

test('a folder in the place of a record is reported before any call', async () => {
  const project = openTempProject('echo');
  project.write('.llmcheck', 'not a folder');
  const server = await startEchoServer();
  const { code, stderr } = await project.run(['run'], { env: server.env });
  expect(code).toBe(2);
  expect(stderr).toContain('environment');
  expect(server.requests).toHaveLength(0);
});

test('a folder that can not be written is reported before any call', { tags: ['slow'] }, async () => {
  const project = openTempProject('echo');
  mkdirSync(project.path('.llmcheck'));
  chmodSync(project.path('.llmcheck'), 0o555);
  chmodSync(project.root, 0o755);
  const server = await startEchoServer();
  const { code } = await spawnCli(['run'], { cwd: project.root, env: server.env, isUnprivileged: true }).ended;
  expect(code).toBe(2);
  expect(server.requests).toHaveLength(0);
});

test('a cache that can only be read answers what it holds', { tags: ['slow'] }, async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  await project.run(['run'], { env: server.env });
  const asked = server.requests.length;
  const [segment = ''] = project.files('.llmcheck/answers');
  project.write(segment, project.read(segment).replace(/.*\n/, ''));
  // Other users may read what was stored.
  chmodSync(project.path(segment), 0o644);
  chmodSync(project.path('.llmcheck/answers'), 0o555);
  for (const folder of ['.', '.llmcheck', '.llmcheck/runs']) chmodSync(project.path(folder), 0o777);
  const running = spawnCli(['run'], { cwd: project.root, env: server.env, isUnprivileged: true });
  const { code, stderr } = await running.ended;
  chmodSync(project.path('.llmcheck/answers'), 0o755);
  expect(stderr).toMatch(/can't be written \(EACCES.*No further answer is stored/);
  expect(code).toBe(0);
  expect(server.requests.length - asked).toBe(1);
});

test('a cache that can not be written warns and does not stop the run', async () => {
  const project = openTempProject('echo');
  project.write('.llmcheck/answers', 'not a folder');
  const server = await startEchoServer();
  const { code, stderr } = await project.run(['run'], { env: server.env });
  expect(code).toBe(0);
  expect(stderr).toMatch(/cache/i);
});

test('a report that can not be written warns and does not change the verdict', async () => {
  const project = openTempProject('echo');
  project.write('taken', 'a file');
  const server = await startEchoServer();
  const { code, stderr, stdout } = await project.run(['run', '-r', 'junit=taken/junit.xml'], { env: server.env });
  expect(code).toBe(0);
  expect(stderr).toContain('junit');
  expect(stdout).toContain('echo');
});

test('from a folder within the project the nearest config counts, and its .llmcheck/', async () => {
  const project = openTempProject('echo');
  project.write('llmcheck.config.yaml', 'suites: "evals/*.eval.yaml"\n');
  project.write('deep/er/x.txt', '');
  const server = await startEchoServer();
  const { runCli } = await import('../../support/run-cli.ts');
  const { code } = await runCli(['run'], { cwd: project.path('deep/er'), env: server.env });
  expect(code).toBe(0);
  expect((await project.run(['cache', 'stats'])).stdout).toContain('3 entries');
  expect(project.files('deep')).toEqual(['deep/er/x.txt']);
});

test.each([
  ['an empty suite', ''],
  ['a suite of comments', '# nothing\n'],
  ['a binary file', '\u0000\u0001\u0002PNG'],
  ['a list', '- a\n- b\n'],
  ['a scalar', 'hello\n'],
  [
    'an anchor bomb',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
      .split('')
      .map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(',')}]`)
      .join('\n')}\n`,
  ],
  ['deep nesting', `cases: ${'['.repeat(5000)}${']'.repeat(5000)}\n`],
  ['a custom tag', 'suite: !!js/function "x"\n'],
  ['a prototype key', '__proto__: { polluted: true }\nsuite: x\n'],
  ['a merge key', 'base: &b { suite: x }\n<<: *b\n'],
])('%s is a usage error at a place, and no crash', async (_what, text) => {
  const project = openTempProject();
  project.write('evals/odd.eval.yaml', text);
  const { code, stderr } = await project.run(['run']);
  expect([code, stderr.includes('this is a bug')]).toEqual([2, false]);
  expect(stderr).toMatch(/evals\/odd\.eval\.yaml:\d+:\d+ error/);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('huge numbers keep their spelling on the way to the provider', async () => {
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml');
  project.write(
    'evals/echo.eval.yaml',
    suite.replace('word: red', 'word: 12345678901234567890123').replace('expected: red', 'expected: 1.10'),
  );
  const server = await startEchoServer();
  await project.run(['run', '-t', 'red'], { env: server.env });
  expect(server.requests[0]?.body).toContain('Say: 12345678901234567890123');
});
