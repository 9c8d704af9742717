import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findProvenance, findPullRequestSign } from '../../src/project/git/find-provenance.ts';
import { runGit } from '../support/git.ts';
import { openTempProject } from '../support/temp-project.ts';

const hash = 'a'.repeat(40);

describe('the provenance of a run', () => {
  test.each([
    [
      { GITHUB_SHA: hash, GITHUB_HEAD_REF: 'tone', GITHUB_REF: 'refs/pull/12/merge', GITHUB_REF_NAME: '12/merge' },
      { commit: hash, branch: 'tone', pullRequest: 12 },
    ],
    [
      { GITHUB_SHA: hash, GITHUB_HEAD_REF: '', GITHUB_REF: 'refs/heads/release/3', GITHUB_REF_NAME: 'release/3' },
      { commit: hash, branch: 'release/3' },
    ],
    [
      { CI_COMMIT_SHA: hash, CI_COMMIT_REF_NAME: 'tone', CI_MERGE_REQUEST_IID: '7' },
      { commit: hash, branch: 'tone', pullRequest: 7 },
    ],
    [
      { BUILD_SOURCEVERSION: hash, BUILD_SOURCEBRANCH: 'refs/heads/main' },
      { commit: hash, branch: 'main' },
    ],
    [{ BITBUCKET_COMMIT: hash, BITBUCKET_PR_ID: 'none' }, { commit: hash }],
    [
      { BITBUCKET_COMMIT: hash, BITBUCKET_BRANCH: 'tone', BITBUCKET_PR_ID: '3' },
      { commit: hash, branch: 'tone', pullRequest: 3 },
    ],
    [
      {
        BUILD_SOURCEVERSION: hash,
        SYSTEM_PULLREQUEST_SOURCEBRANCH: 'refs/heads/tone',
        BUILD_SOURCEBRANCH: 'refs/pull/4/merge',
        SYSTEM_PULLREQUEST_PULLREQUESTNUMBER: '4',
      },
      { commit: hash, branch: 'tone', pullRequest: 4 },
    ],
    [
      { GIT_COMMIT: hash, CHANGE_BRANCH: 'tone', BRANCH_NAME: 'PR-5', CHANGE_ID: '5' },
      { commit: hash, branch: 'tone', pullRequest: 5 },
    ],
    [{ GITHUB_SHA: hash, GITHUB_REF: 'refs/pullx/12' }, { commit: hash }],
    [{ GITHUB_SHA: `${hash}0`, GITHUB_REF: 'x12' }, { commit: `${hash}0` }],
    [{ GITHUB_SHA: hash.slice(1) }, undefined],
    [{ GITHUB_SHA: 'a'.repeat(65) }, undefined],
    [{ GIT_COMMIT: 'not a hash' }, undefined],
    [{}, undefined],
  ])('of CI is what its variables say: %j', (env, expected) => {
    expect(findProvenance(openTempProject().root, env)).toEqual(expected);
  });

  test('elsewhere is what is checked out, in further working trees too', () => {
    const project = openTempProject();
    const git = (...argv: readonly string[]) => runGit(project.root, ...argv);
    git('init', '-q', '-b', 'main');
    expect(findProvenance(project.root, {})).toEqual({ branch: 'main' });
    git('commit', '-q', '--allow-empty', '-m', 'first');
    const commit = git('rev-parse', 'HEAD');
    project.write('evals/a.txt', '');
    expect(findProvenance(join(project.root, 'evals'), {})).toEqual({ commit, branch: 'main' });
    git('pack-refs', '--all');
    expect(findProvenance(project.root, {})).toEqual({ commit, branch: 'main' });
    git('worktree', 'add', '-q', '-b', 'tone', 'further');
    expect(findProvenance(project.path('further'), {})).toEqual({ commit, branch: 'tone' });
    git('checkout', '-q', '--detach');
    expect(findProvenance(project.root, {})).toEqual({ commit });
  });
});

test('a folder behind a link is in the repository that it leads to', () => {
  const [outer, inner] = [openTempProject(), openTempProject()];
  for (const { root } of [outer, inner]) {
    runGit(root, 'init', '-q', '-b', 'main');
    runGit(root, 'commit', '-q', '--allow-empty', '-m', root);
  }
  inner.write('evals/a.txt', '');
  symlinkSync(join(inner.root, 'evals'), join(outer.root, 'linked'));
  expect(findProvenance(join(outer.root, 'linked'), {})?.commit).toBe(runGit(inner.root, 'rev-parse', 'HEAD'));
});

test('the own file of a branch counts before the list of packed ones', () => {
  const project = openTempProject();
  const git = (...argv: readonly string[]) => runGit(project.root, ...argv);
  git('init', '-q', '-b', 'main');
  git('commit', '-q', '--allow-empty', '-m', 'first');
  git('pack-refs', '--all');
  git('commit', '-q', '--allow-empty', '-m', 'second');
  expect(findProvenance(project.root, {})?.commit).toBe(git('rev-parse', 'HEAD'));
});

test('what git has written by half is not known', () => {
  const project = openTempProject();
  const head = (text: string) => {
    project.write('.git/HEAD', text);
    return findProvenance(project.root, {});
  };
  expect(head('')).toBeUndefined();
  expect(head('ref: refs/heads/main\n')).toEqual({ branch: 'main' });
  expect(head('ref: refs/tags/v1')).toEqual({ branch: 'refs/tags/v1' });
  expect(head('ref: refs/heads/.invalid\n')).toBeUndefined();
  expect(head(`${hash}\n`)).toEqual({ commit: hash });
  project.write('.git/refs/heads/main', 'half');
  expect(head('ref: refs/heads/main')).toEqual({ branch: 'main' });
  project.write('.git/packed-refs', `${hash} refs/heads/other\n${'b'.repeat(40)} refs/heads/packed\n`);
  expect(head('ref: refs/heads/packed')).toEqual({ commit: 'b'.repeat(40), branch: 'packed' });
  project.write('more/.git', 'no folder');
  expect(findProvenance(project.path('more'), {})).toBeUndefined();
  project.write('less/.git', 'gitdir: ../.git\n');
  expect(findProvenance(project.path('less'), {})).toEqual({ commit: 'b'.repeat(40), branch: 'packed' });
  project.write('folder/.git/HEAD/x', '');
  expect(findProvenance(project.path('folder'), {})).toBeUndefined();
});

test.each([
  [{ GITHUB_EVENT_NAME: 'pull_request_target' }, 'GITHUB_EVENT_NAME'],
  [{ GITHUB_REF: 'refs/pull/1/merge' }, 'GITHUB_REF'],
  [{ CI_PIPELINE_SOURCE: 'merge_request_event' }, 'CI_PIPELINE_SOURCE'],
  [{ BUILD_REASON: 'PullRequest' }, 'BUILD_REASON'],
  [{ BUILDKITE_PULL_REQUEST: '3' }, 'BUILDKITE_PULL_REQUEST'],
  [{ BUILDKITE_PULL_REQUEST: 'false', TRAVIS_PULL_REQUEST: 'false', DRONE_PULL_REQUEST: '' }, undefined],
  [{ GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/heads/main', CHANGE_ID: '' }, undefined],
])('the environment %j has the sign of a pull request: %s', (env, sign) => {
  expect(findPullRequestSign(env)).toBe(sign);
});
