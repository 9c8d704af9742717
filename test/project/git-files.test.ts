import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { UserError } from '../../src/model/problem.ts';
import { type GitRef, openGitRef } from '../../src/project/git/git-files.ts';
import { catchUserError, makeFolder } from '../record/build-rows.ts';
import { commitAll, gitEnv, runGit } from '../support/git.ts';

describe('a ref', () => {
  test('is a branch, a tag or a commit', { tags: ['slow'] }, () => {
    const repository = makeRepository({ 'a.txt': 'one' });
    const first = runGit(repository, 'rev-parse', 'HEAD');
    runGit(repository, 'tag', '-a', '-m', 'first', 'v1.0');
    commit(repository, { 'a.txt': 'two' });
    const read = (ref: string) => open(repository, ref).readFile(join(repository, 'a.txt'));
    expect(['main', 'v1.0', first, first.slice(0, 8), 'HEAD', 'HEAD~1', 'heads/main'].map(read)).toEqual([
      'two',
      'one',
      'one',
      'one',
      'two',
      'one',
      'two',
    ]);
    expect(open(repository, 'v1.0')).toMatchObject({ name: 'v1.0', commit: first });
  });

  test('is looked for among the remote branches after the local ones', { tags: ['slow'] }, () => {
    const clone = cloneOf(makeOrigin());
    runGit(clone, 'checkout', '-q', 'feature');
    runGit(clone, 'branch', '-D', '-q', 'main');
    expect(open(clone, 'main').commit).toBe(runGit(clone, 'rev-parse', 'origin/main'));
    runGit(clone, 'branch', 'main', 'feature');
    expect(open(clone, 'main').commit).toBe(runGit(clone, 'rev-parse', 'feature'));
  });

  test('with three dots is the commit where HEAD left the branch', () => {
    const clone = cloneOf(makeOrigin());
    runGit(clone, 'checkout', '-q', 'feature');
    const expected = runGit(clone, 'rev-parse', 'feature~2');
    expect(open(clone, 'main...')).toMatchObject({ name: 'main...', commit: expected });
    runGit(clone, 'branch', '-D', '-q', 'main');
    expect(open(clone, 'main...').commit).toBe(expected);
    expect(open(clone, 'feature...main').commit).toBe(expected);
  });

  test.each([
    ['nothing', ''],
    ['three dots alone', '...'],
    ['an option', '--upload-pack=touch hacked'],
    ['an option behind the dots', 'main...--all'],
    ['a line break', 'main\nmain'],
    ['a NUL', 'main\0'],
  ])('is never %s', (_, ref) => {
    const { problems } = catchUserError(() => open(makeRepository({ a: '' }), ref));
    expect(problems).toMatchObject([{ code: 'record', severity: 'error', hint: expect.stringContaining('git:main') }]);
  });

  test.each(['^main', 'main^{tree}', 'main:a', 'main..main', '$(touch hacked)', 'main; touch hacked', '@{'])(
    'that names no single commit is unknown: %s',
    (ref) => {
      const repository = makeRepository({ a: '' });
      const { problems } = catchUserError(() => open(repository, ref));
      expect(problems).toMatchObject([{ code: 'record' }]);
      expect(problems[0]?.hint).not.toContain('fetch');
      expect(existsSync(join(repository, 'hacked'))).toBe(false);
    },
  );
});

describe('a ref that is not there', () => {
  test('is named with a near one', () => {
    const { problems } = catchUserError(() => open(makeRepository({ a: '' }), 'mainn'));
    expect(problems).toMatchObject([{ code: 'record', hint: expect.stringContaining('did you mean "main"?') }]);
  });

  test('names the command that fetches it, and that command works', () => {
    const clone = cloneOf(makeOrigin(), '--depth', '1', '--branch', 'feature');
    for (const ref of ['main', 'origin/main']) {
      const error = catchUserError(() => open(clone, ref));
      expect(commandIn(error)).toBe('git fetch origin main:refs/remotes/origin/main');
    }
    follow(clone, commandIn(catchUserError(() => open(clone, 'main'))));
    expect(open(clone, 'main').readFile(join(clone, 'evals/a.txt'))).toBe('three');
  });

  test('may be a commit that was not cloned', () => {
    const origin = makeOrigin();
    const clone = cloneOf(origin, '--depth', '1', '--branch', 'feature');
    const old = runGit(origin, 'rev-parse', 'main');
    follow(clone, commandIn(catchUserError(() => open(clone, old))));
    expect(open(clone, old).commit).toBe(old);
  });

  test('may be the short name of a commit, for which a shallow clone must be completed', () => {
    const origin = makeOrigin();
    const clone = cloneOf(origin, '--depth', '1', '--branch', 'feature');
    const short = runGit(origin, 'rev-parse', '--short', 'feature~2');
    const error = catchUserError(() => open(clone, short));
    expect(commandIn(error)).toBe('git fetch --unshallow origin');
    follow(clone, commandIn(error));
    expect(open(clone, short).commit).toBe(runGit(origin, 'rev-parse', 'feature~2'));
  });

  test('may be the branch that another one follows; one that follows none is no commit', () => {
    const clone = cloneOf(makeOrigin(), '--branch', 'feature');
    const followed = runGit(clone, 'rev-parse', 'origin/feature');
    runGit(clone, 'checkout', '-q', '-b', 'own', 'HEAD~1');
    expect(open(clone, 'feature@{u}').commit).toBe(followed);
    const [problem] = catchUserError(() => open(clone, 'own@{u}')).problems;
    expect(problem?.message).toBe('There is no commit "own@{u}" in this repository, and no "origin/own@{u}".');
  });

  test('may be HEAD of a repository without a commit', () => {
    const folder = makeFolder();
    runGit(folder, 'init', '-q');
    expect(catchUserError(() => open(folder, 'HEAD')).problems).toMatchObject([
      { code: 'record', hint: 'commit something first' },
    ]);
  });
});

describe('a merge base', () => {
  test('that a shallow clone lacks comes with the command that fetches it', () => {
    const clone = cloneOf(makeOrigin(), '--depth', '1', '--no-single-branch', '--branch', 'feature');
    const error = catchUserError(() => open(clone, 'main...'));
    expect(error.problems).toMatchObject([{ code: 'record', hint: expect.stringContaining('git fetch --deepen=') }]);
    follow(clone, commandIn(error));
    expect(open(clone, 'main...').commit).toBe(runGit(clone, 'rev-parse', 'feature~2'));
  });

  test('that a shallow clone of the one branch lacks is there after one command', () => {
    const clone = cloneOf(makeOrigin(), '--depth', '1', '--branch', 'feature');
    const error = catchUserError(() => open(clone, 'main...'));
    expect(commandIn(error)).toBe('git fetch --unshallow origin main:refs/remotes/origin/main');
    follow(clone, commandIn(error));
    expect(open(clone, 'main...').commit).toBe(runGit(clone, 'rev-parse', 'feature~2'));
  });

  test('of histories that never met is a problem', () => {
    const repository = makeRepository({ a: '' });
    runGit(repository, 'checkout', '-q', '--orphan', 'other');
    commit(repository, { b: '' });
    expect(catchUserError(() => open(repository, 'main...')).problems).toMatchObject([
      {
        code: 'record',
        message: '"HEAD" and "main" have no commit in common.',
        hint: expect.stringContaining('git:main'),
      },
    ]);
  });

  test('with a branch that is not there names the branch', () => {
    expect(catchUserError(() => open(makeRepository({ a: '' }), 'trunk...')).problems).toMatchObject([
      {
        code: 'record',
        message: expect.stringContaining('"trunk"'),
        hint: expect.stringContaining('git fetch origin trunk'),
      },
    ]);
  });
});

describe('a file at a ref', () => {
  test('is read by its path today, from any folder, whatever its name', () => {
    const names = [
      'evals/a b.jsonl',
      'evals/ünï cödé 評価.jsonl',
      "evals/it's $HOME `x` *.jsonl",
      'evals/-n',
      ':(top)x',
      ' x ',
    ];
    const repository = makeRepository(Object.fromEntries(names.map((name) => [name, `in ${name}`])));
    for (const name of names) rmSync(join(repository, name));
    for (const cwd of [repository, join(repository, 'evals')]) {
      mkdirSync(cwd, { recursive: true });
      const ref = open(cwd, 'main');
      expect(names.map((name) => ref.readFile(join(repository, name)))).toEqual(names.map((name) => `in ${name}`));
    }
  });

  test('is what was committed, without line ends or filters of the checkout', () => {
    const repository = makeRepository({ '.gitattributes': '*.txt text eol=crlf filter=upper', 'a.txt': 'a\nb\n' });
    runGit(repository, 'config', 'filter.upper.smudge', 'tr a-z A-Z');
    runGit(repository, 'config', 'core.autocrlf', 'true');
    expect(open(repository, 'main').readFile(join(repository, 'a.txt'))).toBe('a\nb\n');
  });

  test('that is empty is not one that is missing', () => {
    const repository = makeRepository({ 'evals/empty': '' });
    const ref = open(repository, 'main');
    expect(ref.readFile(join(repository, 'evals/empty'))).toBe('');
    for (const path of ['evals/none', 'none/none', 'evals/empty/none', '.git/config'])
      expect(ref.readFile(join(repository, path))).toBeUndefined();
  });

  test('is found after another one of its folder was missing', { tags: ['slow'] }, () => {
    const names = ['evals/a.txt', 'evals/ünï cödé 評価.txt', 'a.txt', ' x '];
    const repository = makeRepository(Object.fromEntries(names.map((name) => [name, `in ${name}`])));
    symlinkSync('evals', join(repository, 'link'));
    symlinkSync('a.txt', join(repository, 'evals/link.txt'));
    commit(repository, {});
    const ref = open(repository, 'main');
    rmSync(join(repository, 'link'));
    const read = (name: string) => ref.readFile(join(repository, name));
    expect(['evals/none', 'link/none', 'none'].map(read)).toEqual([undefined, undefined, undefined]);
    expect(names.map(read)).toEqual(names.map((name) => `in ${name}`));
    expect(['evals/link.txt', 'link/a.txt'].map(read)).toEqual(['in evals/a.txt', 'in evals/a.txt']);
  });

  test('is found through a link to the repository', () => {
    const repository = makeRepository({ 'evals/a.txt': 'one' });
    const link = join(makeFolder(), 'link');
    symlinkSync(repository, link);
    rmSync(join(repository, 'evals'), { recursive: true });
    expect(open(link, 'main').readFile(join(link, 'evals/a.txt'))).toBe('one');
  });

  test('is read in a worktree and where a git hook set its variables', () => {
    const repository = makeRepository({ 'a.txt': 'one' });
    const worktree = join(makeFolder(), 'worktree');
    runGit(repository, 'worktree', 'add', '-q', '-b', 'other', worktree);
    const other = makeRepository({ 'a.txt': 'wrong' });
    const ref = openGitRef(worktree, 'other', { ...gitEnv, GIT_DIR: join(other, '.git'), GIT_WORK_TREE: other });
    expect(ref.readFile(join(worktree, 'a.txt'))).toBe('one');
  });

  test('may be a link within the repository', () => {
    const repository = makeRepository({ 'prompts/v2.md': 'two' });
    symlinkSync('v2.md', join(repository, 'prompts/current.md'));
    symlinkSync('prompts', join(repository, 'p'));
    symlinkSync('nowhere', join(repository, 'dangling'));
    commit(repository, {});
    const ref = open(repository, 'main');
    const paths = ['prompts/current.md', 'p/current.md', 'p/none.md', 'dangling'];
    expect(paths.map((path) => ref.readFile(join(repository, path)))).toEqual(['two', 'two', undefined, undefined]);
  });

  test.each([
    ['an absolute path', '/etc/hostname', 'link'],
    ['a path upwards', '../../outside', 'link'],
    ['a folder outside', '/etc', 'link/hostname'],
  ])('may not be a link out of the repository, to %s', (_, target, path) => {
    const repository = makeRepository({ a: '' });
    symlinkSync(target, join(repository, 'link'));
    commit(repository, {});
    const { problems } = catchUserError(() => open(repository, 'main').readFile(join(repository, path)));
    expect(problems).toMatchObject([{ code: 'record', message: expect.stringContaining(`to "${target}"`) }]);
  });

  test('may not be a link to itself', () => {
    const repository = makeRepository({ a: '' });
    symlinkSync('loop', join(repository, 'loop'));
    commit(repository, {});
    expect(catchUserError(() => open(repository, 'main').readFile(join(repository, 'loop'))).problems).toMatchObject([
      { code: 'record' },
    ]);
  });

  test('may not lie in a submodule', { tags: ['slow'] }, () => {
    const inner = makeRepository({ 'a.txt': 'inner' });
    const repository = makeRepository({ a: '' });
    runGit(repository, '-c', 'protocol.file.allow=always', 'submodule', '-q', 'add', inner, 'libs/inner');
    commit(repository, {});
    const ref = open(repository, 'main');
    for (const path of ['libs/inner/a.txt', 'libs/inner/none/none', 'libs/inner']) {
      const { problems } = catchUserError(() => ref.readFile(join(repository, path)));
      expect(problems).toMatchObject([{ code: 'record', message: expect.stringContaining('submodule libs/inner') }]);
    }
    expect(open(join(repository, 'libs/inner'), 'main').readFile(join(repository, 'libs/inner/a.txt'))).toBe('inner');
  });

  test('may not lie outside the repository', () => {
    const repository = makeRepository({ a: '' });
    const ref = open(repository, 'main');
    for (const path of ['/etc/hostname', join(repository, '..', 'x'), `${repository}x/a`]) {
      expect(catchUserError(() => ref.readFile(path)).problems).toMatchObject([
        { code: 'record', message: expect.stringContaining('outside the repository') },
      ]);
    }
  });

  test('is a file, not a folder, and text', () => {
    const repository = makeRepository({ 'evals/latin': Buffer.from([0xe9]), 'line\nbreak': '' });
    const ref = open(repository, 'main');
    const messageOf = (path: string) => catchUserError(() => ref.readFile(join(repository, path))).message;
    expect(messageOf('evals')).toContain('folder');
    expect(messageOf('')).toContain('folder');
    expect(messageOf('evals/latin')).toContain('UTF-8');
    expect(messageOf('line\nbreak')).toContain('line break');
  });

  test.each(['blob:none', 'tree:0'])(
    'that a partial clone (%s) left behind is not a missing one, and nothing is fetched',
    (filter) => {
      const origin = makeOrigin();
      runGit(origin, 'config', 'uploadpack.allowFilter', 'true');
      const clone = cloneOf(origin, '--no-checkout', `--filter=${filter}`);
      // What is allowed to the user is still not allowed here.
      const ref = openGitRef(clone, 'main', { ...gitEnv, GIT_ALLOW_PROTOCOL: 'file' });
      const path = join(clone, "evals/it's.txt");
      const error = catchUserError(() => ref.readFile(path));
      expect(error.problems).toMatchObject([{ code: 'record', hint: expect.stringContaining('git show') }]);
      follow(clone, commandIn(error));
      expect(ref.readFile(path)).toBe('quoted');
    },
  );
});

describe('listing files', () => {
  test('gives those of a folder and below, without links and submodules', { tags: ['slow'] }, () => {
    const inner = makeRepository({ 'a.txt': '' });
    const repository = makeRepository({ 'evals/ü b.yaml': '', 'evals/deep/c': '', 'evals-2/d': '', root: '' });
    symlinkSync('c', join(repository, 'evals/deep/link'));
    runGit(repository, '-c', 'protocol.file.allow=always', 'submodule', '-q', 'add', inner, 'evals/inner');
    runGit(repository, 'rm', '-q', '--cached', '.gitmodules');
    rmSync(join(repository, '.gitmodules'));
    commit(repository, {});
    const list = (folder: string, cwd = repository) => open(cwd, 'main').listFiles(join(repository, folder));
    const evals = ['evals/deep/c', 'evals/ü b.yaml'].map((path) => join(repository, path));
    expect(list('evals')).toEqual(evals);
    expect(list('evals', join(repository, 'evals/deep'))).toEqual(evals);
    expect(list('')).toEqual([join(repository, 'evals-2/d'), ...evals, join(repository, 'root')]);
    expect([list('none'), list('root')]).toEqual([[], []]);
  });

  test('outside the repository is refused', () => {
    const ref = open(makeRepository({ a: '' }), 'main');
    expect(catchUserError(() => ref.listFiles('/etc')).problems).toMatchObject([{ code: 'record' }]);
  });
});

describe('git itself', () => {
  test('may not be installed', () => {
    const { problems } = catchUserError(() => openGitRef(makeFolder(), 'main', { PATH: makeFolder() }));
    expect(problems).toMatchObject([{ code: 'environment', hint: expect.stringContaining('install git') }]);
  });

  test('may be a file that is not a program', () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 'git'), '');
    expect(catchUserError(() => openGitRef(folder, 'main', { PATH: folder })).problems).toMatchObject([
      { code: 'environment', message: expect.stringContaining('EACCES') },
    ]);
  });

  test('may be asked outside a repository', () => {
    expect(catchUserError(() => open(makeFolder(), 'main')).problems).toMatchObject([
      { code: 'environment', message: expect.stringContaining('no git repository') },
    ]);
  });

  test('may be asked in a folder that is not there', () => {
    const { problems } = catchUserError(() => open(join(makeFolder(), 'none'), 'main'));
    expect(problems).toMatchObject([{ code: 'environment', message: expect.stringContaining('none') }]);
  });

  test('may distrust the repository of another user', () => {
    const repository = makeRepository({ a: '' });
    const error = catchUserError(() =>
      openGitRef(repository, 'main', { ...gitEnv, GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' }),
    );
    expect(error.problems).toMatchObject([{ code: 'environment' }]);
    expect(commandIn(error)).toBe(`git config --global --add safe.directory ${repository}`);
  });

  test('may be led to a bare repository, whose settings are never trusted', () => {
    const folder = makeFolder();
    runGit(folder, 'init', '-q', '--bare');
    expect(catchUserError(() => open(folder, 'main')).problems).toMatchObject([{ code: 'environment' }]);
  });

  test('speaks English to us in any locale', () => {
    const { problems } = catchUserError(() =>
      openGitRef(makeFolder(), 'main', { ...gitEnv, LC_ALL: 'de_DE.UTF-8', LANGUAGE: 'de' }),
    );
    expect(problems).toMatchObject([{ message: expect.stringContaining('no git repository') }]);
  });

  test('runs no program that the repository or the user configured', () => {
    const repository = makeRepository({ 'a.txt': 'one', '.gitattributes': '* diff=spy filter=spy' });
    const witness = join(makeFolder(), 'ran');
    const spy = join(makeFolder(), 'spy');
    writeFileSync(spy, `#!/bin/sh\necho "$0" >> '${witness}'\n`);
    chmodSync(spy, 0o755);
    const settings = [
      'core.fsmonitor',
      'core.pager',
      'core.editor',
      'diff.spy.textconv',
      'filter.spy.smudge',
      'core.askPass',
    ];
    for (const setting of settings) runGit(repository, 'config', setting, spy);
    const ref = openGitRef(repository, 'main', { ...gitEnv, GIT_PAGER: spy, PAGER: spy, GIT_EXTERNAL_DIFF: spy });
    expect(ref.readFile(join(repository, 'a.txt'))).toBe('one');
    expect(ref.listFiles(repository)).toHaveLength(2);
    expect(existsSync(witness)).toBe(false);
  });
});

type Files = Readonly<Record<string, string | Buffer>>;

function open(cwd: string, ref: string): GitRef {
  return openGitRef(cwd, ref, gitEnv);
}

function commit(repository: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    writeFileSync(join(repository, path), content);
  }
  commitAll(repository);
}

function makeRepository(files: Files, parent = makeFolder()): string {
  const folder = realpathSync(parent);
  runGit(folder, 'init', '-q', '-b', 'main');
  commit(folder, files);
  return folder;
}

/** Made once: it takes a dozen starts of git. Removed with the temporary files of all tests. */
let firstOrigin: string | undefined;

/** A copy, which a test may change. */
function makeOrigin(): string {
  firstOrigin ??= buildOrigin();
  const origin = join(realpathSync(makeFolder()), 'origin');
  cpSync(firstOrigin, origin, { recursive: true });
  return origin;
}

/** `main` with three commits; `feature` left it after the second and has two of its own. */
function buildOrigin(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-origin-'));
  const origin = makeRepository({ 'evals/a.txt': 'one', "evals/it's.txt": 'quoted' }, folder);
  commit(origin, { 'evals/a.txt': 'two' });
  runGit(origin, 'branch', 'feature');
  commit(origin, { 'evals/a.txt': 'three' });
  runGit(origin, 'checkout', '-q', 'feature');
  for (const content of ['four', 'five']) commit(origin, { 'evals/b.txt': content });
  runGit(origin, 'checkout', '-q', 'main');
  return origin;
}

function cloneOf(origin: string, ...options: string[]): string {
  const clone = join(realpathSync(makeFolder()), 'clone');
  runGit(dirname(clone), 'clone', '-q', ...options, `file://${origin}`, clone);
  return clone;
}

/** The first command of the hint. */
function commandIn(error: UserError): string {
  return /`(git .*?)`/.exec(error.problems[0]?.hint ?? '')?.[1] ?? 'no command';
}

/** Does as the hint says, in a shell as a user would. */
function follow(cwd: string, command: string): void {
  execFileSync('sh', ['-c', command], { cwd, env: gitEnv, stdio: ['ignore', 'ignore', 'pipe'] });
}
