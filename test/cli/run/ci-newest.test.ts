// @module-tag slow
import { describe, expect, test } from 'vitest';
import { openGithubJobs, wordSuite } from '../../support/github-job.ts';

const files = { 'evals/words.eval.yaml': wordSuite('words') };
const failing = wordSuite('words', ['red']);

/** The verdict and the commit that the comment shows. */
function shownBy(body: string | undefined) {
  return [/llmcheck (PASSED|FAILED|could not start)/.exec(body ?? '')?.[1], /commit=(\w+)/.exec(body ?? '')?.[1]];
}

describe('the newest commit wins', () => {
  /** Commit one passes, commit two fails; the run of one ends after that of two. */
  async function openLateRun() {
    const jobs = await openGithubJobs(files);
    const [one = ''] = [jobs.github.head];
    jobs.project.write('evals/words.eval.yaml', failing);
    const two = jobs.push();
    expect((await jobs.act({ runId: 12 })).code).toBe(1);
    jobs.git('checkout', '-q', one);
    return { ...jobs, one, two };
  }

  test('a late run of an older commit leaves the newer comment, and its check is on its own commit', async () => {
    const jobs = await openLateRun();
    const { github, one, two } = jobs;
    const late = await jobs.act({ runId: 11 });
    expect(late.code).toBe(0);
    expect(late.stderr).toContain(
      `the comment was not published: the pull request has a newer commit, ${two.slice(0, 12)}`,
    );
    expect(github.comments.map(({ body }) => shownBy(body))).toEqual([['FAILED', two]]);
    expect(github.checks.map(({ head_sha: sha, conclusion }) => [sha, conclusion])).toEqual([
      [two, 'failure'],
      [one, 'success'],
    ]);
  });

  test('also if the token may not read the pull request', async () => {
    const jobs = await openLateRun();
    jobs.github.head = undefined;
    await jobs.act({ runId: 11 });
    expect(jobs.github.comments.map(({ body }) => shownBy(body))).toEqual([['FAILED', jobs.two]]);
  });

  test('also if the older run is started again after the newer one ended', async () => {
    const jobs = await openLateRun();
    const { github, two } = jobs;
    await jobs.act({ runId: 11, attempt: 2 });
    expect(github.comments.map(({ body }) => shownBy(body))).toEqual([['FAILED', two]]);
  });

  test('also if the older commit cannot be run, and if its run was the first to comment', async () => {
    const jobs = await openGithubJobs({ 'evals/words.eval.yaml': 'suite: [' });
    const one = jobs.github.head ?? '';
    jobs.project.write('evals/words.eval.yaml', failing);
    jobs.push();
    jobs.git('checkout', '-q', one);
    expect((await jobs.act({ runId: 11 })).code).toBe(2);
    expect(jobs.github.comments).toEqual([]);
  });

  test('a branch that is set back to an older commit shows that commit', async () => {
    const jobs = await openLateRun();
    jobs.github.head = jobs.one;
    await jobs.act({ runId: 11, attempt: 2 });
    expect(jobs.github.comments.map(({ body }) => shownBy(body))).toEqual([['PASSED', jobs.one]]);
  });

  test('a re-run of the newest commit updates its comment', async () => {
    const jobs = await openGithubJobs(files);
    await jobs.act({ runId: 11 });
    await jobs.act({ runId: 11, attempt: 2 });
    expect(jobs.github.comments.map(({ body }) => /run=\S+/.exec(body)?.[0])).toEqual(['run=11.2']);
  });
});

describe('faults of the API', () => {
  test('the own comment is found behind 150 others, and is the only one that changes', async () => {
    const jobs = await openGithubJobs(files);
    await jobs.act();
    const others = Array.from({ length: 150 }, (_, id) => ({ id, body: `<p>${id}</p>`, user: { login: 'ann' } }));
    jobs.github.comments.unshift(...others.map((comment) => ({ ...comment })));
    jobs.push();
    await jobs.act();
    expect(jobs.github.comments.slice(0, 150)).toEqual(others);
    expect(jobs.github.comments.slice(150).map(({ body }) => shownBy(body))).toEqual([['PASSED', jobs.github.head]]);
  });

  test.each(['before', 'after'])('stays one comment where another run makes its first a moment %s', async (when) => {
    const jobs = await openGithubJobs(files);
    await jobs.act();
    const [own] = jobs.github.comments.splice(0);
    const other = { id: when === 'before' ? 900 : 2000, user: { login: 'github-actions[bot]' } };
    const body = own?.body.replace(/run=\d+/, 'run=50').replace(/by=\w+/, 'by=other') ?? '';
    let isRaced = false;
    jobs.github.intercept = ({ method, url }) => {
      if (isRaced || !url.includes('/issues/7/comments')) return undefined;
      const isFirst = when === 'before' ? method === 'POST' : method === 'GET' && jobs.github.comments.length > 0;
      if (isFirst) jobs.github.comments.push({ ...other, body });
      isRaced ||= isFirst;
      return undefined;
    };
    jobs.project.write('evals/words.eval.yaml', failing);
    const head = jobs.push();
    await jobs.act();
    // The run that came second removes its own, and updates the other.
    const left = jobs.github.comments.filter(({ body: text }) => when === 'before' || !text.includes('by=other'));
    expect([isRaced, left.map(({ body: text }) => shownBy(text))]).toEqual([true, [['FAILED', head]]]);
  });

  test('a check whose creation fails is created once', async () => {
    const jobs = await openGithubJobs(files);
    let failures = 0;
    jobs.github.intercept = ({ method, url }) => {
      if (method !== 'POST' || !url.endsWith('/check-runs') || failures > 0) return undefined;
      failures += 1;
      return { status: 502 };
    };
    expect((await jobs.act()).stderr).not.toContain('was not published');
    expect([failures, jobs.github.checks.map(({ conclusion }) => conclusion)]).toEqual([1, ['success']]);
  });

  test('a check whose creation gets no answer is not created twice', async () => {
    const jobs = await openGithubJobs(files);
    jobs.github.intercept = ({ method, url, body }) => {
      if (method !== 'POST' || !url.endsWith('/check-runs') || jobs.github.checks.length > 0) return undefined;
      jobs.github.checks.push({ ...JSON.parse(body), id: 1 });
      return { status: 504 };
    };
    expect((await jobs.act()).stderr).not.toContain('was not published');
    expect(jobs.github.checks).toHaveLength(1);
  });

  test.each([
    ['fails once', false],
    ['always fails', true],
  ])('a query for the author that %s makes no second comment', async (_, isAlways) => {
    const jobs = await openGithubJobs(files);
    await jobs.act();
    const [first] = jobs.github.comments;
    // The token of an app: its comments are not by github-actions[bot].
    if (first !== undefined) jobs.github.comments.splice(0, 1, { ...first, user: { login: 'shop[bot]', type: 'Bot' } });
    jobs.push();
    let failures = 0;
    jobs.github.intercept = ({ url }) => {
      if (url === '/user') return { status: 403, body: { message: 'Resource not accessible by integration' } };
      if (url !== '/graphql') return undefined;
      failures += 1;
      if (isAlways) return { status: 403 };
      return failures === 1 ? { status: 502 } : { body: { data: { viewer: { login: 'shop[bot]' } } } };
    };
    await jobs.act();
    expect(jobs.github.comments.map(({ body }) => shownBy(body))).toEqual([['PASSED', jobs.github.head]]);
  });

  test('a person who copies the marker is never taken for the author', async () => {
    const jobs = await openGithubJobs(files);
    await jobs.act();
    const [own] = jobs.github.comments;
    const copied = { id: 1, body: own?.body ?? '', user: { login: 'eve', type: 'User' } };
    jobs.github.comments.splice(0, 1, copied);
    jobs.github.intercept = ({ url }) => (['/graphql', '/user'].includes(url) ? { status: 403 } : undefined);
    jobs.push();
    await jobs.act();
    expect(jobs.github.comments.map(({ user }) => user.login)).toEqual(['eve', 'github-actions[bot]']);
    expect(copied.body).toBe(own?.body);
  });
});
