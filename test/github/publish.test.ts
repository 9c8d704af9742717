import { describe, expect, test } from 'vitest';
import { listJobComments } from '../../src/github/comments.ts';
import { type GithubRun, openGithubApi, parseGithubRun } from '../../src/github/github-run.ts';
import type { Send } from '../../src/http/json-api.ts';
import type { JsonValue } from '../../src/json/json.ts';
import { upsertGithubComment } from '../../src/publishing/publish-to-github.ts';

const run: GithubRun = {
  apiUrl: 'https://api.example',
  graphqlUrl: 'https://api.example/graphql',
  repository: 'acme/shop',
  repositoryUrl: 'https://github.example/acme/shop',
  runId: 12,
  eventName: 'pull_request',
  headSha: 'a'.repeat(40),
  pullRequest: { number: 7, baseRef: 'main', isForeign: false },
};
const writer = 'w0';
const markerOf = (id: string, runId = 11, commit = 'b', by = 'w1') =>
  `<!-- llmcheck:${id} run=${runId}.1 commit=${commit} by=${by} -->`;
const marker = markerOf('default');
/** Answered beside the script: the head of the pull request, and the comment as it was written. */
const head = { head: { sha: run.headSha } };

/** Answers in turn; the last answer repeats. An error is thrown. */
function openScripted(
  replies: readonly (Error | { status: number; body?: JsonValue; headers?: Record<string, string> })[],
) {
  const sent: string[] = [];
  const bodies: string[] = [];
  const waits: number[] = [];
  const send: Send = ({ method, url, body }) => {
    if (url.endsWith('/pulls/7')) return Promise.resolve({ status: 200, headers: {}, text: JSON.stringify(head) });
    if (method === 'GET' && /\/comments\/\d+$/.test(url)) {
      return Promise.resolve({ status: 200, headers: {}, text: bodies.at(-1) ?? '' });
    }
    const reply = replies[Math.min(sent.length, replies.length - 1)] ?? new Error('nothing is scripted');
    sent.push(`${method} ${url.replace('https://api.example', '')}`);
    bodies.push(body);
    if (reply instanceof Error) return Promise.reject(reply);
    return Promise.resolve({
      status: reply.status,
      headers: reply.headers ?? {},
      text: JSON.stringify(reply.body ?? null),
    });
  };
  const wait = (ms: number): Promise<void> => {
    waits.push(ms);
    return Promise.resolve();
  };
  const api = openGithubApi(run.apiUrl, 'token', { send, wait, now: () => new Date(0) });
  return { api, sent, bodies, waits, wait };
}

const viewer = { status: 200, body: { data: { viewer: { login: 'github-actions[bot]' } } } };
const own = (id: number) => ({ id, body: `${marker}\nold`, user: { login: 'github-actions[bot]' } });
const comments = '/repos/acme/shop/issues/7/comments';

function upsert({ api, wait }: ReturnType<typeof openScripted>) {
  return upsertGithubComment(api, run, { id: 'default', body: 'new' }, { writer, wait });
}

describe('the comment', () => {
  test('is found on a later page and changed in place', async () => {
    const full = Array.from({ length: 100 }, (_, id) => ({ id, body: 'x', user: { login: 'ann' } }));
    const github = openScripted([
      viewer,
      { status: 200, body: full },
      { status: 200, body: [own(200)] },
      { status: 200 },
    ]);
    expect(await upsert(github)).toEqual({ ok: true, how: 'updated' });
    expect(github.sent.slice(1)).toEqual([
      `GET ${comments}?per_page=100&page=1`,
      `GET ${comments}?per_page=100&page=2`,
      'PATCH /repos/acme/shop/issues/comments/200',
    ]);
  });

  test('starts with the marker by which it is found again', async () => {
    const github = openScripted([viewer, { status: 200, body: [] }, { status: 201 }]);
    await upsert(github);
    expect(github.bodies.at(-1)).toBe(JSON.stringify({ body: `${markerOf('default', 12, run.headSha, writer)}\nnew` }));
  });

  test.each([
    ['of somebody else', { id: 1, body: `${marker}\nx`, user: { login: 'eve' } }],
    ['of a deleted account', { id: 1, body: `${marker}\nx`, user: null }],
    ['that only quotes the marker', { id: 1, body: `> ${marker}`, user: { login: 'github-actions[bot]' } }],
    ['of another job', { id: 1, body: markerOf('nightly'), user: { login: 'github-actions[bot]' } }],
  ])('%s is left alone', async (_, comment) => {
    const github = openScripted([viewer, { status: 200, body: [comment] }, { status: 201 }]);
    expect(await upsert(github)).toEqual({ ok: true, how: 'created' });
    expect(github.sent.at(-1)).toBe(`POST ${comments}`);
  });

  test('of a person is left alone where the owner of the token is not known', async () => {
    const unknown = { status: 403, body: { message: 'no' } };
    const comment = { id: 1, body: `${marker}\nx`, user: { login: 'eve', type: 'User' } };
    const github = openScripted([unknown, unknown, { status: 200, body: [comment] }, { status: 201 }]);
    expect(await upsert(github)).toEqual({ ok: true, how: 'created' });
  });

  test('of an earlier run is found behind a hundred others', async () => {
    const full = Array.from({ length: 100 }, (_, id) => ({ id, node_id: `n${id}`, body: 'x', user: { login: 'ann' } }));
    const pages = [full, [{ ...own(200), node_id: 'n200' }]].map((body) => ({ status: 200, body }));
    const { api } = openScripted([viewer, ...pages]);
    expect(await listJobComments(api, run)).toMatchObject([{ id: 200, nodeId: 'n200', mark: { id: 'default' } }]);
  });

  test('whose creation got no answer is looked for before it is made again', async () => {
    const github = openScripted([
      viewer,
      { status: 200, body: [] },
      new Error('socket hang up'),
      { status: 200, body: [own(5)] },
      { status: 200 },
    ]);
    expect(await upsert(github)).toEqual({ ok: true, how: 'updated' });
    expect(github.sent.filter((line) => line.startsWith('POST /repos'))).toHaveLength(1);
  });

  test('is not created where the comments can not be read', async () => {
    const github = openScripted([viewer, { status: 403, body: { message: 'no' } }]);
    expect(await upsert(github)).toMatchObject({ ok: false, message: expect.stringContaining('403 no') });
    expect(github.sent.filter((line) => line.startsWith('POST /repos'))).toEqual([]);
  });

  test('is the first where there are two', async () => {
    const github = openScripted([viewer, { status: 200, body: [own(5), own(6)] }, { status: 200 }]);
    await upsert(github);
    expect(github.sent.at(-1)).toBe('PATCH /repos/acme/shop/issues/comments/5');
  });

  test('is tried four times, after growing waits', async () => {
    const none = { status: 200, body: [] };
    const failed = new Error('socket hang up');
    const github = openScripted([viewer, none, failed, none, failed, none, failed, none, failed]);
    expect(await upsert(github)).toMatchObject({ ok: false, message: expect.stringContaining('socket hang up') });
    expect([github.waits, github.sent.length]).toEqual([[1000, 2000, 3000], 9]);
  });

  test('that was deleted meanwhile is created again', async () => {
    const github = openScripted([
      viewer,
      { status: 200, body: [own(5)] },
      { status: 404 },
      { status: 200, body: [] },
      { status: 201 },
    ]);
    expect(await upsert(github)).toEqual({ ok: true, how: 'created' });
  });
});

describe('a comment that a limit holds back', () => {
  const limit = { status: 403, headers: { 'retry-after': '45' }, body: { message: 'secondary rate limit' } };

  test('is written once, after the wait', async () => {
    const github = openScripted([viewer, { status: 200, body: [] }, limit, { status: 201 }]);
    expect(await upsert(github)).toEqual({ ok: true, how: 'created' });
    expect(github.waits).toEqual([45_000]);
  });

  test('is a plain failure if the limit lasts', async () => {
    const github = openScripted([viewer, { status: 200, body: [] }, limit]);
    expect(await upsert(github)).toMatchObject({ ok: false, message: expect.stringMatching(/45 s.*120 s at most/) });
    expect([github.waits, github.sent.filter((line) => line.startsWith('POST /repos')).length]).toEqual([
      [45_000, 45_000],
      3,
    ]);
  });
});

describe('a request', () => {
  const secondary = { message: 'You have exceeded a secondary rate limit.' };
  const usedUp = (seconds: number) => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': `${seconds}` });

  test.each<[string, { status: number; headers?: Record<string, string>; body?: JsonValue }, number]>([
    ['in seconds', { status: 429, headers: { 'retry-after': '7' } }, 7000],
    ['longer than half a minute', { status: 403, headers: { 'retry-after': '90' }, body: secondary }, 90_000],
    ['as a date', { status: 429, headers: { 'retry-after': 'Thu, 01 Jan 1970 00:01:40 GMT' } }, 100_000],
    ['by its reset', { status: 403, headers: usedUp(40), body: { message: 'API rate limit exceeded' } }, 40_000],
    ['not at all', { status: 403, body: secondary }, 60_000],
    ['not at all, with 429', { status: 429 }, 60_000],
    [
      'with what is left of another limit',
      { status: 403, headers: { 'x-ratelimit-remaining': '9' }, body: secondary },
      60_000,
    ],
  ])('waits for a limit as long as the server says: %s', async (_, reply, waitMs) => {
    const limited = openScripted([reply, { status: 200, body: 1 }]);
    expect(await limited.api.ask('GET', '/x')).toEqual({ ok: true, value: 1 });
    expect(limited.waits).toEqual([waitMs]);
    // A creation that was refused has not happened.
    const created = openScripted([reply, { status: 201, body: 1 }]);
    expect(await created.api.ask('POST', '/x', {})).toEqual({ ok: true, value: 1 });
    expect([created.waits, created.sent]).toEqual([[waitMs], ['POST /x', 'POST /x']]);
  });

  test.each(['GET', 'POST'] as const)('%s gives up where the limit lasts too long', async (method) => {
    const exhausted = openScripted([
      { status: 403, headers: usedUp(3600), body: { message: 'API rate limit exceeded' } },
    ]);
    expect(await exhausted.api.ask(method, '/x')).toEqual({
      ok: false,
      status: 403,
      isTransient: false,
      message: `${method} /x: 403 API rate limit exceeded; its limit lasts 3600 s, and a job waits 120 s at most: run it again later`,
    });
    expect([exhausted.sent.length, exhausted.waits]).toEqual([1, []]);
  });

  test('waits two minutes in all, whatever the number of requests', async () => {
    const limit = { status: 429, headers: { 'retry-after': '50' } };
    const github = openScripted([limit, { status: 200 }, limit, { status: 200 }, limit]);
    expect([await github.api.ask('GET', '/a'), await github.api.ask('GET', '/b')]).toMatchObject([
      { ok: true },
      { ok: true },
    ]);
    expect(await github.api.ask('GET', '/c')).toMatchObject({
      ok: false,
      message: expect.stringContaining('lasts 50 s'),
    });
    expect(github.waits).toEqual([50_000, 50_000]);
  });

  test('waits longer each time a limit without a time goes on, and then gives up', async () => {
    const github = openScripted([{ status: 403, body: secondary }]);
    expect(await github.api.ask('GET', '/x')).toMatchObject({ ok: false, message: expect.stringContaining('120 s') });
    expect(github.waits).toEqual([60_000]);
  });

  test('is not repeated without end when it is refused without a wait', async () => {
    const github = openScripted([{ status: 429, headers: { 'retry-after': '0' } }]);
    expect(await github.api.ask('GET', '/x')).toMatchObject({ ok: false, status: 429 });
    expect(github.sent).toHaveLength(4);
  });

  test('is not repeated where the answer would be the same, and gives up in the end', async () => {
    const refused = openScripted([{ status: 403, body: { message: 'Resource not accessible by integration' } }]);
    expect(await refused.api.ask('PATCH', '/x', {})).toMatchObject({ ok: false, status: 403, isTransient: false });
    expect(refused.sent).toHaveLength(1);
    const broken = openScripted([{ status: 502 }]);
    expect(await broken.api.ask('GET', '/x')).toMatchObject({ ok: false, isTransient: true });
    expect(broken.waits).toEqual([500, 1000, 2000]);
  });
});

describe('the job', () => {
  const env = { GITHUB_REPOSITORY: 'acme/shop', GITHUB_SHA: 'f'.repeat(40), GITHUB_API_URL: 'https://api.example/' };
  const pull = (head: JsonValue): JsonValue => ({ pull_request: { number: 7, head, base: { ref: 'main' } } });

  test('tests the head of a pull request, and what was pushed otherwise', () => {
    const found = parseGithubRun(env, pull({ sha: 'abc', repo: { full_name: 'Acme/Shop' } }));
    expect(found).toMatchObject({ headSha: 'abc', apiUrl: 'https://api.example', pullRequest: { isForeign: false } });
    expect(parseGithubRun(env, { ref: 'refs/heads/main' })).toMatchObject({ headSha: 'f'.repeat(40) });
    expect(parseGithubRun({}, undefined)).toBeUndefined();
    expect(parseGithubRun({ GITHUB_REPOSITORY: 'acme/shop', GITHUB_RUN_ID: '5' }, undefined)).toMatchObject({
      apiUrl: 'https://api.github.com',
      graphqlUrl: 'https://api.github.com/graphql',
      runUrl: 'https://github.com/acme/shop/actions/runs/5',
    });
    for (const number of [1.5, '7'])
      expect(parseGithubRun(env, { pull_request: { number } })?.pullRequest).toBeUndefined();
    expect(parseGithubRun({ GITHUB_REPOSITORY: 'acme/shop/../x' }, undefined)).toBeUndefined();
  });

  test.each([
    ['a fork', { sha: 'abc', repo: { full_name: 'eve/shop' } }, {}],
    ['a fork that is gone', { sha: 'abc', repo: null }, {}],
    ['a dependency robot', { sha: 'abc', repo: { full_name: 'acme/shop' } }, { GITHUB_ACTOR: 'dependabot[bot]' }],
  ])('of %s has no secrets', (_, head, more) => {
    expect(parseGithubRun({ ...env, ...more }, pull(head))?.pullRequest?.isForeign).toBe(true);
  });
});
