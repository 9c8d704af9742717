// @module-tag slow
import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type JobOptions, openGithubJobs, wordSuite } from '../../support/github-job.ts';
import { runCli } from '../../support/run-cli.ts';

const failing = wordSuite('words', ['red']);
const placed = 'packages/a/evals/words.eval.yaml';

/** Where the annotations of a job are. */
function filesOf(stdout: string): readonly string[] {
  return [...stdout.matchAll(/^::(?:error|warning) file=(.+?),line=(\d+)/gm)].map(
    ([, file, line]) => `${file}:${line}`,
  );
}

describe('paths are relative to the repository', () => {
  test.each<[string, JobOptions & { readonly isBeside?: true }]>([
    ['in the folder of a project', { folder: 'packages/a' }],
    ['in a folder below the project', { folder: 'packages/a/evals', args: '--no-baseline words.eval.yaml' }],
    ['in the root, with a config elsewhere', { flags: ['--comment', '-c', 'packages/a/llmcheck.config.yaml'] }],
    ['beside the repository, with a config in it', { folder: '..', isBeside: true }],
    ['in the root, with a path', { args: `--no-baseline ${placed}` }],
  ])('%s', async (_, options) => {
    const jobs = await openGithubJobs({ 'packages/a/llmcheck.config.yaml': '{}\n', [placed]: failing });
    const config = jobs.project.path('packages/a/llmcheck.config.yaml');
    const beside = { flags: ['--comment', '-c', config] };
    const { code, stdout, summary } = await jobs.act({ ...options, ...(options.isBeside && beside) });
    expect(code).toBe(1);
    // The limit of the suite, and the case.
    expect(filesOf(stdout)).toEqual([`${placed}:1`, `${placed}:5`]);
    const link = `[\`${placed}:5\`](https://github.example/acme/shop/blob/${jobs.github.head}/${placed}#L5)`;
    expect([summary, jobs.github.comments[0]?.body]).toEqual([
      expect.stringContaining(link),
      expect.stringContaining(link),
    ]);
  });

  test('and a job beside the repository publishes nothing of another commit', async () => {
    const jobs = await openGithubJobs({ 'packages/a/llmcheck.config.yaml': '{}\n', [placed]: failing });
    const config = jobs.project.path('packages/a/llmcheck.config.yaml');
    const flags = ['--comment', '--check-run', '-c', config];
    const { stderr } = await jobs.act({ folder: '..', flags, headSha: 'a'.repeat(40) });
    expect(stderr).toContain('nothing is published to GitHub: the checkout is at');
    expect([jobs.github.comments, jobs.github.checks]).toEqual([[], []]);
  });

  test('without git, from the folder that the runner names', async () => {
    const jobs = await openGithubJobs({ 'packages/a/llmcheck.config.yaml': '{}\n', [placed]: failing });
    const sha = jobs.github.head ?? '';
    rmSync(jobs.project.path('.git'), { recursive: true });
    const { stdout, summary } = await jobs.act({ folder: 'packages/a', headSha: sha });
    expect(filesOf(stdout)).toEqual([`${placed}:1`, `${placed}:5`]);
    expect(summary).toContain(`/blob/${sha}/${placed}#L5`);
  });

  test('in a name with signs that would end a link', async () => {
    const name = 'evals/a (b) #1.eval.yaml';
    const jobs = await openGithubJobs({ [name]: failing });
    const { stdout, summary } = await jobs.act();
    expect(filesOf(stdout)[1]).toBe(`${name}:5`);
    expect(summary).toContain(`/blob/${jobs.github.head}/evals/a%20%28b%29%20%231.eval.yaml#L5)`);
  });

  test('in every report that a CI system reads, and not on the terminal', async () => {
    const jobs = await openGithubJobs({ 'packages/a/llmcheck.config.yaml': '{}\n', [placed]: failing });
    const formats = ['junit', 'ctrf', 'tap', 'markdown', 'github'];
    const args = `--no-baseline ${formats.map((format) => `-r ${format}=out.${format}`).join(' ')}`;
    const { stdout } = await jobs.act({ folder: 'packages/a', args });
    const reports = formats.map((format) => jobs.project.read(`packages/a/out.${format}`));
    expect(reports).toEqual(formats.map(() => expect.stringContaining(placed)));
    for (const report of reports) expect(report.replaceAll(placed, '')).not.toContain('evals/words.eval.yaml');
    expect(stdout.replaceAll(placed, '')).toContain('evals/words.eval.yaml:5');
  });

  test('in the findings of contracts', async () => {
    const suite = failing.replace('cases:', 'contract: { output: { type: object, required: [a] } }\ncases:');
    const jobs = await openGithubJobs({ 'packages/a/llmcheck.config.yaml': '{}\n', [placed]: suite });
    jobs.project.write(placed, suite.replace('required: [a]', 'required: []'));
    const check = await runCli(['contract', 'check', '--against', 'git:HEAD', '-r', 'github'], {
      cwd: jobs.project.path('packages/a'),
      env: { PATH: process.env['PATH'] ?? '' },
    });
    expect(filesOf(check.stdout)).toEqual([`${placed}:4`]);
  });
});

describe('usage errors', () => {
  test('are annotations at their lines, with the next step', async () => {
    const jobs = await openGithubJobs({
      'packages/a/llmcheck.config.yaml': '{}\n',
      [placed]: failing.replace('equals:', 'eqals:'),
    });
    const { code, stdout } = await jobs.act({ folder: 'packages/a' });
    expect([code, filesOf(stdout)]).toEqual([2, [`${placed}:5`]]);
    expect(stdout).toMatch(/title=llmcheck%3A unknown-assertion::.*did you mean "equals"\?/);
  });

  test('of flags have no line', async () => {
    const jobs = await openGithubJobs({ 'evals/words.eval.yaml': failing });
    const { code, stdout } = await jobs.act({ args: '--max-cots 1' });
    expect([code, stdout]).toEqual([2, expect.stringMatching(/^::error title=llmcheck%3A usage::.*--max-cots/m)]);
  });

  test('are no annotations if none are wanted, and hold no secret', async () => {
    const jobs = await openGithubJobs({ 'evals/words.eval.yaml': failing });
    const flags = ['--no-annotations'];
    expect((await jobs.act({ args: '--max-cots 1', flags })).stdout).toBe('');
    const secret = 'sk-live-0123456789abcdef';
    const { stdout } = await jobs.act({ args: `--max-cost ${secret}`, env: { OPENAI_API_KEY: secret } });
    expect(stdout).toContain('::error');
    expect(stdout).not.toContain(secret);
  });
});
