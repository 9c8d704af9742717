import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { UserError } from '../errors.ts';
import { didYouMean } from '../lib/did-you-mean.ts';
import { quote } from '../lib/quote.ts';
import { environmentError, type Git, type GitEnvironment, recordError, runGit } from './run-git.ts';

/** A commit whose files can be read without checking it out. */
export interface GitRef {
  /** As the user wrote it, without `git:`. */
  readonly name: string;
  /** The whole hash. */
  readonly commit: string;
  /** By absolute path; undefined where the commit has no such file. Links within the repository are followed. */
  readFile(path: string): string | undefined;
  /** The files in a folder and below as absolute paths, sorted; links and submodules are left out. */
  listFiles(folder: string): readonly string[];
}

/**
 * Finds the commit that a ref means in the repository around `cwd`: `REF`, else `origin/REF`; `REF...` is where HEAD left it.
 * Nothing is fetched and nothing is written; what can't be found is a UserError with the command that mends it.
 */
export function openGitRef(cwd: string, refText: string, env: GitEnvironment): GitRef {
  const git: Git = { cwd, env, ref: refText };
  const [left = '', right] = splitRange(refText);
  for (const ref of right === undefined ? [left] : [left, right]) checkRef(ref, refText);
  const { root, isShallow } = findRepository(git);
  const commit = right === undefined ? findCommit(git, left, isShallow) : findMergeBase(git, [left, right], isShallow);
  return {
    name: refText,
    commit,
    readFile: (path) => readBlob(git, commit, pathWithin(git, root, path)),
    listFiles: (folder) => listBlobs(git, commit, pathWithin(git, root, folder)).map((path) => resolve(root, path)),
  };
}

/** `main...` are two refs, as git itself reads it; what is missing on the right is HEAD. */
function splitRange(refText: string): readonly string[] {
  const at = refText.indexOf('...');
  return at === -1 ? [refText] : [refText.slice(0, at), refText.slice(at + 3) || 'HEAD'];
}

function checkRef(ref: string, refText: string): void {
  const fault =
    ref === ''
      ? 'names no ref'
      : ref.startsWith('-')
        ? 'is no ref: none begins with a dash'
        : /\p{Cc}/u.test(ref)
          ? 'is no ref: it holds a control character'
          : undefined;
  if (fault === undefined) return;
  throw recordError(`${quote(`git:${refText}`)} ${fault}.`, 'write a branch, tag or commit, such as `git:main`');
}

function findRepository(git: Git): { readonly root: string; readonly isShallow: boolean } {
  const { status, stdout, complaint } = runGit(git, ['rev-parse', '--show-toplevel', '--is-shallow-repository']);
  if (status === 0) {
    const lines = stdout.toString('utf8').trimEnd().split('\n');
    return { root: resolve(lines.slice(0, -1).join('\n')), isShallow: lines.at(-1) === 'true' };
  }
  if (complaint.includes('dubious ownership')) {
    const root = /'(.+)'/.exec(complaint)?.[1] ?? git.cwd;
    const message = `git does not trust the repository ${root}: it belongs to another user.`;
    throw environmentError(message, `run \`git config --global --add safe.directory ${shellQuote(root)}\``);
  }
  if (!complaint.includes('not a git repository')) {
    throw environmentError(`git can't read the repository around ${git.cwd}: ${complaint}.`);
  }
  const message = `git:${git.ref} can't be read: ${git.cwd} is in no git repository.`;
  throw environmentError(message, 'run in a checkout, or name a baseline file in place of a git ref');
}

function findCommit(git: Git, ref: string, isShallow: boolean): string {
  for (const name of [ref, `origin/${ref}`]) {
    const { status, stdout } = runGit(git, ['rev-parse', '--verify', '--quiet', `${name}^{commit}`]);
    const commit = stdout.toString('utf8').trim();
    // Text such as `^main` also passes git's check, but names no commit.
    if (status === 0 && /^[0-9a-f]{40,64}$/.test(commit)) return commit;
  }
  const message = `There is no commit ${quote(ref)} in this repository, and no "origin/${ref}".`;
  throw recordError(message, mendUnknownRef(git, ref, isShallow));
}

function mendUnknownRef(git: Git, ref: string, isShallow: boolean): string {
  if (ref === 'HEAD') return 'commit something first';
  const { stdout } = runGit(git, ['for-each-ref', '--format=%(refname:lstrip=2)']);
  const suggestion = didYouMean(ref, stdout.toString('utf8').split('\n'));
  const fetch = fetchCommand(ref);
  // A merge-base lies further back than the tip that a shallow clone would fetch.
  const isTipEnough = !(isShallow && git.ref.includes('...'));
  const command =
    fetch === undefined || isTipEnough
      ? (fetch ?? (isShallow ? unshallow : undefined))
      : fetch.replace('fetch', 'fetch --unshallow');
  if (command === undefined) return suggestion ?? '`git branch --all` and `git tag` show those that there are';
  return suggestion === undefined ? `run \`${command}\`` : `${suggestion} If not, run \`${command}\``;
}

/** Only what is harmless in any shell is offered as a part of a command. */
function fetchCommand(ref: string): string | undefined {
  if (/^[0-9a-f]{40,64}$/.test(ref)) return `git fetch origin ${ref}`;
  const branch = ref.replace(/^origin\//, '');
  if (!/^\w[\w./-]*$/.test(branch) || branch.includes('..') || /^[0-9a-f]{7,}$/.test(branch)) return undefined;
  // A clone of a single branch keeps no other unless it is told where.
  return `git fetch origin ${branch}:refs/remotes/origin/${branch}`;
}

const unshallow = 'git fetch --unshallow origin';

function findMergeBase(git: Git, refs: readonly string[], isShallow: boolean): string {
  const commits = refs.map((ref) => findCommit(git, ref, isShallow));
  const { status, stdout, complaint } = runGit(git, ['merge-base', ...commits]);
  const commit = stdout.toString('utf8').trim();
  if (status === 0) return commit;
  const [left, right] = refs.map((ref) => quote(ref));
  if (isShallow) {
    const message = `The commit where ${right} left ${left} is not in this shallow clone.`;
    throw recordError(message, `run \`${unshallow}\`, or \`git fetch --deepen=200 origin\` where that is too much`);
  }
  if (status !== 1) throw recordError(`git can't tell where ${right} left ${left}: ${complaint}.`);
  throw recordError(
    `${right} and ${left} have no commit in common.`,
    `write \`git:${refs[0]}\` to take that commit itself`,
  );
}

/** The path as git names it: from the repository's root, with slashes. */
function pathWithin({ cwd, ref }: Git, root: string, path: string): string {
  // Git answers with links resolved, and a path may lead through one to the repository.
  const inside = findInside(root, resolve(cwd, path)) ?? findInside(root, realPathOf(resolve(cwd, path)));
  if (inside === undefined)
    throw recordError(`${path} lies outside the repository ${root}, so git:${ref} can't hold it.`);
  if (inside.includes('\n')) throw recordError(`${quote(path)} can't be asked of git: its name holds a line break.`);
  return inside.split(sep).join('/');
}

/** The way from a folder to a path in it; undefined where it is not in it. */
function findInside(folder: string, path: string): string | undefined {
  const way = relative(folder, path);
  return way.split(sep)[0] === '..' || isAbsolute(way) ? undefined : way;
}

/** With links resolved; of a path that does not exist, those of the nearest folder that does. */
function realPathOf(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  return dirname(path) === path ? path : join(realPathOf(dirname(path)), basename(path));
}

function readBlob(git: Git, commit: string, path: string): string | undefined {
  const { status, stdout, complaint } = runGit(
    git,
    ['cat-file', '--batch', '--follow-symlinks'],
    `${commit}:${path}\n`,
  );
  if (status !== 0) throw unreadable(git, commit, path, complaint);
  const end = stdout.indexOf('\n');
  const answer = stdout.toString('utf8', 0, end);
  const size = /^[0-9a-f]{40,64} blob (\d+)$/.exec(answer)?.[1];
  if (size !== undefined) return decode(git, path, stdout.subarray(end + 1, end + 1 + Number(size)));
  if (answer.endsWith(' missing')) return checkMissing(git, commit, path);
  if (answer.startsWith('symlink ')) {
    const target = stdout.toString('utf8', end + 1).trimEnd();
    throw recordError(
      `${path} at git:${git.ref} is a link out of the repository, to ${quote(target)}.`,
      'commit the file itself',
    );
  }
  if (answer.startsWith('loop ')) throw recordError(`${path} at git:${git.ref} is a link that leads back to itself.`);
  // A link to what the commit does not have, or a path through a file.
  if (/^(?:dangling|notdir) /.test(answer)) return undefined;
  throw recordError(`${path || 'The root'} at git:${git.ref} is a folder, not a file.`);
}

/** "Missing" may also mean a submodule, or a partial clone that left the file behind: neither is the same as no file. */
function checkMissing(git: Git, commit: string, path: string): undefined {
  const parts = path.split('/');
  const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  for (const entry of listEntries(git, commit, paths)) {
    if (entry.type === 'commit' && paths.includes(entry.path)) {
      const hint = 'run llmcheck in the submodule: it has a history of its own';
      throw recordError(`${path} at git:${git.ref} lies in the submodule ${entry.path}.`, hint);
    }
    if (entry.path === path) throw unreadable(git, commit, path, 'its content is not in this clone');
  }
  return undefined;
}

function listBlobs(git: Git, commit: string, folder: string): string[] {
  const entries = listEntries(git, commit, folder === '' ? [] : [`${folder}/`], ['-r']);
  const paths = entries.filter(({ mode, type }) => type === 'blob' && mode !== linkMode).map(({ path }) => path);
  return paths.sort();
}

const linkMode = '120000';

interface TreeEntry {
  readonly mode: string;
  /** `commit` is a submodule. */
  readonly type: string;
  readonly path: string;
}

function listEntries(git: Git, commit: string, paths: readonly string[], options: readonly string[] = []): TreeEntry[] {
  const { status, stdout, complaint } = runGit(git, [
    'ls-tree',
    '-z',
    '--full-tree',
    ...options,
    commit,
    '--',
    ...paths,
  ]);
  if (status !== 0) throw unreadable(git, commit, paths.at(-1) ?? '', complaint);
  return stdout
    .toString('utf8')
    .split('\0')
    .flatMap((line) => {
      const [, mode = '', type = '', path = ''] = /^(\d+) (\w+) \w+\t([^]*)$/.exec(line) ?? [];
      return path === '' ? [] : [{ mode, type, path }];
    });
}

function decode({ ref }: Git, path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw recordError(`${path} at git:${ref} is not UTF-8 text.`, 'commit it as UTF-8', error);
  }
}

function unreadable({ ref }: Git, commit: string, path: string, reason: string): UserError {
  const hint = `\`git show ${shellQuote(`${commit}:${path}`)}\` reads it, and fetches it where the clone is partial`;
  return recordError(`${path || 'The root'} at git:${ref} can't be read: ${reason}.`, hint);
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
