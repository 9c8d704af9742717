import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { startChatServer, wordOf } from '../support/chat-server.ts';
import { commitAll, headOf } from '../support/git.ts';
import type { GithubServer } from '../support/github-server.ts';
import { type Action, readAction } from '../support/run-action.ts';
import { type JobRun, readWorkflow, runJob, type Workflow } from '../support/run-workflow.ts';
import type { TempProject } from '../support/temp-project.ts';
import { openWorkflowProject, workflowToken as token } from '../support/workflow-project.ts';

const root = join(import.meta.dirname, '../..');
let action: Action;
let workflow: Workflow;

beforeAll(() => {
  action = readAction(join(root, 'action.yml'));
  workflow = readWorkflow(join(root, 'examples/github/nightly.yml'));
});

interface Night {
  readonly run: JobRun;
  /** Names of the artifacts. */
  readonly artifacts: readonly string[];
}

interface Nights {
  readonly project: TempProject;
  readonly github: GithubServer;
  /** What the model answers tonight in place of the word that is asked. */
  readonly answers: Map<string, string>;
  commit(): void;
  /** The whole workflow, on a fresh runner. */
  pass(): Promise<Night>;
}

/** A main with an accepted baseline. */
async function openNights(): Promise<Nights> {
  const answers = new Map<string, string>();
  const provider = await startChatServer(({ text }) => answers.get(wordOf(text)) ?? wordOf(text));
  const { project, github, git, runnerEnv } = await openWorkflowProject(['drift.json']);
  project.write('event.json', '{"schedule":"17 3 * * *"}');
  await project.run(['run', '--update-baseline'], { env: provider.env });
  commitAll(project.root, 'accept');
  const cache = new Map<string, string>();
  let runs = 0;
  return {
    project,
    github,
    answers,
    commit: () => git('commit', '-qam', 'change'),
    async pass() {
      runs += 1;
      const artifacts = new Map<string, string>();
      git('clean', '-qdfx', '.llmcheck', 'drift.json');
      const run = await runJob(workflow, 'drift', {
        workspace: project.root,
        action,
        token,
        runId: String(runs),
        cache,
        artifacts,
        secrets: { OPENAI_API_KEY: provider.env['OPENAI_API_KEY'] ?? '' },
        env: {
          ...runnerEnv,
          OPENAI_BASE_URL: provider.env['OPENAI_BASE_URL'] ?? '',
          GITHUB_EVENT_NAME: 'schedule',
          GITHUB_SHA: headOf(project.root),
          GITHUB_RUN_ID: String(runs),
        },
      });
      return { run, artifacts: [...artifacts.keys()].sort() };
    },
  };
}

describe('the workflow "drift"', { tags: 'slow' }, () => {
  test('opens one issue for a model that changed, updates it, and closes it once a night passes', async () => {
    const nights = await openNights();
    const { github, answers } = nights;
    const quiet = await nights.pass();
    expect({ log: quiet.run.log, code: quiet.run.exitCode }).toMatchObject({ code: 0 });
    expect([github.issues, quiet.artifacts]).toEqual([[], ['drift', 'llmcheck-drift.html']]);

    answers.set('red', 'sorry');
    const first = await nights.pass();
    // A drift is an issue, not a red job.
    expect([first.run.exitCode, first.artifacts]).toEqual([0, ['drift', 'llmcheck-drift.html']]);
    expect(first.run.summary).toContain('llmcheck DRIFT');
    expect(github.issues).toMatchObject([{ state: 'open', title: expect.stringMatching(/^Drift: /) }]);
    expect(github.issues[0]?.body).toContain('[page](https://github.example/acme/shop/actions/runs/2#artifacts)');
    expect(github.issues[0]?.body).toContain('then the case `red`.');

    await nights.pass();
    expect(github.issues).toMatchObject([{ state: 'open', body: expect.stringContaining('/runs/3#artifacts') }]);
    answers.clear();
    const over = await nights.pass();
    expect([over.run.exitCode, github.issues.map(({ state }) => state)]).toEqual([0, ['closed']]);
    // A scheduled job has no pull request.
    expect([github.comments, github.checks]).toEqual([[], []]);
  });

  test('is red for a suite that cannot be run, and keeps no issue for it', async () => {
    const nights = await openNights();
    nights.project.write('evals/words.eval.yaml', 'suite: [');
    nights.commit();
    const { run, artifacts } = await nights.pass();
    expect([run.exitCode, nights.github.issues, artifacts]).toEqual([2, [], []]);
  });

  test('fails where it may not write the issue, which would report the drift', async () => {
    const nights = await openNights();
    nights.answers.set('red', 'sorry');
    nights.github.intercept = ({ method, url }) =>
      method === 'POST' && url.endsWith('/issues')
        ? { status: 403, body: { message: 'Resource not accessible' } }
        : undefined;
    const { run, artifacts } = await nights.pass();
    expect([run.exitCode, run.log]).toEqual([1, expect.stringContaining('issues: write')]);
    expect(artifacts).toContain('llmcheck-drift.html');
  });
});
