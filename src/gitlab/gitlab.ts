import {
  type ApiPorts,
  type ApiReply,
  type JsonApi,
  memberAt,
  numberAt,
  numberOf,
  openJsonApi,
  textAt,
  withoutSlash,
} from '../http/json-api.ts';
import { defined } from '../json/defined.ts';
import type { JsonValue } from '../json/json.ts';
import { sha256Hex } from '../text/sha256.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The job that this process is a part of, from the runner's variables. */
export interface GitlabRun {
  readonly apiUrl: string;
  /** The tested commit. For a merge request it is the head of the branch, even if a merge result is checked out. */
  readonly headSha: string;
  /** The commit that is checked out. */
  readonly pipelineSha: string;
  /** The name with its part of `parallel`: `prompts 1/4`, `prompts: [mini]`. */
  readonly jobName: string;
  /** A later pipeline has a higher id. */
  readonly pipelineId: number;
  /** Tells the jobs of a pipeline apart. A job that is started again keeps it. */
  readonly jobKey: number;
  readonly jobUrl?: string;
  /** The folder that paths of artifacts are relative to. */
  readonly projectDir?: string;
  readonly projectUrl: string;
  readonly mergeRequest?: MergeRequest;
  /** True in a pipeline of a branch that has an open merge request: the job does not know which. */
  readonly isBesideMergeRequest: boolean;
}

export interface MergeRequest {
  readonly iid: number;
  /** The project that the request is in; a fork's pipeline runs in another one. */
  readonly projectId: number;
  readonly projectUrl: string;
  readonly targetBranch: string;
  /** The commit at which the branch left its target. */
  readonly baseSha?: string;
  /**
   * The commit that the branch of a merged result was merged into. In a merge train it is main with the requests before
   * this one.
   */
  readonly targetSha?: string;
  /** True in a pipeline of a fork, which has no variables of the project. */
  readonly isForeign: boolean;
}

/** Undefined outside of a job. */
export function parseGitlabRun(env: Env): GitlabRun | undefined {
  const projectId = numberOf(env['CI_PROJECT_ID']);
  if (projectId === undefined) return undefined;
  const pipelineSha = env['CI_COMMIT_SHA'] ?? '';
  const sourceSha = env['CI_MERGE_REQUEST_SOURCE_BRANCH_SHA'] ?? '';
  const jobName = env['CI_JOB_NAME'] ?? '';
  const mergeRequest = parseMergeRequest(env, projectId);
  return {
    apiUrl: withoutSlash(
      env['CI_API_V4_URL'] ?? `${withoutSlash(env['CI_SERVER_URL'] ?? 'https://gitlab.com')}/api/v4`,
    ),
    headSha: sourceSha === '' ? pipelineSha : sourceSha,
    pipelineSha,
    jobName,
    pipelineId: numberOf(env['CI_PIPELINE_ID']) ?? 0,
    jobKey: Number.parseInt(sha256Hex(jobName).slice(0, 8), 16),
    projectUrl: withoutSlash(env['CI_PROJECT_URL'] ?? ''),
    isBesideMergeRequest: mergeRequest === undefined && (env['CI_OPEN_MERGE_REQUESTS'] ?? '') !== '',
    ...defined({ jobUrl: env['CI_JOB_URL'], projectDir: env['CI_PROJECT_DIR'], mergeRequest }),
  };
}

function parseMergeRequest(env: Env, ownProject: number): MergeRequest | undefined {
  const iid = numberOf(env['CI_MERGE_REQUEST_IID']);
  const projectId = numberOf(env['CI_MERGE_REQUEST_PROJECT_ID']);
  if (iid === undefined || projectId === undefined) return undefined;
  return {
    iid,
    projectId,
    projectUrl: withoutSlash(env['CI_MERGE_REQUEST_PROJECT_URL'] ?? env['CI_PROJECT_URL'] ?? ''),
    targetBranch: env['CI_MERGE_REQUEST_TARGET_BRANCH_NAME'] ?? '',
    ...defined({ baseSha: env['CI_MERGE_REQUEST_DIFF_BASE_SHA'], targetSha: findTarget(env) }),
    isForeign: projectId !== ownProject,
  };
}

function findTarget(env: Env): string | undefined {
  const sha = env['CI_MERGE_REQUEST_TARGET_BRANCH_SHA'] ?? '';
  const isMerged = /^merge(?:d_result|_train)$/.test(env['CI_MERGE_REQUEST_EVENT_TYPE'] ?? '');
  return isMerged && /^[0-9a-f]{40,64}$/.test(sha) ? sha : undefined;
}

export function openGitlabApi(apiUrl: string, token: string, ports: ApiPorts): JsonApi {
  return openJsonApi(apiUrl, { accept: 'application/json', 'private-token': token }, ports);
}

/** The notes of a merge request; the failed reply where GitLab does not tell whose token it is. */
export async function openNotes(api: JsonApi, { projectId, projectUrl, iid }: MergeRequest, pageSize: number) {
  const path = `/projects/${projectId}/merge_requests/${iid}`;
  const owner = await api.ask('GET', '/user');
  if (!owner.ok) return owner;
  const ownerId = numberAt(owner.value, 'id');
  const notes = `${path}/notes`;
  return {
    ok: true as const,
    async findHead() {
      const reply = await api.ask('GET', path);
      return reply.ok ? textAt(reply.value, 'sha') : undefined;
    },
    async list(page: number) {
      const reply = await api.ask('GET', `${notes}?sort=asc&order_by=created_at&per_page=${pageSize}&page=${page}`);
      if (!reply.ok) return reply;
      const found = Array.isArray(reply.value) ? reply.value : [];
      return { ok: true as const, comments: found.map((note) => readNote(note, ownerId)) };
    },
    async write(id: number | undefined, text: string) {
      const body = { body: disarm(text) };
      const reply =
        id === undefined ? await api.ask('POST', notes, body) : await api.ask('PUT', `${notes}/${id}`, body);
      return reply.ok ? { ok: true as const, ...linkOf(reply, `${projectUrl}/-/merge_requests/${iid}`) } : reply;
    },
    async remove(id: number) {
      return (await api.ask('DELETE', `${notes}/${id}`)).ok;
    },
    async read(id: number) {
      const reply = await api.ask('GET', `${notes}/${id}`);
      return reply.ok ? textAt(reply.value, 'body') : undefined;
    },
  };
}

function readNote(note: JsonValue, ownerId: number | undefined) {
  const authorId = numberAt(memberAt(note, 'author'), 'id');
  const isOwn = authorId !== undefined && authorId === ownerId && memberAt(note, 'system') !== true;
  return { id: numberAt(note, 'id') ?? 0, body: textAt(note, 'body') ?? '', isOwn };
}

function linkOf(reply: ApiReply & { readonly ok: true }, requestUrl: string) {
  const id = numberAt(reply.value, 'id');
  return defined({ id, url: id === undefined ? undefined : `${requestUrl}#note_${id}` });
}

/**
 * GitLab carries out a line that begins with a slash, such as `/merge`, in the name of the token's owner. It does so in
 * some code blocks too, so a sign without width is put before the slash.
 */
function disarm(text: string): string {
  return text.replace(/^([^\S\n]*)\//gm, '$1\u200b/');
}
