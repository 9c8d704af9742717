import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { boundaryOf } from '../files/project-boundary.ts';
import { distrustCommitted } from '../files/state-folder.ts';
import { isJsonObject } from '../json/json.ts';
import { type Problem, UserError } from '../model/problem.ts';
import { CONFIG_NAME } from '../suite/files/project-place.ts';
import { attempt, attemptOr } from '../text/attempt.ts';
import { formatCount, listFirst } from '../text/format-amount.ts';
import { openGitRef } from './git/git-files.ts';
import { runGit } from './git/run-git.ts';

export interface CommittedStateOptions {
  readonly root: string;
  readonly configPath?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The baseline that a flag or a variable names. Only a commit can say that committed files are trusted. */
  readonly baseline?: string | undefined;
}

/**
 * Finds committed files of the project's state. They are not read, unless the config at the base commit says
 * `cache.trusted: true`. Returns a warning that names them; undefined if there are none, or they are trusted.
 */
export function distrustCommittedState(options: CommittedStateOptions): Problem | undefined {
  const { root } = options;
  distrustCommitted(root, []);
  if (lstatSync(join(root, stateFolder), { throwIfNoEntry: false }) === undefined) return undefined;
  if (!existsSync(join(boundaryOf(root), '.git'))) return undefined;
  const paths = attempt(() => listCommitted(options), UserError);
  if (!(paths instanceof UserError) && paths.length === 0) return undefined;
  if (isTrustedAtBase(options)) return undefined;
  distrustCommitted(root, paths instanceof UserError ? [stateFolder] : paths);
  return warningOf(paths);
}

const stateFolder = '.llmcheck';

/** The index counts: a job that checks out a change has all of its files there. */
function listCommitted({ root, env }: CommittedStateOptions): readonly string[] {
  const git = { cwd: root, env, ref: 'HEAD', asker: `the list of committed files in ${stateFolder}` };
  const { status, stdout, complaint } = runGit(git, ['ls-files', '-z']);
  if (status !== 0) throw new UserError({ code: 'environment', message: complaint });
  const isState = (path: string) => path.split('/')[0]?.toLowerCase() === stateFolder;
  return stdout.toString('utf8').split('\0').filter(isState);
}

function isTrustedAtBase({ root, configPath, env, baseline = '' }: CommittedStateOptions): boolean {
  if (!baseline.startsWith('git:')) return false;
  const readConfig = () =>
    openGitRef(root, baseline.slice('git:'.length), env).readFile(configPath ?? join(root, CONFIG_NAME));
  const text = attemptOr(readConfig, UserError, undefined);
  const config: unknown =
    text === undefined ? undefined : attemptOr(() => parse(text) as unknown, YAMLParseError, undefined);
  const cache = isJsonObject(config) ? config['cache'] : undefined;
  return isJsonObject(cache) && cache['trusted'] === true;
}

const maxListed = 3;

function warningOf(paths: readonly string[] | UserError): Problem {
  const isUnknown = paths instanceof UserError;
  const message = isUnknown
    ? `Nothing in ${stateFolder} is read: git can't say which files there are committed: ${paths.problems[0]?.message ?? ''}`
    : `${formatCount(paths.length, 'file')} in ${stateFolder} ${paths.length === 1 ? 'is' : 'are'} committed and not read: ${listFirst(paths, maxListed)}`;
  const hint = isUnknown
    ? (paths.problems[0]?.hint ?? 'remove the folder')
    : `remove them from git, or write cache: { trusted: true } in the config that the change starts from, and compare with --baseline git:REF`;
  return { code: 'file-unreadable', severity: 'warning', message, hint };
}
