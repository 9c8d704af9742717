import { type CheckRun, createCheckRun } from '../github/checks.ts';
import { findAuthor, hideOutdated, listJobComments, markOf, openComments, type Publisher } from '../github/comments.ts';
import { type DriftIssue, type KeptIssue, keepIssue } from '../github/drift-issue.ts';
import { type ForeignRun, type GithubRun, openGithubApi, readForeignRun } from '../github/github-run.ts';
import type { JsonApi } from '../http/json-api.ts';
import { defined } from '../json/defined.ts';
import type { JsonValue } from '../json/json.ts';
import type { Published } from '../model/report/report.ts';
import type { GitEnvironment } from '../project/git/run-git.ts';
import type { ReportMark } from '../text/report-mark.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { clipText } from '../text/shorten.ts';
import { findCommitFault, type JobIdentity, readCheckout } from './job.ts';
import { type PublishPorts, upsertComment, withApiPorts } from './upsert-comment.ts';

/** Writes the comment and the check. Failures are returned: they do not change the verdict of the run. */
export function publishToGithub(
  run: GithubRun,
  { comment, checkRun }: { readonly comment?: GithubComment; readonly checkRun?: CheckRun },
  ports: PublishPorts,
): Promise<{ readonly comment?: Published; readonly checkRun?: Published }> {
  return withApi(run, ports, async (api, publisher) =>
    defined({
      comment: comment && (await keepComment(api, run, comment, publisher)),
      checkRun: checkRun && (await createCheckRun(api, run, checkRun, publisher)),
    }),
  );
}

async function keepComment(
  api: JsonApi,
  run: GithubRun,
  comment: GithubComment,
  publisher: Publisher,
): Promise<Published> {
  const before = await listJobComments(api, run);
  const published = await upsertGithubComment(api, run, comment, publisher);
  if (published.ok) await hideOutdated(api, run, { id: comment.id, before });
  return published;
}

/** Opens or updates the issue of a drift, or closes it where the drift is over. */
export function publishIssue(run: GithubRun, issue: DriftIssue, ports: PublishPorts): Promise<KeptIssue> {
  return withApi(run, ports, (api, publisher) => keepIssue(api, run, issue, publisher));
}

/** The job of a fork whose end started this one, with the pull request that it tested. */
export function findForeignRun(run: GithubRun, event: JsonValue | undefined, ports: PublishPorts): Promise<ForeignRun> {
  return withApi(run, ports, (api) => readForeignRun(api, run, event));
}

function withApi<T>(
  { apiUrl }: GithubRun,
  ports: PublishPorts,
  use: (api: JsonApi, publisher: Publisher) => Promise<T>,
): Promise<T> {
  const { token, writer } = ports;
  return withApiPorts(ports, (api) => use(openGithubApi(apiUrl, token, api), { writer, wait: api.wait }));
}

export interface GithubComment {
  /** Tells several comments on one pull request apart. */
  readonly id: string;
  /** Markdown. */
  readonly body: string;
}

export async function upsertGithubComment(
  api: JsonApi,
  run: GithubRun,
  { id, body }: GithubComment,
  { writer, wait }: Publisher,
): Promise<Published> {
  const { pullRequest } = run;
  if (pullRequest === undefined) return { ok: false, message: 'the event is about no pull request' };
  const comments = openComments(api, { ...run, pullRequest }, await findAuthor(api, run.graphqlUrl));
  const mark = markOf(id, run, writer);
  const isSameJob = (other: ReportMark): boolean => other.job === mark.job;
  // Another job of the run: of the same attempt, or of an earlier one with other flags.
  const isSibling = (other: ReportMark): boolean =>
    other.writer !== writer && other.runId === run.runId && (other.part === mark.part || !isSameJob(other));
  const isOfEarlier = (other: ReportMark): boolean =>
    other.runId === run.runId && other.part < mark.part && isSameJob(other);
  const isEarlierAttempt = mark.part > 1 ? isOfEarlier : undefined;
  const comment = { mark, body, isSibling, isSameJob, isEarlierAttempt, noun: 'pull request' as const };
  return upsertComment(comments, comment, wait);
}

/** Why a run must not be published; undefined where it may. */
export function findPublishFault(
  { eventName, headSha, workflowSha, pullRequest }: GithubRun,
  where: { readonly cwd: string; readonly env: GitEnvironment; readonly testedSha?: string },
): string | undefined {
  if (eventName === 'pull_request_target') {
    return 'a job of pull_request_target checks out the base, or code that must not meet its secrets; use pull_request';
  }
  // By default the runner checks out the head, merged into the base.
  const isRunOfHead = eventName === 'pull_request' && pullRequest !== undefined;
  return findCommitFault({ headSha, runSha: workflowSha, isRunOfHead }, where);
}

/** The address of the repository's files at the commit that is checked out. */
export function findBlobUrl(
  { repositoryUrl, headSha }: GithubRun,
  { cwd, env }: { readonly cwd: string; readonly env: GitEnvironment },
): string | undefined {
  const commit = readCheckout(cwd, env) ?? headSha;
  return commit === '' ? undefined : `${repositoryUrl}/blob/${commit}`;
}

/** A job for a push can test the same commit as one for a pull request, against another baseline. */
export function nameCheck({ id, label }: JobIdentity, github: GithubRun | undefined): string {
  const { eventName = '' } = github ?? {};
  // A required check has one name in the pull request and in the merge queue.
  const isGate = ['', 'pull_request', 'merge_group'].includes(eventName);
  const name = label === '' ? 'llmcheck' : `llmcheck (${shortenLabel(toSafeLine(label), id)})`;
  return isGate ? name : `${name} (${eventName})`;
}

/** The values of a matrix may be long texts. The hash of the id tells apart what begins alike. */
function shortenLabel(label: string, id: string): string {
  return label.length <= maxLabelUnits ? label : `${clipText(label, maxLabelUnits)}… ${id.slice(-8)}`;
}

const maxLabelUnits = 150;
