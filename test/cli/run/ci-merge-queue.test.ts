// @module-tag slow
import { describe, expect, test } from 'vitest';
import { type GithubJobs, openGithubJobs, wordSuite } from '../../support/github-job.ts';

const suite = 'evals/words.eval.yaml';

/** On top of main, one pull request breaks a word and accepts that, and the next one is queued behind it. */
async function openQueue(): Promise<GithubJobs & { readonly main: string; readonly first: string }> {
  const jobs = await openGithubJobs({ [suite]: wordSuite('words') });
  await jobs.project.run(['run', '--update-baseline'], { env: jobs.providerEnv });
  const main = jobs.push('accept');
  jobs.git('checkout', '-qb', 'gh-readonly-queue/main/pr-8');
  jobs.project.write(suite, wordSuite('words').replace('Say:', 'Say: not'));
  await jobs.project.run(['run', '--no-baseline'], { env: jobs.providerEnv });
  await jobs.project.run(['baseline', 'accept', '--known-failures', '--force'], { env: jobs.providerEnv });
  const first = jobs.push('break');
  return { ...jobs, main, first };
}

function groupOf(base: string, head: string): object {
  return { merge_group: { head_sha: head, base_sha: base, base_ref: 'refs/heads/main' } };
}

describe('a group of a merge queue', () => {
  test('is compared with the base of its own, not with main', async () => {
    const jobs = await openQueue();
    const head = jobs.push('a change of another file');
    const behind = await jobs.act({ event: 'merge_group', args: '', payload: groupOf(jobs.first, head) });
    const alone = await jobs.act({ event: 'merge_group', args: '', payload: groupOf(jobs.main, head) });
    // The group that holds the first pull request accepts its regressions; the one behind it has none.
    expect([behind.outputs['accepted'], alone.outputs['accepted']]).toEqual(['0', '3']);
    expect([behind.code, alone.code]).toEqual([0, 0]);
    expect(jobs.github.comments).toEqual([]);
    expect(jobs.github.checks.map(({ name, head_sha: sha, conclusion }) => [name, sha, conclusion])).toEqual([
      ['llmcheck (prompts / eval)', head, 'success'],
      ['llmcheck (prompts / eval)', head, 'success'],
    ]);
  });

  test('publishes nothing if another commit than that of the group is checked out', async () => {
    const jobs = await openQueue();
    const payload = groupOf(jobs.main, 'a'.repeat(40));
    const { stderr } = await jobs.act({ event: 'merge_group', args: '', payload });
    expect(stderr).toContain('nothing is published to GitHub: the checkout is at');
    expect(jobs.github.checks).toEqual([]);
  });

  test('whose accepted prompt fails too is not passed, with or without --require-conclusive', async () => {
    const jobs = await openQueue();
    jobs.git('checkout', '-q', jobs.main);
    jobs.answers.set('red', 'sorry');
    const payload = groupOf(jobs.main, jobs.push('nothing that is sent'));
    const lenient = await jobs.act({ event: 'merge_group', args: '--cache refresh', payload });
    expect([lenient.code, lenient.outputs['conclusion']]).toEqual([3, 'failure']);
    const strict = await jobs.act({ event: 'merge_group', args: '--cache refresh --require-conclusive', payload });
    expect([strict.code, strict.outputs['conclusion']]).toEqual([3, 'failure']);
  });
});
