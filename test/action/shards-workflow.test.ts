import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startEchoServer } from '../support/chat-server.ts';
import { wordSuite } from '../support/github-job.ts';
import { startGithubServer } from '../support/github-server.ts';
import { readAction } from '../support/run-action.ts';
import { readWorkflow, runJob } from '../support/run-workflow.ts';
import { bundleCli } from '../support/spawn-cli.ts';
import { openTempProject } from '../support/temp-project.ts';

const root = join(import.meta.dirname, '../..');
const token = 'ghs_0123456789abcdef';

test('the workflow of shards: the last job publishes one verdict, with a page of the whole run', {
  tags: 'slow',
}, async () => {
  const project = openTempProject();
  const bundle = bundleCli();
  const provider = await startEchoServer();
  const github = await startGithubServer(token);
  const git = (...argv: string[]): string =>
    execFileSync('git', ['-C', project.root, '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...argv], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  project.write('evals/words.eval.yaml', wordSuite('words'));
  project.write('.gitignore', '.llmcheck/\nnode_modules/\nevent.json\nshards/\n');
  project.write('node_modules/.bin/llmcheck', `#!/bin/sh\nexec "${process.execPath}" "${bundle}" "$@"\n`);
  chmodSync(project.path('node_modules/.bin/llmcheck'), 0o755);
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-qm', 'main');
  git('checkout', '-qb', 'change');
  project.write('evals/words.eval.yaml', wordSuite('words', ['red']));
  git('commit', '-qam', 'expect another word');
  const sha = git('rev-parse', 'HEAD');
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
      PATH: process.env['PATH'] ?? '',
      OPENAI_BASE_URL: provider.env['OPENAI_BASE_URL'] ?? '',
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: 'acme/shop',
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_EVENT_PATH: project.path('event.json'),
      GITHUB_WORKFLOW_REF: 'acme/shop/.github/workflows/shards.yml@refs/pull/7/merge',
      GITHUB_SHA: sha,
      GITHUB_RUN_ID: '70',
      GITHUB_API_URL: github.url,
      GITHUB_GRAPHQL_URL: `${github.url}/graphql`,
      GITHUB_SERVER_URL: 'https://github.example',
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
