import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type JobOptions, openGithubJobs, wordSuite } from '../../support/github-job.ts';

const files = { 'evals/words.eval.yaml': wordSuite('words') };

describe('a job without secrets', () => {
  test.each<[string, JobOptions]>([
    ['of a fork', { from: 'eve/shop', hasKey: false }],
    ['of Dependabot', { actor: 'dependabot[bot]', hasKey: false }],
  ])('%s is neutral everywhere, and says what a maintainer can do', async (_, options) => {
    const jobs = await openGithubJobs(files);
    const { code, stdout, stderr, summary, outputs } = await jobs.act(options);
    expect(code).toBe(0);
    expect(stderr).toContain('note: neutral: 3 of 3 cells could not be judged from stored answers (exit code 0)');
    expect(stdout.split('\n').filter((line) => line.startsWith('::'))).toEqual([
      expect.stringMatching(/^::notice title=llmcheck::NEUTRAL: 3 of 3 cells .* has no secrets/),
    ]);
    expect(summary).toMatch(/^### ⚪ llmcheck NEUTRAL: 3 of 3 cells could not be judged/);
    expect(summary).toContain('`gh pr checkout 7 && npx llmcheck run --baseline git:origin/main...`');
    expect(summary).not.toMatch(/INCOMPLETE|exit code [1-9]/);
    expect(jobs.github.comments[0]?.body).toContain(summary);
    expect(jobs.github.checks).toMatchObject([
      { conclusion: 'neutral', output: { title: 'neutral: 3 of 3 cells could not be judged from stored answers' } },
    ]);
    expect(outputs).toMatchObject({
      exitCode: '0',
      conclusion: 'neutral',
      headline: expect.stringMatching(/^NEUTRAL/),
    });
  });

  test('that may not write has notices in place of warnings', async () => {
    const jobs = await openGithubJobs(files);
    jobs.github.intercept = ({ method }) =>
      method === 'GET' ? undefined : { status: 403, body: { message: 'Resource not accessible by integration' } };
    const { code, stdout } = await jobs.act({ from: 'eve/shop', hasKey: false });
    const commands = stdout.split('\n').filter((line) => line.startsWith('::'));
    expect(code).toBe(0);
    expect(commands.map((line) => line.slice(0, 8))).toEqual(['::notice', '::notice', '::notice']);
    expect(stdout).toContain('a pull request from a fork cannot write; the job summary has the report');
  });

  test('fails for what stored answers show, beside what they do not', { tags: 'slow' }, async () => {
    const jobs = await openGithubJobs(files);
    await jobs.act();
    // The answer to "eight" is not stored.
    const edited = wordSuite('words', ['red']).replace('word: seven', 'word: eight');
    jobs.project.write('evals/words.eval.yaml', edited);
    jobs.push();
    const { code, summary } = await jobs.act({ from: 'eve/shop', hasKey: false });
    expect([code, summary]).toEqual([1, expect.stringContaining('llmcheck FAILED')]);
    expect(jobs.github.checks.at(-1)?.conclusion).toBe('failure');
  });

  test.each(['', '--max-errors 100%'])(
    'fails for a file without a case, beside answers that are missing: %s',
    async (args) => {
      const other = wordSuite('other').replace(/cases:[^]*/, 'cases: [{ file: cases.jsonl }]\n');
      const jobs = await openGithubJobs({ ...files, 'evals/other.eval.yaml': other, 'evals/cases.jsonl': '' });
      const { code, summary } = await jobs.act({ from: 'eve/shop', hasKey: false, args: `--no-baseline ${args}` });
      expect([code === 0, summary]).toEqual([false, expect.stringContaining('evals/cases.jsonl holds no case')]);
      expect(jobs.github.checks.at(-1)?.conclusion).toBe('failure');
    },
  );

  test('that splits a run into shards is neutral as a whole', { tags: ['slow'] }, async () => {
    const jobs = await openGithubJobs(files);
    const fork = { from: 'eve/shop', hasKey: false, runId: 5 };
    for (const shard of [1, 2]) {
      await jobs.act({ ...fork, args: `--no-baseline --shard ${shard}/2`, matrix: { shard } });
      cpSync(jobs.project.path('.llmcheck/runs'), jobs.project.path(`job/shards/${shard}`), { recursive: true });
      jobs.git('clean', '-qdfx', '.llmcheck');
    }
    const merge = { job: 'verdict', args: '', flags: ['--comment', '--check-run', '--merge', 'job/shards'] };
    const { code, outputs } = await jobs.act({ ...fork, ...merge });
    expect([code, outputs['conclusion'], jobs.github.checks.map(({ conclusion }) => conclusion)]).toEqual([
      0,
      'neutral',
      ['neutral'],
    ]);
    expect(jobs.github.comments[0]?.body).toContain('llmcheck NEUTRAL: 3 of 3 cells could not be judged');
    // The same records in the repository itself are no verdict.
    const own = await jobs.act({ ...merge, runId: 6 });
    expect([own.code, own.outputs['conclusion']]).toEqual([3, 'failure']);
  });

  test('whose suite cannot be read is a usage error, not neutral', async () => {
    const jobs = await openGithubJobs({ 'evals/words.eval.yaml': 'suite: [' });
    const { code } = await jobs.act({ from: 'eve/shop', hasKey: false });
    expect([code, jobs.github.checks.map(({ conclusion }) => conclusion)]).toEqual([2, ['failure']]);
  });

  test('in the repository itself has a mistake of its workflow, which is not neutral', async () => {
    const jobs = await openGithubJobs(files);
    const { code } = await jobs.act({ hasKey: false });
    expect(code).not.toBe(0);
    expect(jobs.github.checks.map(({ conclusion }) => conclusion)).not.toContain('neutral');
  });
});
