import { onTestFinished } from 'vitest';
import { startEchoServer } from './chat-server.ts';
import { commitAll, headOf, initRepository, runGit } from './git.ts';
import { type ReceivedRequest, type Scripted, type ScriptedServer, startServer } from './http-server.ts';
import { type CliResult, runCli } from './run-cli.ts';
import { openTempProject, type TempProject } from './temp-project.ts';

export const gitlabToken = 'glpat-0123456789abcdef';

interface FakeNote {
  readonly id: number;
  body: string;
  readonly author: { readonly id: number; readonly username: string };
  readonly system?: boolean;
}

export interface GitlabServer extends ScriptedServer {
  /** Of the merge request 7 of project 12. */
  readonly notes: FakeNote[];
  /** The newest commit of the merge request; undefined where the token may not read it. */
  head: string | undefined;
  /** Set to answer in place of GitLab; undefined lets the request through. */
  intercept: (request: ReceivedRequest) => Scripted | undefined;
}

export const bot = { id: 40, username: 'project_12_bot_0a1b' };

/** The notes of a merge request as GitLab's API keeps them, for the token of a bot. */
export async function startGitlabServer(): Promise<GitlabServer> {
  const notes: FakeNote[] = [];
  const state: Pick<GitlabServer, 'intercept' | 'head'> = { intercept: () => undefined, head: undefined };

  function reply({ method, url: address, headers, body: text }: ReceivedRequest): Scripted {
    if (headers['private-token'] !== gitlabToken) return { status: 401, body: { message: '401 Unauthorized' } };
    const url = new URL(address, 'http://127.0.0.1');
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    const route = `${method} ${url.pathname}`;
    const request = '/api/v4/projects/12/merge_requests/7';
    if (route === 'GET /api/v4/user') return { body: bot };
    if (route === `GET ${request}`) {
      return state.head === undefined
        ? { status: 403, body: { message: '403 Forbidden' } }
        : { body: { iid: 7, sha: state.head } };
    }
    if (route === `GET ${request}/notes`) {
      const size = Number(url.searchParams.get('per_page') ?? 20);
      const from = (Number(url.searchParams.get('page') ?? 1) - 1) * size;
      // The newest come first unless another order is asked for.
      const sorted = url.searchParams.get('sort') === 'asc' ? notes : [...notes].reverse();
      return { body: sorted.slice(from, from + size) };
    }
    if (route === `POST ${request}/notes`) {
      const note = { id: 1000 + notes.length, body: String(body['body']), author: bot, system: false };
      notes.push(note);
      return { status: 201, body: { ...note } };
    }
    const id = new RegExp(`^(?:PUT|GET|DELETE) ${request}/notes/(\\d+)$`).exec(route)?.[1];
    const found = notes.find((note) => String(note.id) === id);
    if (found === undefined) return { status: 404, body: { message: '404 Not found' } };
    if (method === 'DELETE') {
      notes.splice(notes.indexOf(found), 1);
      return { status: 204 };
    }
    if (method === 'PUT') found.body = String(body['body']);
    return { body: { ...found } };
  }

  const server = await startServer((request) => state.intercept(request) ?? reply(request));
  onTestFinished(() => server.close());
  return Object.assign(state, { ...server, requests: server.requests, notes });
}

export interface GitlabJobOptions {
  /** The working folder in the repository. */
  readonly folder?: string;
  readonly source?: 'merge_request_event' | 'push' | 'schedule';
  readonly job?: string;
  readonly pipeline?: number;
  /** True for a pipeline of a fork. */
  readonly isFork?: boolean;
  readonly hasKey?: boolean;
  readonly flags?: readonly string[];
  readonly args?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly seed?: number;
}

export interface GitlabJobs {
  readonly project: TempProject;
  readonly gitlab: GitlabServer;
  git(...argv: readonly string[]): string;
  /** Commits everything, and makes it the head of the merge request. */
  push(message?: string): string;
  /** The variables of a job, as the runner sets them. */
  envOf(options?: GitlabJobOptions): Readonly<Record<string, string>>;
  /** `llmcheck ci gitlab` as a job of the merge request runs it. */
  act(options?: GitlabJobOptions): Promise<CliResult>;
}

/** A repository with a merge request, an API that keeps its notes, and a provider that echoes. */
export async function openGitlabJobs(files: Readonly<Record<string, string>>): Promise<GitlabJobs> {
  const project = openTempProject();
  const gitlab = await startGitlabServer();
  const provider = await startEchoServer();
  const git: GitlabJobs['git'] = (...argv) => runGit(project.root, ...argv);
  const push: GitlabJobs['push'] = (message) => {
    gitlab.head = commitAll(project.root, message);
    return gitlab.head;
  };
  for (const [path, text] of Object.entries(files)) project.write(path, text);
  project.write('.gitignore', '.llmcheck/\n/clone/\nllmcheck.*\n!llmcheck.config.yaml\n');
  gitlab.head = initRepository(project.root);
  let runs = 100;
  const envOf: GitlabJobs['envOf'] = ({ hasKey = true, ...options } = {}) => ({
    ...(hasKey ? provider.env : { OPENAI_BASE_URL: provider.env['OPENAI_BASE_URL'] ?? '' }),
    PATH: process.env['PATH'] ?? '',
    GITLAB_TOKEN: gitlabToken,
    CI_API_V4_URL: `${gitlab.url}/api/v4`,
    CI_PROJECT_DIR: project.root,
    ...runnerOf({ pipeline: runs, ...options }, headOf(project.root)),
    ...options.env,
  });
  return {
    project,
    gitlab,
    git,
    push,
    envOf,
    async act(options = {}) {
      runs += 1;
      const { folder = '.', flags = ['--note'], args = '--no-baseline', seed = runs } = options;
      return runCli(['ci', 'gitlab', ...flags, ...(args === '' ? [] : ['--args', args])], {
        cwd: project.path(folder),
        randomSeed: seed,
        env: envOf(options),
      });
    },
  };
}

/** https://docs.gitlab.com/ci/variables/predefined_variables/ */
function runnerOf(
  { source = 'merge_request_event', job = 'prompts', pipeline, isFork = false }: GitlabJobOptions,
  sha: string,
): Record<string, string> {
  const request = {
    CI_MERGE_REQUEST_IID: '7',
    CI_MERGE_REQUEST_PROJECT_ID: '12',
    CI_MERGE_REQUEST_PROJECT_URL: 'https://gitlab.example/acme/shop',
    CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
    CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: '',
  };
  return {
    CI: 'true',
    GITLAB_CI: 'true',
    CI_PIPELINE_SOURCE: source,
    CI_PIPELINE_ID: String(pipeline),
    CI_PROJECT_ID: isFork ? '99' : '12',
    CI_PROJECT_URL: `https://gitlab.example/${isFork ? 'eve' : 'acme'}/shop`,
    CI_COMMIT_SHA: sha,
    CI_JOB_NAME: job,
    CI_JOB_URL: `https://gitlab.example/acme/shop/-/jobs/${pipeline}`,
    ...(source === 'merge_request_event' ? request : { CI_COMMIT_BRANCH: 'main' }),
    ...(isFork && { GITLAB_TOKEN: '' }),
  };
}
