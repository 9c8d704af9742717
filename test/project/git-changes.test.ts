import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { openTempProject } from '../support/temp-project.ts';

const env = { PATH: process.env['PATH'] ?? '', HOME: '/nowhere', GIT_CONFIG_NOSYSTEM: '1' };
const identity = ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'protocol.file.allow=always'];
const suite =
  'prompts: [{ id: v1, text: hi }]\nproviders: ["exec:cat"]\ncases: [{ id: one, assert: [{ contains: hi }] }]\n';

function git(root: string, ...args: readonly string[]): void {
  execFileSync('git', [...identity, '-C', root, ...args], { env, stdio: 'ignore' });
}

test('a clone of a single branch does not take that branch for the default one', async () => {
  const project = openTempProject();
  git(project.root, 'init', '-q', '-b', 'main');
  project.write('evals/a.eval.yaml', suite);
  git(project.root, 'add', '-A');
  git(project.root, 'commit', '-qm', 'first');
  git(project.root, 'checkout', '-qb', 'feature');
  project.write('evals/a.eval.yaml', suite.replace('text: hi', 'text: hello'));
  git(project.root, 'commit', '-qam', 'second');
  git(project.root, 'checkout', '-q', 'main');
  const clone = openTempProject();
  git(clone.root, 'clone', '-q', '--single-branch', '--branch', 'feature', `file://${project.root}`, 'c');
  const run = () => runCli(['run', '--changed', '--dry-run'], { cwd: clone.path('c'), env });
  const single = await run();
  expect([single.code, single.stderr]).toEqual([
    2,
    expect.stringContaining('This clone of a single branch does not show where HEAD left the default branch.'),
  ]);
  const [, command = ''] = /run `([^`]+)`/.exec(single.stderr) ?? [];
  for (const part of command.split(' && ')) {
    git(clone.path('c'), ...part.replaceAll('"', '').split(' ').slice(1));
  }
  expect((await run()).stderr).toContain('1 of 1 suite changed since HEAD left origin/main');
});
