// @module-tag slow
import { describe, expect, test } from 'vitest';
import { type GithubJobs, type JobOptions, openGithubJobs, wordSuite } from '../../support/github-job.ts';

const files = { 'evals/words.eval.yaml': wordSuite('words') };

function annotationsOf(stdout: string): readonly string[] {
  return stdout.split('\n').filter((line) => /^::(error|warning) /.test(line));
}

describe('a checkout without history', () => {
  /** A pull request of the branch `change`, checked out with a depth of 1. */
  async function openShallow(depth = 1, fetchMain = false): Promise<GithubJobs> {
    const jobs = await openGithubJobs(files);
    jobs.git('checkout', '-qb', 'change');
    for (const message of ['one', 'two']) jobs.push(message);
    const url = `file://${jobs.project.root}`;
    jobs.git('clone', '-q', '--depth', String(depth), '--branch', 'change', url, 'job/clone');
    if (fetchMain)
      jobs.git('-C', 'job/clone', 'fetch', '-q', '--depth', '1', 'origin', 'main:refs/remotes/origin/main');
    return jobs;
  }
  const shallow: JobOptions = { folder: 'job/clone', args: '' };

  test.each([
    ['lacks the target branch', false],
    ['lacks the commit where the branch began', true],
  ])('that %s says to set fetch-depth, in an annotation and in the comment', async (_, fetchMain) => {
    const jobs = await openShallow(1, fetchMain);
    const { code, stdout } = await jobs.act(shallow);
    expect(code).toBe(2);
    expect(annotationsOf(stdout)).toEqual([
      expect.stringMatching(
        /^::error title=llmcheck%3A record::.*set `fetch-depth: 0` in the step of actions\/checkout/,
      ),
    ]);
    expect(jobs.github.comments[0]?.body).toContain('set `fetch-depth: 0` in the step of actions/checkout');
  });

  test('says so for --changed as well', async () => {
    const jobs = await openShallow();
    const { code, stdout } = await jobs.act({ ...shallow, args: '--no-baseline --changed' });
    expect(code).toBe(2);
    expect(stdout).toContain('set `fetch-depth: 0` in the step of actions/checkout');
  });

  test('names the variable of GitLab there, and a command elsewhere', async () => {
    const jobs = await openShallow();
    const gitlab = await jobs.act({ ...shallow, env: { GITHUB_ACTIONS: '', GITLAB_CI: 'true' } });
    expect(gitlab.stderr).toContain('set the variable `GIT_DEPTH: "0"` in the job');
    const elsewhere = await jobs.act({ ...shallow, env: { GITHUB_ACTIONS: '' } });
    expect(elsewhere.stderr).toContain('git fetch --unshallow origin');
  });
});

test.each(['--help', '-h', '--max-cost 1 -h'])('a job with the flags %s runs nothing, and fails', async (args) => {
  const jobs = await openGithubJobs(files);
  const { code, outputs } = await jobs.act({ args });
  expect([code, outputs['conclusion'], jobs.github.checks[0]?.conclusion]).toEqual([2, 'failure', 'failure']);
});

test.each([
  ['its flags', { args: '--watch' }, files],
  ['its variables', { env: { LLMCHECK_WATCH: '1' } }, files],
  ['the config', {}, { ...files, 'llmcheck.config.yaml': 'run: { watch: true }\n' }],
])('a job that should watch by %s is refused, because it would not end', async (_, job, project) => {
  const { code, stderr } = await (await openGithubJobs(project)).act(job);
  expect([code, stderr]).toEqual([2, expect.stringContaining('--watch: a job has to end')]);
});

test('a job whose reporter is gone takes the place of the verdict on an older commit', async () => {
  const jobs = await openGithubJobs(files);
  const reporter = "{ kind: 'reporter', name: 'mine', summary: 'x', extension: 'txt', render: () => ['x'] }";
  jobs.project.write('mine.mjs', `export const mine = ${reporter};\n`);
  jobs.project.write('llmcheck.config.yaml', 'plugins: [mine.mjs]\n');
  const flags = ['--comment', '--check-run', '-r', 'mine=mine.txt'];
  jobs.push('add a reporter');
  expect((await jobs.act({ flags })).code).toBe(0);
  jobs.git('rm', '-q', 'mine.mjs');
  jobs.push('remove it');
  const { code, outputs } = await jobs.act({ flags });
  expect([code, outputs['conclusion'], jobs.github.checks.at(-1)?.conclusion]).toEqual([2, 'failure', 'failure']);
  expect(jobs.github.comments.map(({ body }) => body)).toEqual([expect.stringContaining('could not start')]);
});

test.each<[string, JobOptions]>([
  ['its flags', { args: '--swap mini=openai:gpt-4.1-mini' }],
  ['a variable', { args: '', env: { LLMCHECK_SWAP: 'mini=openai:gpt-4.1-mini' } }],
  ['its config', { args: '' }],
])('a job that swaps models by %s needs no baseline', async (name, job) => {
  const jobs = await openGithubJobs(files);
  if (name === 'its config') {
    jobs.project.write('llmcheck.config.yaml', 'run: { swap: ["mini=openai:gpt-4.1-mini"] }\n');
    jobs.push('swap');
  }
  const { code, stdout } = await jobs.act(job);
  expect([code, stdout]).toEqual([0, expect.stringContaining('openai:gpt-4.1-mini is the cheapest that holds')]);
});

describe('a token', () => {
  const denied = { status: 403, body: { message: 'Resource not accessible by integration' } };

  test.each<[string, string, string, { readonly status: number; readonly body?: { readonly message: string } }]>([
    ['that may not comment', '/issues/7/comments', 'permissions: pull-requests: write', denied],
    ['that may not make checks', '/check-runs', 'permissions: checks: write', denied],
    [
      'that may not see a private repository',
      '/issues/7/comments',
      'permissions: pull-requests: write',
      { status: 404 },
    ],
  ])('%s names the permission in an annotation', async (_, path, hint, reply) => {
    const jobs = await openGithubJobs(files);
    jobs.github.intercept = ({ url }) => (url.split('?')[0]?.endsWith(path) === true ? reply : undefined);
    const { code, stdout, stderr } = await jobs.act();
    expect(code).toBe(0);
    expect(annotationsOf(stdout)).toEqual([
      expect.stringMatching(/^::warning title=llmcheck::the .* was not published/),
    ]);
    expect([stdout, stderr]).toEqual([expect.stringContaining(hint), expect.stringContaining(hint)]);
  });

  test('that is used up by the limit of the API has all its permissions', async () => {
    const jobs = await openGithubJobs(files);
    jobs.github.intercept = ({ url }) =>
      url.includes('/issues/7/comments') ? { status: 403, body: { message: 'API rate limit exceeded' } } : undefined;
    const { stdout } = await jobs.act();
    expect(stdout).toContain('the comment was not published');
    expect(stdout).not.toContain('permissions:');
  });

  test.each([
    ['that is missing', '', 'GITHUB_TOKEN: ${{ github.token }}'],
    ['that is not valid', 'ghs_other', 'use `${{ github.token }}`'],
  ])('%s says where to set it', async (_, value, hint) => {
    const jobs = await openGithubJobs(files);
    const { code, stdout, stderr } = await jobs.act({ env: { GITHUB_TOKEN: value } });
    expect([code, annotationsOf(stdout).length > 0]).toEqual([0, true]);
    expect([stdout, stderr]).toEqual([expect.stringContaining(hint), expect.stringContaining(hint)]);
  });

  test('behind a proxy that answers with its own page publishes nothing, and the job says so', async () => {
    const jobs = await openGithubJobs(files);
    jobs.github.intercept = () => ({ status: 200, body: '<html>Log in</html>' });
    const { code, stdout, outputs } = await jobs.act();
    expect([code, outputs['commentUrl'], outputs['checkRunUrl']]).toEqual([0, undefined, undefined]);
    expect(annotationsOf(stdout)).toEqual([
      expect.stringMatching(/the comment was not published: .*200, but the answer is not JSON/),
      expect.stringMatching(/the check was not published: .*200, but the answer is not JSON/),
    ]);
  });

  test('without annotations the log has the warning', async () => {
    const jobs = await openGithubJobs(files);
    jobs.github.intercept = ({ url }) => (url.endsWith('/check-runs') ? denied : undefined);
    const { stdout, stderr } = await jobs.act({ flags: ['--check-run', '--no-annotations'] });
    expect(stdout).not.toContain('::');
    expect(stderr).toContain('permissions: checks: write');
  });
});
