import { describe, expect, test } from 'vitest';
import { createCheckRun } from '../../src/github/checks.ts';
import {
  hideOutdated,
  isWrittenBy,
  type JobComment,
  listJobComments,
  openComments,
} from '../../src/github/comments.ts';
import type { GithubRun } from '../../src/github/github-run.ts';
import type { ApiReply, JsonApi } from '../../src/http/json-api.ts';
import type { JsonValue } from '../../src/json/json.ts';
import { writeReportMark } from '../../src/text/report-mark.ts';

const pullRequest = { number: 7, baseRef: 'main', isForeign: false };
const run: GithubRun = {
  apiUrl: 'https://api.example',
  graphqlUrl: 'graphql',
  repository: 'acme/shop',
  repositoryUrl: 'https://github.example/acme/shop',
  runId: 9,
  eventName: 'pull_request',
  headSha: 'c9',
  pullRequest,
};

const failed: ApiReply = { ok: false, message: 'no', isTransient: false };

/** Answers by method and path; what is sent to GraphQL is named by its mutation or query and its node. */
function openApi(answer: (request: string) => JsonValue | undefined) {
  const asked: string[] = [];
  const api: JsonApi = {
    ask(method, path, body, options) {
      const { query, variables } = Object(body) as { query?: string; variables?: { id: string } };
      const name = /minimizeComment|unminimizeComment|node\(|viewer/.exec(query ?? '')?.[0];
      const repeats = method === 'POST' && options?.canRepeat === true ? ' again' : '';
      const request = name === undefined ? `${method} ${path}` : `${name} ${variables?.id ?? ''}${repeats}`;
      asked.push(request);
      const value = answer(request);
      return Promise.resolve(value === undefined ? failed : { ok: true, value });
    },
  };
  return { api, asked };
}

describe('comments of jobs that have missed a commit', () => {
  const of = (id: string, runId: number, commit = `c${runId}`): JobComment => ({
    id: runId,
    nodeId: `${id}${runId}`,
    mark: { id, runId, part: 1, commit, writer: 'w' },
  });

  test.each<[string, readonly JobComment[], readonly string[]]>([
    ['are hidden where this job reported since', [of('own', 8), of('other', 7)], ['other7']],
    ['stay before this job has reported', [of('other', 7)], []],
    ['stay where they are of the commit that this job reported on', [of('own', 8), of('other', 7, 'c8')], []],
    ['stay where they are of the head', [of('own', 8), of('other', 7, 'c9')], []],
    ['stay where they are as new as what this job said', [of('own', 8), of('other', 8, 'c7')], []],
    ['stay where this job only reported on this commit', [of('own', 8, 'c9'), of('other', 7)], []],
    ['stay where this job only reported in this run', [of('own', 9, 'c8'), of('other', 7)], []],
    [
      'are compared with the latest of this job',
      [of('own', 3), of('own', 8), of('own', 5), of('other', 7)],
      ['other7'],
    ],
    ['are never those of this job', [of('own', 8), of('own', 5)], []],
    ['are all of them', [of('other', 6), of('own', 8), of('more', 5)], ['other6', 'more5']],
  ])('%s', async (_, before, hidden) => {
    const { api, asked } = openApi((request) =>
      request.startsWith('minimizeComment') ? { data: { minimizeComment: {} } } : { data: {}, body: '' },
    );
    await hideOutdated(api, run, { id: 'own', before });
    expect(asked.filter((request) => request.startsWith('minimize'))).toEqual(
      hidden.map((nodeId) => `minimizeComment ${nodeId} again`),
    );
    const own = before.filter(({ mark }) => mark.id === 'own').map(({ nodeId }) => `node( ${nodeId} again`);
    expect(asked.filter((request) => request.startsWith('node'))).toEqual(own);
  });

  test('of a run without a number hides nothing', async () => {
    const { api, asked } = openApi(() => ({ data: { minimizeComment: {} } }));
    const { runId: _runId, ...unknown } = run;
    await hideOutdated(api, unknown, { id: 'own', before: [of('own', 0, 'c0'), of('other', 0, 'c1')] });
    expect(asked).toEqual(['node( own0 again']);
  });

  const written = (writer: string) => writeReportMark({ id: 'other', runId: 9, part: 1, commit: 'c9', writer });
  test.each<[string, JsonValue | undefined, JsonValue | undefined, readonly string[]]>([
    [
      'whose job wrote meanwhile are shown again',
      { data: { minimizeComment: {} } },
      { body: written('new') },
      ['unminimizeComment other7 again'],
    ],
    ['that are as they were stay hidden', { data: { minimizeComment: {} } }, { body: written('w') }, []],
    ['that cannot be read stay hidden', { data: { minimizeComment: {} } }, undefined, []],
    ['without a text stay hidden', { data: { minimizeComment: {} } }, {}, []],
  ])('%s', async (_, minimized, read, after) => {
    const { api, asked } = openApi((request) => {
      if (request.startsWith('minimize')) return minimized;
      return request.startsWith('GET') ? read : { data: {} };
    });
    await hideOutdated(api, run, { id: 'own', before: [of('own', 8), of('other', 7)] });
    expect(asked.slice(1)).toEqual([
      'minimizeComment other7 again',
      'GET /repos/acme/shop/issues/comments/7',
      ...after,
    ]);
  });

  test.each([undefined, { data: null }, { errors: [] }])('that cannot be hidden, as %j says, stay', async (reply) => {
    const { api, asked } = openApi((request) => (request.startsWith('minimize') ? reply : { data: {} }));
    await hideOutdated(api, run, { id: 'own', before: [of('own', 8), of('other', 7)] });
    expect(asked).toHaveLength(2);
  });

  test.each<[JsonValue | undefined, boolean]>([
    [{ data: { node: { isMinimized: true, minimizedReason: 'outdated' } } }, true],
    [{ data: { node: { isMinimized: false, minimizedReason: 'outdated' } } }, false],
    [{ data: { node: { isMinimized: true, minimizedReason: 'spam' } } }, false],
    [{ data: { node: null } }, false],
    [undefined, false],
  ])('of this job with %j are shown again: %s', async (reply, isShown) => {
    const { api, asked } = openApi(() => reply);
    await hideOutdated(api, run, { id: 'own', before: [of('own', 8, 'c9')] });
    expect(asked.slice(1)).toEqual(isShown ? ['unminimizeComment own8 again'] : []);
  });
});

test.each<[user: JsonValue | undefined, author: string | undefined, isOwn: boolean]>([
  [{ login: 'Ada' }, 'ada', true],
  [{ login: 'eve' }, 'ada', false],
  [{ login: 'eve', type: 'Bot' }, 'ada', false],
  [{ login: 'github-actions[bot]' }, 'ada', false],
  [{ login: 'github-actions[bot]' }, undefined, true],
  [{ login: 'other[bot]', type: 'Bot' }, undefined, true],
  [{ login: 'eve', type: 'User' }, undefined, false],
  [{}, 'ada', false],
  [null, 'ada', false],
  [undefined, 'ada', true],
])('a comment of %j is that of the owner %s: %s', (user, author, isOwn) => {
  expect(isWrittenBy(user === undefined ? {} : { user }, author)).toBe(isOwn);
});

const markOf = (id: string) => writeReportMark({ id, runId: 8, part: 1, commit: 'c8', writer: 'w' });
const viewer = { data: { viewer: { login: 'ada' } } };

describe('the comments of jobs', () => {
  const whole = { id: 5, node_id: 'n5', body: markOf('job'), user: { login: 'ada' } };
  const pages = (...found: readonly JsonValue[]) =>
    openApi((request) => {
      if (request.startsWith('viewer')) return viewer;
      return found[Number(/&page=(\d+)$/.exec(request)?.[1]) - 1];
    });

  test('are those of the token with a mark, on all pages', async () => {
    const others = Array.from({ length: 96 }, () => ({ ...whole, body: 'hello' }));
    const { node_id: _node, ...withoutNode } = whole;
    const { id: _id, ...withoutId } = whole;
    const { body: _body, ...withoutBody } = whole;
    const stranger = { ...whole, user: { login: 'eve' } };
    const { api, asked } = pages([...others, withoutNode, withoutId, withoutBody, stranger], [whole]);
    expect(await listJobComments(api, run)).toMatchObject([{ id: 5, nodeId: 'n5', mark: { id: 'job', runId: 8 } }]);
    expect(asked).toEqual([
      'viewer  again',
      'GET /repos/acme/shop/issues/7/comments?per_page=100&page=1',
      'GET /repos/acme/shop/issues/7/comments?per_page=100&page=2',
    ]);
  });

  test.each<[string, readonly JsonValue[]]>([
    ['cannot be read', []],
    ['are no list', [{ message: 'moved' }]],
    ['end in a page that cannot be read', [Array.from({ length: 100 }, () => whole)]],
  ])('are none where they %s', async (_, found) => {
    expect(await listJobComments(pages(...found).api, run)).toEqual([]);
  });

  test('are none without a pull request, and make no request', async () => {
    const { pullRequest: _pull, ...onBranch } = run;
    const { api, asked } = pages();
    expect([await listJobComments(api, onBranch), asked]).toEqual([[], []]);
  });

  test('of an owner whom only the REST API names are known too', async () => {
    const { api } = openApi((request) => {
      if (request.startsWith('viewer')) return undefined;
      return request === 'GET /user' ? { login: 'ada' } : [whole];
    });
    expect(await listJobComments(api, run)).toHaveLength(1);
  });
});

describe('the store of comments', () => {
  const open = (answer: (request: string) => JsonValue | undefined) => {
    const { api, asked } = openApi(answer);
    return { store: openComments(api, { ...run, pullRequest }, 'ada'), asked };
  };

  test('tells the head of the pull request, unless it cannot be read', async () => {
    const { store, asked } = open(() => ({ head: { sha: 'c9' } }));
    expect([await store.findHead(), asked]).toEqual(['c9', ['GET /repos/acme/shop/pulls/7']]);
    expect(await open(() => undefined).store.findHead()).toBeUndefined();
  });

  test('lists a page; an entry without an id has no owner', async () => {
    const user = { login: 'ada' };
    const { store } = open(() => [
      { id: 5, body: 'x', user },
      { body: 'y', user },
      { id: 6, user: { login: 'eve' } },
      'z',
    ]);
    expect(await store.list(2)).toEqual({
      ok: true,
      comments: [
        { id: 5, body: 'x', isOwn: true },
        { id: 0, body: 'y', isOwn: false },
        { id: 6, body: '', isOwn: false },
        { id: 0, body: '', isOwn: false },
      ],
    });
    expect(await open(() => ({})).store.list(1)).toEqual({ ok: true, comments: [] });
    expect(await open(() => undefined).store.list(1)).toEqual(failed);
  });

  test('writes, removes and reads', async () => {
    const { store, asked } = open((request) =>
      request.startsWith('DELETE') ? null : { id: 5, html_url: 'https://x/5', body: 'x' },
    );
    expect(await store.write(undefined, 'a')).toEqual({ ok: true, id: 5, url: 'https://x/5' });
    expect(await store.write(5, 'a')).toEqual({ ok: true, id: 5, url: 'https://x/5' });
    expect([await store.remove(5), await store.read(5)]).toEqual([true, 'x']);
    expect(asked).toEqual([
      'POST /repos/acme/shop/issues/7/comments',
      'PATCH /repos/acme/shop/issues/comments/5',
      'DELETE /repos/acme/shop/issues/comments/5',
      'GET /repos/acme/shop/issues/comments/5',
    ]);
    const none = open(() => undefined).store;
    expect([await none.write(5, 'a'), await none.remove(5), await none.read(5)]).toEqual([failed, false, undefined]);
  });
});

describe('the check of a job', () => {
  const checkRun = { name: 'llmcheck', conclusion: 'success', title: 'passed', summary: '' } as const;
  const idOf = (attempt: number, job: string, writer: string, runId = 9) =>
    `llmcheck:${runId}.${attempt}:${job}:${writer}`;
  const check = (id: number, external: string) => ({ id, external_id: external });

  async function create(
    named: readonly JsonValue[],
    more: Partial<GithubRun> = {},
    all: readonly JsonValue[] = named,
    own: JsonValue = { id: 100, html_url: 'https://x/100' },
  ) {
    const { api, asked } = openApi((request) => {
      if (request.startsWith('POST')) return own;
      if (request.startsWith('PATCH')) return {};
      const found = request.includes('check_name=') ? named : all;
      const page = Number(/&page=(\d+)$/.exec(request)?.[1]);
      return { check_runs: found.slice((page - 1) * 100, page * 100) };
    });
    const waits: number[] = [];
    const wait = (ms: number) => Promise.resolve(void waits.push(ms));
    const published = await createCheckRun(api, { ...run, ...more }, checkRun, { writer: 'mywriter', wait });
    return { published, asked, waits };
  }
  const plain = { ok: true, how: 'created', url: 'https://x/100' };
  const shared = { ...plain, isShared: true };

  test.each<[string, readonly JsonValue[], Partial<GithubRun>, object]>([
    ['alone', [], {}, plain],
    ['beside a later one', [check(101, idOf(1, '', 'w'))], {}, plain],
    ['beside itself', [check(100, idOf(1, '', 'mywriter'))], {}, plain],
    ['after one of the run', [check(99, idOf(1, '', 'w'))], {}, shared],
    ['after one of another run', [check(99, idOf(1, '', 'w', 8))], {}, plain],
    ['after one without an id', [{ external_id: idOf(1, '', 'w') }], {}, plain],
    ['after one of another program', [check(99, 'other'), { id: 98 }], {}, plain],
    [
      'of a second attempt, after its own first one',
      [check(99, idOf(1, 'k', 'w'))],
      { runAttempt: 2, jobKey: 'k' },
      plain,
    ],
    [
      'of a second attempt, after a first one with other flags',
      [check(99, idOf(1, 'j', 'w'))],
      { runAttempt: 2, jobKey: 'k' },
      shared,
    ],
    ['of a run without a number', [check(99, 'llmcheck:0.1::w')], { runId: undefined as never }, plain],
    [
      'behind a full page of others',
      [...Array.from({ length: 100 }, () => check(1, 'x')), check(99, idOf(1, '', 'w'))],
      {},
      shared,
    ],
  ])('%s', async (_, named, more, published) => {
    expect((await create(named, more)).published).toEqual(published);
  });

  test.each<[string, readonly JsonValue[], Partial<GithubRun>, object]>([
    [
      'two of the first attempt',
      [check(1, idOf(1, 'k', 'a')), check(2, idOf(1, 'k', 'b'))],
      { runAttempt: 2, jobKey: 'k' },
      shared,
    ],
    ['one twice', [check(1, idOf(1, 'k', 'a')), check(2, idOf(1, 'k', 'a'))], { runAttempt: 2, jobKey: 'k' }, plain],
    [
      'one of each attempt',
      [check(1, idOf(1, 'k', 'a')), check(2, idOf(2, 'k', 'b'))],
      { runAttempt: 3, jobKey: 'k' },
      plain,
    ],
    [
      'two of the same attempt',
      [check(1, idOf(2, 'k', 'a')), check(2, idOf(2, 'k', 'b'))],
      { runAttempt: 2, jobKey: 'k' },
      plain,
    ],
    [
      'two of other flags',
      [check(1, idOf(1, 'j', 'a')), check(2, idOf(1, 'j', 'b'))],
      { runAttempt: 2, jobKey: 'k' },
      plain,
    ],
    [
      'two of another run',
      [check(1, idOf(1, 'k', 'a', 8)), check(2, idOf(1, 'k', 'b', 8))],
      { runAttempt: 2, jobKey: 'k' },
      plain,
    ],
    ['of other programs', [check(1, 'x'), {}], { runAttempt: 2 }, plain],
    ['two without flags', [check(1, idOf(1, '', 'a')), check(2, idOf(1, '', 'b'))], { runAttempt: 2 }, shared],
    ['two in a first attempt', [check(1, idOf(0, '', 'a')), check(2, idOf(0, '', 'b'))], {}, plain],
  ])('beside checks of other names, %s', async (_, all, more, published) => {
    expect((await create([], more, all)).published).toEqual(published);
  });

  test('says nothing of others where its own id is unknown', async () => {
    const { published, asked } = await create([check(99, idOf(1, '', 'w'))], {}, [], {});
    expect([published, asked.length]).toEqual([{ ok: true, how: 'created' }, 2]);
  });

  test.each([
    [false, [], 1],
    [true, [1000, 2000, 3000, 4000], 4],
  ])('that gets no answer that lasts (%s) is tried again', async (isTransient, waits, tries) => {
    const seen: number[] = [];
    let posts = 0;
    const api: JsonApi = {
      ask(method) {
        if (method === 'POST') posts += 1;
        return Promise.resolve({ ok: false, message: 'no', isTransient });
      },
    };
    const wait = (ms: number) => Promise.resolve(void seen.push(ms));
    expect(await createCheckRun(api, run, checkRun, { writer: 'w', wait })).toMatchObject({ ok: false, message: 'no' });
    expect([seen, posts]).toEqual([waits, tries]);
  });
});
