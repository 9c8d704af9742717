// @module-tag slow
import { describe, expect, test } from 'vitest';
import { openGithubJobs, wordSuite } from '../../support/github-job.ts';
import { openGitlabJobs } from '../../support/gitlab-job.ts';
import type { TempProject } from '../../support/temp-project.ts';

const suite = 'evals/words.eval.yaml';

interface Repository {
  readonly project: TempProject;
  git(...argv: readonly string[]): string;
  push(message?: string): string;
}

/** Main has an accepted baseline. The change breaks every case, and brings a baseline that accepts it. */
async function acceptOwn<T extends Repository>(jobs: T, env: Readonly<Record<string, string>>): Promise<T> {
  await jobs.project.run(['run', '--update-baseline'], { env });
  const main = jobs.push('accept');
  // As a runner fetches it: no branch of its own.
  jobs.git('update-ref', 'refs/remotes/origin/main', main);
  jobs.git('checkout', '-q', '--detach');
  jobs.git('branch', '-qD', 'main');
  jobs.project.write(suite, wordSuite('words').replace('Say:', 'Say: not'));
  await jobs.project.run(['run', '--no-baseline'], { env });
  await jobs.project.run(['baseline', 'accept', '--known-failures', '--force'], { env });
  jobs.push('break, and accept it');
  return jobs;
}

async function openGithubChange() {
  const jobs = await openGithubJobs({ [suite]: wordSuite('words') });
  return acceptOwn(jobs, jobs.providerEnv);
}

async function openGitlabChange() {
  const jobs = await openGitlabJobs({ [suite]: wordSuite('words') });
  return acceptOwn(jobs, jobs.envOf());
}

describe('a change is never compared with its own baseline', () => {
  test('where a tag has the name of its target branch', async () => {
    const github = await openGithubChange();
    for (const tag of ['main', 'origin/main']) github.git('tag', tag, 'HEAD');
    const { outputs, summary } = await github.act({ args: '', flags: ['--comment'] });
    expect([outputs['accepted'], summary]).toEqual(['3', expect.stringContaining('accepts 3 regressions')]);

    const gitlab = await openGitlabChange();
    for (const tag of ['main', 'origin/main']) gitlab.git('tag', tag, 'HEAD');
    await gitlab.act({ args: '' });
    expect(gitlab.gitlab.notes[0]?.body).toContain('accepts 3 regressions');
  });

  test('where the variable that compares with nothing is off', async () => {
    const jobs = await openGithubChange();
    const { outputs } = await jobs.act({ args: '', env: { LLMCHECK_NO_BASELINE: '0' } });
    expect(outputs['accepted']).toBe('3');
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['the file of the event is not there', { GITHUB_EVENT_PATH: '/nowhere/event.json' }],
    ['no file of the event is named', { GITHUB_EVENT_PATH: '' }],
    ['the repository is not named', { GITHUB_REPOSITORY: '' }],
    ['in a merge queue the event is not there', { GITHUB_EVENT_PATH: '', GITHUB_EVENT_NAME: 'merge_group' }],
  ])('on GitHub where %s', async (_, env) => {
    const jobs = await openGithubChange();
    const { code, stderr } = await jobs.act({ args: '', env });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/error usage: the base of this \w+ is not known/)]);
    expect(jobs.github.checks.map(({ conclusion }) => conclusion)).not.toContain('success');
  });

  test.each(['CI_PROJECT_ID', 'CI_MERGE_REQUEST_IID', 'CI_MERGE_REQUEST_TARGET_BRANCH_NAME'])(
    'on GitLab without %s',
    async (name) => {
      const jobs = await openGitlabChange();
      const { code, stderr } = await jobs.act({ args: '', env: { [name]: '' } });
      expect([code, stderr]).toEqual([2, expect.stringContaining('the target of this merge request is not known')]);
    },
  );
});
