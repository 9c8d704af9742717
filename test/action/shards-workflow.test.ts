import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startEchoServer } from '../support/chat-server.ts';
import { commitAll } from '../support/git.ts';
import { wordSuite } from '../support/github-job.ts';
import { readAction } from '../support/run-action.ts';
import { readWorkflow, runJob } from '../support/run-workflow.ts';
import { openWorkflowProject, workflowToken as token } from '../support/workflow-project.ts';

const root = join(import.meta.dirname, '../..');

test('the workflow of shards: the last job publishes one verdict, with a page of the whole run', {
  tags: 'slow',
}, async () => {
  const provider = await startEchoServer();
  const { project, github, git, runnerEnv } = await openWorkflowProject(['shards/']);
  commitAll(project.root, 'main');
  git('checkout', '-qb', 'change');
  project.write('evals/words.eval.yaml', wordSuite('words', ['red']));
  const sha = commitAll(project.root, 'expect another word');
  github.head = sha;
  const head = { sha, repo: { full_name: 'acme/shop' } };
  project.write('event.json', JSON.stringify({ pull_request: { number: 7, head, base: { ref: 'main' } } }));
  const workflow = readWorkflow(join(root, 'examples/github/shards.yml'));
  const artifacts = new Map<string, string>();
  const shared = {
    workspace: project.root,
    action: readAction(join(root, 'action.yml')),
    token,
    runId: '70',
    cache: new Map(),
    artifacts,
    secrets: { OPENAI_API_KEY: provider.env['OPENAI_API_KEY'] ?? '' },
    env: {
      ...runnerEnv,
      OPENAI_BASE_URL: provider.env['OPENAI_BASE_URL'] ?? '',
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_WORKFLOW_REF: 'acme/shop/.github/workflows/shards.yml@refs/pull/7/merge',
      GITHUB_SHA: sha,
      GITHUB_RUN_ID: '70',
    },
  };
  for (const shard of [1, 2, 3, 4]) {
    git('clean', '-qdfx', '.llmcheck');
    const part = await runJob(workflow, 'shard', { ...shared, matrix: { shard } });
    // The verdict of a part decides nothing.
    expect({ log: part.log, code: part.exitCode }).toMatchObject({ code: 0 });
  }
  git('clean', '-qdfx', '.llmcheck');
  expect([[...artifacts.keys()], github.comments]).toEqual([['shard-1', 'shard-2', 'shard-3', 'shard-4'], []]);
  const { exitCode, log } = await runJob(workflow, 'verdict', shared);
  expect({ log, exitCode }).toMatchObject({ exitCode: 1 });
  expect([...artifacts.keys()].at(-1)).toBe('llmcheck-verdict.html');
  const url = 'https://github.example/acme/shop/actions/runs/70/artifacts/5';
  expect(github.comments.map(({ body }) => body)).toEqual([expect.stringContaining(`· [page](${url})`)]);
  expect(github.comments[0]?.body).toContain(`${url}#/case/words/red/v1/mini`);
  expect(github.checks).toMatchObject([{ conclusion: 'failure', name: 'llmcheck (shards / verdict)' }]);
});
