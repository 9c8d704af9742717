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

/** The branch as the remote has it: a tag or an old local branch may have the same name. */
export function nameBranch(branch: string, cwd: string, env: GitEnvironment): string {
  try {
    const tip = `refs/remotes/origin/${branch}^{commit}`;
    const { status } = runGit({ cwd, env, ref: branch }, ['rev-parse', '--verify', '--quiet', tip]);
    return status === 0 ? `origin/${branch}` : branch;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return branch;
  }
}
