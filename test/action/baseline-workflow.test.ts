// @module-tag slow
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { startEchoServer } from '../support/chat-server.ts';
import { headOf, initRepository, runGit } from '../support/git.ts';
import { wordSuite } from '../support/github-job.ts';
import { type Action, readAction } from '../support/run-action.ts';
import { type JobRun, readWorkflow, runJob, type Workflow } from '../support/run-workflow.ts';
import { startShellCli } from '../support/shell-cli.ts';
import { openTempProject, type TempProject } from '../support/temp-project.ts';

const root = join(import.meta.dirname, '../..');
let action: Action;
let workflow: Workflow;

beforeAll(() => {
  action = readAction(join(root, 'action.yml'));
  workflow = readWorkflow(join(root, 'examples/github/baseline.yml'));
});

interface Repository extends TempProject {
  git(...argv: string[]): string;
  /** The whole workflow. */
  refresh(options?: {
    readonly event?: string;
    readonly inputs?: Readonly<Record<string, string>>;
  }): Promise<{ readonly run: JobRun; readonly accept: JobRun; readonly artifacts: ReadonlyMap<string, string> }>;
  /** As a person merges the bot's pull request. */
  merge(): void;
  commitToMain(): void;
  readonly baseUrl: string;
  /** What the bot's pull requests are, one a line. */
  proposals(): string;
}

/** `gh` as far as the workflow needs it: one pull request for each branch, in a file. */
const fakeGh = `#!/bin/sh
[ "$GH_TOKEN" = ghs_write ] || { echo "no token" >&2; exit 4; }
case "$1 $2" in
  "auth setup-git") ;;
  "pr list") if [ -f "$PROPOSALS" ]; then echo 1; else echo 0; fi ;;
  "pr create") { echo "$*"; cat .llmcheck/body.md; } > "$PROPOSALS" ;;
  "pr edit") { echo "$*"; cat .llmcheck/body.md; } >> "$PROPOSALS" ;;
  *) echo "gh $*" >&2; exit 1 ;;
esac
`;

/** A main that nobody may push to, with a suite whose word "red" fails. */
async function openRepository(suite = wordSuite('words', ['red'])): Promise<Repository> {
  const project = openTempProject();
  const server = await startEchoServer();
  const git = (...argv: string[]): string => runGit(project.root, ...argv);
  project.write('evals/words.eval.yaml', suite);
  project.write('.gitignore', '.llmcheck/\nnode_modules/\norigin/\nbin/\n');
  project.write('node_modules/.bin/llmcheck', await startShellCli());
  project.write('bin/npx', '#!/bin/sh\nname=$1; shift; exec "node_modules/.bin/$name" "$@"\n');
  project.write('bin/gh', fakeGh);
  for (const file of ['node_modules/.bin/llmcheck', 'bin/npx', 'bin/gh']) chmodSync(project.path(file), 0o755);
  initRepository(project.root, 'one');
  git('init', '-q', '--bare', 'origin');
  git('remote', 'add', 'origin', project.path('origin'));
  git('push', '-q', 'origin', 'main');
  project.write(
    'origin/hooks/pre-receive',
    '#!/bin/sh\nwhile read -r _ _ ref; do [ "$ref" != refs/heads/main ] || exit 1; done\n',
  );
  chmodSync(project.path('origin/hooks/pre-receive'), 0o755);
  const cache = new Map<string, string>();
  let runs = 0;
  const moveMain = (commit: string): void => {
    git('-C', project.path('origin'), 'update-ref', 'refs/heads/main', commit);
    git('fetch', '-q', 'origin');
    git('reset', '-q', '--hard', 'origin/main');
  };
  return {
    ...project,
    git,
    baseUrl: server.env['OPENAI_BASE_URL'] ?? '',
    merge: () => moveMain('refs/heads/llmcheck/baseline'),
    commitToMain() {
      git('commit', '-qam', 'change');
      git('push', '-q', 'origin', 'HEAD:change');
      moveMain('refs/heads/change');
    },
    async refresh({ event = 'push', inputs = {} } = {}) {
      runs += 1;
      const artifacts = new Map<string, string>();
      const shared = { workspace: project.root, action, runId: String(runs), cache, artifacts, inputs };
      const env = {
        PATH: `${project.path('bin')}:${process.env['PATH'] ?? ''}`,
        PROPOSALS: project.path('origin/proposals'),
        OPENAI_BASE_URL: server.env['OPENAI_BASE_URL'] ?? '',
        GITHUB_REPOSITORY: 'acme/shop',
        GITHUB_EVENT_NAME: event,
        GITHUB_REF_NAME: 'main',
        GITHUB_SHA: headOf(project.root),
        GITHUB_RUN_ID: String(runs),
      };
      git('clean', '-qdfx', '.llmcheck');
      // The token of a job has what its permissions allow.
      const run = await runJob(workflow, 'run', {
        ...shared,
        env,
        token: 'ghs_read',
        secrets: { OPENAI_API_KEY: 'sk-test-0123456789abcdef' },
      });
      git('clean', '-qdfx', '.llmcheck');
      const accept = await runJob(workflow, 'accept', {
        ...shared,
        env,
        token: 'ghs_write',
        needs: { run: { outputs: run.outputs } },
      });
      git('checkout', '-q', 'main');
      git('reset', '-q', '--hard', 'origin/main');
      return { run, accept, artifacts };
    },
    proposals: () => (existsSync(project.path('origin/proposals')) ? project.read('origin/proposals') : ''),
  };
}

function proposed(repository: Repository): string {
  return repository.git('show', 'origin/llmcheck/baseline:evals/words.baseline.jsonl');
}

describe('the workflow "Refresh baseline"', { tags: 'slow' }, () => {
  test('proposes the first baseline of a suite that is not perfect, on a protected main', async () => {
    const repository = await openRepository();
    const { run, accept, artifacts } = await repository.refresh();
    expect({ log: accept.log, codes: [run.exitCode, accept.exitCode] }).toMatchObject({ codes: [0, 0] });
    // The page is uploaded beside the record.
    expect([...artifacts.keys()]).toEqual(['llmcheck-run.html', 'baseline-run']);
    repository.git('fetch', '-q', 'origin');
    expect(proposed(repository)).toContain('"red"');
    expect(repository.proposals()).toMatch(/^pr create --head llmcheck\/baseline --base main .*\n(.*\n)*.*red/);
    // Nothing was pushed to main.
    expect(repository.git('rev-parse', 'origin/main')).toBe(repository.git('rev-list', '--max-parents=0', 'main'));
  });

  test('updates its one pull request, and proposes nothing where nothing changed', async () => {
    const repository = await openRepository(wordSuite('words'));
    await repository.refresh();
    const again = await repository.refresh({ event: 'workflow_dispatch' });
    expect([again.accept.exitCode, repository.proposals().match(/^pr (create|edit)/gm)]).toEqual([
      0,
      ['pr create', 'pr edit'],
    ]);
    repository.merge();
    const merged = await repository.refresh();
    expect([merged.accept.exitCode, repository.proposals().match(/^pr (create|edit)/gm)?.length]).toEqual([0, 2]);
  });

  test('accepts no failing case after the first time, unless a person asks for it', async () => {
    const repository = await openRepository(wordSuite('words'));
    await repository.refresh();
    repository.merge();
    repository.write('evals/words.eval.yaml', wordSuite('words').replace('Say:', 'Say: not'));
    repository.commitToMain();
    const { run, accept } = await repository.refresh();
    expect([run.exitCode, accept.exitCode === 0, accept.log]).toEqual([
      0,
      false,
      expect.stringContaining('main fails its gate'),
    ]);
    const asked = await repository.refresh({ event: 'workflow_dispatch', inputs: { 'known-failures': 'true' } });
    expect([asked.run.exitCode, asked.accept.exitCode]).toEqual([0, 0]);
    expect(repository.proposals()).toContain('pr edit');
  });

  test('fails where the suites cannot be run: there is no record to accept', async () => {
    const repository = await openRepository('suite: [');
    const { run, accept } = await repository.refresh();
    expect([run.exitCode === 0, accept.exitCode === 0, repository.proposals()]).toEqual([false, false, '']);
  });

  test('fails where a run that a person asks for is refused as a baseline', async () => {
    const repository = await openRepository(wordSuite('words'));
    await repository.refresh();
    repository.merge();
    repository.write(
      'evals/words.eval.yaml',
      wordSuite('words', ['red']).replace('id: red,', 'id: red, mustPass: true,'),
    );
    repository.commitToMain();
    const inputs = { 'known-failures': 'true' };
    const { accept } = await repository.refresh({ event: 'workflow_dispatch', inputs });
    expect([accept.exitCode === 0, accept.log]).toEqual([false, expect.stringContaining('--force')]);
  });

  test('gives the job that runs suites no permission to write, and the job that writes no secret', () => {
    const { run, accept } = workflow.jobs;
    expect([workflow['permissions'], run?.permissions]).toEqual([{ contents: 'read' }, undefined]);
    const text = JSON.stringify(accept?.steps);
    expect(text).not.toContain('secrets.');
    expect(text).not.toMatch(/llmcheck run|ci github|llmcheck\/llmcheck@/);
    expect(text).toContain('npm ci --ignore-scripts');
  });
});

describe('a branch as the store', () => {
  test('is a baseline for pull requests', async () => {
    const repository = await openRepository(wordSuite('words'));
    await repository.refresh();
    repository.git('fetch', '-q', 'origin');
    const env = { OPENAI_BASE_URL: repository.baseUrl, OPENAI_API_KEY: 'sk-test-0123456789abcdef' };
    const { code, stdout, stderr } = await repository.run(['run', '--baseline', 'git:llmcheck/baseline'], {
      env: { ...env, PATH: process.env['PATH'] ?? '' },
    });
    expect({ stderr, code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/unchanged/) });
  });
});
