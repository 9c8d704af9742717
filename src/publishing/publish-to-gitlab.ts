import type { GitlabRun } from '../gitlab/gitlab-run.ts';
import { openGitlabApi, openNotes } from '../gitlab/notes.ts';
import type { ApiPorts } from '../http/json-api.ts';
import { systemClock } from '../model/clock.ts';
import type { GitEnvironment } from '../project/git/run-git.ts';
import { readCheckout } from './checkout.ts';
import { type Published, pageSize, upsertComment } from './upsert-comment.ts';

export { type GitlabRun, type MergeRequest, parseGitlabRun } from '../gitlab/gitlab-run.ts';
export type { Published } from './upsert-comment.ts';

const requestMs = 30_000;

export interface GitlabPorts {
  readonly env: GitEnvironment;
  readonly token: string;
  readonly now: () => Date;
  /** Drawn at random for this process: letters and digits. */
  readonly writer: string;
}

/** Writes the note of a merge request. Failures are returned: they do not change the verdict of the run. */
export async function publishNote(
  { apiUrl, mergeRequest, pipelineId, jobKey, headSha }: GitlabRun,
  { id, body }: { readonly id: string; readonly body: string },
  { env, token, now, writer }: GitlabPorts,
): Promise<Published> {
  if (mergeRequest === undefined) return { ok: false, message: 'the pipeline is about no merge request' };
  const { openHttpClient } = await import('../http/client.ts');
  // A creation that is repeated on a stale connection would make two notes.
  const http = openHttpClient({ env, isFresh: true });
  const { signal: never } = new AbortController();
  const wait = (ms: number): Promise<void> => systemClock.wait(ms, never);
  const send: ApiPorts['send'] = (request) => http.send({ ...request, signal: AbortSignal.timeout(requestMs) });
  try {
    const notes = await openNotes(openGitlabApi(apiUrl, token, { send, wait, now }), mergeRequest, pageSize);
    if (!notes.ok) return notes;
    const mark = { id, runId: pipelineId, part: jobKey, commit: headSha, writer };
    const isSibling = (other: { readonly runId: number; readonly part: number }): boolean =>
      other.runId === pipelineId && other.part !== jobKey;
    return await upsertComment(notes, { mark, body, isSibling, noun: 'merge request' }, wait);
  } finally {
    http.close();
  }
}

/** Why a note must not be written: its report would appear on a commit that was not tested. Undefined where it may. */
export function findNoteFault(
  { headSha, pipelineSha }: GitlabRun,
  { cwd, env, testedSha }: { readonly cwd: string; readonly env: GitEnvironment; readonly testedSha?: string },
): string | undefined {
  const head = headSha.slice(0, 12);
  const checkout = readCheckout(cwd, env);
  if (testedSha !== undefined && ![headSha, pipelineSha, checkout].includes(testedSha)) {
    return `the stored run tested ${testedSha.slice(0, 12)}, and the report would appear on ${head}`;
  }
  if (checkout === undefined || headSha === '' || [headSha, pipelineSha].includes(checkout)) return undefined;
  return `the checkout is at ${checkout.slice(0, 12)}, and the report would appear on ${head}`;
}

/** The address of the repository's files at the commit that is checked out. */
export function findGitlabBlobUrl(
  { projectUrl, pipelineSha }: GitlabRun,
  { cwd, env }: { readonly cwd: string; readonly env: GitEnvironment },
): string | undefined {
  const commit = readCheckout(cwd, env) ?? pipelineSha;
  return commit === '' || projectUrl === '' ? undefined : `${projectUrl}/-/blob/${commit}`;
}
