import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startEchoServer } from '../support/chat-server.ts';
import { commitAll, headOf } from '../support/git.ts';
import { readAction } from '../support/run-action.ts';
import { readWorkflow, runJob } from '../support/run-workflow.ts';
import { openWorkflowProject, workflowToken as token } from '../support/workflow-project.ts';

const root = join(import.meta.dirname, '../..');

test('the workflows of a fork: its job uploads a record, and the default branch comments on it', {
  tags: 'slow',
}, async () => {
  const provider = await startEchoServer();
  const { project, github, git, runnerEnv } = await openWorkflowProject(['llmcheck.html']);
  await project.run(['run', '--update-baseline'], { env: provider.env });
  commitAll(project.root, 'accept');
  git('checkout', '-qb', 'change');
  const sha = commitAll(project.root, 'the change of a fork');
  github.head = sha;
  const artifacts = new Map<string, string>();
  const shared = {
    workspace: project.root,
    action: readAction(join(root, 'action.yml')),
    token,
    cache: new Map(),
    artifacts,
  };
  const env = {
    ...runnerEnv,
    OPENAI_BASE_URL: provider.env['OPENAI_BASE_URL'] ?? '',
    GITHUB_SHA: sha,
  };

  // The job of the fork has no key, and a token that may not write.
  const repo = { full_name: 'eve/shop', owner: { login: 'eve' } };
  project.write(
    'event.json',
    JSON.stringify({ pull_request: { number: 7, head: { sha, repo }, base: { ref: 'main' } } }),
  );
  github.intercept = ({ method }) =>
    method === 'GET' ? undefined : { status: 403, body: { message: 'Resource not accessible by integration' } };
  const untrusted = await runJob(readWorkflow(join(root, 'examples/github/pull-request.yml')), 'prompts', {
    ...shared,
    runId: '55',
    env: { ...env, GITHUB_EVENT_NAME: 'pull_request', GITHUB_RUN_ID: '55' },
  });
  expect({ log: untrusted.log, code: untrusted.exitCode }).toMatchObject({ code: 0 });
  expect([github.comments, [...artifacts.keys()].sort()]).toEqual([[], ['llmcheck-prompts.html', 'llmcheck-run']]);

  const tested = {
    id: 55,
    run_attempt: 1,
    event: 'pull_request',
    head_sha: sha,
    head_branch: 'change',
    head_repository: repo,
  };
  const event = { workflow_run: tested };
  project.write('event.json', JSON.stringify(event));
  git('checkout', '-q', 'main');
  git('clean', '-qdfx', '.llmcheck');
  github.intercept = () => undefined;
  const trusted = await runJob(readWorkflow(join(root, 'examples/github/fork-comment.yml')), 'comment', {
    ...shared,
    runId: '56',
    event,
    env: { ...env, GITHUB_EVENT_NAME: 'workflow_run', GITHUB_RUN_ID: '56', GITHUB_SHA: headOf(project.root) },
  });
  expect({ log: trusted.log, code: trusted.exitCode, ran: trusted.ran }).toMatchObject({ code: 0, ran: true });
  expect(github.comments.map(({ body }) => body)).toEqual([expect.stringContaining('> **Not verified**')]);
  expect(github.checks).toEqual([]);
});
