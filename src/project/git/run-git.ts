import { spawnSync } from 'node:child_process';
import { parse, resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import { type ProblemCode, UserError } from '../../model/problem.ts';
import { shellWord } from '../../text/code/command-line.ts';
import { quote } from '../../text/shorten.ts';
import { didYouMean } from '../../text/words/did-you-mean.ts';

export type GitEnvironment = Readonly<Record<string, string | undefined>>;

/** A repository, for reading from it. */
export interface Git {
  readonly cwd: string;
  readonly env: GitEnvironment;
  /** The ref as the user wrote it. */
  readonly ref: string;
  /** The flag that needs git, such as `--changed`; unset for `git:REF`. */
  readonly asker?: string;
  /** An alternative without git, as the end of a hint. */
  readonly instead?: string;
}

interface GitOutput {
  /** Null if a signal ended it. */
  readonly status: number | null;
  readonly stdout: Buffer;
  /** The first line of its error output, without `fatal:`. */
  readonly complaint: string;
}

/** Runs a git command that only reads. A refusal of git comes back as data; a git that can't be run is a `UserError`. */
export function runGit(git: Git, args: readonly string[], input = ''): GitOutput {
  const { cwd, env } = git;
  const folder = resolve(cwd);
  const { error, status, stdout, stderr } = spawnSync('git', [...safeOptions, '-C', folder, ...args], {
    // Windows looks for programs in the working folder first, and a repository may hold a git.exe.
    cwd: parse(folder).root,
    env: {
      ...env,
      ...Object.fromEntries(misleadingVariables.map((name) => [name, undefined])),
      GIT_TERMINAL_PROMPT: '0',
      GIT_NO_LAZY_FETCH: '1',
      // Reading must neither wait for a lock nor hold one.
      GIT_OPTIONAL_LOCKS: '0',
      // Messages of git are matched in English.
      LC_ALL: 'C',
      LANGUAGE: 'C',
    },
    input,
    maxBuffer: maxBytes,
    windowsHide: true,
  });
  if (error === undefined) return { status, stdout, complaint: firstComplaint(stderr) };
  const code = 'code' in error ? String(error.code) : 'unknown';
  if (code === 'ENOBUFS') throw recordError(`${nameOf(git)} holds more than ${maxBytes / 1024 / 1024} MB there.`);
  if (code !== 'ENOENT') throw environmentError(`git can't be run (${code}).`, undefined, error);
  const hint = `install git, or ${git.instead ?? 'name a baseline file in place of a git ref'}`;
  throw environmentError(`${nameOf(git)} can't be read: git is not installed, or not on the PATH.`, hint, error);
}

function nameOf({ asker, ref }: Git): string {
  return asker ?? `git:${ref}`;
}

const maxBytes = 256 * 1024 * 1024;

/** A repository may be hostile: nothing that it configures is run, and nothing reaches the network, not even for a partial clone. */
const safeOptions = [
  '--no-pager',
  '--literal-pathspecs',
  ...[
    'core.fsmonitor=false',
    'core.hooksPath=/dev/null',
    'safe.bareRepository=explicit',
    'protocol.allow=never',
  ].flatMap((setting) => ['-c', setting]),
];

/** Variables that git sets for its hooks. They would point to another repository than the one around `cwd`. */
const misleadingVariables = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_COMMON_DIR',
  'GIT_INDEX_FILE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_NAMESPACE',
  'GIT_PREFIX',
  // It would win over protocol.allow.
  'GIT_ALLOW_PROTOCOL',
];

function firstComplaint(stderr: Buffer): string {
  const [line = ''] = stderr.toString('utf8').trim().split('\n');
  return line.replace(/^(?:fatal|error): /, '').replace(/\.$/, '');
}

export function recordError(message: string, hint?: string, cause?: unknown): UserError {
  return gitError('record', message, hint, cause);
}

function environmentError(message: string, hint?: string, cause?: unknown): UserError {
  return gitError('environment', message, hint, cause);
}

function gitError(code: ProblemCode, message: string, hint: string | undefined, cause: unknown): UserError {
  const problem = { code, severity: 'error' as const, message, ...defined({ hint }) };
  return new UserError([problem], cause === undefined ? undefined : { cause });
}

/** Refuses a text that can't be a ref, without running git. */
export function checkRefs(refText: string): void {
  for (const ref of splitRange(refText)) checkRef(ref, refText);
}

export interface Commits {
  /** The whole hash. */
  readonly commit: string;
  /** The tip of the branch, if `commit` is its merge base with HEAD. */
  readonly tip: string;
}

/** Finds the commit of a ref: `REF`, else `origin/REF`. `REF...` is its merge base with HEAD. */
export function resolveCommits(git: Git, { isShallow }: Repository): Commits {
  const [left = '', right] = splitRange(git.ref);
  const commits = findCommits(git, right === undefined ? [left] : [left, right], isShallow);
  const [tip = ''] = commits;
  const commit = right === undefined ? tip : findMergeBase(git, { refs: [left, right], commits, isShallow });
  return { commit, tip };
}

/** `main...` is two refs, as in git; a missing right side is HEAD. */
function splitRange(refText: string): readonly string[] {
  const at = refText.indexOf('...');
  return at === -1 ? [refText] : [refText.slice(0, at), refText.slice(at + 3) || 'HEAD'];
}

function checkRef(ref: string, refText: string): void {
  const fault =
    ref === ''
      ? 'names no ref'
      : ref.startsWith('-')
        ? 'is not a ref: none begins with a dash'
        : /\p{Cc}/u.test(ref)
          ? 'is not a ref: it contains a control character'
          : undefined;
  if (fault === undefined) return;
  throw recordError(`${quote(`git:${refText}`)} ${fault}.`, 'write a branch, tag or commit, such as `git:main`');
}

/** The repository around a folder. */
export interface Repository {
  /** Absolute, with links resolved. */
  readonly root: string;
  readonly isShallow: boolean;
}

export function findRepository(git: Git): Repository {
  const { status, stdout, complaint } = runGit(git, ['rev-parse', '--show-toplevel', '--is-shallow-repository']);
  if (status === 0) {
    const lines = stdout.toString('utf8').trimEnd().split('\n');
    return { root: resolve(lines.slice(0, -1).join('\n')), isShallow: lines.at(-1) === 'true' };
  }
  if (complaint.includes('dubious ownership')) {
    const root = /'(.+)'/.exec(complaint)?.[1] ?? git.cwd;
    const message = `git does not trust the repository ${root}: it belongs to another user.`;
    throw environmentError(message, `run \`git config --global --add safe.directory ${shellWord(root)}\``);
  }
  if (!complaint.includes('not a git repository')) {
    throw environmentError(`git can't read the repository around ${git.cwd}: ${complaint}.`);
  }
  const message = `${nameOf(git)} can't be read: ${git.cwd} is in no git repository.`;
  throw environmentError(
    message,
    `run in a checkout, or ${git.instead ?? 'name a baseline file in place of a git ref'}`,
  );
}

function findCommits(git: Git, refs: readonly string[], isShallow: boolean): readonly string[] {
  // A tag may be named like a branch of the remote, and git would take the tag.
  const found = lookUpCommits(
    git,
    refs.flatMap((ref) => [`refs/remotes/${ref}`, ref, `origin/${ref}`]),
  );
  return refs.map((ref, index) => {
    const commit = found.slice(3 * index, 3 * index + 3).find((hash) => hash !== undefined);
    if (commit !== undefined) return commit;
    const message = `There is no commit ${quote(ref)} in this repository, and no "origin/${ref}".`;
    throw recordError(message, hintForUnknownRef(git, ref, isShallow));
  });
}

/** The commits of names; undefined for a missing one. Asks one process for all, because starting it takes longest. */
export function lookUpCommits(git: Git, names: readonly string[]): readonly (string | undefined)[] {
  const input = names.map((name) => `${name}^{commit}\n`).join('');
  const { status, stdout } = runGit(git, ['cat-file', '--batch-check'], input);
  // Git stops at some names, such as `@{u}` if a branch has no upstream.
  if (status !== 0) return names.length === 1 ? [undefined] : names.flatMap((name) => lookUpCommits(git, [name]));
  const answers = stdout.toString('utf8').split('\n');
  return names.map((_, index) => /^([0-9a-f]{40,64}) commit \d+$/.exec(answers[index] ?? '')?.[1]);
}

function hintForUnknownRef(git: Git, ref: string, isShallow: boolean): string {
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
  const step = isShallow ? wholeCloneHint(git, command) : `run \`${command}\``;
  return suggestion === undefined ? step : `${suggestion} If not, ${step}`;
}

/** A ref becomes part of a suggested command only if it is harmless in any shell. */
function fetchCommand(ref: string): string | undefined {
  if (/^[0-9a-f]{40,64}$/.test(ref)) return `git fetch origin ${ref}`;
  const branch = ref.replace(/^origin\//, '');
  if (!/^\w[\w./-]*$/.test(branch) || branch.includes('..') || /^[0-9a-f]{7,}$/.test(branch)) return undefined;
  // A clone of a single branch stores another branch only under an explicit name.
  return `git fetch origin ${branch}:refs/remotes/origin/${branch}`;
}

const unshallow = 'git fetch --unshallow origin';

/** A hint how to fetch the whole history of a shallow clone, for the CI system of the job. */
export function wholeCloneHint({ env }: Git, command = unshallow): string {
  if (env['GITHUB_ACTIONS'] === 'true') return 'set `fetch-depth: 0` in the step of actions/checkout';
  if (env['GITLAB_CI'] === 'true') return 'set the variable `GIT_DEPTH: "0"` in the job';
  return `run \`${command}\``;
}

function findMergeBase(
  git: Git,
  { refs, commits, isShallow }: { refs: readonly string[]; commits: readonly string[]; isShallow: boolean },
): string {
  const { status, stdout, complaint } = runGit(git, ['merge-base', ...commits]);
  const commit = stdout.toString('utf8').trim();
  if (status === 0) return commit;
  const [left, right] = refs.map((ref) => quote(ref));
  if (isShallow) {
    const message = `The commit where ${right} left ${left} is not in this shallow clone.`;
    const deepen = `${wholeCloneHint(git)}, or run \`git fetch --deepen=200 origin\` where that is too much`;
    throw recordError(message, deepen);
  }
  if (status !== 1) throw recordError(`git can't tell where ${right} left ${left}: ${complaint}.`);
  throw recordError(
    `${right} and ${left} have no commit in common.`,
    `write \`git:${refs[0]}\` to take that commit itself`,
  );
}
