import { expect, test } from 'vitest';
import {
  type GithubRun,
  listJobParts,
  parseGithubRun,
  readForeignRun,
  readGithubEvent,
} from '../../src/github/github-run.ts';
import type { JsonApi } from '../../src/http/json-api.ts';
import type { JsonValue } from '../../src/json/json.ts';
import { openTempProject } from '../support/temp-project.ts';

const env = { GITHUB_REPOSITORY: 'acme/shop' };
const base: GithubRun = {
  apiUrl: 'https://api.github.com',
  graphqlUrl: 'https://api.github.com/graphql',
  repository: 'acme/shop',
  eventName: '',
  headSha: '',
  repositoryUrl: 'https://github.com/acme/shop',
};

test('a job is read from the variables of its runner', () => {
  expect(parseGithubRun(env, undefined)).toEqual(base);
  expect(
    parseGithubRun(
      {
        ...env,
        GITHUB_API_URL: 'https://h.example/api/v3/',
        GITHUB_SERVER_URL: 'https://h.example/',
        GITHUB_EVENT_NAME: 'push',
        GITHUB_SHA: 'c',
        GITHUB_RUN_ID: '12',
        GITHUB_RUN_ATTEMPT: '2',
      },
      null,
    ),
  ).toEqual({
    ...base,
    apiUrl: 'https://h.example/api/v3',
    graphqlUrl: 'https://h.example/api/v3/graphql',
    repositoryUrl: 'https://h.example/acme/shop',
    eventName: 'push',
    headSha: 'c',
    workflowSha: 'c',
    runId: 12,
    runAttempt: 2,
    runUrl: 'https://h.example/acme/shop/actions/runs/12',
  });
  expect(parseGithubRun({ ...env, GITHUB_GRAPHQL_URL: 'https://h.example/g' }, null)?.graphqlUrl).toBe(
    'https://h.example/g',
  );
});

test.each(['', 'shop', 'a/b/c', 'a b/c', '/shop'])('the repository %j is that of no job', (repository) => {
  expect(parseGithubRun({ GITHUB_REPOSITORY: repository }, undefined)).toBeUndefined();
});

const pull = (more: object = {}) => ({
  pull_request: {
    number: 7,
    head: { sha: 'h', repo: { full_name: 'Acme/Shop' } },
    base: { ref: 'main', sha: 'b' },
    ...more,
  },
});

test.each<[event: JsonValue, more: Partial<GithubRun>]>([
  [pull(), { headSha: 'h', pullRequest: { number: 7, baseRef: 'main', baseSha: 'b', isForeign: false } }],
  [pull({ base: null }), { headSha: 'h', pullRequest: { number: 7, baseRef: '', isForeign: false } }],
  [
    pull({ head: { sha: 'h', repo: null } }),
    { headSha: 'h', pullRequest: { number: 7, baseRef: 'main', baseSha: 'b', isForeign: true } },
  ],
  [
    pull({ head: { repo: { full_name: 'eve/shop' } } }),
    { headSha: 'c', pullRequest: { number: 7, baseRef: 'main', baseSha: 'b', isForeign: true } },
  ],
  [pull({ number: 1.5 }), { headSha: 'h' }],
  [pull({ number: '7' }), { headSha: 'h' }],
  [{ pull_request: 3 }, { headSha: 'c' }],
  [{ merge_group: { head_sha: 'm', base_sha: 'b' } }, { headSha: 'm', mergeBaseSha: 'b' }],
])('the event %j tells what is tested', (event, more) => {
  expect(parseGithubRun({ ...env, GITHUB_SHA: 'c' }, event)).toEqual({ ...base, workflowSha: 'c', ...more });
});

test('a dependency robot has no secrets', () => {
  const run = parseGithubRun({ ...env, GITHUB_ACTOR: 'dependabot[bot]' }, pull());
  expect(run?.pullRequest?.isForeign).toBe(true);
});

const ref = (file: string) => ({ GITHUB_WORKFLOW_REF: `acme/shop/.github/workflows/${file}@refs/heads/main` });

test.each<[env: Record<string, string>, values: readonly string[] | undefined, parts: readonly string[]]>([
  [{}, undefined, ['', '', '']],
  [{ GITHUB_WORKFLOW: 'CI', GITHUB_JOB: 'eval' }, ['a', 'b'], ['CI', 'eval', 'a, b']],
  [{ ...ref('ci.yml'), GITHUB_WORKFLOW: 'CI' }, undefined, ['ci', '', '']],
  [ref('ci.v2.yaml'), undefined, ['ci.v2', '', '']],
  [ref('ci'), undefined, ['ci', '', '']],
  [{ LLMCHECK_MATRIX: '{"model":"mini","list":[3,true,null],"more":{"a":"x"}}' }, ['a'], ['', '', 'mini, 3, true, x']],
  [{ LLMCHECK_MATRIX: ' mini ' }, ['a'], ['', '', 'mini']],
  [{ LLMCHECK_MATRIX: ' ' }, ['a'], ['', '', 'a']],
  [{ LLMCHECK_MATRIX: 'null' }, ['a'], ['', '', 'a']],
])('the job of %j and %j is called by its parts', (given, values, parts) => {
  expect(listJobParts(given, values)).toEqual(parts);
});

const tested = {
  id: 99,
  event: 'pull_request',
  head_sha: 'h',
  head_branch: 'fix & more',
  head_repository: { owner: { login: 'eve' } },
};

/** What is found where the API answers this, and what it is asked. */
async function readForeign(workflowRun: object, answer: JsonValue | undefined) {
  const asked: string[] = [];
  const api: JsonApi = {
    ask: (method, path) => {
      asked.push(`${method} ${path}`);
      return Promise.resolve(
        answer === undefined ? { ok: false, message: 'GET: 500', isTransient: true } : { ok: true, value: answer },
      );
    },
  };
  return { found: await readForeignRun(api, base, { workflow_run: workflowRun as JsonValue }), asked };
}

test('the pull request of a fork is the open one with the tested commit', async () => {
  const pulls = [
    { number: 1, head: { sha: 'other' } },
    { number: 2, head: { sha: 'h' }, base: { ref: 'main' } },
    { number: 3, head: { sha: 'h' } },
  ];
  const { found, asked } = await readForeign(tested, pulls);
  expect(asked).toEqual(['GET /repos/acme/shop/pulls?state=open&per_page=100&head=eve%3Afix%20%26%20more']);
  const run = {
    ...base,
    headSha: 'h',
    pullRequest: { number: 2, baseRef: 'main', isForeign: true },
    runUrl: 'https://github.com/acme/shop/actions/runs/99',
  };
  expect(found).toEqual({ ok: true, run });
  const { id: _, ...unnumbered } = tested;
  const { runUrl: _url, ...unlinked } = run;
  expect((await readForeign(unnumbered, pulls.slice(1))).found).toEqual({ ok: true, run: unlinked });
  expect((await readForeign(tested, pulls.slice(2))).found).toMatchObject({ run: { pullRequest: { baseRef: '' } } });
});

test.each<[what: string, workflowRun: object, answer: JsonValue | undefined, found: object, asks: number]>([
  ['of another event', { ...tested, event: 'push' }, [], { ok: true }, 0],
  ['without a commit', { ...tested, head_sha: '' }, [], { ok: true }, 0],
  ['without an owner', { ...tested, head_repository: null }, [], { ok: true }, 0],
  ['of a closed pull request', tested, [], { ok: true }, 1],
  ['whose list is none', tested, {}, { ok: true }, 1],
  ['that can not be read', tested, undefined, { ok: false, message: 'GET: 500' }, 1],
])('a run %s has no pull request', async (_, workflowRun, answer, found, asks) => {
  const read = await readForeign(workflowRun, answer);
  expect([read.found, read.asked.length]).toEqual([found, asks]);
});

test('the event is read from its file, or a fault says why not', () => {
  const project = openTempProject();
  project.write('event.json', '{"action": "opened"}');
  project.write('torn.json', '{"action": ');
  const read = (path: string) => readGithubEvent({ GITHUB_EVENT_PATH: path });
  expect(readGithubEvent({})).toEqual({});
  expect(read('')).toEqual({});
  expect(read(project.path('event.json'))).toEqual({ event: { action: 'opened' } });
  expect(read(project.path('none.json'))).toEqual({ fault: `${project.path('none.json')} is not there` });
  expect(read(project.root)).toEqual({ fault: `${project.root}: it is a folder (EISDIR)` });
  expect(read(project.path('torn.json')).fault).toContain(`${project.path('torn.json')}: `);
});
