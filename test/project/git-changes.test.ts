import { expect, test } from 'vitest';
import { gitEnv, runGit } from '../support/git.ts';
import { runCli } from '../support/run-cli.ts';
import { openTempProject } from '../support/temp-project.ts';

const suite =
  'prompts: [{ id: v1, text: hi }]\nproviders: ["exec:cat"]\ncases: [{ id: one, assert: [{ contains: hi }] }]\n';

test('a clone of a single branch does not take that branch for the default one', async () => {
  const project = openTempProject();
  runGit(project.root, 'init', '-q', '-b', 'main');
  project.write('evals/a.eval.yaml', suite);
  runGit(project.root, 'add', '-A');
  runGit(project.root, 'commit', '-qm', 'first');
  runGit(project.root, 'checkout', '-qb', 'feature');
  project.write('evals/a.eval.yaml', suite.replace('text: hi', 'text: hello'));
  runGit(project.root, 'commit', '-qam', 'second');
  runGit(project.root, 'checkout', '-q', 'main');
  const clone = openTempProject();
  runGit(clone.root, 'clone', '-q', '--single-branch', '--branch', 'feature', `file://${project.root}`, 'c');
  const run = () => runCli(['run', '--changed', '--dry-run'], { cwd: clone.path('c'), env: gitEnv });
  const single = await run();
  expect([single.code, single.stderr]).toEqual([
    2,
    expect.stringContaining('This clone of a single branch does not show where HEAD left the default branch.'),
  ]);
  const [, command = ''] = /run `([^`]+)`/.exec(single.stderr) ?? [];
  for (const part of command.split(' && ')) {
    runGit(clone.path('c'), ...part.replaceAll('"', '').split(' ').slice(1));
  }
  expect((await run()).stderr).toContain('1 of 1 suite changed since HEAD left origin/main');
});
