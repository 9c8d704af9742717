import { readOrUndefined, StorageError, withStorageErrors } from '../files/write-files.ts';
import {
  type ApiPorts,
  type JsonApi,
  memberAt,
  numberAt,
  numberOf,
  openJsonApi,
  textAt,
  withoutSlash,
} from '../http/json-api.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import { attempt } from '../text/attempt.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The job that this process is a part of, from the runner's variables. */
export interface GithubRun {
  readonly apiUrl: string;
  readonly graphqlUrl: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly eventName: string;
  /** The tested commit. For a pull request it is the head, because no page shows the merge commit in GITHUB_SHA. */
  readonly headSha: string;
  /** The commit that the workflow runs for. For a pull request it is the merge of its head into its base. */
  readonly workflowSha?: string;
  readonly pullRequest?: GithubPullRequest;
  /** In a merge queue: the commit that the tested ones are merged into. */
  readonly mergeBaseSha?: string;
  /** The id of the workflow's run: a later run has a higher one. */
  readonly runId?: number;
  /** The attempt. It is higher than 1 if the run was started again. */
  readonly runAttempt?: number;
  /** A key made of its flags: it distinguishes the jobs of an unnamed matrix. */
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

/** Reads the event's file. `fault` says why it can't be read. Both are undefined where the runner names no file. */
export function readGithubEvent(env: Env): { readonly event?: JsonValue; readonly fault?: string } {
  const path = env['GITHUB_EVENT_PATH'] ?? '';
  if (path === '') return {};
  const text = attempt(() => withStorageErrors('Reading', path, () => readOrUndefined(path)), StorageError);
  if (text === undefined) return { fault: `${path} is not there` };
  if (text instanceof StorageError) return { fault: `${path}: ${text.reason}` };
  const parsed = parseJson(text);
  return parsed.ok ? { event: parsed.value as JsonValue } : { fault: `${path}: ${parsed.reason}` };
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

/**
 * Workflow, job and matrix. The runner sets no variable for the matrix: the action and the workflow pass it in
 * LLMCHECK_MATRIX. `values` are what is known of it without.
 */
export function listJobParts(env: Env, values: readonly string[] = []): readonly string[] {
  const matrix = describeMatrix(env['LLMCHECK_MATRIX'] ?? '');
  return [workflowOf(env), env['GITHUB_JOB'] ?? '', matrix === '' ? values.join(', ') : matrix];
}

/** The file of the workflow: two workflows may have the same name. */
function workflowOf(env: Env): string {
  const file = /\/([^/@]+?)(?:\.ya?ml)?@/.exec(env['GITHUB_WORKFLOW_REF'] ?? '')?.[1];
  return file ?? env['GITHUB_WORKFLOW'] ?? '';
}

/** The values of the matrix in words: `mini, 3`. A text that is no JSON is taken as it is. */
function describeMatrix(text: string): string {
  const values = listValues(parseMatrix(text));
  return values.join(', ');
}

function parseMatrix(text: string): JsonValue {
  const value = attempt(() => (text.trim() === '' ? null : (JSON.parse(text) as JsonValue)), SyntaxError);
  return value instanceof Error ? text.trim() : value;
}

function listValues(value: JsonValue): readonly string[] {
  if (value === null) return [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(listValues);
  return isJsonObject(value) ? Object.values(value).flatMap(listValues) : [JSON.stringify(value)];
}

/** `run` is undefined if no open pull request has the tested commit as its head. */
export type ForeignRun =
  | { readonly ok: true; readonly run?: GithubRun }
  | { readonly ok: false; readonly message: string };

/**
 * Reads the event of `workflow_run`, which GitHub wrote, and asks the API which pull request has the tested commit. Nothing
 * that the fork's job wrote has a say.
 */
export async function readForeignRun(api: JsonApi, run: GithubRun, event: JsonValue | undefined): Promise<ForeignRun> {
  const tested = memberAt(event, 'workflow_run');
  const headSha = textAt(tested, 'head_sha') ?? '';
  const branch = textAt(tested, 'head_branch') ?? '';
  const owner = textAt(memberAt(memberAt(tested, 'head_repository'), 'owner'), 'login') ?? '';
  if (textAt(tested, 'event') !== 'pull_request' || headSha === '' || owner === '') return { ok: true };
  const query = `state=open&per_page=100&head=${encodeURIComponent(`${owner}:${branch}`)}`;
  const reply = await api.ask('GET', `/repos/${run.repository}/pulls?${query}`);
  if (!reply.ok) return { ok: false, message: reply.message };
  const pulls = Array.isArray(reply.value) ? reply.value : [];
  const pull = pulls.find((one) => textAt(memberAt(one, 'head'), 'sha') === headSha);
  const number = numberAt(pull, 'number');
  if (number === undefined) return { ok: true };
  const runId = numberAt(tested, 'id');
  return {
    ok: true,
    run: {
      ...run,
      headSha,
      pullRequest: { number, baseRef: textAt(memberAt(pull, 'base'), 'ref') ?? '', isForeign: true },
      // The log is that of the fork's job. The run is this one, so that a repetition updates its comment.
      ...defined({
        runUrl: runId === undefined ? undefined : `${run.repositoryUrl}/actions/runs/${runId}`,
      }),
    },
  };
}

export function openGithubApi(apiUrl: string, token: string, ports: ApiPorts): JsonApi {
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${token}`,
    'x-github-api-version': '2022-11-28',
  };
  return openJsonApi(apiUrl, headers, ports);
}
