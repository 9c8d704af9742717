import { UserError } from '../model/problem.ts';
import { type GitEnvironment, runGit } from '../project/git/run-git.ts';

/** The commit that is checked out. Undefined where it can't be known, such as outside of a repository. */
export function readCheckout(cwd: string, env: GitEnvironment): string | undefined {
  try {
    const { status, stdout } = runGit({ cwd, env, ref: 'HEAD' }, ['rev-parse', '--verify', 'HEAD']);
    return status === 0 ? stdout.toString('utf8').trim() : undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
}

/**
 * The branch as the remote has it: a tag or an old local branch may have the same name. `knownSha` is a commit of it that the
 * event names. It is taken itself where the branch was last fetched before.
 */
export function nameBranch(branch: string, cwd: string, env: GitEnvironment, knownSha = ''): string {
  const git = { cwd, env, ref: branch };
  try {
    const tip = `refs/remotes/origin/${branch}^{commit}`;
    if (runGit(git, ['rev-parse', '--verify', '--quiet', tip]).status !== 0) return branch;
    const isOld =
      /^[0-9a-f]{40,64}$/.test(knownSha) && runGit(git, ['merge-base', '--is-ancestor', knownSha, tip]).status === 1;
    return isOld ? knownSha : `origin/${branch}`;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return branch;
  }
}
