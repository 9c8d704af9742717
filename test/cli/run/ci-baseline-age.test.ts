// @module-tag slow
import { describe, expect, test } from 'vitest';
import { commitAll } from '../../support/git.ts';
import { type GithubJobs, openGithubJobs, wordSuite } from '../../support/github-job.ts';

/** A main that accepted its baseline on a day, and an open pull request. */
async function openAccepted(date: string): Promise<GithubJobs> {
  const jobs = await openGithubJobs({ 'evals/words.eval.yaml': wordSuite('words') });
  await jobs.project.run(['run', '--update-baseline'], { env: jobs.providerEnv });
  commitAll(jobs.project.root, 'accept', date);
  jobs.git('checkout', '-qb', 'change');
  jobs.push('something else');
  return jobs;
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 24 * 60 * 60 * 1000 - 60_000).toISOString();
}

describe('the age of the baseline', () => {
  test('is shown on the terminal, in the summary, in the comment and in JSON', async () => {
    const date = daysAgo(40);
    const jobs = await openAccepted(date);
    const { stdout, summary } = await jobs.act({
      args: '-r terminal -r json=job/report.json',
      flags: ['--comment', '--baseline', 'git:main...'],
    });
    const said = `baseline of ${date.slice(0, 10)} (40 days old)`;
    expect([stdout.replaceAll(/\s+/g, ' '), summary, jobs.github.comments[0]?.body]).toEqual(
      [0, 1, 2].map(() => expect.stringContaining(said)),
    );
    const report = JSON.parse(jobs.project.read('job/report.json'));
    expect(report.suites[0].variants[0].comparison.against).toMatchObject({
      ageDays: 40,
      acceptedAt: expect.stringContaining(date.slice(0, 10)),
    });
  });

  test('is that of the file beside the suite in CI, and unknown while the file is not committed', async () => {
    const jobs = await openAccepted(daysAgo(3));
    const committed = await jobs.act({ event: 'push', args: '', env: { CI: 'true' } });
    expect(committed.summary).toContain('(3 days old)');
    const baseline = jobs.project.read('evals/words.baseline.jsonl');
    jobs.project.write('evals/words.baseline.jsonl', `${baseline}\n`);
    const changed = await jobs.act({ event: 'push', args: '', env: { CI: 'true' } });
    expect(changed.summary).not.toContain('old)');
  });

  test('is unknown in a shallow clone, where every file seems to be of the last commit', async () => {
    const jobs = await openAccepted(daysAgo(3));
    jobs.git('clone', '-q', '--depth', '1', '--branch', 'change', `file://${jobs.project.root}`, 'job/clone');
    const { code, summary } = await jobs.act({ event: 'push', folder: 'job/clone', args: '', env: { CI: 'true' } });
    expect([code, summary]).toEqual([0, expect.not.stringContaining('old)')]);
  });

  test('of a stored run is that of the run', async () => {
    const jobs = await openAccepted(daysAgo(3));
    const { summary } = await jobs.act({
      event: 'push',
      args: '',
      flags: ['--baseline', jobs.project.files('.llmcheck/runs')[0] ?? ''],
    });
    expect(summary).toContain('(0 days old)');
  });
});
