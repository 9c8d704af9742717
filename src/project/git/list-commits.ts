import { checkRefs, findRepository, type GitEnvironment, recordError, resolveCommit, runGit } from './run-git.ts';

/** A commit of the history, as a person finds it. */
export interface HistoryCommit {
  readonly hash: string;
  readonly subject: string;
}

/** The commits after a ref up to HEAD that changed one of the files, the oldest first; those of a merged branch as one. */
export function listCommits(
  cwd: string,
  ref: string,
  { env, paths }: { readonly env: GitEnvironment; readonly paths: readonly string[] },
): readonly HistoryCommit[] {
  const git = { cwd, env, ref };
  checkRefs(ref);
  const repository = findRepository(git);
  const start = resolveCommit(git, repository);
  const args = ['log', '--first-parent', '-m', '--reverse', '-z', '--format=%H %s', `${start}..HEAD`, '--', ...paths];
  const { status, stdout, complaint } = runGit(git, args);
  if (status !== 0) throw recordError(`The commits since git:${ref} can't be listed: ${complaint}.`);
  return stdout
    .toString('utf8')
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => ({ hash: line.slice(0, line.indexOf(' ')), subject: line.slice(line.indexOf(' ') + 1) }));
}
