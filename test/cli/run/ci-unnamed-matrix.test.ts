// @module-tag slow
import { describe, expect, test } from 'vitest';
import { type GithubJobs, type JobOptions, openGithubJobs, wordSuite } from '../../support/github-job.ts';

/** The two jobs run the same command. What they run hangs on a variable alone. */
const files = {
  'evals/words.eval.yaml': wordSuite('words', ['red']),
  'a/llmcheck.config.yaml': '{}\n',
};
const workflow = (env: string): string => `on: pull_request
jobs:
  eval:
    runs-on: ubuntu-latest
    strategy: { matrix: { word: [red, green] } }
    steps:
      - run: npx llmcheck ci github --comment --check-run
        env: ${env}
`;

function openMatrix(env: string): Promise<GithubJobs> {
  return openGithubJobs({ ...files, '.github/workflows/prompts.yml': workflow(env) });
}

/** Red fails, green passes. */
function actAs(jobs: GithubJobs, word: 'red' | 'green', options: JobOptions = {}, name = 'LLMCHECK_FILTER') {
  return jobs.act({ runId: 5, ...options, env: { [name]: word, ...options.env } });
}

function shownBy({ github }: GithubJobs) {
  const verdictOf = (body: string): string => /llmcheck (PASSED|FAILED)/.exec(body)?.[1] ?? body;
  const newest = new Map(github.checks.map(({ name, conclusion }) => [name, conclusion]));
  return { comments: github.comments.map(({ body }) => verdictOf(body)), checks: Object.fromEntries(newest) };
}

describe('the jobs of a matrix that differ only in their env', () => {
  const filtered = '{ LLMCHECK_FILTER: "${{ matrix.word }}" }';

  test('are distinguished by the variables that the workflow fills from its matrix', async () => {
    const jobs = await openMatrix(filtered);
    await actAs(jobs, 'red');
    const { stderr } = await actAs(jobs, 'green');
    const both = {
      comments: ['FAILED', 'PASSED'],
      checks: { 'llmcheck (prompts / eval / red)': 'failure', 'llmcheck (prompts / eval / green)': 'success' },
    };
    expect([shownBy(jobs), stderr]).toEqual([both, expect.not.stringContaining('matrix')]);
    // One of them is started again, and later both on a new commit, in another order.
    await actAs(jobs, 'green', { attempt: 2 });
    expect(shownBy(jobs)).toEqual(both);
    jobs.push();
    await actAs(jobs, 'green', { runId: 6 });
    await actAs(jobs, 'red', { runId: 6 });
    expect(shownBy(jobs)).toEqual(both);
  });

  test('publish under the same names in a later step', async () => {
    const jobs = await openMatrix(filtered);
    for (const word of ['red', 'green'] as const) {
      await actAs(jobs, word, { flags: ['--comment', '--check-run', '--publish-later'] });
      await actAs(jobs, word, { flags: ['--publish'], args: '' });
    }
    expect(shownBy(jobs).comments).toEqual(['FAILED', 'PASSED']);
  });

  test.each([
    ['a secret of the matrix', '{ WORD: "${{ secrets[matrix.word] }}" }', 'WORD'],
    ['a variable with the name of a secret', '{ MY_TOKEN: "${{ matrix.word }}" }', 'MY_TOKEN'],
    ['another variable', '{ OTHER: "${{ github.sha }}" }', 'OTHER'],
  ])('are not named after %s, and a warning says what to do', async (_, env, name) => {
    const jobs = await openMatrix(env);
    const { stderr, stdout } = await actAs(jobs, 'red', {}, name);
    const said = 'job eval has a matrix, and llmcheck is not told which part of it runs here';
    expect([stderr, stdout]).toEqual([
      expect.stringContaining(said),
      expect.stringContaining(`::warning title=llmcheck::${said}`),
    ]);
    expect(Object.keys(shownBy(jobs).checks)).toEqual(['llmcheck (prompts / eval)']);
  });

  test.each([
    ['an id', { flags: ['--comment', '--id', 'red'] }],
    ['LLMCHECK_MATRIX', { matrix: { word: 'red' } }],
  ])('are not warned of with %s', async (_, options) => {
    const jobs = await openMatrix('{ OTHER: "${{ github.sha }}" }');
    expect((await actAs(jobs, 'red', options)).stderr).not.toContain('has a matrix');
  });

  test('hide nothing where nothing tells them apart and one is started again', async () => {
    const jobs = await openGithubJobs(files);
    // Nothing names the matrix, and no file of a workflow is there.
    await jobs.act({ runId: 5, seed: 1 });
    jobs.project.write('evals/words.eval.yaml', wordSuite('words'));
    await jobs.act({ runId: 5, seed: 2, env: { OTHER: 'b' } });
    const before = shownBy(jobs);
    expect(before.comments).toEqual(['FAILED', 'PASSED']);
    const again = await jobs.act({ runId: 5, attempt: 2, seed: 3 });
    expect(again.stderr).toContain('another job of this run has the same comment. Both are kept.');
    const after = shownBy(jobs);
    expect(after.comments).toEqual(['FAILED', 'PASSED', 'PASSED']);
    expect(after.checks).toMatchObject(before.checks);
  });

  test('is read from the workflow of this repository only', async () => {
    const jobs = await openMatrix(filtered);
    await actAs(jobs, 'red', { env: { GITHUB_WORKFLOW_REF: 'eve/x/.github/workflows/prompts.yml@main' } });
    await actAs(jobs, 'red', { env: { GITHUB_WORKFLOW_REF: 'acme/shop/.github/workflows/../../secret@main' } });
    expect(Object.keys(shownBy(jobs).checks).filter((name) => name.includes('red'))).toEqual([]);
  });

  test('a workflow that can not be read is as if there were none', async () => {
    const jobs = await openGithubJobs({ ...files, '.github/workflows/prompts.yml': 'jobs: [' });
    expect((await actAs(jobs, 'green')).code).toBe(0);
  });
});
