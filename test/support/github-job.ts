import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { startChatServer, wordOf } from './chat-server.ts';
import { commitAll, headOf, initRepository, runGit } from './git.ts';
import { type GithubServer, startGithubServer } from './github-server.ts';
import { type CliResult, runCli } from './run-cli.ts';
import { openTempProject, type TempProject } from './temp-project.ts';

const jobToken = 'ghs_0123456789abcdef';

export interface JobOptions {
  /** The working folder in the repository. */
  readonly folder?: string;
  readonly event?: string;
  /** The file of the event, in place of the usual one. */
  readonly payload?: object;
  /** The commit of the event; the checkout's where it is not given. */
  readonly headSha?: string;
  /** A file of `.github/workflows/`, without its ending. */
  readonly workflow?: string;
  readonly job?: string;
  readonly matrix?: unknown;
  readonly runId?: number;
  readonly attempt?: number;
  /** The repository of the head; without one the head is in the repository itself. */
  readonly from?: string;
  readonly actor?: string;
  readonly hasKey?: boolean;
  readonly flags?: readonly string[];
  readonly args?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Two jobs draw differently. */
  readonly seed?: number;
}

export interface JobResult extends CliResult {
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface GithubJobs {
  readonly project: TempProject;
  readonly github: GithubServer;
  /** What the provider answers in place of the word that is asked, or a model alone: `gpt-4o: red`. */
  readonly answers: Map<string, string>;
  /** The environment of a command beside the jobs. */
  readonly providerEnv: Readonly<Record<string, string>>;
  git(...argv: readonly string[]): string;
  /** Commits everything, and makes it the head of the pull request. */
  push(message?: string): string;
  /** `llmcheck ci github` as a job of the pull request runs it. */
  act(options?: JobOptions): Promise<JobResult>;
}

/** A suite of three words that the server echoes. `wrong` expects what is not answered. */
export function wordSuite(name: string, wrong: readonly string[] = []): string {
  const caseOf = (word: string): string =>
    `  - { id: ${word}, vars: { word: ${word} }, assert: [{ equals: ${wrong.includes(word) ? 'else' : word} }] }\n`;
  return `suite: ${name}
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: "openai:gpt-4o-mini", params: { max_tokens: 20 } }]
cases:
${['red', 'green', 'seven'].map(caseOf).join('')}`;
}

/** A repository with a pull request, an API that keeps its comments and checks, and a provider that echoes. */
export async function openGithubJobs(files: Readonly<Record<string, string>>): Promise<GithubJobs> {
  const project = openTempProject();
  const github = await startGithubServer(jobToken);
  const answers = new Map<string, string>();
  const provider = await startChatServer(
    ({ model, text }) => answers.get(`${model}: ${wordOf(text)}`) ?? answers.get(wordOf(text)) ?? wordOf(text),
  );
  const git: GithubJobs['git'] = (...argv) => runGit(project.root, ...argv);
  const push: GithubJobs['push'] = (message) => {
    github.head = commitAll(project.root, message);
    return github.head;
  };
  for (const [path, text] of Object.entries(files)) project.write(path, text);
  project.write('.gitignore', '.llmcheck/\n/job/\n');
  github.head = initRepository(project.root);
  let runs = 100;
  return {
    project,
    github,
    answers,
    providerEnv: provider.env,
    git,
    push,
    async act(options = {}) {
      runs += 1;
      const { folder = '.', flags = ['--comment', '--check-run'], args = '--no-baseline', seed = runs } = options;
      const cwd = project.path(folder);
      mkdirSync(project.path('job'), { recursive: true });
      const runner = runnerOf({ ...options, runId: options.runId ?? runs }, options.headSha ?? headOf(project.root));
      writeFileSync(project.path('job/event.json'), JSON.stringify(runner.event));
      for (const name of ['summary.md', 'output']) writeFileSync(project.path(`job/${name}`), '');
      const result = await runCli(['ci', 'github', ...flags, ...(args === '' ? [] : ['--args', args])], {
        cwd,
        randomSeed: seed,
        env: {
          ...(options.hasKey === false ? { OPENAI_BASE_URL: provider.env['OPENAI_BASE_URL'] ?? '' } : provider.env),
          PATH: process.env['PATH'] ?? '',
          GITHUB_TOKEN: jobToken,
          GITHUB_WORKSPACE: project.root,
          GITHUB_EVENT_PATH: project.path('job/event.json'),
          GITHUB_STEP_SUMMARY: project.path('job/summary.md'),
          GITHUB_OUTPUT: project.path('job/output'),
          GITHUB_API_URL: github.url,
          GITHUB_GRAPHQL_URL: `${github.url}/graphql`,
          GITHUB_SERVER_URL: 'https://github.example',
          ...runner.env,
          ...options.env,
        },
      });
      const lines = readFileSync(project.path('job/output'), 'utf8').split('\n');
      const outputs = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
      return { ...result, summary: project.read('job/summary.md'), outputs };
    },
  };
}

/** The event and the variables that the runner sets. */
function runnerOf(
  {
    event = 'pull_request',
    payload,
    workflow = 'prompts',
    job = 'eval',
    matrix,
    runId,
    attempt = 1,
    from = 'acme/shop',
    actor = 'ann',
  }: JobOptions,
  sha: string,
) {
  const pull = { number: 7, head: { sha, repo: { full_name: from } }, base: { ref: 'main' } };
  return {
    event: payload ?? (event.startsWith('pull_request') ? { pull_request: pull } : {}),
    env: {
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: 'acme/shop',
      GITHUB_ACTOR: actor,
      GITHUB_EVENT_NAME: event,
      GITHUB_SHA: sha,
      GITHUB_RUN_ID: String(runId),
      GITHUB_RUN_ATTEMPT: String(attempt),
      GITHUB_JOB: job,
      GITHUB_WORKFLOW_REF: `acme/shop/.github/workflows/${workflow}.yml@refs/pull/7/merge`,
      ...(matrix !== undefined && { LLMCHECK_MATRIX: JSON.stringify(matrix) }),
    },
  };
}
