import type { JsonValue } from '../json/json.ts';
import { type ReportMark, readReportMark } from '../text/report-mark.ts';
import { findAuthor, isWrittenBy, maxPages } from './comments-and-checks.ts';
import { type GithubApi, memberAt, numberAt, textAt } from './github-api.ts';
import type { GithubRun } from './github-run.ts';

/** A comment that this token's owner wrote for a job. */
export interface JobComment {
  readonly id: number;
  readonly nodeId: string;
  readonly mark: ReportMark;
}

/** Every comment of a job on the pull request; empty where they can't be read. */
export async function listJobComments(api: GithubApi, run: GithubRun): Promise<readonly JobComment[]> {
  const { repository, pullRequest } = run;
  if (pullRequest === undefined) return [];
  const author = await findAuthor(api, run.graphqlUrl);
  const found: JobComment[] = [];
  for (let page = 1; page <= maxPages; page += 1) {
    const path = `/repos/${repository}/issues/${pullRequest.number}/comments`;
    const reply = await api.ask('GET', `${path}?per_page=100&page=${page}`);
    if (!reply.ok || !Array.isArray(reply.value)) return [];
    for (const comment of reply.value) {
      const [id, nodeId] = [numberAt(comment, 'id'), textAt(comment, 'node_id')];
      const mark = readReportMark(textAt(comment, 'body') ?? '');
      if (id === undefined || nodeId === undefined || mark === undefined || !isWrittenBy(comment, author)) continue;
      found.push({ id, nodeId, mark });
    }
    if (reply.value.length < 100) break;
  }
  return found;
}

/**
 * Hides comments as outdated whose jobs have missed a whole commit: this job has reported on one in between. Such a job was
 * removed, renamed or cancelled. A slow one shows its comment again when it reports. `before`: as they were listed before
 * this job wrote its own. What can't be hidden stays: each comment names its commit.
 */
export async function hideOutdated(
  api: GithubApi,
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

async function hide(api: GithubApi, run: GithubRun, { id, nodeId, mark }: JobComment): Promise<void> {
  const hidden = await mutate(api, run, 'minimizeComment', nodeId, ', classifier: OUTDATED');
  if (hidden === undefined) return;
  // Its job may have reported a moment before.
  const reply = await api.ask('GET', `/repos/${run.repository}/issues/comments/${id}`);
  const now = reply.ok ? readReportMark(textAt(reply.value, 'body') ?? '') : undefined;
  if (now !== undefined && now.writer !== mark.writer) await mutate(api, run, 'unminimizeComment', nodeId);
}

/** A comment that a person has hidden for another reason stays hidden. */
async function showAgain(api: GithubApi, run: GithubRun, nodeId: string): Promise<void> {
  const query = {
    query: 'query ($id: ID!) { node(id: $id) { ... on IssueComment { isMinimized minimizedReason } } }',
    variables: { id: nodeId },
  };
  const reply = await api.ask('POST', run.graphqlUrl, query, { canRepeat: true });
  const node = reply.ok ? memberAt(memberAt(reply.value, 'data'), 'node') : undefined;
  const isOutdated = memberAt(node, 'isMinimized') === true && textAt(node, 'minimizedReason') === 'outdated';
  if (isOutdated) await mutate(api, run, 'unminimizeComment', nodeId);
}

/** Undefined where GitHub refuses it. */
async function mutate(
  api: GithubApi,
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
  return reply.ok ? memberAt(memberAt(reply.value, 'data'), name) : undefined;
}
