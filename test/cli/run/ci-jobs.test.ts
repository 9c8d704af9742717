// @module-tag slow
import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type GithubJobs, type JobOptions, openGithubJobs, wordSuite } from '../../support/github-job.ts';

const monorepo = {
  'packages/a/llmcheck.config.yaml': '{}\n',
  'packages/b/llmcheck.config.yaml': '{}\n',
  'packages/a/evals/words.eval.yaml': wordSuite('a-words', ['red']),
  'packages/b/evals/words.eval.yaml': wordSuite('b-words'),
};

/** The verdicts that a reader of the pull request sees, in any order. */
function verdictsOf({ github }: GithubJobs) {
  const verdictOf = (body: string) => /llmcheck (PASSED|FAILED|could not start)/.exec(body)?.[1] ?? body;
  const comments: string[] = github.comments.map(({ body }) => verdictOf(body));
  return {
    comments: comments.sort(),
    // GitHub shows the newest check of a name.
    checks: [...new Map(github.checks.map((check) => [check.name, check.conclusion])).values()].sort(),
  };
}

describe('two jobs of a pull request never hide each other', () => {
  const bothShown = { comments: ['FAILED', 'PASSED'], checks: ['failure', 'success'] };

  test.each<[string, JobOptions, JobOptions]>([
    ['in two folders of a monorepo', {}, {}],
    ['of two workflows', { workflow: 'one' }, { workflow: 'two' }],
    ['of two names', { job: 'one' }, { job: 'two' }],
    ['of a matrix', { matrix: { model: 'mini' } }, { matrix: { model: 'big' } }],
    [
      'with ids of their own',
      { flags: ['--comment', '--check-run', '--id', 'one'] },
      { flags: ['--comment', '--check-run', '--id', 'two'] },
    ],
    ['of a matrix that they do not name, in one run', { runId: 5 }, { runId: 5 }],
    [
      'with the same id by mistake',
      { runId: 5, flags: ['--comment', '--check-run', '--id', 'x'] },
      { runId: 5, flags: ['--comment', '--check-run', '--id', 'x'] },
    ],
  ])('%s', async (what, failing, passing) => {
    const jobs = await openGithubJobs(monorepo);
    // Only the first row differs by its folder alone.
    const isByFolder = what.includes('folders');
    const run = async (options: JobOptions, name: 'a' | 'b') => {
      if (isByFolder) return jobs.act({ ...options, folder: `packages/${name}` });
      return jobs.act({ ...options, args: `--no-baseline packages/${name}/evals/words.eval.yaml` });
    };
    const codes = [(await run(failing, 'a')).code, (await run(passing, 'b')).code];
    expect(codes).toEqual([1, 0]);
    expect(verdictsOf(jobs)).toEqual(bothShown);
    // The next run of both updates the same two comments.
    const next = { runId: 900 };
    jobs.push();
    await run({ ...passing, ...next }, 'b');
    await run({ ...failing, ...next }, 'a');
    expect(verdictsOf(jobs).comments).toEqual(bothShown.comments);
  });

  test.each<[string, (config: string) => JobOptions]>([
    ['among the flags of the run', (config) => ({ args: `--no-baseline -c ${config}` })],
    ['in one word', (config) => ({ args: `--no-baseline "--config=${config}"` })],
    ['in a variable', (config) => ({ env: { LLMCHECK_CONFIG: config } })],
  ])('whose configs are named %s', async (_, optionsOf) => {
    const jobs = await openGithubJobs(monorepo);
    const flags = ['--comment', '--check-run', '--publish-later'];
    for (const [name, code] of [
      ['a', 1],
      ['b', 0],
    ] as const) {
      const options = optionsOf(`packages/${name}/llmcheck.config.yaml`);
      expect((await jobs.act({ ...options, flags })).code).toBe(code);
      // The second step has the variables of the job, and not the flags of the run.
      expect((await jobs.act({ ...options, flags: ['--publish'], args: '' })).code).toBe(0);
    }
    expect(verdictsOf(jobs)).toEqual(bothShown);
    const names = jobs.github.checks.map(({ name }) => name);
    expect(names).toEqual(['a', 'b'].map((name) => `llmcheck (prompts / eval / packages/${name})`));
  });

  test('the second of one id says how to tell them apart', async () => {
    const jobs = await openGithubJobs(monorepo);
    await jobs.act({ runId: 5 });
    const second = await jobs.act({ runId: 5 });
    expect(second.stderr).toContain('warning: another job of this run has the same comment. Both are kept.');
    expect(second.stderr).toContain('set LLMCHECK_MATRIX: ${{ toJSON(matrix) }} in its env');
    expect(new Set(jobs.github.checks.map(({ name }) => name)).size).toBe(2);
  });

  describe('in a matrix that they do not name, but with flags of their own', () => {
    const run = (jobs: GithubJobs, name: 'a' | 'b', options: JobOptions) =>
      jobs.act({ ...options, args: `--no-baseline packages/${name}/evals/words.eval.yaml` });
    const suitesOf = ({ github }: GithubJobs) =>
      github.comments.map(({ body }) => `${/(FAILED|PASSED)/.exec(body)?.[0]} ${/`([ab]-words)`/.exec(body)?.[1]}`);
    const bothRed = {
      ...monorepo,
      'packages/b/evals/words.eval.yaml': wordSuite('b-words', ['green']),
    };

    test('a re-run of one hides nothing of the other', async () => {
      const jobs = await openGithubJobs(bothRed);
      await run(jobs, 'a', { runId: 5 });
      await run(jobs, 'b', { runId: 5 });
      jobs.answers.set('green', 'else');
      // What it is asked for is now answered, as after a fault that passed.
      const again = await jobs.act({
        runId: 5,
        attempt: 2,
        flags: ['--comment', '--check-run'],
        args: '--no-baseline packages/b/evals/words.eval.yaml',
        env: { LLMCHECK_CACHE: 'refresh' },
      });
      expect(again.code).toBe(0);
      expect(suitesOf(jobs)).toEqual(['FAILED a-words', expect.stringContaining('PASSED')]);
      expect(verdictsOf(jobs)).toEqual({ comments: ['FAILED', 'PASSED'], checks: ['failure', 'success'] });
      expect(jobs.github.checks.filter(({ name }) => name === 'llmcheck (prompts / eval)')).toMatchObject([
        { conclusion: 'failure' },
      ]);
    });

    test('each updates its own comment, in whatever order they end', async () => {
      const jobs = await openGithubJobs(bothRed);
      await run(jobs, 'a', { runId: 5 });
      await run(jobs, 'b', { runId: 5 });
      jobs.push();
      await run(jobs, 'b', { runId: 6 });
      expect(suitesOf(jobs)).toEqual(['FAILED a-words', 'FAILED b-words']);
      expect(jobs.github.comments.map(({ body }) => /run=(\d+)/.exec(body)?.[1])).toEqual(['5', '6']);
    });
  });

  test('in a matrix with long values, by names that GitHub takes', async () => {
    const jobs = await openGithubJobs(monorepo);
    const matrix = (end: string) => ({ prompt: `🙂 <b>/`.repeat(60) + end });
    await jobs.act({ runId: 5, matrix: matrix('a') });
    await jobs.act({ runId: 6, matrix: matrix('b') });
    const names = jobs.github.checks.map(({ name }) => name);
    expect([new Set(names).size, names.filter((name) => name.length > 200 || /\p{Cs}/u.test(name))]).toEqual([2, []]);
  });

  test('a job for a push beside one for the pull request, on one commit', async () => {
    const jobs = await openGithubJobs(monorepo);
    await jobs.act({ folder: 'packages/a' });
    await jobs.act({ folder: 'packages/a', event: 'push', args: '--no-baseline --allow-empty packages/b' });
    expect(jobs.github.checks.map(({ name }) => name)).toEqual([
      'llmcheck (prompts / eval / packages/a)',
      'llmcheck (prompts / eval / packages/a) (push)',
    ]);
    // A required check has the same name in the merge queue.
    await jobs.act({ folder: 'packages/a', event: 'merge_group' });
    expect(jobs.github.checks.at(-1)?.name).toBe('llmcheck (prompts / eval / packages/a)');
  });

  test('two jobs that replace the same comment at the same time', async () => {
    const jobs = await openGithubJobs(monorepo);
    const args = (name: string) => `--no-baseline packages/${name}/evals/words.eval.yaml`;
    await jobs.act({ runId: 5, args: args('b') });
    jobs.push();
    // The failing job replaces the old comment; before it looks again, the passing one replaces it too.
    let isRaced = false;
    jobs.github.intercept = ({ method, url }) => {
      if (method === 'GET' && /issues\/comments\/\d+$/.test(url) && !isRaced) {
        isRaced = true;
        const [first] = jobs.github.comments;
        if (first !== undefined) first.body = first.body.replace(/by=\w+/, 'by=other').replace('FAILED', 'PASSED');
      }
      return undefined;
    };
    await jobs.act({ runId: 6, args: args('a') });
    expect(isRaced).toBe(true);
    expect(verdictsOf(jobs).comments).toEqual(['FAILED', 'PASSED']);
  });

  test('a commit that cannot be run replaces the comment of its own job only', async () => {
    const jobs = await openGithubJobs(monorepo);
    await jobs.act({ folder: 'packages/a' });
    await jobs.act({ folder: 'packages/b' });
    jobs.project.write('packages/b/evals/words.eval.yaml', 'suite: [');
    jobs.push();
    expect((await jobs.act({ folder: 'packages/b' })).code).toBe(2);
    expect(verdictsOf(jobs).comments).toEqual(['FAILED', 'could not start']);
  });
});

describe('shards', () => {
  /** The record of each shard as its job uploads it. */
  async function runShards(jobs: GithubJobs, indexes: readonly number[]) {
    for (const index of indexes) {
      const result = await jobs.act({ args: `--no-baseline --shard ${index}/3`, matrix: { shard: index }, runId: 5 });
      expect(result.stderr).toContain('note: a shard has no comment and no check');
      expect(result.summary).toContain(`Shard ${index} of 3`);
      cpSync(jobs.project.path('.llmcheck/runs'), jobs.project.path(`job/shards/shard-${index}`), { recursive: true });
      jobs.git('clean', '-qdfx', '.llmcheck');
    }
  }
  const merge = { flags: ['--comment', '--check-run', '--merge', 'job/shards'], args: '', job: 'verdict' };

  test('publish their part only, and the merged run publishes the whole', async () => {
    const jobs = await openGithubJobs({ 'evals/words.eval.yaml': wordSuite('words', ['red']) });
    await runShards(jobs, [1, 2, 3]);
    expect([jobs.github.comments, jobs.github.checks]).toEqual([[], []]);
    const whole = await jobs.act(merge);
    expect([whole.code, whole.outputs['planned'], whole.outputs['failed']]).toEqual([1, '3', '1']);
    expect(verdictsOf(jobs)).toEqual({ comments: ['FAILED'], checks: ['failure'] });
  });

  test('have no verdict if one is missing', async () => {
    const jobs = await openGithubJobs({ 'evals/words.eval.yaml': wordSuite('words') });
    await runShards(jobs, [1, 3]);
    const whole = await jobs.act(merge);
    expect([whole.code, whole.stderr]).toEqual([2, expect.stringContaining('shard 2/3 is missing')]);
    expect(verdictsOf(jobs)).toEqual({ comments: ['could not start'], checks: ['failure'] });
  });

  test('have no verdict if none was uploaded', async () => {
    const jobs = await openGithubJobs({ 'evals/words.eval.yaml': wordSuite('words') });
    const whole = await jobs.act(merge);
    expect([whole.code, whole.stderr]).toEqual([2, expect.stringContaining('--merge job/shards: no record')]);
    expect(verdictsOf(jobs)).toEqual({ comments: ['could not start'], checks: ['failure'] });
  });

  test('say so in their log, not in a comment, if one cannot be run', async () => {
    const jobs = await openGithubJobs({ 'evals/words.eval.yaml': 'suite: [' });
    const shard = await jobs.act({ args: '--no-baseline --shard=1/3' });
    expect([shard.code, jobs.github.comments.length, jobs.github.checks.length]).toEqual([2, 0, 0]);
    expect(shard.summary).toContain('could not start');
  });
});

describe('a stored run', () => {
  test.each([
    [['--run', 'latest', '--merge', 'job/shards'], ''],
    [['--run', 'latest'], '--require-conclusive'],
    [['--merge', 'job/shards'], '--require-conclusive'],
    [['--run', 'latest', '--baseline', 'git:main'], ''],
    [['--run', 'latest', 'evals/words.eval.yaml'], ''],
  ])('takes no flag that would be ignored: %j %s', async (flags, args) => {
    const jobs = await openGithubJobs({ 'evals/words.eval.yaml': wordSuite('words') });
    await jobs.act({ flags: [] });
    const { code, stderr } = await jobs.act({ flags: [...flags, '--comment'], args });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/error usage: --(run|merge) /)]);
    expect(jobs.github.comments[0]?.body).toContain('could not start');
  });

  test('is not published for another commit', async () => {
    const jobs = await openGithubJobs({ 'evals/words.eval.yaml': wordSuite('words') });
    await jobs.act({ flags: [] });
    jobs.project.write('evals/words.eval.yaml', wordSuite('words', ['red']));
    jobs.push();
    const stored = await jobs.act({ flags: ['--comment', '--check-run', '--run', 'latest'], args: '' });
    expect(stored.stderr).toContain('nothing is published to GitHub: the stored run tested');
    expect([jobs.github.comments, jobs.github.checks]).toEqual([[], []]);
  });
});
