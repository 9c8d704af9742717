import { describe, expect, test } from 'vitest';
import type { GithubRun } from '../../src/github/github-run.ts';
import type { GitlabRun } from '../../src/gitlab/gitlab.ts';
import { identifyJob, nameBranch, readCheckout, readRunOrigin } from '../../src/publishing/job.ts';
import { findBlobUrl, findPublishFault } from '../../src/publishing/publish-to-github.ts';
import { findGitlabBlobUrl, findNoteFault } from '../../src/publishing/publish-to-gitlab.ts';
import { buildHeader, endRow, makeFolder } from '../record/build-rows.ts';
import { commitAll, gitEnv, initRepository, runGit } from '../support/git.ts';
import { writeStoredRun } from '../support/write-run.ts';

test('a job is identified by its names and, where they read alike, by a hash', () => {
  expect(identifyJob()).toEqual({ id: 'default', label: '' });
  expect(identifyJob('', '')).toEqual({ id: 'default', label: '' });
  const named = identifyJob('pull-request', '', 'prompts: [mini]', 'packages/shop');
  expect(named.label).toBe('pull-request / prompts: [mini] / packages/shop');
  expect(named.id).toMatch(/^pull-request-prompts-mini-packages-shop-[0-9a-f]{8}$/);
  expect(identifyJob('a/b').id).not.toBe(identifyJob('a b').id);
  expect(identifyJob('a', 'b').id).not.toBe(identifyJob('a', '', 'b').id);
  expect(identifyJob('x'.repeat(200)).id).toMatch(/^x{60}-[0-9a-f]{8}$/);
});

test('a stored run says what it tested and whether it asked anyone', () => {
  const root = makeFolder();
  const header = buildHeader();
  const path = (id: string, changes: Parameters<typeof buildHeader>[0]) =>
    writeStoredRun(root, buildHeader({ id, ...changes }), [], endRow);
  expect(readRunOrigin(path('a', {}))).toEqual({ isReplay: false });
  const shard = { index: 1, count: 2, selection: 'x' };
  const settings = { ...header.settings, cacheMode: 'replay' as const, shard };
  const origin = readRunOrigin(path('b', { settings, provenance: { commit: 'abc' } }));
  expect(origin).toEqual({ shard, testedSha: 'abc', isReplay: true });
});

describe('in a repository', () => {
  const [first, second] = ['1', '2'].map((digit) => digit.repeat(40)) as [string, string];
  const github = (more: Partial<GithubRun> = {}): GithubRun => ({
    apiUrl: 'https://api.example',
    graphqlUrl: 'https://api.example/graphql',
    repository: 'acme/shop',
    repositoryUrl: 'https://github.example/acme/shop',
    eventName: 'pull_request',
    headSha: first,
    pullRequest: { number: 7, baseRef: 'main', isForeign: false },
    ...more,
  });
  const gitlab = (more: Partial<GitlabRun> = {}): GitlabRun => ({
    apiUrl: 'https://gitlab.example/api/v4',
    headSha: first,
    pipelineSha: first,
    jobName: 'prompts',
    pipelineId: 3,
    jobKey: 4,
    projectUrl: 'https://gitlab.example/acme/shop',
    isBesideMergeRequest: false,
    ...more,
  });

  test('a report appears on the commit that was tested, or is not published', { tags: 'slow' }, () => {
    const cwd = makeFolder();
    const checkout = initRepository(cwd);
    expect(readCheckout(cwd, gitEnv)).toBe(checkout);
    const fault = (run: Partial<GithubRun>, testedSha?: string) =>
      findPublishFault(github(run), { cwd, env: gitEnv, ...(testedSha !== undefined && { testedSha }) });
    const short = checkout.slice(0, 12);
    const isAt = `the checkout is at ${short}, and the report would appear on 111111111111`;
    const tested = 'the stored run tested 222222222222, and the report would appear on 111111111111';
    expect(fault({ eventName: 'pull_request_target' })).toBe(
      'a job of pull_request_target checks out the base, or code that must not meet its secrets; use pull_request',
    );
    expect(fault({ headSha: checkout })).toBeUndefined();
    expect(fault({ headSha: '' })).toBeUndefined();
    expect(fault({})).toBe(isAt);
    expect(fault({ workflowSha: checkout })).toBeUndefined();
    expect(fault({ workflowSha: checkout, eventName: 'push' })).toBe(isAt);
    const { pullRequest: _, ...onBranch } = github({ workflowSha: checkout });
    expect(findPublishFault(onBranch, { cwd, env: gitEnv })).toBe(isAt);
    expect(fault({}, second)).toBe(tested);
    expect(fault({ workflowSha: second }, second)).toBe(isAt);
    expect(fault({ headSha: checkout, workflowSha: second }, checkout)).toBeUndefined();
    expect(fault({}, checkout)).toBe(isAt);
    expect(fault({}, first)).toBe(isAt);

    const noteFault = (run: Partial<GitlabRun>, testedSha?: string) =>
      findNoteFault(gitlab(run), { cwd, env: gitEnv, ...(testedSha !== undefined && { testedSha }) });
    expect(noteFault({})).toBe(isAt);
    expect(noteFault({ headSha: checkout })).toBeUndefined();
    expect(noteFault({ pipelineSha: checkout })).toBeUndefined();
    expect(noteFault({ headSha: '' })).toBeUndefined();
    expect(noteFault({ pipelineSha: checkout }, second)).toBe(tested);
    expect(noteFault({ pipelineSha: checkout }, first)).toBeUndefined();
    expect(noteFault({ pipelineSha: second, headSha: checkout }, second)).toBeUndefined();
    expect(noteFault({}, checkout)).toBe(isAt);

    const place = { cwd, env: gitEnv };
    expect(findBlobUrl(github(), place)).toBe(`https://github.example/acme/shop/blob/${checkout}`);
    expect(findGitlabBlobUrl(gitlab(), place)).toBe(`https://gitlab.example/acme/shop/-/blob/${checkout}`);
    expect(findGitlabBlobUrl(gitlab({ projectUrl: '' }), place)).toBeUndefined();
  });

  test('outside of one the event says what was tested', () => {
    const place = { cwd: makeFolder(), env: gitEnv };
    expect(readCheckout(place.cwd, gitEnv)).toBeUndefined();
    expect(findPublishFault(github(), place)).toBeUndefined();
    expect(findNoteFault(gitlab(), place)).toBeUndefined();
    expect(findBlobUrl(github(), place)).toBe(`https://github.example/acme/shop/blob/${first}`);
    expect(findBlobUrl(github({ headSha: '' }), place)).toBeUndefined();
    expect(findGitlabBlobUrl(gitlab({ pipelineSha: second }), place)).toBe(
      `https://gitlab.example/acme/shop/-/blob/${second}`,
    );
    expect(findGitlabBlobUrl(gitlab({ pipelineSha: '' }), place)).toBeUndefined();
  });

  test('without git nothing is known of the checkout', () => {
    const cwd = makeFolder();
    const env = { PATH: makeFolder() };
    expect([readCheckout(cwd, env), nameBranch('main', cwd, env, first)]).toEqual([undefined, 'main']);
  });

  test('a branch is taken as the remote has it, or at a commit that was fetched since', { tags: 'slow' }, () => {
    const cwd = makeFolder();
    const old = initRepository(cwd);
    const name = (known?: string) => nameBranch('main', cwd, gitEnv, known);
    expect(name(old)).toBe('main');
    runGit(cwd, 'update-ref', 'refs/remotes/origin/main', old);
    const next = commitAll(cwd);
    expect([name(), name(old), name('HEAD'), name(next)]).toEqual(['origin/main', 'origin/main', 'origin/main', next]);
    expect(name(second)).toBe('origin/main');
    expect(name(next.slice(0, 39))).toBe('origin/main');
    runGit(cwd, 'update-ref', 'refs/remotes/origin/main', next);
    expect(name(old)).toBe('origin/main');
  });
});
