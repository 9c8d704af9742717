import { defined } from '../json/defined.ts';
import { UserError } from '../model/problem.ts';
import type { RecordedShard } from '../model/run/record.ts';
import { readHead } from '../project/git/find-provenance.ts';
import { type GitEnvironment, runGit } from '../project/git/run-git.ts';
import { readRunHeader } from '../record/read-run-record.ts';
import { attemptOr } from '../text/attempt.ts';
import { sha256Hex } from '../text/sha256.ts';
import type { PublishPorts } from './upsert-comment.ts';

/** The parts of the process that publishing uses. */
export interface JobIo<Sink extends TextOutput = TextOutput> {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Wall clock. */
  readonly now: () => Date;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Waits before an API is asked again. By default it waits in real time. */
  readonly wait?: (ms: number) => Promise<void>;
}

export interface TextOutput {
  readonly write: (text: string) => void;
}

/** The ports that requests to GitHub and GitLab need. */
export function publishPorts({ env, now, random, wait }: JobIo, token: string): PublishPorts {
  const writer = Array.from({ length: 12 }, () => Math.floor(random() * 36).toString(36)).join('');
  return { env, token, now, writer, ...defined({ wait }) };
}

/** Distinguishes the comment and the check of one job from those of other jobs. */
export interface JobIdentity {
  /** Letters, digits, dots, dashes and underscores. */
  readonly id: string;
  /** The job's name for people: `pull-request / prompts / packages/shop`. */
  readonly label: string;
}

/** Identifies a job by its names and its folder. Empty names are left out. */
export function identifyJob(...parts: readonly string[]): JobIdentity {
  const named = parts.filter((part) => part !== '');
  if (named.length === 0) return { id: 'default', label: '' };
  const slug = named.join('-').replaceAll(/[^\w.]+/g, '-');
  // Two jobs may differ only in signs that the slug replaces.
  return {
    id: `${slug.slice(0, maxSlugChars)}-${sha256Hex(JSON.stringify(parts)).slice(0, 8)}`,
    label: named.join(' / '),
  };
}

const maxSlugChars = 60;

/** The commit that is checked out. Undefined if it is unknown, for example outside of a repository. */
export function readCheckout(cwd: string, env: GitEnvironment): string | undefined {
  const { commit } = readHead(cwd) ?? {};
  if (commit !== undefined) return commit;
  const read = () => runGit({ cwd, env, ref: 'HEAD' }, ['rev-parse', '--verify', 'HEAD']);
  const found = attemptOr(read, UserError, undefined);
  return found?.status === 0 ? found.stdout.toString('utf8').trim() : undefined;
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

/** The facts of a stored run that decide whether and where it may be published. */
export interface RunOrigin {
  readonly shard?: RecordedShard;
  /** The commit that was checked out. */
  readonly testedSha?: string;
  /** True if the run used only stored answers. */
  readonly isReplay?: boolean;
}

export function readRunOrigin(path: string): RunOrigin {
  const { settings, provenance } = readRunHeader(path);
  const isReplay = settings.cacheMode === 'replay';
  return defined({ shard: settings.shard, testedSha: provenance?.commit, isReplay });
}

interface TestedCommits {
  readonly headSha: string;
  /** The commit that the run tested: usually the head, merged into its base. */
  readonly runSha: string | undefined;
  /** True if a checkout of `runSha` tests the head. */
  readonly isRunOfHead: boolean;
}

/**
 * Why a run must not be published: its report would appear on a commit that was not tested. Undefined where it may.
 * `testedSha` is the commit that a stored run names.
 */
export function findCommitFault(
  { headSha, runSha, isRunOfHead }: TestedCommits,
  { cwd, env, testedSha }: { readonly cwd: string; readonly env: GitEnvironment; readonly testedSha?: string },
): string | undefined {
  const head = headSha.slice(0, 12);
  const checkout = readCheckout(cwd, env);
  if (testedSha !== undefined && ![headSha, runSha, checkout].includes(testedSha)) {
    return `the stored run tested ${testedSha.slice(0, 12)}, and the report would appear on ${head}`;
  }
  if (checkout === undefined || headSha === '' || checkout === headSha) return undefined;
  if (isRunOfHead && checkout === runSha) return undefined;
  return `the checkout is at ${checkout.slice(0, 12)}, and the report would appear on ${head}`;
}

interface TokenHints {
  readonly invalid: string;
  readonly forbidden: string;
  /** A limit of the API has the status 403 too. */
  readonly isForbidden: (message: string) => boolean;
}

/** What to change about the token that could not publish. */
export function hintOfToken(
  { status, message }: { readonly status?: number; readonly message: string },
  { invalid, forbidden, isForbidden }: TokenHints,
): string {
  if (status === 401) return invalid;
  return status === 404 || (status === 403 && isForbidden(message)) ? forbidden : '';
}
