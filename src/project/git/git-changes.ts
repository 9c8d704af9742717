import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { toSlashes } from '../../text/to-slashes.ts';
import type { GitRef } from './git-files.ts';
import {
  checkRefs,
  findRepository,
  type Git,
  type GitEnvironment,
  lookUpCommits,
  type Repository,
  recordError,
  resolveCommits,
  runGit,
  wholeCloneHint,
} from './run-git.ts';

type ChangeKind = 'added' | 'modified' | 'deleted';

/** The differences of the working tree from a commit, including staged, unstaged and untracked files. */
export interface GitChanges {
  /** The ref, described with the commit's short hash. */
  readonly since: string;
  /** The repository's root, absolute, with links resolved. */
  readonly root: string;
  /**
   * The changes by absolute path. A folder means all below it: a submodule that can't be read, or a repository inside
   * the repository.
   */
  readonly changed: ReadonlyMap<string, ChangeKind>;
  /** Finds the change of a file, of a link's target, or of a folder or link on the way. */
  changeOf(path: string): PathChange | undefined;
  /** With links resolved. */
  realPathOf(path: string): string;
  exists(path: string): boolean;
  /** A file as the commit and as the working tree has it; undefined if it has none. */
  readBoth(path: string): readonly [before: string | undefined, now: string | undefined];
}

export interface PathChange {
  readonly path: string;
  /** `unknown`: it is there, and git does not track it. */
  readonly kind: ChangeKind | 'unknown';
}

/**
 * Compares the working tree with a commit, without running anything that the repository configures. The default commit
 * is the merge base of HEAD and the target branch: the pull request's target in CI, else the default branch, else HEAD.
 */
export function findGitChanges(cwd: string, refText: string | undefined, env: GitEnvironment): GitChanges {
  const asking = { cwd, env, asker: '--changed', instead: 'leave --changed out' };
  if (refText !== undefined) checkRefs(refText);
  const repository = findRepository({ ...asking, ref: refText ?? 'HEAD' });
  const ref = refText ?? findDefaultRef({ ...asking, ref: 'HEAD' }, repository);
  const git: Git = { ...asking, ref };
  const { commit } = resolveCommits(git, repository);
  const changed = new Map<string, ChangeKind>();
  const tracked = new Set<string>();
  collectChanges({ ...git, cwd: repository.root }, commit, { changed, tracked });
  const realPathOf = createRealPaths();
  return {
    since: describeSince(ref, commit),
    root: repository.root,
    changed,
    realPathOf,
    exists: existsSync,
    changeOf(path) {
      for (const step of stepsTo(path)) {
        const kind = changed.get(normalizePath(step));
        if (kind !== undefined) return { path: step, kind };
      }
      const real = realPathOf(path);
      return existsSync(path) && !tracked.has(real) ? { path: real, kind: 'unknown' } : undefined;
    },
    readBoth: (path) => [
      readOld({ ...git, cwd: repository.root }, commit, path),
      existsSync(path) ? readFileSync(path, 'utf8') : undefined,
    ],
  };
}

/** The differences from an open commit, like `changed` of `findGitChanges`. */
export function findChangesSince({ commit, root }: GitRef, env: GitEnvironment): GitChanges['changed'] {
  const changed = new Map<string, ChangeKind>();
  collectChanges({ cwd: root, env, ref: commit }, commit, { changed, tracked: new Set() });
  return changed;
}

function describeSince(ref: string, commit: string): string {
  const hash = commit.slice(0, 8);
  return ref.endsWith('...') ? `HEAD left ${ref.slice(0, -3)} (${hash})` : `${ref} (${hash})`;
}

/** Normalizes the spelling of a path, because macOS composes letters only in some places. */
function normalizePath(path: string): string {
  return path.normalize('NFC');
}

/** Resolves the links of a path. For a missing path, resolves the links of the nearest existing folder. */
function createRealPaths(): (path: string) => string {
  const known = new Map<string, string>();
  return function find(path): string {
    const found = known.get(path);
    if (found !== undefined) return found;
    const isEnd = dirname(path) === path;
    const real: string = existsSync(path)
      ? realpathSync(path)
      : isEnd
        ? path
        : join(find(dirname(path)), basename(path));
    known.set(path, normalizePath(real));
    return normalizePath(real);
  };
}

/** The folders and links on the way to a file, and the file. A change of any of them changes the read content. */
function* stepsTo(path: string, linksLeft = 40): Iterable<string> {
  const names = path.split(sep);
  for (let length = 2; length <= names.length; length += 1) {
    const step = names.slice(0, length).join(sep);
    yield step;
    if (linksLeft === 0 || lstatSync(step, { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
    const target = resolve(dirname(step), readlinkSync(step));
    yield* stepsTo(join(target, ...names.slice(length)), linksLeft - 1);
    return;
  }
}

/** Variables in which CI systems name the branch that a pull request goes to. */
const targetVariables = [
  'GITHUB_BASE_REF',
  'CI_MERGE_REQUEST_TARGET_BRANCH_NAME',
  'BITBUCKET_PR_DESTINATION_BRANCH',
  'SYSTEM_PULLREQUEST_TARGETBRANCH',
  'CHANGE_TARGET',
];

function findDefaultRef(git: Git, { isShallow }: Repository): string {
  const target = targetVariables.map((name) => git.env[name] ?? '').find((name) => name !== '');
  if (target !== undefined) return `origin/${target.replace(/^refs\/heads\//, '')}...`;
  // In a clone of a single branch, that branch looks like the default branch.
  const isWhole = !isShallow && !isSingleBranch(git);
  const head = isWhole ? textOf(git, ['symbolic-ref', '--quiet', '--short', 'refs/remotes/origin/HEAD']) : '';
  const candidates = [head, 'origin/main', 'origin/master', 'main', 'master'].filter((name) => name !== '');
  const [tip, ...commits] = lookUpCommits(git, ['HEAD', ...candidates]);
  const found = commits.findIndex((commit) => commit !== undefined);
  const branch = candidates[found];
  // If only the tip of a branch was cloned, every change would look like no change.
  const isTip = isShallow && commits[found] === tip;
  if (branch !== undefined && !isTip) return `${branch}...`;
  if (isWhole) return 'HEAD';
  const kind = isShallow ? 'shallow clone' : 'clone of a single branch';
  const fetchAll = 'run `git remote set-branches origin "*" && git fetch origin`';
  const step = isShallow ? wholeCloneHint(git) : fetchAll;
  const message = `This ${kind} does not show where HEAD left the default branch.`;
  throw recordError(message, `${step}, or name the commit to compare with: --changed <ref>`);
}

function isSingleBranch(git: Git): boolean {
  const fetched = textOf(git, ['config', '--get-all', 'remote.origin.fetch']);
  return fetched !== '' && !fetched.includes('*');
}

function textOf(git: Git, args: readonly string[]): string {
  return runGit(git, args).stdout.toString('utf8').trim();
}

interface Found {
  readonly changed: Map<string, ChangeKind>;
  readonly tracked: Set<string>;
}

/** `git.cwd` is the root of the repository. */
function collectChanges(git: Git, commit: string, found: Found): void {
  const root = git.cwd;
  const add = (path: string, kind: ChangeKind) => found.changed.set(normalizePath(join(root, path)), kind);
  for (const entry of listDifferences(git, commit)) if (!isSame(entry, root)) add(entry.path, entry.kind);
  for (const { mode, path, isWatched } of listFiles(git)) {
    if (mode === undefined) {
      add(path, 'added');
      continue;
    }
    const absolute = resolve(root, path);
    if (mode === submoduleMode) collectSubmodule(git, commit, { path, absolute }, found);
    else if (isWatched) found.tracked.add(normalizePath(absolute));
  }
}

/**
 * Compares a submodule's files with the commit that the outer commit names. If that commit is missing, all files count
 * as changed.
 */
function collectSubmodule(
  git: Git,
  commit: string,
  { path, absolute }: { readonly path: string; readonly absolute: string },
  found: Found,
): void {
  if (!existsSync(join(absolute, '.git'))) return;
  const { stdout } = runGit(git, ['ls-tree', '-z', '--full-tree', commit, '--', path]);
  const [, old] = /^160000 commit ([0-9a-f]+)\t/.exec(stdout.toString('utf8')) ?? [];
  const inside: Found = { changed: new Map(), tracked: found.tracked };
  const submodule = { ...git, cwd: absolute };
  const [base] = old === undefined ? [] : lookUpCommits(submodule, [old]);
  if (base === undefined) {
    found.changed.set(normalizePath(absolute), old === undefined ? 'added' : 'modified');
    return;
  }
  collectChanges(submodule, base, inside);
  found.changed.delete(normalizePath(absolute));
  for (const [changedPath, kind] of inside.changed) found.changed.set(changedPath, kind);
}

const submoduleMode = '160000';

const linkMode = '120000';

interface Difference {
  readonly kind: ChangeKind;
  readonly path: string;
  readonly oldMode: string;
  readonly newMode: string;
  readonly oldHash: string;
  readonly newHash: string;
}

/** Lists differences by the index only, so it includes files that were only touched. */
function listDifferences(git: Git, commit: string): readonly Difference[] {
  const args = [
    'diff-index',
    '--raw',
    '-z',
    '--no-renames',
    '--no-ext-diff',
    '--ignore-submodules=dirty',
    '--no-abbrev',
  ];
  const fields = listPaths(git, [...args, commit, '--']);
  const differences: Difference[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, oldMode = '', newMode = '', oldHash = '', newHash = '', status = ''] =
      /^:(\d+) (\d+) (\w+) (\w+) (\w)/.exec(fields[at] ?? '') ?? [];
    const kind = status === 'A' ? 'added' : status === 'D' ? 'deleted' : 'modified';
    differences.push({ kind, path: fields[at + 1] ?? '', oldMode, newMode, oldHash, newHash });
  }
  return differences;
}

/** Git leaves the new hash open if the file's times differ from the index. The filters of git are not run here. */
function isSame({ kind, path, oldMode, newMode, oldHash, newHash }: Difference, root: string): boolean {
  if (kind !== 'modified' || oldMode !== newMode || !/^0+$/.test(newHash)) return false;
  const absolute = resolve(root, path);
  const stats = lstatSync(absolute, { throwIfNoEntry: false });
  if (stats === undefined || (oldMode !== linkMode && !stats.isFile())) return false;
  const content = oldMode === linkMode ? Buffer.from(readlinkSync(absolute)) : readFileSync(absolute);
  if (hashBlob(content, oldHash) === oldHash) return true;
  // If git writes the system's line ends, it stores plain ones.
  return (
    content.includes('\r\n') &&
    hashBlob(Buffer.from(content.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'), oldHash) === oldHash
  );
}

function hashBlob(content: Buffer, like: string): string {
  const hash = createHash(like.length === 64 ? 'sha256' : 'sha1');
  return hash.update(`blob ${content.length}\0`).update(content).digest('hex');
}

interface ListedFile {
  /** Undefined if git does not track the file. */
  readonly mode: string | undefined;
  readonly path: string;
  /** False if git was told to take the file for unchanged (`--assume-unchanged`, `--skip-worktree`). */
  readonly isWatched: boolean;
}

/** The files that git does not track come first. */
function listFiles(git: Git): readonly ListedFile[] {
  return listPaths(git, ['ls-files', '--others', '--exclude-standard', '--stage', '-v', '-z']).map((line) => {
    const isTracked = !line.startsWith('? ');
    return {
      mode: isTracked ? line.slice(2, 8) : undefined,
      path: line.slice(isTracked ? line.indexOf('\t') + 1 : 2),
      isWatched: /^[A-RT-Z]/.test(line),
    };
  });
}

function listPaths(git: Git, args: readonly string[]): readonly string[] {
  const { status, stdout, complaint } = runGit(git, args);
  if (status !== 0) throw recordError(`git can't tell what changed since ${git.ref}: ${complaint}.`);
  return stdout
    .toString('utf8')
    .split('\0')
    .filter((text) => text !== '');
}

function readOld(git: Git, commit: string, path: string): string | undefined {
  const inside = toSlashes(relative(git.cwd, path));
  const { status, stdout } = runGit(git, ['cat-file', 'blob', `${commit}:${inside}`]);
  return status === 0 ? stdout.toString('utf8') : undefined;
}
