import { chmodSync } from 'node:fs';
import { runGit } from './git.ts';
import { wordSuite } from './github-job.ts';
import { type GithubServer, startGithubServer } from './github-server.ts';
import { startShellCli } from './shell-cli.ts';
import { openTempProject, type TempProject } from './temp-project.ts';

export const workflowToken = 'ghs_0123456789abcdef';

export interface WorkflowProject {
  readonly project: TempProject;
  readonly github: GithubServer;
  /** What the runner sets for every job. */
  readonly runnerEnv: Readonly<Record<string, string>>;
  readonly git: (...argv: readonly string[]) => string;
}

/** A repository as a runner has it before its first commit: llmcheck is installed, and an API keeps what is published. */
export async function openWorkflowProject(ignored: readonly string[] = []): Promise<WorkflowProject> {
  const project = openTempProject();
  const github = await startGithubServer(workflowToken);
  const git: WorkflowProject['git'] = (...argv) => runGit(project.root, ...argv);
  project.write('evals/words.eval.yaml', wordSuite('words'));
  const paths = ['.llmcheck/', 'node_modules/', 'bin/', 'event.json', ...ignored];
  project.write('.gitignore', paths.map((path) => `${path}\n`).join(''));
  project.write('node_modules/.bin/llmcheck', await startShellCli());
  project.write('bin/npx', '#!/bin/sh\nname=$1; shift; exec "node_modules/.bin/$name" "$@"\n');
  for (const file of ['node_modules/.bin/llmcheck', 'bin/npx']) chmodSync(project.path(file), 0o755);
  git('init', '-q', '-b', 'main');
  const runnerEnv = {
    PATH: `${project.path('bin')}:${process.env['PATH'] ?? ''}`,
    GITHUB_ACTIONS: 'true',
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_EVENT_PATH: project.path('event.json'),
    GITHUB_API_URL: github.url,
    GITHUB_GRAPHQL_URL: `${github.url}/graphql`,
    GITHUB_SERVER_URL: 'https://github.example',
  };
  return { project, github, runnerEnv, git };
}
