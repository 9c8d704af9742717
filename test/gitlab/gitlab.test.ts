import { describe, expect, test } from 'vitest';
import { openNotes, parseGitlabRun } from '../../src/gitlab/gitlab.ts';
import type { ApiReply, JsonApi } from '../../src/http/json-api.ts';
import type { JsonValue } from '../../src/json/json.ts';

const sha = (digit: string) => digit.repeat(40);
const branch = {
  CI_PROJECT_ID: '7',
  CI_COMMIT_SHA: sha('a'),
  CI_JOB_NAME: 'prompts 1/4',
  CI_PIPELINE_ID: '31',
  CI_PROJECT_URL: 'https://git.example/ann/shop/',
  CI_SERVER_URL: 'https://git.example/',
};
const request = {
  ...branch,
  CI_API_V4_URL: 'https://git.example/gitlab/api/v4/',
  CI_JOB_URL: 'https://git.example/ann/shop/-/jobs/5',
  CI_PROJECT_DIR: '/builds/shop',
  CI_OPEN_MERGE_REQUESTS: 'ann/shop!3',
  CI_MERGE_REQUEST_IID: '3',
  CI_MERGE_REQUEST_PROJECT_ID: '7',
  CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
  CI_MERGE_REQUEST_DIFF_BASE_SHA: sha('b'),
  CI_MERGE_REQUEST_TARGET_BRANCH_SHA: sha('c'),
  CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: sha('d'),
};

describe('the job of a runner', () => {
  test('is none without a project', () => {
    expect(parseGitlabRun({})).toBeUndefined();
    expect(parseGitlabRun({ ...branch, CI_PROJECT_ID: 'x7' })).toBeUndefined();
  });

  test('of a branch', () => {
    expect(parseGitlabRun(branch)).toEqual({
      apiUrl: 'https://git.example/api/v4',
      headSha: sha('a'),
      pipelineSha: sha('a'),
      jobName: 'prompts 1/4',
      pipelineId: 31,
      jobKey: expect.any(Number) as number,
      projectUrl: 'https://git.example/ann/shop',
      isBesideMergeRequest: false,
    });
    expect(parseGitlabRun({ ...branch, CI_OPEN_MERGE_REQUESTS: 'ann/shop!3' })?.isBesideMergeRequest).toBe(true);
    expect(parseGitlabRun({ ...branch, CI_OPEN_MERGE_REQUESTS: '' })?.isBesideMergeRequest).toBe(false);
  });

  test('that tells little of itself', () => {
    expect(parseGitlabRun({ CI_PROJECT_ID: '7' })).toEqual({
      apiUrl: 'https://gitlab.com/api/v4',
      headSha: '',
      pipelineSha: '',
      jobName: '',
      pipelineId: 0,
      // The first 8 digits of the SHA-256 of nothing.
      jobKey: 0xe3b0c442,
      projectUrl: '',
      isBesideMergeRequest: false,
    });
  });

  test('of a merge request', () => {
    expect(parseGitlabRun(request)).toMatchObject({
      apiUrl: 'https://git.example/gitlab/api/v4',
      headSha: sha('d'),
      pipelineSha: sha('a'),
      jobUrl: 'https://git.example/ann/shop/-/jobs/5',
      projectDir: '/builds/shop',
      isBesideMergeRequest: false,
    });
    expect(parseGitlabRun(request)?.mergeRequest).toEqual({
      iid: 3,
      projectId: 7,
      projectUrl: 'https://git.example/ann/shop',
      targetBranch: 'main',
      baseSha: sha('b'),
      isForeign: false,
    });
  });

  test.each<[string, Readonly<Record<string, string | undefined>>, object]>([
    [
      'of a fork',
      { CI_PROJECT_ID: '8', CI_MERGE_REQUEST_PROJECT_URL: 'https://git.example/own/' },
      { isForeign: true, projectUrl: 'https://git.example/own' },
    ],
    [
      'without addresses',
      { CI_PROJECT_URL: undefined, CI_MERGE_REQUEST_TARGET_BRANCH_NAME: undefined },
      { projectUrl: '', targetBranch: '' },
    ],
    ['merged', { CI_MERGE_REQUEST_EVENT_TYPE: 'merged_result' }, { targetSha: sha('c') }],
    ['in a train', { CI_MERGE_REQUEST_EVENT_TYPE: 'merge_train' }, { targetSha: sha('c') }],
    [
      'of SHA-256',
      { CI_MERGE_REQUEST_EVENT_TYPE: 'merge_train', CI_MERGE_REQUEST_TARGET_BRANCH_SHA: 'c'.repeat(64) },
      { targetSha: 'c'.repeat(64) },
    ],
  ])('of a merge request %s', (_, env, expected) => {
    expect(parseGitlabRun({ ...request, ...env })?.mergeRequest).toMatchObject(expected);
  });

  test.each(['CI_MERGE_REQUEST_IID', 'CI_MERGE_REQUEST_PROJECT_ID'])('is of none without %s', (name) => {
    expect(parseGitlabRun({ ...request, [name]: undefined })?.mergeRequest).toBeUndefined();
  });

  test.each([
    ['detached', sha('c')],
    ['merge_train_2', sha('c')],
    ['merge_train', ''],
    ['merge_train', 'main'],
  ])('knows no target of %s at %j', (type, target) => {
    const env = { ...request, CI_MERGE_REQUEST_EVENT_TYPE: type, CI_MERGE_REQUEST_TARGET_BRANCH_SHA: target };
    expect(parseGitlabRun(env)?.mergeRequest).not.toHaveProperty('targetSha');
  });
});

describe('the notes of a merge request', () => {
  const mergeRequest = {
    iid: 3,
    projectId: 7,
    projectUrl: 'https://git.example/shop',
    targetBranch: 'main',
    isForeign: false,
  };
  const refused = { ok: false, status: 403, message: 'no', isTransient: false } as const;

  /** Answers by method and path, and keeps what was asked. */
  function open(answers: Readonly<Record<string, JsonValue | typeof refused>>) {
    const asked: string[] = [];
    const api: JsonApi = {
      ask(method, path, body) {
        asked.push(`${method} ${path}${body === undefined ? '' : ` ${JSON.stringify(body)}`}`);
        const value = answers[`${method} ${path}`] ?? null;
        const reply: ApiReply = value === refused ? refused : { ok: true, value };
        return Promise.resolve(reply);
      },
    };
    return { asked, notes: () => openNotes(api, mergeRequest, 100) };
  }

  async function opened(answers: Readonly<Record<string, JsonValue | typeof refused>>) {
    const { asked, notes } = open({ 'GET /user': { id: 42 }, ...answers });
    const found = await notes();
    if (!found.ok) throw new Error('the notes are closed');
    return { asked, notes: found };
  }

  const path = '/projects/7/merge_requests/3';

  test('are closed where the owner of the token is unknown', async () => {
    expect(await open({ 'GET /user': refused }).notes()).toBe(refused);
  });

  test('are its own where the owner of the token wrote them and GitLab did not', async () => {
    const list = `GET ${path}/notes?sort=asc&order_by=created_at&per_page=100&page=2`;
    const { notes } = await opened({
      [list]: [
        { id: 1, body: 'mine', author: { id: 42 } },
        { id: 2, body: 'theirs', author: { id: 43 }, system: false },
        { id: 3, body: 'moved', author: { id: 42 }, system: true },
        { author: {} },
      ],
    });
    expect(await notes.list(2)).toEqual({
      ok: true,
      comments: [
        { id: 1, body: 'mine', isOwn: true },
        { id: 2, body: 'theirs', isOwn: false },
        { id: 3, body: 'moved', isOwn: false },
        { id: 0, body: '', isOwn: false },
      ],
    });
    expect(await notes.list(1)).toEqual({ ok: true, comments: [] });
    expect(await (await opened({ [list]: refused })).notes.list(2)).toBe(refused);
  });

  test('have no owner where the owner is unknown', async () => {
    const list = `GET ${path}/notes?sort=asc&order_by=created_at&per_page=100&page=1`;
    const { notes } = await opened({ 'GET /user': {}, [list]: [{ id: 1, body: 'x' }] });
    expect(await notes.list(1)).toEqual({ ok: true, comments: [{ id: 1, body: 'x', isOwn: false }] });
  });

  test('are created, updated, read and removed', async () => {
    const { asked, notes } = await opened({
      [`POST ${path}/notes`]: { id: 9 },
      [`GET ${path}`]: { sha: sha('d') },
      [`GET ${path}/notes/9`]: { body: 'text' },
      [`DELETE ${path}/notes/8`]: refused,
    });
    expect(await notes.write(undefined, 'a\n /merge\n/close')).toEqual({
      ok: true,
      id: 9,
      url: 'https://git.example/shop/-/merge_requests/3#note_9',
    });
    expect(await notes.write(9, 'b/c')).toEqual({ ok: true });
    expect([await notes.findHead(), await notes.read(9)]).toEqual([sha('d'), 'text']);
    expect([await notes.remove(9), await notes.remove(8)]).toEqual([true, false]);
    expect(asked).toEqual([
      'GET /user',
      `POST ${path}/notes {"body":"a\\n \u200b/merge\\n\u200b/close"}`,
      `PUT ${path}/notes/9 {"body":"b/c"}`,
      `GET ${path}`,
      `GET ${path}/notes/9`,
      `DELETE ${path}/notes/9`,
      `DELETE ${path}/notes/8`,
    ]);
  });

  test('that are refused have no text and no link', async () => {
    const { notes } = await opened({
      [`POST ${path}/notes`]: refused,
      [`GET ${path}`]: refused,
      [`GET ${path}/notes/9`]: refused,
    });
    expect(await notes.write(undefined, 'a')).toBe(refused);
    expect([await notes.findHead(), await notes.read(9)]).toEqual([undefined, undefined]);
  });
});
