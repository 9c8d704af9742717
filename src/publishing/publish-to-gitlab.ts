import { type GitlabRun, openGitlabApi, openNotes } from '../gitlab/gitlab.ts';
import type { Published } from '../model/report/report.ts';
import type { GitEnvironment } from '../project/git/run-git.ts';
import type { ReportMark } from '../text/report-mark.ts';
import { toSafeLine } from '../text/sanitize.ts';
import type { ToPublish } from './ci-outcome.ts';
import { findCommitFault, hintOfToken, type JobIo, publishPorts, readCheckout } from './job.ts';
import { type PublishPorts, pageSize, upsertComment, withApiPorts } from './upsert-comment.ts';

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

/** Why a note must not be written; undefined where it may. */
export function findNoteFault(
  { headSha, pipelineSha }: GitlabRun,
  where: { readonly cwd: string; readonly env: GitEnvironment; readonly testedSha?: string },
): string | undefined {
  return findCommitFault({ headSha, runSha: pipelineSha, isRunOfHead: true }, where);
}

/** The address of the repository's files at the commit that is checked out. */
export function findGitlabBlobUrl(
  { projectUrl, pipelineSha }: GitlabRun,
  { cwd, env }: { readonly cwd: string; readonly env: GitEnvironment },
): string | undefined {
  const commit = readCheckout(cwd, env) ?? pipelineSha;
  return commit === '' || projectUrl === '' ? undefined : `${projectUrl}/-/blob/${commit}`;
}

/** Keeps the note of the job. What can't be written is a warning. */
export async function keepNote(
  { outcome, mask, origin }: Pick<ToPublish, 'outcome' | 'mask' | 'origin'>,
  { gitlab, id, root }: { readonly gitlab: GitlabRun | undefined; readonly id: string; readonly root: string },
  io: JobIo,
): Promise<void> {
  const warn = (text: string): void => {
    io.stderr.write(`warning: ${toSafeLine(mask(text))}\n`);
  };
  if (gitlab === undefined) {
    warn('the note was not written: CI_PROJECT_ID names no project');
    return;
  }
  if (gitlab.mergeRequest === undefined) {
    if (gitlab.isBesideMergeRequest) warn(`the note was not written: ${branchHint}`);
    return;
  }
  if (origin.shard !== undefined) {
    io.stderr.write(
      'note: a shard has no note: its verdict is not that of the run. Publish all shards with `llmcheck ci gitlab --merge FOLDER`.\n',
    );
    return;
  }
  const fault = findNoteFault(gitlab, { ...origin, cwd: root, env: io.env });
  if (fault !== undefined) {
    warn(`the note was not written: ${fault}`);
    return;
  }
  const token = io.env['GITLAB_TOKEN'] ?? '';
  if (token === '') {
    warn(`the note was not written: ${gitlab.mergeRequest.isForeign ? forkHint : missingHint}`);
    return;
  }
  const note = { id, body: mask(outcome.body) };
  const published = await publishNote(gitlab, note, publishPorts(io, token));
  if (!published.ok) warn(`the note was not written: ${published.message}${hintOfToken(published, tokenHints)}`);
  else if (published.isShared === true) warn(`another job of this pipeline has the same note. ${sharedHint}`);
}

const branchHint =
  'this is a pipeline of the branch; add `rules: [{ if: $CI_PIPELINE_SOURCE == "merge_request_event" }]` to the job';
const forkHint = 'a pipeline of a fork has no token of the project; the job log and the reports have the verdict';
const missingHint =
  'GITLAB_TOKEN is not set; make a project access token with the scope api and the role Reporter, and add it as a masked CI/CD variable that is not protected';
const sharedHint = 'Both are kept. Give each job its own --id.';

const tokenHints = {
  invalid: '; GITLAB_TOKEN is not valid or has expired: make a new project access token',
  forbidden: '; GITLAB_TOKEN needs the scope api, and the role Reporter in this project',
  isForbidden: (message: string) => !/rate limit/i.test(message),
};
