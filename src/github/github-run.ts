import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import { memberAt, textAt } from './github-api.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The job that this process is a part of, from the runner's variables. */
export interface GithubRun {
  readonly apiUrl: string;
  readonly graphqlUrl: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly eventName: string;
  /** The tested commit: of a pull request the head, since GITHUB_SHA is a merge that no page shows. */
  readonly headSha: string;
  /** The commit that the workflow runs for: of a pull request the merge of its head into its base. */
  readonly workflowSha?: string;
  readonly pullRequest?: GithubPullRequest;
  /** In a merge queue: the commit that the tested ones are merged into. */
  readonly mergeBaseSha?: string;
  /** Of the workflow's run: a later run has a higher one. */
  readonly runId?: number;
  /** Higher than 1 where the run was started again. */
  readonly runAttempt?: number;
  /** By its flags: tells the jobs of a matrix apart that is not named. */
  readonly jobKey?: string;
  /** The page of the job's log. */
  readonly runUrl?: string;
  /** The repository's page. */
  readonly repositoryUrl: string;
}

export interface GithubPullRequest {
  readonly number: number;
  readonly baseRef: string;
  /** The newest commit of the base when the event happened. */
  readonly baseSha?: string;
  /** True where the job has no secrets: the head comes from another repository, or a dependency robot opened it. */
  readonly isForeign: boolean;
}

/** Reads the runner's variables and the event's file; undefined outside of a job. */
export function parseGithubRun(env: Env, event: JsonValue | undefined): GithubRun | undefined {
  const repository = env['GITHUB_REPOSITORY'] ?? '';
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) return undefined;
  const apiUrl = withoutSlash(env['GITHUB_API_URL'] ?? 'https://api.github.com');
  const pull = memberAt(event, 'pull_request');
  const group = memberAt(event, 'merge_group');
  const pullRequest = pull === undefined ? undefined : parsePullRequest(pull, repository, env['GITHUB_ACTOR'] ?? '');
  const repositoryUrl = `${withoutSlash(env['GITHUB_SERVER_URL'] ?? 'https://github.com')}/${repository}`;
  const runId = numberOf(env['GITHUB_RUN_ID']);
  return {
    apiUrl,
    graphqlUrl: env['GITHUB_GRAPHQL_URL'] ?? `${apiUrl}/graphql`,
    repository,
    eventName: env['GITHUB_EVENT_NAME'] ?? '',
    headSha: textAt(memberAt(pull, 'head'), 'sha') ?? textAt(group, 'head_sha') ?? env['GITHUB_SHA'] ?? '',
    repositoryUrl,
    ...defined({
      workflowSha: env['GITHUB_SHA'],
      pullRequest,
      mergeBaseSha: textAt(group, 'base_sha'),
      runId,
      runAttempt: numberOf(env['GITHUB_RUN_ATTEMPT']),
      runUrl: runId === undefined ? undefined : `${repositoryUrl}/actions/runs/${runId}`,
    }),
  };
}

function parsePullRequest(pull: JsonValue, repository: string, actor: string): GithubPullRequest | undefined {
  const number = isJsonObject(pull) ? pull['number'] : undefined;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) return undefined;
  // The head's repository is null once the fork is deleted.
  const from = textAt(memberAt(memberAt(pull, 'head'), 'repo'), 'full_name');
  const isForeign = from?.toLowerCase() !== repository.toLowerCase() || actor === 'dependabot[bot]';
  const base = memberAt(pull, 'base');
  return { number, baseRef: textAt(base, 'ref') ?? '', isForeign, ...defined({ baseSha: textAt(base, 'sha') }) };
}

function numberOf(text = ''): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
