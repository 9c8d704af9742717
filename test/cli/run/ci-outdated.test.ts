import { describe, expect, test } from 'vitest';
import { type GithubJobs, type JobOptions, openGithubJobs, wordSuite } from '../../support/github-job.ts';

const files = { 'evals/words.eval.yaml': wordSuite('words') };
const gate: JobOptions = { flags: ['--comment'] };

/** Of each comment: its job, its commit, and whether the page folds it. */
function shownBy({ github }: GithubJobs): readonly string[] {
  return github.comments.map(({ body, hiddenAs }) => {
    const [, job = '', commit = ''] = /`prompts \/ (\w+)` · commit `(\w{7})/.exec(body) ?? [];
    return `${job} ${commit}${hiddenAs === undefined ? '' : ` (${hiddenAs})`}`;
  });
}

describe('the comment of a job that no longer runs', { tags: 'slow' }, () => {
  test('is hidden as outdated once others have reported on two newer commits', async () => {
    const jobs = await openGithubJobs(files);
    const [one, two, three] = ['', '', ''];
    const seen: (readonly string[])[] = [];
    const commits = [one, two, three].map(() => '');
    for (const [index] of commits.entries()) {
      commits[index] = jobs.push(`commit ${index}`).slice(0, 7);
      await jobs.act({ ...gate, job: 'kept' });
      if (index === 0) await jobs.act({ ...gate, job: 'renamed' });
      seen.push(shownBy(jobs));
    }
    const [a, b, c] = commits;
    expect(seen).toEqual([
      [`kept ${a}`, `renamed ${a}`],
      // It may only be slow.
      [`kept ${b}`, `renamed ${a}`],
      [`kept ${c}`, `renamed ${a} (outdated)`],
    ]);
  });

  test('is shown again when it reports after all', async () => {
    const jobs = await openGithubJobs(files);
    for (const job of ['kept', 'slow', 'kept', 'kept']) {
      if (job === 'kept') jobs.push();
      await jobs.act({ ...gate, job });
    }
    expect(shownBy(jobs)[1]).toContain('(outdated)');
    await jobs.act({ ...gate, job: 'slow' });
    const head = jobs.git('rev-parse', 'HEAD').slice(0, 7);
    expect(shownBy(jobs)).toEqual([`kept ${head}`, `slow ${head}`]);
  });

  test('is shown if it reports while it is being hidden', async () => {
    const jobs = await openGithubJobs(files);
    for (const job of ['kept', 'slow', 'kept']) {
      if (job === 'kept') jobs.push();
      await jobs.act({ ...gate, job });
    }
    jobs.push();
    jobs.github.intercept = ({ body }) => {
      const slow = jobs.github.comments[1];
      if (slow !== undefined && body.includes(' minimizeComment')) slow.body = slow.body.replace(/by=\w+/, 'by=again');
      return undefined;
    };
    await jobs.act({ ...gate, job: 'kept' });
    expect([shownBy(jobs)[1], jobs.github.comments[1]?.body]).toEqual([
      expect.not.stringContaining('outdated'),
      expect.stringContaining('by=again'),
    ]);
  });

  test.each([
    ['jobs of the same commit', ['one', 'two', 'one', 'two']],
    ['a run that is late', ['one', 'two']],
  ])('is never one of %s', async (_, order) => {
    const jobs = await openGithubJobs(files);
    for (const job of order) await jobs.act({ ...gate, job });
    expect(shownBy(jobs).filter((text) => text.includes('outdated'))).toEqual([]);
  });

  test('a comment of another author, or one that a person has hidden, stays as it is', async () => {
    const jobs = await openGithubJobs(files);
    await jobs.act({ ...gate, job: 'kept' });
    const [own] = jobs.github.comments;
    jobs.github.comments.push({ id: 5, body: own?.body.replace('kept', 'spoofed') ?? '', user: { login: 'eve' } });
    if (own !== undefined) own.hiddenAs = 'resolved';
    for (const _ of [1, 2, 3]) {
      jobs.push();
      await jobs.act({ ...gate, job: 'kept' });
    }
    expect(jobs.github.comments.map(({ hiddenAs }) => hiddenAs)).toEqual(['resolved', undefined]);
  });

  test('stays where GitHub does not hide it, and nothing else changes', async () => {
    const jobs = await openGithubJobs(files);
    jobs.github.intercept = ({ body }) =>
      body.includes('minimizeComment') ? { body: { data: null, errors: [{ type: 'FORBIDDEN' }] } } : undefined;
    for (const job of ['kept', 'gone', 'kept', 'kept']) {
      if (job === 'kept') jobs.push();
      expect((await jobs.act({ ...gate, job })).code).toBe(0);
    }
    expect(shownBy(jobs)[1]).toMatch(/^gone \w+$/);
  });
});
