import {
  type CheckRun,
  type Comment,
  createCheckRun,
  type Published,
  type Publisher,
  upsertComment,
} from '../github/comments-and-checks.ts';
import { type DriftIssue, type KeptIssue, keepIssue } from '../github/drift-issue.ts';
import { type GithubApi, type GithubApiPorts, openGithubApi } from '../github/github-api.ts';
import type { GithubRun } from '../github/github-run.ts';
import { defined } from '../json/defined.ts';
import { systemClock } from '../model/clock.ts';
import type { GitEnvironment } from '../project/git/run-git.ts';
import { readCheckout } from './checkout.ts';

export type { Conclusion } from '../github/comments-and-checks.ts';
export type { DriftIssue, KeptIssue } from '../github/drift-issue.ts';
export { type GithubRun, parseGithubRun } from '../github/github-run.ts';
export { listJobParts } from '../github/job-identity.ts';

const requestMs = 30_000;

export interface PublishPorts {
  readonly env: GitEnvironment;
  readonly token: string;
  readonly now: () => Date;
  /** Drawn at random for this process: letters and digits. */
  readonly writer: string;
}

/** Writes the comment and the check. Failures are returned: they do not change the verdict of the run. */
export function publishToGithub(
  run: GithubRun,
  { comment, checkRun }: { readonly comment?: Comment; readonly checkRun?: CheckRun },
  ports: PublishPorts,
): Promise<{ readonly comment?: Published; readonly checkRun?: Published }> {
  return withApi(run, ports, async (api, publisher) =>
    defined({
      comment: comment && (await upsertComment(api, run, comment, publisher)),
      checkRun: checkRun && (await createCheckRun(api, run, checkRun, publisher)),
    }),
  );
}

/** Opens or updates the issue of a drift, or closes it where the drift is over. */
export function publishIssue(run: GithubRun, issue: DriftIssue, ports: PublishPorts): Promise<KeptIssue> {
  return withApi(run, ports, (api, publisher) => keepIssue(api, run, issue, publisher));
}

async function withApi<T>(
  { apiUrl }: GithubRun,
  { env, token, now, writer }: PublishPorts,
  use: (api: GithubApi, publisher: Publisher) => Promise<T>,
): Promise<T> {
  // Loaded here, since a run without a comment and a check sends nothing to GitHub.
  const { openHttpClient } = await import('../http/client.ts');
  // A creation that is repeated on a stale connection would make two comments.
  const http = openHttpClient({ env, isFresh: true });
  const { signal: never } = new AbortController();
  const wait = (ms: number): Promise<void> => systemClock.wait(ms, never);
  const send: GithubApiPorts['send'] = (request) => http.send({ ...request, signal: AbortSignal.timeout(requestMs) });
  try {
    return await use(openGithubApi(apiUrl, token, { send, wait, now }), { writer, wait });
  } finally {
    http.close();
  }
}

/**
 * Why a run must not be published: its report would appear on a commit that was not tested. Undefined where it may.
 * `testedSha` is the commit that a stored run names.
 */
export function findPublishFault(
  { eventName, headSha, workflowSha, pullRequest }: GithubRun,
  { cwd, env, testedSha }: { readonly cwd: string; readonly env: GitEnvironment; readonly testedSha?: string },
): string | undefined {
  if (eventName === 'pull_request_target') {
    return 'a job of pull_request_target checks out the base, or code that must not meet its secrets; use pull_request';
  }
  const checkout = readCheckout(cwd, env);
  if (testedSha !== undefined && ![headSha, workflowSha, checkout].includes(testedSha)) {
    return `the stored run tested ${testedSha.slice(0, 12)}, and the report would appear on ${headSha.slice(0, 12)}`;
  }
  if (checkout === undefined || headSha === '' || checkout === headSha) return undefined;
  // By default the runner checks out the head, merged into the base.
  if (eventName === 'pull_request' && pullRequest !== undefined && checkout === workflowSha) return undefined;
  return `the checkout is at ${checkout.slice(0, 12)}, and the report would appear on ${headSha.slice(0, 12)}`;
}

/** The address of the repository's files at the commit that is checked out. */
export function findBlobUrl(
  { repositoryUrl, headSha }: GithubRun,
  { cwd, env }: { readonly cwd: string; readonly env: GitEnvironment },
): string | undefined {
  const commit = readCheckout(cwd, env) ?? headSha;
  return commit === '' ? undefined : `${repositoryUrl}/blob/${commit}`;
}
