import { type CheckRun, createCheckRun } from '../github/check-run.ts';
import { type GithubApiPorts, openGithubApi } from '../github/github-api.ts';
import { type GithubRun, parseGithubRun } from '../github/github-run.ts';
import { commentMarker, type Published, upsertComment } from '../github/sticky-comment.ts';
import type { JsonValue } from '../json/json.ts';
import { systemClock } from '../model/clock.ts';
import { UserError } from '../model/errors.ts';
import { type GitEnvironment, runGit } from '../project/git/run-git.ts';

export type { CheckRun, Conclusion } from '../github/check-run.ts';
export type { GithubRun } from '../github/github-run.ts';
export type { Published } from '../github/sticky-comment.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface Publication {
  /** Where it is to be kept on the pull request; its marker stands before the body. */
  readonly comment?: { readonly id: string; readonly body: string };
  readonly checkRun?: CheckRun;
}

export interface PublishedParts {
  readonly comment?: Published;
  readonly checkRun?: Published;
}

const requestMs = 30_000;

/** The job that GitHub runs this in; undefined outside of one. */
export function findGithubRun(env: Env, event: JsonValue | undefined): GithubRun | undefined {
  return parseGithubRun(env, event);
}

/** Writes the comment and the check. What fails is told and nothing else: a verdict does not hang on its report. */
export async function publishToGithub(
  run: GithubRun,
  { comment, checkRun }: Publication,
  { env, token, now }: { readonly env: Env; readonly token: string; readonly now: () => Date },
): Promise<PublishedParts> {
  // What speaks HTTP is loaded where it is used: most commands need none.
  const { openHttpClient } = await import('../http/client.ts');
  // A comment that is sent twice is there twice.
  const http = openHttpClient({ env, isFresh: true });
  const { signal: never } = new AbortController();
  const wait = (ms: number): Promise<void> => systemClock.wait(ms, never);
  const send: GithubApiPorts['send'] = (request) => http.send({ ...request, signal: AbortSignal.timeout(requestMs) });
  const api = openGithubApi(run.apiUrl, token, { send, wait, now });
  try {
    const marked = comment && {
      marker: commentMarker(comment.id),
      body: `${commentMarker(comment.id)}\n${comment.body}`,
    };
    return {
      ...(marked !== undefined && { comment: await upsertComment(api, run, marked, wait) }),
      ...(checkRun !== undefined && { checkRun: await createCheckRun(api, run, checkRun) }),
    };
  } finally {
    http.close();
  }
}

/** Why nothing of a run may be published: it would stand under a commit that was not tested. Undefined where it may. */
export function findPublishFault(
  { eventName, headSha, workflowSha, pullRequest }: GithubRun,
  { cwd, env }: { readonly cwd: string; readonly env: GitEnvironment },
): string | undefined {
  if (eventName === 'pull_request_target') {
    return 'a job of pull_request_target checks out the base, or code that must not meet its secrets; use pull_request';
  }
  const checkout = readCheckout(cwd, env);
  if (checkout === undefined || headSha === '' || checkout === headSha) return undefined;
  // By default the runner checks out the head, merged into the base.
  if (eventName === 'pull_request' && pullRequest !== undefined && checkout === workflowSha) return undefined;
  return `the checkout is at ${checkout.slice(0, 12)}, and the report would stand under ${headSha.slice(0, 12)}`;
}

/** Undefined where it can't be known, such as outside of a repository. */
function readCheckout(cwd: string, env: GitEnvironment): string | undefined {
  try {
    const { status, stdout } = runGit({ cwd, env, ref: 'HEAD' }, ['rev-parse', '--verify', 'HEAD']);
    return status === 0 ? stdout.toString('utf8').trim() : undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
}
