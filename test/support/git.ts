import { execFileSync } from 'node:child_process';
import { findProvenance } from '../../src/project/git/find-provenance.ts';

/** A person with a name, and no settings of the machine. Submodules may be folders, and nothing is tidied up. */
export const gitEnv = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_COUNT: '2',
  GIT_CONFIG_KEY_0: 'protocol.file.allow',
  GIT_CONFIG_VALUE_0: 'always',
  // Each commit would start two more processes.
  GIT_CONFIG_KEY_1: 'maintenance.auto',
  GIT_CONFIG_VALUE_1: 'false',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};

/** Runs git in a folder, and returns what it prints. */
export function runGit(cwd: string, ...argv: readonly string[]): string {
  return start(cwd, 'git', argv);
}

/** The commit that is checked out, without starting git. */
export function headOf(cwd: string): string {
  return findProvenance(cwd, {})?.commit ?? runGit(cwd, 'rev-parse', 'HEAD');
}

const commit = 'git add -A && git commit -q --allow-empty -m "$1"';

/** Commits all files, and returns the commit. One program is started: that takes longer than what git does here. */
export function commitAll(cwd: string, message = 'change', date?: string): string {
  start(cwd, 'sh', ['-c', commit, 'sh', message], date === undefined ? {} : { GIT_COMMITTER_DATE: date });
  return headOf(cwd);
}

/** Begins a repository with a commit of all files, and returns it. */
export function initRepository(cwd: string, message = 'change'): string {
  start(cwd, 'sh', ['-c', `git init -q -b main --template= && ${commit}`, 'sh', message]);
  return headOf(cwd);
}

function start(cwd: string, program: string, argv: readonly string[], more = {}): string {
  return execFileSync(program, argv, {
    cwd,
    env: { ...gitEnv, ...more },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}
