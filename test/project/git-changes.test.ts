import { chmodSync, symlinkSync, unlinkSync, utimesSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findGitChanges } from '../../src/project/git/git-changes.ts';
import { commitAll, gitEnv, initRepository, runGit } from '../support/git.ts';
import { runCli } from '../support/run-cli.ts';
import { openTempProject } from '../support/temp-project.ts';

const suite =
  'prompts: [{ id: v1, text: hi }]\nproviders: ["exec:cat"]\ncases: [{ id: one, assert: [{ contains: hi }] }]\n';

test('a clone of a single branch does not take that branch for the default one', { tags: 'slow' }, async () => {
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

/** A repository whose first commit holds these files. */
function openRepository(files: Readonly<Record<string, string>>) {
  const project = openTempProject();
  const git = (...args: readonly string[]) => runGit(project.root, ...args);
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  return { ...project, git, commit: initRepository(project.root) };
}

test.each(['--assume-unchanged', '--skip-worktree'])(
  'a file under %s may have changed, since git does not look',
  (flag) => {
    const { root, git, ...project } = openRepository({ 'a.txt': 'before\n', 'b.txt': 'b\n' });
    git('update-index', flag, 'a.txt');
    project.write('a.txt', 'after\n');
    const changes = findGitChanges(root, 'HEAD', gitEnv);
    expect(['a.txt', 'b.txt'].map((name) => changes.changeOf(`${root}/${name}`)?.kind)).toEqual(['unknown', undefined]);
  },
);

test('each path has the change since a commit', () => {
  const { root, git, ...project } = openRepository({
    'kept.txt': 'kept\n',
    'touched.txt': 'touched\n',
    'ends.txt': 'a\nb\n',
    'edited.txt': 'before\n',
    'gone.txt': 'gone\n',
    'run.sh': 'run\n',
    'target.txt': 'target\n',
    'deep/moved.txt': 'moved\n',
    '.gitignore': 'ignored.txt\n',
  });
  symlinkSync('target.txt', `${root}/link`);
  symlinkSync('kept.txt', `${root}/same`);
  const short = commitAll(root).slice(0, 8);
  utimesSync(`${root}/touched.txt`, 1, 1);
  project.write('ends.txt', 'a\r\nb\r\n');
  project.write('edited.txt', 'after\n');
  unlinkSync(`${root}/gone.txt`);
  chmodSync(`${root}/run.sh`, 0o755);
  unlinkSync(`${root}/link`);
  symlinkSync('kept.txt', `${root}/link`);
  unlinkSync(`${root}/same`);
  symlinkSync('kept.txt', `${root}/same`);
  git('mv', 'deep/moved.txt', 'deep/new.txt');
  project.write('untracked.txt', '');
  project.write('ignored.txt', '');
  const changes = findGitChanges(root, 'HEAD', gitEnv);
  expect([changes.since, changes.root]).toEqual([`HEAD (${short})`, root]);
  expect(Object.fromEntries([...changes.changed].map(([path, kind]) => [path.slice(root.length + 1), kind]))).toEqual({
    'edited.txt': 'modified',
    'gone.txt': 'deleted',
    'run.sh': 'modified',
    link: 'modified',
    'deep/moved.txt': 'deleted',
    'deep/new.txt': 'added',
    'untracked.txt': 'added',
  });
  const kindOf = (name: string) => changes.changeOf(`${root}/${name}`)?.kind;
  expect(
    ['kept.txt', 'same', 'touched.txt', 'ends.txt', 'edited.txt', 'none.txt', 'link', 'ignored.txt'].map(kindOf),
  ).toEqual([undefined, undefined, undefined, undefined, 'modified', undefined, 'modified', 'unknown']);
  symlinkSync('edited.txt', `${root}/late`);
  expect(changes.changeOf(`${root}/late`)).toEqual({ path: `${root}/edited.txt`, kind: 'modified' });
  expect(changes.realPathOf(`${root}/late`)).toBe(`${root}/edited.txt`);
  expect(changes.realPathOf(`${root}/none/deep`)).toBe(`${root}/none/deep`);
  expect(changes.readBoth(`${root}/edited.txt`)).toEqual(['before\n', 'after\n']);
  expect(changes.readBoth(`${root}/gone.txt`)).toEqual(['gone\n', undefined]);
  expect(changes.readBoth(`${root}/untracked.txt`)).toEqual([undefined, '']);
  expect([changes.exists(`${root}/kept.txt`), changes.exists(`${root}/gone.txt`)]).toEqual([true, false]);
});

test('without a ref, the commit is where HEAD left the branch that changes go to', { tags: 'slow' }, () => {
  const { root, git, commit } = openRepository({ 'a.txt': 'a' });
  const short = commit.slice(0, 8);
  const since = (env: object = {}) => findGitChanges(root, undefined, { ...gitEnv, ...env }).since;
  expect(since()).toBe(`HEAD left main (${short})`);
  git('branch', '-m', 'main', 'trunk');
  expect(since()).toBe(`HEAD (${short})`);
  git('update-ref', 'refs/remotes/origin/target', 'HEAD');
  for (const name of [
    'GITHUB_BASE_REF',
    'CI_MERGE_REQUEST_TARGET_BRANCH_NAME',
    'BITBUCKET_PR_DESTINATION_BRANCH',
    'SYSTEM_PULLREQUEST_TARGETBRANCH',
    'CHANGE_TARGET',
  ])
    expect(since({ [name]: 'refs/heads/target' })).toBe(`HEAD left origin/target (${short})`);
  git('symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/target');
  expect(since({ GITHUB_BASE_REF: '' })).toBe(`HEAD left origin/target (${short})`);
});
