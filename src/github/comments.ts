import { itemsOf, type JsonApi, memberAt, numberAt, textAt, valueOf } from '../http/json-api.ts';
import { defined } from '../json/defined.ts';
import type { JsonValue } from '../json/json.ts';
import { type ReportMark, readReportMark } from '../text/report-mark.ts';
import type { GithubPullRequest, GithubRun } from './github-run.ts';

export interface Publisher {
  /** A random id by which this process recognises what it wrote. */
  readonly writer: string;
  readonly wait: (ms: number) => Promise<void>;
}

export const maxPages = 100;
export const maxTries = 4;

/** The first line of what this process writes. */
export function markOf(
  id: string,
  { runId = 0, runAttempt = 1, headSha, jobKey }: GithubRun,
  writer: string,
): ReportMark {
  return { id, runId, part: runAttempt, commit: headSha, writer, job: jobKey };
}

export function openComments(
  api: JsonApi,
  { repository, pullRequest }: GithubRun & { readonly pullRequest: GithubPullRequest },
  author: Author,
) {
  const path = `/repos/${repository}/issues/${pullRequest.number}/comments`;
  const one = `/repos/${repository}/issues/comments`;
  return {
    async findHead() {
      const reply = await api.ask('GET', `/repos/${repository}/pulls/${pullRequest.number}`);
      return textAt(memberAt(valueOf(reply), 'head'), 'sha');
    },
    async list(page: number) {
      const reply = await api.ask('GET', `${path}?per_page=100&page=${page}`);
      if (!reply.ok) return reply;
      return { ok: true as const, comments: itemsOf(reply.value).map((comment) => readComment(comment, author)) };
    },
    async write(id: number | undefined, body: string) {
      const reply =
        id === undefined ? await api.ask('POST', path, { body }) : await api.ask('PATCH', `${one}/${id}`, { body });
      if (!reply.ok) return reply;
      return {
        ok: true as const,
        ...defined({ id: numberAt(reply.value, 'id'), url: textAt(reply.value, 'html_url') }),
      };
    },
    async remove(id: number) {
      return (await api.ask('DELETE', `${one}/${id}`)).ok;
    },
    async read(id: number) {
      const reply = await api.ask('GET', `${one}/${id}`);
      return textAt(valueOf(reply), 'body');
    },
  };
}

function readComment(comment: JsonValue, author: Author) {
  const id = numberAt(comment, 'id');
  // Anyone can write the marker into a comment, so the author decides.
  const isOwn = id !== undefined && isWrittenBy(comment, author);
  return { id: id ?? 0, body: textAt(comment, 'body') ?? '', isOwn };
}

/** The login of the token's owner; undefined if GitHub does not tell it. */
export type Author = string | undefined;

/** GraphQL tells the owner of the token to people and apps, the REST API to people only. */
export async function findAuthor(api: JsonApi, graphqlUrl: string): Promise<Author> {
  const query = { query: 'query { viewer { login } }' };
  const reply = await api.ask('POST', graphqlUrl, query, { canRepeat: true });
  const viewer = textAt(memberAt(memberAt(valueOf(reply), 'data'), 'viewer'), 'login');
  if (viewer !== undefined) return viewer;
  return textAt(valueOf(await api.ask('GET', '/user')), 'login');
}

export function isWrittenBy(comment: JsonValue, author: Author): boolean {
  const user = memberAt(comment, 'user');
  const login = textAt(user, 'login');
  // Other servers with the same API may leave the author out.
  if (login === undefined) return user === undefined;
  // A token whose owner GitHub does not tell is that of an app. No person can write as an app.
  if (author === undefined) return login === 'github-actions[bot]' || textAt(user, 'type') === 'Bot';
  return login.toLowerCase() === author.toLowerCase();
}

/** A comment that this token's owner wrote for a job. */
export interface JobComment {
  readonly id: number;
  readonly nodeId: string;
  readonly mark: ReportMark;
}

/** Every comment of a job on the pull request; empty if they can't be read. */
export async function listJobComments(api: JsonApi, run: GithubRun): Promise<readonly JobComment[]> {
  const { repository, pullRequest } = run;
  if (pullRequest === undefined) return [];
  const author = await findAuthor(api, run.graphqlUrl);
  const found: JobComment[] = [];
  for (let page = 1; page <= maxPages; page += 1) {
    const path = `/repos/${repository}/issues/${pullRequest.number}/comments`;
    const reply = await api.ask('GET', `${path}?per_page=100&page=${page}`);
    if (!reply.ok) return [];
    const comments = itemsOf(reply.value);
    for (const comment of comments) {
      const [id, nodeId] = [numberAt(comment, 'id'), textAt(comment, 'node_id')];
      const mark = readReportMark(textAt(comment, 'body'));
      if (id === undefined || nodeId === undefined || mark === undefined || !isWrittenBy(comment, author)) continue;
      found.push({ id, nodeId, mark });
    }
    if (comments.length < 100) break;
  }
  return found;
}

/**
 * Hides comments as outdated whose jobs have missed a whole commit: this job has reported on one in between. Such a job was
 * removed, renamed or cancelled. A slow one shows its comment again when it reports. `before`: as they were listed before
 * this job wrote its own. What can't be hidden stays: each comment names its commit.
 */
export async function hideOutdated(
  api: JsonApi,
  run: GithubRun,
  { id, before }: { readonly id: string; readonly before: readonly JobComment[] },
): Promise<void> {
  const { headSha, runId = 0 } = run;
  const own = before.filter(({ mark }) => mark.id === id && mark.commit !== headSha && mark.runId < runId);
  for (const { nodeId } of before.filter(({ mark }) => mark.id === id)) await showAgain(api, run, nodeId);
  const last = own.toSorted((a, b) => b.mark.runId - a.mark.runId)[0]?.mark;
  if (last === undefined) return;
  for (const comment of before) {
    const { mark } = comment;
    const isMissed = mark.runId < last.runId && ![headSha, last.commit].includes(mark.commit);
    if (mark.id !== id && isMissed) await hide(api, run, comment);
  }
}

async function hide(api: JsonApi, run: GithubRun, { id, nodeId, mark }: JobComment): Promise<void> {
  const hidden = await mutate(api, run, 'minimizeComment', nodeId, ', classifier: OUTDATED');
  if (hidden === undefined) return;
  // Its job may have reported a moment before.
  const reply = await api.ask('GET', `/repos/${run.repository}/issues/comments/${id}`);
  const now = readReportMark(textAt(valueOf(reply), 'body'));
  if (now !== undefined && now.writer !== mark.writer) await mutate(api, run, 'unminimizeComment', nodeId);
}

/** A comment that a person has hidden for another reason stays hidden. */
async function showAgain(api: JsonApi, run: GithubRun, nodeId: string): Promise<void> {
  const query = {
    query: 'query ($id: ID!) { node(id: $id) { ... on IssueComment { isMinimized minimizedReason } } }',
    variables: { id: nodeId },
  };
  const reply = await api.ask('POST', run.graphqlUrl, query, { canRepeat: true });
  const node = memberAt(memberAt(valueOf(reply), 'data'), 'node');
  const isOutdated = memberAt(node, 'isMinimized') === true && textAt(node, 'minimizedReason') === 'outdated';
  if (isOutdated) await mutate(api, run, 'unminimizeComment', nodeId);
}

/** Undefined if GitHub refuses the request. */
async function mutate(
  api: JsonApi,
  { graphqlUrl }: GithubRun,
  name: 'minimizeComment' | 'unminimizeComment',
  nodeId: string,
  more = '',
): Promise<JsonValue | undefined> {
  const query = {
    query: `mutation ($id: ID!) { ${name}(input: { subjectId: $id${more} }) { clientMutationId } }`,
    variables: { id: nodeId },
  };
  const reply = await api.ask('POST', graphqlUrl, query, { canRepeat: true });
  return memberAt(memberAt(valueOf(reply), 'data'), name);
}
