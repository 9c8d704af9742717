import type { GithubRun } from '../github/github-run.ts';
import { UserError } from '../model/errors.ts';
import { type GitEnvironment, runGit } from '../project/git/run-git.ts';

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
