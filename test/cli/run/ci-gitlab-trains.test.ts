// @module-tag slow
import { describe, expect, test } from 'vitest';
import { wordSuite } from '../../support/github-job.ts';
import { type GitlabJobs, openGitlabJobs } from '../../support/gitlab-job.ts';

const suite = 'evals/words.eval.yaml';

interface Train extends GitlabJobs {
  /** The tip of the target. */
  readonly main: string;
  /** The first request of the train, merged into main. It breaks every word, and accepts that. */
  readonly first: string;
  /** The head of the second request, which left main before. */
  readonly head: string;
}

/** A branch that changes the suite, and its commit. */
function branchOff(jobs: GitlabJobs, name: string, text: string): string {
  jobs.git('checkout', '-qb', name, 'main');
  jobs.project.write(name === 'first' ? suite : 'evals/other.eval.yaml', text);
  return jobs.push(name);
}

async function openTrain(second = wordSuite('other')): Promise<Train> {
  const jobs = await openGitlabJobs({ [suite]: wordSuite('words') });
  const env = jobs.envOf();
  await jobs.project.run(['run', '-q', '--update-baseline'], { env });
  const main = jobs.push('accept');
  branchOff(jobs, 'first', wordSuite('words').replace('Say:', 'Say: not'));
  await jobs.project.run(['run', '-q', '--no-baseline'], { env });
  await jobs.project.run(['baseline', 'accept', '--known-failures', '--force'], { env });
  jobs.push('accept what breaks');
  const head = branchOff(jobs, 'second', second);
  // As GitLab makes the commits of a train: each request is merged into the one before.
  jobs.git('checkout', '-q', '--detach', main);
  jobs.git('merge', '-q', '--no-ff', '-m', 'car 1', 'first');
  const first = jobs.git('rev-parse', 'HEAD');
  jobs.git('merge', '-q', '--no-ff', '-m', 'car 2', 'second');
  jobs.git('update-ref', 'refs/remotes/origin/main', main);
  jobs.gitlab.head = head;
  return { ...jobs, main, first, head };
}

function ofTrain({ head }: Train, target: string, type = 'merge_train') {
  const env = {
    CI_MERGE_REQUEST_EVENT_TYPE: type,
    CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: head,
    CI_MERGE_REQUEST_TARGET_BRANCH_SHA: target,
  };
  return { args: '', env };
}

describe('a request of a merge train', { tags: 'slow' }, () => {
  test('is compared with the request before it, not with main', async () => {
    const train = await openTrain();
    const behind = await train.act(ofTrain(train, train.first));
    expect([behind.code, behind.stdout]).toEqual([0, expect.not.stringContaining('accepts')]);
    expect(train.gitlab.notes[0]?.body).toMatch(/commit=\w+ .*\n### ✅ llmcheck PASSED/);
    const alone = await train.act(ofTrain(train, train.main));
    expect([alone.code, alone.stdout]).toEqual([0, expect.stringContaining('this change accepts 3 regressions')]);
  });

  test('fails for what it breaks itself', async () => {
    const train = await openTrain(wordSuite('other', ['red']));
    const { code, stdout } = await train.act(ofTrain(train, train.first));
    expect([code, stdout]).toEqual([1, expect.stringMatching(/FAILED .*other/)]);
  });
});

test('a merged result is compared with the commit that it was merged into', async () => {
  const train = await openTrain();
  // The fetched branch is older than what GitLab merged into.
  train.git('update-ref', 'refs/remotes/origin/main', train.git('rev-parse', `${train.main}^`));
  const { code, stdout } = await train.act(ofTrain(train, train.first, 'merged_result'));
  expect([code, stdout]).toEqual([0, expect.not.stringContaining('accepts')]);
});

test.each([
  ['of a branch', { CI_MERGE_REQUEST_EVENT_TYPE: 'detached', CI_MERGE_REQUEST_TARGET_BRANCH_SHA: '' }],
  ['that names no commit', { CI_MERGE_REQUEST_EVENT_TYPE: 'merge_train', CI_MERGE_REQUEST_TARGET_BRANCH_SHA: 'x; y' }],
])('a pipeline %s is compared with the merge base', async (_, env) => {
  const train = await openTrain();
  const { stdout } = await train.act({ args: '', env });
  expect(stdout).toContain('this change accepts 3 regressions');
});

test('a commit that is not in the clone is a mistake, and no missing baseline', async () => {
  const train = await openTrain();
  const { code, stderr } = await train.act(ofTrain(train, 'a'.repeat(40)));
  expect([code, stderr]).toEqual([2, expect.stringContaining(`There is no commit "${'a'.repeat(40)}"`)]);
});
