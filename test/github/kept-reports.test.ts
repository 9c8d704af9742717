import { describe, expect, onTestFinished, test } from 'vitest';
import { createCheckRun } from '../../src/github/checks.ts';
import { type DriftIssue, keepIssue } from '../../src/github/drift-issue.ts';
import { type GithubRun, openGithubApi } from '../../src/github/github-run.ts';
import { openHttpClient } from '../../src/http/client.ts';
import { publishToGithub } from '../../src/publishing/publish-to-github.ts';
import { type FakeIssue, robot, startGithubServer } from '../support/github-server.ts';
import type { ReceivedRequest, Scripted } from '../support/http-server.ts';

/** What reports leave in a repository, run by run. The waits of retries are only counted. */
async function openRepository() {
  const github = await startGithubServer('token');
  const http = openHttpClient({ env: {}, isFresh: true });
  onTestFinished(() => http.close());
  const waits: number[] = [];
  const wait = (ms: number): Promise<void> => {
    waits.push(ms);
    return Promise.resolve();
  };
  const { signal } = new AbortController();
  const send: Parameters<typeof openGithubApi>[2]['send'] = (request) => http.send({ ...request, signal });
  const now = (): Date => new Date(0);
  const api = openGithubApi(github.url, 'token', { send, wait, now });
  const runOf = (more: Partial<GithubRun>): GithubRun => ({
    apiUrl: github.url,
    graphqlUrl: `${github.url}/graphql`,
    repository: 'acme/shop',
    repositoryUrl: 'https://github.example/acme/shop',
    runId: 1,
    eventName: 'pull_request',
    headSha: 'a1',
    pullRequest: { number: 7, baseRef: 'main', isForeign: false },
    ...more,
  });
  /** Answers so many requests of a kind in place of GitHub. */
  function answer(wanted: RegExp, reply: (request: ReceivedRequest) => Scripted | undefined, times = 99): () => number {
    let count = 0;
    github.intercept = (request) => {
      if (count >= times || !wanted.test(`${request.method} ${request.url}`)) return undefined;
      count += 1;
      return reply(request);
    };
    return () => count;
  }
  return {
    github,
    waits,
    answer,
    keep: (issue: DriftIssue, more: Partial<GithubRun> & { readonly writer?: string } = {}) =>
      keepIssue(api, runOf(more), issue, { writer: more.writer ?? 'own', wait }),
    check: (more: Partial<GithubRun>, writer: string, title = 'passed') =>
      createCheckRun(
        api,
        runOf(more),
        { name: 'llmcheck', conclusion: 'success', title, summary: '' },
        { writer, wait },
      ),
    comment: async (job: string, runId: number, more: Partial<GithubRun> = {}) => {
      github.head = more.headSha ?? `c${runId}`;
      const run = runOf({ runId, headSha: github.head, jobKey: job, ...more });
      const ports = { env: {}, token: 'token', now, writer: `${job}${runId}` };
      return (await publishToGithub(run, { comment: { id: job, body: job } }, ports)).comment;
    },
  };
}

const found = (...drifted: readonly string[]): DriftIssue => ({
  id: 'nightly',
  is: 'found',
  title: `Drift of ${drifted.length}`,
  body: drifted.join(' '),
  drifted,
});
const over: DriftIssue = { id: 'nightly', is: 'over', body: 'It is over.' };
const creation = /^POST .*\/issues$/;
const statesOf = (issues: readonly FakeIssue[]) => issues.map(({ number, state }) => `${number} ${state}`);
const urlOf = (number: number): string => `https://github.example/i/${number}`;

describe('the issue of a drift', () => {
  test('is opened, updated, and closed with a comment, each time only once', async () => {
    const { github, keep } = await openRepository();
    expect(await keep(over)).toEqual({ ok: true, how: 'none' });
    expect(await keep(found('red'))).toEqual({ ok: true, how: 'opened', url: urlOf(20) });
    expect(await keep(found('red', 'green'))).toEqual({ ok: true, how: 'updated', url: urlOf(20) });
    expect(github.issues).toMatchObject([{ title: 'Drift of 2', body: expect.stringMatching(/\nred green$/) }]);
    expect(await keep(over)).toEqual({ ok: true, how: 'closed', url: urlOf(20) });
    expect(github.issues).toMatchObject([
      { state: 'closed', state_reason: 'completed', said: [expect.stringMatching(/^<!-- .* -->\nIt is over\.$/)] },
    ]);
    expect(await keep(over)).toEqual({ ok: true, how: 'none' });
    expect(github.issues[0]?.said).toHaveLength(1);
  });

  test('stays open where a later run wrote it, and the others are closed', async () => {
    const { github, keep } = await openRepository();
    await keep(found('red'), { runId: 1 });
    const older = { ...github.issues[0], number: 30 } as FakeIssue;
    await keep(found('red'), { runId: 10 });
    github.issues.push(older);
    expect(await keep(over, { runId: 5 })).toMatchObject({ how: 'closed' });
    expect(statesOf(github.issues)).toEqual(['20 open', '30 closed']);
  });

  test('is neither one of another author or id, nor a pull request, nor one without the marker', async () => {
    const { github, keep } = await openRepository();
    await keep(found('red'));
    const [own] = github.issues;
    const body = own?.body ?? '';
    const others = [
      { user: { login: 'eve' }, body },
      { user: { login: robot }, body, pull_request: {} },
      { user: { login: robot }, body: body.replace('drift:nightly', 'drift:other') },
      { user: { login: robot }, body: 'nothing' },
    ].map((one, index) => ({ number: 30 + index, title: 'other', state: 'open' as const, said: [], ...one }));
    github.issues.splice(0, 1, ...others);
    expect(await keep(over)).toEqual({ ok: true, how: 'none' });
    expect(await keep(found('red'))).toMatchObject({ how: 'opened' });
    expect(github.issues.map(({ title }) => title)).toEqual(['other', 'other', 'other', 'other', 'Drift of 1']);
  });

  test('is found behind a page of others, and of two the older one is kept', async () => {
    const { github, keep } = await openRepository();
    await keep(found('red'));
    const other = { title: 'other', body: '', state: 'open' as const, user: { login: robot }, said: [] };
    for (let number = 100; number < 200; number += 1) github.issues.push({ ...other, number });
    github.issues.push({ ...other, number: 200, body: github.issues[0]?.body ?? '', html_url: urlOf(200) });
    expect(await keep(found('green'))).toEqual({ ok: true, how: 'updated', url: urlOf(20) });
    expect(github.issues.at(-1)?.title).toBe('other');
    expect(await keep(over)).toMatchObject({ how: 'closed' });
    expect(github.issues.filter(({ state }) => state === 'closed').map(({ number }) => number)).toEqual([20, 200]);
  });

  test('that was closed as not planned stays closed for the same drift, and only for that', async () => {
    const { github, keep } = await openRepository();
    await keep(found('red', 'green'));
    const close = (state_reason: string) =>
      Object.assign(github.issues.at(-1) ?? {}, { state: 'closed', state_reason });
    close('not_planned');
    expect(await keep(found('green', 'red'))).toEqual({ ok: true, how: 'muted', url: urlOf(20) });
    expect(await keep(found('red'))).toMatchObject({ how: 'opened' });
    close('completed');
    // The newest one that was closed decides.
    expect(await keep(found('red', 'green'))).toMatchObject({ how: 'opened' });
    close('completed');
    expect(await keep(found('red', 'green'))).toMatchObject({ how: 'opened' });
    expect(statesOf(github.issues)).toEqual(['20 closed', '21 closed', '22 closed', '23 open']);
  });

  test('is closed again where another run opened one a moment before', async () => {
    const { github, keep, answer } = await openRepository();
    answer(
      creation,
      ({ body }) => {
        const theirs = JSON.parse(body) as { title: string; body: string };
        const marked = theirs.body.replace('by=own', 'by=other');
        github.issues.push({ ...theirs, body: marked, number: 5, state: 'open', user: { login: robot }, said: [] });
        return undefined;
      },
      1,
    );
    expect(await keep(found('red'))).toEqual({ ok: true, how: 'updated' });
    expect(statesOf(github.issues)).toEqual(['5 open', '21 closed']);
    expect(github.issues[1]?.body).toMatch(/Closed: another run opened #5 at the same time\.\n$/);
    expect(github.issues[0]?.body).toContain('by=own');
  });

  test.each<[string, Partial<GithubRun>, boolean]>([
    ['an older run', { runId: 8 }, false],
    ['an older attempt', { runId: 9, runAttempt: 1 }, false],
    ['the same attempt', { runId: 9, runAttempt: 2 }, true],
    ['a later run', { runId: 10, runAttempt: 1 }, true],
  ])('that a run wrote: %s changes it', async (_, run, isChanged) => {
    const { github, keep } = await openRepository();
    await keep(found('red'), { runId: 9, runAttempt: 2 });
    expect(await keep(found('red', 'green'), run)).toEqual({ ok: true, how: 'updated', url: urlOf(20) });
    expect(github.issues[0]?.title).toBe(isChanged ? 'Drift of 2' : 'Drift of 1');
    expect(await keep(over, run)).toMatchObject({ how: isChanged ? 'closed' : 'none' });
  });

  test('whose creation got no answer is looked for before it is created again', async () => {
    const { github, waits, keep, answer } = await openRepository();
    const create = ({ body }: ReceivedRequest): void => {
      const issue = JSON.parse(body) as { title: string; body: string };
      github.issues.push({ ...issue, number: 20, state: 'open', user: { login: robot }, said: [] });
    };
    answer(creation, () => ({ status: 502 }), 1);
    expect(await keep(found('red'))).toMatchObject({ how: 'opened' });
    expect([statesOf(github.issues), waits]).toEqual([['20 open'], [1000]]);
    github.issues.length = 0;
    answer(
      creation,
      (request) => {
        create(request);
        return { status: 502 };
      },
      1,
    );
    expect(await keep(found('red'))).toEqual({ ok: true, how: 'opened' });
    expect([statesOf(github.issues), waits]).toEqual([['20 open'], [1000]]);
    github.issues.length = 0;
    const tries = answer(creation, () => ({ status: 502 }));
    expect(await keep(found('red'))).toMatchObject({ ok: false, status: 502 });
    expect([tries(), waits.slice(1)]).toEqual([4, [1000, 2000, 3000]]);
  });

  test.each([
    ['open issues can not be listed', /^GET .*state=open/],
    ['closed issues can not be listed', /^GET .*state=closed/],
    ['an issue can not be created', creation],
  ])('is not written where %s', async (_, wanted) => {
    const { github, keep, answer } = await openRepository();
    const asked = answer(wanted, () => ({ status: 403, body: { message: 'no' } }));
    expect(await keep(found('red'))).toMatchObject({ ok: false, status: 403, message: expect.stringContaining('no') });
    expect([asked(), github.issues]).toEqual([1, []]);
  });

  test('stays open where it can not be commented or closed, and the comment is not written twice', async () => {
    const { github, waits, keep, answer } = await openRepository();
    await keep(found('red'));
    const denied = { status: 403, body: { message: 'no' } };
    answer(/^POST .*\/comments$/, () => denied);
    expect(await keep(over)).toMatchObject({ ok: false, status: 403 });
    expect([github.issues[0]?.state, waits]).toEqual(['open', []]);
    const tries = answer(/^POST .*\/comments$/, () => ({ status: 502 }));
    expect(await keep(over)).toMatchObject({ ok: false, status: 502 });
    expect([tries(), github.issues[0]?.state, waits]).toEqual([4, 'open', [1000, 2000, 3000]]);
    answer(
      /^POST .*\/comments$/,
      ({ body }) => {
        github.issues[0]?.said.push('older', (JSON.parse(body) as { body: string }).body);
        return { status: 502 };
      },
      1,
    );
    expect(await keep(over)).toMatchObject({ how: 'closed' });
    expect(github.issues[0]).toMatchObject({ state: 'closed', said: ['older', expect.stringContaining('over')] });
    Object.assign(github.issues[0] ?? {}, { state: 'open' });
    answer(/^PATCH /, () => denied);
    expect(await keep(over, { runId: 2 })).toMatchObject({ ok: false, status: 403 });
    expect(await keep(found('red'), { runId: 2 })).toMatchObject({ ok: false, status: 403 });
  });
});

describe('the comment of a job', () => {
  /** Of each comment: its job, its commit, and why it is folded. */
  const shownIn = ({ comments }: Awaited<ReturnType<typeof startGithubServer>>): readonly string[] =>
    comments.map(({ body, hiddenAs }) => {
      const [, job, commit] = /llmcheck:(\w+) .* commit=(\w+)/.exec(body) ?? [];
      return [job, commit, ...(hiddenAs === undefined ? [] : [hiddenAs])].join(' ');
    });

  test('is hidden once others reported on two newer commits, and shown again when it reports', async () => {
    const { github, comment } = await openRepository();
    expect(await comment('kept', 1)).toMatchObject({ ok: true, how: 'created' });
    await comment('gone', 1);
    expect(await comment('kept', 2)).toMatchObject({ ok: true, how: 'updated' });
    expect(shownIn(github)).toEqual(['kept c2', 'gone c1']);
    await comment('kept', 3);
    expect(shownIn(github)).toEqual(['kept c3', 'gone c1 outdated']);
    await comment('gone', 3);
    expect(shownIn(github)).toEqual(['kept c3', 'gone c3']);
  });

  test('is not hidden by a job of the same commit, nor by a late one', async () => {
    const { github, comment } = await openRepository();
    for (const [job, run] of [
      ['one', 1],
      ['two', 1],
      ['one', 2],
      ['two', 2],
    ] as const)
      await comment(job, run);
    for (const job of ['one', 'two']) await comment(job, 3, { headSha: 'c2' });
    await comment('one', 1, { headSha: 'c9' });
    expect(shownIn(github).filter((text) => text.includes('outdated'))).toEqual([]);
  });

  test('of somebody else, or folded by a person, stays as it is', async () => {
    const { github, comment } = await openRepository();
    await comment('kept', 1);
    const [own] = github.comments;
    github.comments.push({ id: 5, body: own?.body.replace('kept', 'copied') ?? '', user: { login: 'eve' } });
    if (own !== undefined) own.hiddenAs = 'resolved';
    for (const run of [2, 3, 4]) await comment('kept', run);
    expect(shownIn(github)).toEqual(['kept c4 resolved', 'copied c1']);
  });

  test('is shown where its job reports while it is hidden, and stays where GitHub refuses to hide it', async () => {
    const { github, comment } = await openRepository();
    for (const [job, run] of [
      ['kept', 1],
      ['late', 1],
      ['kept', 2],
    ] as const)
      await comment(job, run);
    github.intercept = ({ body }) => (body.includes(' minimizeComment') ? { body: { data: null } } : undefined);
    await comment('kept', 3);
    expect(github.requests.at(-1)?.body).toContain('minimizeComment');
    github.intercept = ({ body }) => {
      const late = github.comments[1];
      if (late !== undefined && body.includes(' minimizeComment'))
        late.body = late.body.replace('by=late1', 'by=late4');
      return undefined;
    };
    await comment('kept', 4);
    expect(shownIn(github)).toEqual(['kept c4', 'late c1']);
    github.intercept = () => undefined;
    await comment('kept', 5);
    expect(shownIn(github)).toEqual(['kept c5', 'late c1 outdated']);
  });
});

describe('the check of a job', () => {
  test('keeps its name beside those of other runs and of its own earlier attempt', async () => {
    const { github, check } = await openRepository();
    expect(await check({ jobKey: 'one' }, 'w1')).toEqual({
      ok: true,
      how: 'created',
      url: 'https://github.example/k/1',
    });
    await check({ jobKey: 'one', runId: 2 }, 'w2');
    await check({ jobKey: 'one', runId: 2, runAttempt: 2 }, 'w3', 'x'.repeat(300));
    expect(github.checks.map(({ name }) => name)).toEqual(['llmcheck', 'llmcheck', 'llmcheck']);
    expect(github.checks[2]).toMatchObject({
      head_sha: 'a1',
      status: 'completed',
      external_id: 'llmcheck:2.2:one:w3',
      output: { title: expect.stringMatching(/^x{240,250}…?$/) },
    });
  });

  test.each<[string, Partial<GithubRun>, Partial<GithubRun>, string]>([
    ['with other flags', { jobKey: 'abcdefgh' }, { jobKey: 'bcdefghi' }, 'llmcheck (bcdefg)'],
    ['with other flags, started again', { jobKey: 'abc' }, { jobKey: 'bcd', runAttempt: 2 }, 'llmcheck (bcd)'],
    ['with the same flags', { jobKey: 'abc' }, { jobKey: 'abc' }, 'llmcheck (second)'],
    ['without a key', {}, {}, 'llmcheck (llmche)'],
  ])('has a name of its own beside one of the same run: %s', async (_, one, other, name) => {
    const { github, check } = await openRepository();
    await check(one, 'first');
    const writer = name.includes('llmche)') ? 'llmchecks' : 'second';
    expect(await check(other, writer)).toMatchObject({ ok: true, isShared: true });
    expect(github.checks.map((found) => found.name)).toEqual(['llmcheck', name]);
  });

  test('has one where two jobs of an earlier attempt look like it', async () => {
    const { github, check } = await openRepository();
    await check({ jobKey: 'abc' }, 'first');
    await check({ jobKey: 'abc' }, 'second');
    for (const found of github.checks) found.name = 'other';
    await check({ jobKey: 'abc', runAttempt: 2 }, 'third');
    await check({ jobKey: 'xyz', runAttempt: 2 }, 'fourth');
    expect(github.checks.map(({ name }) => name)).toEqual(['other', 'other', 'llmcheck (third)', 'llmcheck']);
  });

  test('whose creation got no answer is looked for before it is created again', async () => {
    const { github, waits, check, answer } = await openRepository();
    answer(/^POST .*\/check-runs$/, () => ({ status: 502 }), 1);
    expect(await check({}, 'w1')).toMatchObject({ ok: true });
    expect([github.checks.length, waits]).toEqual([1, [1000]]);
    const tries = answer(/^POST .*\/check-runs$/, () => ({ status: 502 }));
    // It is there under this writer's name.
    expect(await check({}, 'w1')).toMatchObject({ ok: true });
    expect(tries()).toBe(1);
    expect(await check({}, 'w2')).toMatchObject({ ok: false, status: 502 });
    expect(tries()).toBe(5);
    answer(/^POST .*\/check-runs$/, () => ({ status: 403, body: { message: 'no' } }));
    expect(await check({}, 'w3')).toMatchObject({ ok: false, status: 403 });
    answer(/^PATCH /, () => ({ status: 403, body: { message: 'no' } }));
    expect(await check({}, 'w4')).toMatchObject({ ok: false, status: 403 });
  });
});
