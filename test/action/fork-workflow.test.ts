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

test('the workflows of a fork: its job uploads a record, and the default branch comments on it', {
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
  project.write('.gitignore', '.llmcheck/\nnode_modules/\nbin/\nevent.json\nllmcheck.html\n');
  project.write('node_modules/.bin/llmcheck', `#!/bin/sh\nexec "${process.execPath}" "${bundle}" "$@"\n`);
  project.write('bin/npx', '#!/bin/sh\nname=$1; shift; exec "node_modules/.bin/$name" "$@"\n');
  for (const file of ['node_modules/.bin/llmcheck', 'bin/npx']) chmodSync(project.path(file), 0o755);
  git('init', '-q', '-b', 'main');
  await project.run(['run', '--update-baseline'], { env: provider.env });
  git('add', '.');
  git('commit', '-qm', 'accept');
  git('checkout', '-qb', 'change');
  git('commit', '-qm', 'the change of a fork', '--allow-empty');
  const sha = git('rev-parse', 'HEAD');
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
    PATH: `${project.path('bin')}:${process.env['PATH'] ?? ''}`,
    OPENAI_BASE_URL: provider.env['OPENAI_BASE_URL'] ?? '',
    GITHUB_ACTIONS: 'true',
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_EVENT_PATH: project.path('event.json'),
    GITHUB_SHA: sha,
    GITHUB_API_URL: github.url,
    GITHUB_GRAPHQL_URL: `${github.url}/graphql`,
    GITHUB_SERVER_URL: 'https://github.example',
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
    env: { ...env, GITHUB_EVENT_NAME: 'workflow_run', GITHUB_RUN_ID: '56', GITHUB_SHA: git('rev-parse', 'HEAD') },
  });
  expect({ log: trusted.log, code: trusted.exitCode, ran: trusted.ran }).toMatchObject({ code: 0, ran: true });
  expect(github.comments.map(({ body }) => body)).toEqual([expect.stringContaining('> **Not verified**')]);
  expect(github.checks).toEqual([]);
});
