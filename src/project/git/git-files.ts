import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, posix, relative, resolve, sep } from 'node:path';
import type { UserError } from '../../model/problem.ts';
import { attempt } from '../../text/attempt.ts';
import { shellWord } from '../../text/code/command-line.ts';
import { quote } from '../../text/shorten.ts';
import { toSlashes } from '../../text/to-slashes.ts';
import {
  type Commits,
  checkRefs,
  findRepository,
  type Git,
  type GitEnvironment,
  type Repository,
  recordError,
  resolveCommits,
  runGit,
} from './run-git.ts';

/** A commit whose files can be read without checking it out. */
export interface GitRef {
  /** The ref as the user wrote it, without `git:`. */
  readonly name: string;
  /** The whole hash. */
  readonly commit: string;
  /** The absolute path of the repository. */
  readonly root: string;
  /** Reads a file by its absolute path; undefined if the commit has none. It follows links within the repository. */
  readFile(path: string): string | undefined;
  /** Reads a file as bytes, by the rules of `readFile`. */
  readBytes(path: string): Buffer | undefined;
  /** The files in a folder and below as absolute paths, sorted; links and submodules are left out. */
  listFiles(folder: string): readonly string[];
  /** When the file was last committed, as an ISO date; undefined if a shallow clone can't tell. */
  lastCommitDate(path: string): string | undefined;
  /** The last commit that added, changed or removed the file; empty if none did, undefined if this clone can't tell. */
  findHistory(path: string): string | undefined;
  /** Opens the tip of the branch, if this is the merge base of HEAD and the branch. */
  openTip(): GitRef;
}

/**
 * Finds the commit of a ref in the repository around `cwd`: `REF`, else `origin/REF`. `REF...` is its merge base with
 * HEAD. Fetches and writes nothing. A missing commit is a UserError with the command that fetches it.
 */
export function openGitRef(cwd: string, refText: string, env: GitEnvironment): GitRef {
  checkRefs(refText);
  const git: Git = { cwd, env, ref: refText };
  const repository = findRepository(git);
  return openRef(git, repository, resolveCommits(git, repository));
}

function openRef(git: Git, repository: Repository, { commit, tip: tipCommit }: Commits): GitRef {
  const { root } = repository;
  const [tipName = ''] = git.ref.split('...');
  let tip: GitRef | undefined;
  const searched = new Map<string, ReadonlySet<string>>();
  const listed = new Map<string, readonly string[]>();
  const opened: GitRef = {
    name: git.ref,
    commit,
    root,
    readFile(path) {
      const within = pathWithin(git, root, path);
      const bytes = readBlob(git, commit, within, searched);
      return bytes && decode(git, within, bytes);
    },
    readBytes: (path) => readBlob(git, commit, pathWithin(git, root, path), searched),
    listFiles(path) {
      const folder = pathWithin(git, root, path);
      const files = listed.get(folder) ?? listBlobs(git, commit, folder).map((file) => resolve(root, file));
      listed.set(folder, files);
      return files;
    },
    lastCommitDate: (path) =>
      repository.isShallow ? undefined : findCommitDate({ ...git, cwd: root }, commit, pathWithin(git, root, path)),
    findHistory: (path) =>
      repository.isShallow ? undefined : findHistory({ ...git, cwd: root }, commit, pathWithin(git, root, path)),
    openTip() {
      // Files of the commit are not read twice.
      tip ??=
        tipCommit === commit
          ? { ...opened, name: tipName }
          : openRef({ ...git, ref: tipName }, repository, { commit: tipCommit, tip: tipCommit });
      return tip;
    },
  };
  return opened;
}

/** The path as git names it: from the repository's root, with slashes. */
function pathWithin({ cwd, ref }: Git, root: string, path: string): string {
  // Git answers with links resolved, and a path may lead through one to the repository.
  const inside = findInside(root, resolve(cwd, path)) ?? findInside(root, realPathOf(resolve(cwd, path)));
  if (inside === undefined)
    throw recordError(`${path} lies outside the repository ${root}, so git:${ref} can't hold it.`);
  if (inside.includes('\n'))
    throw recordError(`${quote(path)} can't be read from git: its name contains a line break.`);
  return toSlashes(inside);
}

/** Finds the date of a path, given from the folder that `git` runs in. */
function findCommitDate(git: Git, commit: string, path: string): string | undefined {
  const { status, stdout } = runGit(git, ['log', '-1', '--format=%cI', commit, '--', path]);
  const date = stdout.toString('utf8').trim();
  return status === 0 && date !== '' ? date : undefined;
}

/** Merges are not simplified, so that a file which one branch added and another removed is found. */
function findHistory(git: Git, commit: string, path: string): string | undefined {
  const { status, stdout } = runGit(git, ['log', '-1', '--full-history', '--format=%H', commit, '--', path]);
  return status === 0 ? stdout.toString('utf8').trim() : undefined;
}

/** The relative path from a folder to a path inside it; undefined if it is outside. */
function findInside(folder: string, path: string): string | undefined {
  const way = relative(folder, path);
  return way.split(sep)[0] === '..' || isAbsolute(way) ? undefined : way;
}

/** Resolves the links of a path. For a missing path, resolves the links of the nearest existing folder. */
function realPathOf(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  return dirname(path) === path ? path : join(realPathOf(dirname(path)), basename(path));
}

/**
 * Reads a file. `searched` keeps the names in folders with a missing file, so that git is not started for another
 * missing one.
 */
function readBlob(
  git: Git,
  commit: string,
  path: string,
  searched: Map<string, ReadonlySet<string>>,
): Buffer | undefined {
  if (searched.get(posix.dirname(path))?.has(path) === false) return undefined;
  const { status, stdout, complaint } = runGit(
    git,
    ['cat-file', '--batch', '--follow-symlinks'],
    `${commit}:${path}\n`,
  );
  if (status !== 0) throw unreadable(git, commit, path, complaint);
  const end = stdout.indexOf('\n');
  const answer = stdout.toString('utf8', 0, end);
  const size = /^[0-9a-f]{40,64} blob (\d+)$/.exec(answer)?.[1];
  if (size !== undefined) return stdout.subarray(end + 1, end + 1 + Number(size));
  if (answer.endsWith(' missing')) return checkMissing(git, commit, path, searched);
  if (answer.startsWith('symlink ')) {
    const target = stdout.toString('utf8', end + 1).trimEnd();
    throw recordError(
      `${path} at git:${git.ref} is a link out of the repository, to ${quote(target)}.`,
      'commit the file itself',
    );
  }
  if (answer.startsWith('loop ')) throw recordError(`${path} at git:${git.ref} is a link that leads back to itself.`);
  // A link to a file that the commit lacks, or a path through a file.
  if (/^(?:dangling|notdir) /.test(answer)) return undefined;
  throw recordError(`${path || 'The root'} at git:${git.ref} is a folder, not a file.`);
}

/** "Missing" may also mean a submodule, or a file that a partial clone omitted. Both must not count as no file. */
function checkMissing(git: Git, commit: string, path: string, searched: Map<string, ReadonlySet<string>>): undefined {
  const folder = posix.dirname(path);
  const parts = path.split('/');
  const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  const entries = listEntries(git, commit, folder === '.' ? [] : [`${folder}/`, ...paths]);
  for (const entry of entries) {
    if (entry.type === 'commit' && paths.includes(entry.path)) {
      const hint = 'run llmcheck in the submodule: it has a history of its own';
      throw recordError(`${path} at git:${git.ref} lies in the submodule ${entry.path}.`, hint);
    }
    if (entry.path === path) throw unreadable(git, commit, path, 'its content is not in this clone');
  }
  const names = entries.map((entry) => entry.path).filter((name) => posix.dirname(name) === folder);
  searched.set(folder, new Set(names));
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
  const text = attempt(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes), TypeError);
  if (typeof text === 'string') return text;
  throw recordError(`${path} at git:${ref} is not UTF-8 text.`, 'commit it as UTF-8', text);
}

function unreadable({ ref }: Git, commit: string, path: string, reason: string): UserError {
  const hint = `\`git show ${shellWord(`${commit}:${path}`)}\` reads it, and fetches it where the clone is partial`;
  return recordError(`${path || 'The root'} at git:${ref} can't be read: ${reason}.`, hint);
}

/** A commit of the history, as a person finds it. */
export interface HistoryCommit {
  readonly hash: string;
  readonly subject: string;
}

/**
 * Lists the commits after a ref up to HEAD that changed one of the files, the oldest first. A merged branch counts as
 * one.
 */
export function listCommits(
  cwd: string,
  ref: string,
  { env, paths }: { readonly env: GitEnvironment; readonly paths: readonly string[] },
): readonly HistoryCommit[] {
  const git = { cwd, env, ref };
  checkRefs(ref);
  const repository = findRepository(git);
  const { commit: start } = resolveCommits(git, repository);
  const args = ['log', '--first-parent', '-m', '--reverse', '-z', '--format=%H %s', `${start}..HEAD`, '--', ...paths];
  const { status, stdout, complaint } = runGit(git, args);
  if (status !== 0) throw recordError(`The commits since git:${ref} can't be listed: ${complaint}.`);
  return stdout
    .toString('utf8')
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => ({ hash: line.slice(0, line.indexOf(' ')), subject: line.slice(line.indexOf(' ') + 1) }));
}
