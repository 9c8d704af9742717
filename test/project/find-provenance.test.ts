import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findProvenance } from '../../src/project/git/find-provenance.ts';
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
