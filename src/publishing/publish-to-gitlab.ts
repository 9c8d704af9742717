import { type GitlabRun, openGitlabApi, openNotes } from '../gitlab/gitlab.ts';
import type { Published } from '../model/report.ts';
import type { GitEnvironment } from '../project/git/run-git.ts';
import type { ReportMark } from '../text/report-mark.ts';
import { readCheckout } from './job.ts';
import { type PublishPorts, pageSize, upsertComment, withApiPorts } from './upsert-comment.ts';

export { type GitlabRun, parseGitlabRun } from '../gitlab/gitlab.ts';

/** Writes the note of a merge request. Failures are returned: they do not change the verdict of the run. */
export async function publishNote(
  { apiUrl, mergeRequest, pipelineId, jobKey, headSha }: GitlabRun,
  { id, body }: { readonly id: string; readonly body: string },
  ports: PublishPorts,
): Promise<Published> {
  const { token, writer } = ports;
  if (mergeRequest === undefined) return { ok: false, message: 'the pipeline is about no merge request' };
  return withApiPorts(ports, async (api) => {
    const notes = await openNotes(openGitlabApi(apiUrl, token, api), mergeRequest, pageSize);
    if (!notes.ok) return notes;
    const mark = { id, runId: pipelineId, part: jobKey, commit: headSha, writer };
    const isSameJob = (other: ReportMark): boolean => other.part === jobKey;
    const isSibling = (other: ReportMark): boolean => other.runId === pipelineId && !isSameJob(other);
    return upsertComment(notes, { mark, body, isSibling, isSameJob, noun: 'merge request' }, api.wait);
  });
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
