import { spawnSync } from 'node:child_process';
import { parse, resolve } from 'node:path';
import { defined } from '../../json/defined.ts';
import { type ProblemCode, UserError } from '../../model/problem.ts';

export type GitEnvironment = Readonly<Record<string, string | undefined>>;

/** A repository, and what is read from it. */
export interface Git {
  readonly cwd: string;
  readonly env: GitEnvironment;
  /** As the user wrote it. */
  readonly ref: string;
  /** The flag that needs git, such as `--changed`; unset for `git:REF`. */
  readonly asker?: string;
  /** What the user can do without git, as the end of a hint. */
  readonly instead?: string;
}

interface GitOutput {
  /** Null where a signal ended it. */
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

export function nameOf({ asker, ref }: Git): string {
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

/** Set by git for its hooks: they would lead away from the repository around `cwd`. */
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

export function environmentError(message: string, hint?: string, cause?: unknown): UserError {
  return gitError('environment', message, hint, cause);
}

function gitError(code: ProblemCode, message: string, hint: string | undefined, cause: unknown): UserError {
  const problem = { code, severity: 'error' as const, message, ...defined({ hint }) };
  return new UserError([problem], cause === undefined ? undefined : { cause });
}
