import { expect, test } from 'vitest';
import type { GithubRun } from '../../src/github/github-run.ts';
import type { JsonApi } from '../../src/http/json-api.ts';
import { isJsonObject, type JsonValue } from '../../src/json/json.ts';
import { upsertGithubComment } from '../../src/publishing/publish-to-github.ts';
import { publishNote } from '../../src/publishing/publish-to-gitlab.ts';
import { type ReportMark, writeReportMark } from '../../src/text/report-mark.ts';

const head = 'a'.repeat(40);
const run: GithubRun = {
  apiUrl: 'https://api.example',
  graphqlUrl: 'graphql',
  repository: 'acme/shop',
  repositoryUrl: 'https://github.example/acme/shop',
  runId: 12,
  eventName: 'pull_request',
  headSha: head,
  pullRequest: { number: 7, baseRef: 'main', isForeign: false },
};

/** Publishes beside comments with these marks, whose ids count from 1; `new` where another comment is made. */
async function publish(more: Partial<GithubRun>, marks: readonly Partial<ReportMark>[]) {
  const comments = marks.map((mark, index) => ({
    id: index + 1,
    user: { login: 'bot' },
    body: writeReportMark({ id: 'job', runId: 11, part: 1, commit: 'b', writer: `w${index}`, ...mark }),
  }));
  const written: string[] = [];
  const api: JsonApi = {
    ask(method, path, body) {
      const text = isJsonObject(body ?? null) ? JSON.stringify(body) : '';
      let value: JsonValue = comments;
      if (path === 'graphql') value = { data: { viewer: { login: 'bot' } } };
      else if (path.endsWith('/pulls/7')) value = { head: { sha: head } };
      else if (method === 'POST') {
        written.push('new');
        value = { id: 99 };
      } else if (method === 'PATCH') {
        written.push(text.includes('by=me') ? (path.split('/').at(-1) ?? '') : 'another mark');
        value = {};
      } else if (/comments\/\d+$/.test(path)) value = { body: '' };
      return Promise.resolve({ ok: true, value });
    },
  };
  const publisher = { writer: 'me', wait: () => Promise.resolve() };
  const published = await upsertGithubComment(api, { ...run, ...more }, { id: 'job', body: 'report' }, publisher);
  return [written.join(' '), published.ok && published.isShared === true];
}

const ofRun = (more: Partial<ReportMark> = {}) => ({ runId: 12, ...more });

test.each<[string, Partial<GithubRun>, readonly Partial<ReportMark>[], string, boolean]>([
  ['updates the one of an older run', {}, [{}], '1', false],
  ['updates the one of an older run of its flags', { jobKey: 'k' }, [{ job: 'j' }, { job: 'k' }], '2', false],
  ['makes one beside another job of its attempt', {}, [ofRun()], 'new', true],
  ['makes one beside a job of its attempt with other flags', { jobKey: 'k' }, [ofRun({ job: 'j' })], 'new', true],
  ['makes one beside a job of its attempt with its flags', { jobKey: 'k' }, [ofRun({ job: 'k' })], 'new', true],
  ['updates what it wrote itself', {}, [ofRun({ writer: 'me' })], '1', false],
  ['updates the one of its first attempt', { runAttempt: 2, jobKey: 'k' }, [ofRun({ job: 'k' })], '1', false],
  [
    'makes one beside a first attempt with other flags',
    { runAttempt: 2, jobKey: 'k' },
    [ofRun({ job: 'j' })],
    'new',
    true,
  ],
  ['leaves two first attempts alone', { runAttempt: 2 }, [ofRun(), ofRun()], 'new', true],
  ['takes the one of its first attempt, not of an older run', { runAttempt: 2 }, [{}, ofRun()], '2', false],
  ['takes the one of an older run without an attempt', { runAttempt: 2 }, [{}], '1', false],
  ['makes one beside its second attempt', { runAttempt: 2 }, [ofRun({ part: 2 })], 'new', true],
  ['updates a later attempt of its flags', { runAttempt: 2 }, [ofRun({ part: 3 })], '1', false],
  ['takes no older run for an attempt', { runAttempt: 2 }, [{}, {}], '1', false],
])('a job %s', async (_, more, marks, written, isShared) => {
  expect(await publish(more, marks)).toEqual([written, isShared]);
});

test('without a pull request or a merge request nothing is written', async () => {
  const { pullRequest: _pull, ...onBranch } = run;
  const api: JsonApi = { ask: () => Promise.reject(new Error('nobody is asked')) };
  const publisher = { writer: 'me', wait: () => Promise.resolve() };
  expect(await upsertGithubComment(api, onBranch, { id: 'job', body: '' }, publisher)).toEqual({
    ok: false,
    message: 'the event is about no pull request',
  });
  const gitlab = {
    apiUrl: 'https://gitlab.example/api/v4',
    headSha: head,
    pipelineSha: head,
    jobName: 'prompts',
    pipelineId: 3,
    jobKey: 4,
    projectUrl: '',
    isBesideMergeRequest: false,
  };
  const ports = { env: {}, token: 'token', now: () => new Date(0), writer: 'me' };
  expect(await publishNote(gitlab, { id: 'job', body: '' }, ports)).toEqual({
    ok: false,
    message: 'the pipeline is about no merge request',
  });
});
