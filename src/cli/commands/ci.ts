import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { defined } from '../../json/defined.ts';
import type { JsonValue } from '../../json/json.ts';
import { UserError } from '../../model/errors.ts';
import type { Report } from '../../model/report.ts';
import { findMissingKeys } from '../../plan/check-providers.ts';
import { loadProject } from '../../project/load-project.ts';
import { findProjectRoot } from '../../project/project-paths.ts';
import { folderInRepository, openRepositoryPaths } from '../../project/repository-place.ts';
import { findStoredRun } from '../../project/stored-runs.ts';
import {
  findBlobUrl,
  type GithubRun,
  identifyJob,
  type JobIdentity,
  parseGithubRun,
} from '../../publishing/publish-to-github.ts';
import { type RunOrigin, readRunOrigin } from '../../publishing/read-run-origin.ts';
import { createMask, type Mask } from '../../secrets/mask-secrets.ts';
import { splitCommand } from '../../text/command-line.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { reportOnRun } from '../../verdict/assess-run.ts';
import { addRunFlags, protectOptionalValues } from '../flags/run-flags.ts';
import type { Io } from '../io.ts';
import { describeOutcome, describeUsage } from '../output/github-outcome.ts';
import { maskByName } from '../output/mask.ts';
import { describeProblems } from '../output/problems.ts';
import { type PublishFlags, publishOutcome } from '../output/publish-outcome.ts';
import { usageError, usageProblem } from '../usage-error.ts';
import type { DefineCommand } from './define.ts';
import { reportOnShards } from './merge.ts';
import { type RunFlags, runCommand } from './run.ts';

interface Flags extends PublishFlags {
  readonly run?: string;
  readonly merge?: string;
  readonly args: string;
  readonly paths: string;
  readonly baseline: string;
  readonly id?: string;
  readonly config?: string;
}

export const define: DefineCommand = (ci, { io, exit }) => {
  ci.addHelpText('after', '\nExamples:\n  $ llmcheck ci github --comment --check-run');
  ci.command('github')
    .description('Run, then publish to GitHub: job summary, annotations, outputs, comment, check.')
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--run <id>', 'publish a stored run instead of running: an id, a record file, or latest')
    .option('--merge <folder>', 'publish the whole run of the shards whose records are in a folder')
    .option('--args <text>', 'flags of run, as one text', '')
    .option('--paths <text>', 'paths, as one text', '')
    .option('--baseline <source>', 'as in run (default on a pull request: the merge-base with its base)', '')
    .option('--comment', 'keep one comment on the pull request, updated in place')
    .option('--check-run', 'put a check on the head commit')
    .option('--id <id>', 'id of the comment and the check (default: workflow, job, matrix and folder)')
    .option('--no-summary', 'no job summary')
    .option('--no-annotations', 'no annotations')
    .option('-c, --config <file>', 'config file')
    .addHelpText(
      'after',
      `
Reads what the runner sets: GITHUB_TOKEN, GITHUB_EVENT_PATH, GITHUB_REPOSITORY, GITHUB_SHA, GITHUB_API_URL,
GITHUB_STEP_SUMMARY, GITHUB_OUTPUT. A job with a matrix sets LLMCHECK_MATRIX to it, as JSON.
What can't be published is a warning; the exit code is that of the run.
On a pull request from a fork, whose jobs have no secrets, stored answers alone are used; where they do not
suffice, the verdict is neutral (exit code 0) unless what was judged fails.

Examples:
  $ llmcheck ci github evals/triage.eval.yaml --args "--max-cost 0.50" --comment
  $ llmcheck ci github --run latest --check-run
  $ llmcheck ci github --merge shards --comment      after jobs with --args "--shard i/4"`,
    )
    .action(async (paths: string[], flags: Flags) => exit(await runInGithub(paths, flags, io)));
};

/** A run, and its report wherever GitHub shows one. */
async function runInGithub(givenPaths: readonly string[], flags: Flags, io: Io): Promise<number> {
  const github = parseGithubRun(io.env, readEvent(io));
  const job = findIdentity(flags, io);
  const paths = openRepositoryPaths({
    cwd: io.cwd,
    root: findProjectRoot(io.cwd, flags.config),
    env: io.env,
    ...defined({ blobUrl: github && findBlobUrl(github, io) }),
  });
  const place = { github, id: job.id, checkName: nameCheck(job, github) };
  const maskKnown = maskAll(maskByName(io.env), createMask([io.env['GITHUB_TOKEN'] ?? '']));
  try {
    const { report, mask, isReplay, exitCode } = await runOrRead(givenPaths, flags, io, github);
    const outcome = describeOutcome(report, { exitCode, isReplay, github, job, paths });
    const origin = originOf(report, io);
    if (outcome.exitCode !== exitCode) io.stderr.write(`note: ${outcome.title} (exit code ${outcome.exitCode})\n`);
    await publishOutcome(outcome, flags, io, { ...place, mask: maskAll(mask, maskKnown), origin });
    return outcome.exitCode;
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof CommanderError)) throw error;
    // Else the comment of an earlier run that passed would stay on a commit that can't be run.
    const problems = error instanceof UserError ? error.problems : [usageProblem(error.message)];
    const text = error instanceof UserError ? describeProblems(problems, { color: false }) : error.message;
    const outcome = describeUsage(maskKnown(text), problems, { github, job, paths });
    await publishOutcome(outcome, flags, io, { ...place, mask: maskKnown, origin: originOfFailed(flags, io) });
    throw error;
  }
}

function findIdentity({ id = '', config }: Flags, { cwd, env }: Io): JobIdentity {
  const folder = config === undefined ? cwd : dirname(resolve(cwd, config));
  if (id === '') return identifyJob(env, folderInRepository(folder, env));
  if (!/^[\w.-]{1,60}$/.test(id)) {
    throw usageError(`--id ${id}: not a word of letters, digits, dots, dashes and underscores`);
  }
  return { id, label: id };
}

/** A job for a push can test the same commit as one for a pull request, against another baseline. */
function nameCheck({ label }: JobIdentity, github: GithubRun | undefined): string {
  const { eventName = '' } = github ?? {};
  // A required check has one name in the pull request and in the merge queue.
  const isGate = ['', 'pull_request', 'merge_group'].includes(eventName);
  const name = label === '' ? 'llmcheck' : `llmcheck (${toSafeLine(label)})`;
  return isGate ? name : `${name} (${eventName})`;
}

function originOf({ run: { recordPath } }: Report, { cwd }: Io): RunOrigin {
  return recordPath === undefined ? {} : readRunOrigin(resolve(cwd, recordPath));
}

/** A shard that could not start has no record. */
function originOfFailed({ args }: Flags, { env }: Io): RunOrigin {
  const text = `${args} --shard=${env['LLMCHECK_SHARD'] ?? ''}`;
  const [, index, count] = /(?:^|\s)--shard[= ]["']?(\d+)\/(\d+)/.exec(text) ?? [];
  return index === undefined ? {} : { shard: { index: Number(index), count: Number(count) } };
}

interface RunOutcome {
  readonly report: Report;
  readonly mask: Mask;
  /** True where nothing was sent because the job has no secrets. */
  readonly isReplay: boolean;
  readonly exitCode: number;
}

async function runOrRead(
  givenPaths: readonly string[],
  flags: Flags,
  io: Io,
  github: GithubRun | undefined,
): Promise<RunOutcome> {
  if (flags.run !== undefined || flags.merge !== undefined) {
    refuseRunFlags(givenPaths, flags);
    const report = await readReport(flags, io);
    return { report, mask: (text) => text, isReplay: false, exitCode: report.exitCode };
  }
  const given = parseRunArguments(splitWords(flags.args, '--args'), io);
  const paths = [...givenPaths, ...splitWords(flags.paths, '--paths'), ...given.paths];
  const config = flags.config ?? given.flags['config'];
  const runFlags: Record<string, unknown> = { ...given.flags, ...(config !== undefined && { config }) };
  const baseline = flags.baseline === '' ? defaultBaseline(github, runFlags, io) : flags.baseline;
  if (baseline !== undefined) runFlags['baseline'] = baseline;
  const isReplay = await hasToReplay(github, runFlags, paths, io);
  if (isReplay) runFlags['cache'] = 'replay';
  let found: { readonly report: Report; readonly mask: Mask } | undefined;
  const exitCode = await runCommand(paths, runFlags, io, (report, mask) => {
    found = { report, mask };
  });
  if (found === undefined) {
    const message = '--args: nothing is run under these flags, so there is nothing to publish';
    throw usageError(message, 'leave --dry-run out');
  }
  return { ...found, isReplay, exitCode };
}

/** Flags that are ignored would look as if they limited the stored run. */
function refuseRunFlags(givenPaths: readonly string[], { run, merge, args, paths, baseline }: Flags): void {
  const flag = merge === undefined ? '--run' : '--merge';
  if (run !== undefined && merge !== undefined) throw usageError('--run and --merge: only one run can be published');
  const hint = 'leave it out: a stored run keeps the flags that it ran with';
  if (givenPaths.length > 0 || paths.trim() !== '') throw usageError(`${flag} takes no paths of suites`, hint);
  if (args.trim() !== '') throw usageError(`${flag} can't be combined with --args ${args}`, hint);
  if (baseline !== '') throw usageError(`${flag} can't be combined with --baseline ${baseline}`, hint);
}

async function readReport({ run, merge, config }: Flags, io: Io): Promise<Report> {
  const { cwd, env } = io;
  if (merge !== undefined) return reportOnShards(listRecords(resolve(cwd, merge), merge), config, io);
  const root = findProjectRoot(cwd, config);
  const { path } = findStoredRun({ root }, run, cwd);
  return reportOnRun({ path, root, cwd, env });
}

/** The records below a folder: an artifact of each shard may have a folder of its own. */
function listRecords(folder: string, shown: string): readonly string[] {
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  const records = files.filter((file) => file.endsWith('.jsonl')).sort();
  if (records.length > 0) return records.map((file) => join(folder, file));
  throw usageError(
    `--merge ${shown}: no record of a shard is there`,
    'download the records (.llmcheck/runs/*.jsonl) that each shard uploads',
  );
}

/** The flags and paths of `run` in words of a text. Throws a `CommanderError`. */
function parseRunArguments(words: readonly string[], io: Io): { readonly flags: RunFlags; readonly paths: string[] } {
  const run = new Command('run')
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stderr.write(text), writeErr: (text) => io.stderr.write(text) })
    .argument('[paths...]')
    .option('-c, --config <file>')
    .option('--no-color');
  addRunFlags(run);
  run.parse(protectOptionalValues(words, io.cwd), { from: 'user' });
  return { flags: run.opts(), paths: run.args };
}

function splitWords(text: string, flag: string): readonly string[] {
  const words = splitCommand(text);
  if (words === undefined) throw usageError(`${flag}: a quote is not closed`);
  return words;
}

/** A pull request is compared with the commit at which it left its base. */
function defaultBaseline(github: GithubRun | undefined, given: RunFlags, { env }: Io): string | undefined {
  const isChosen = ['baseline', 'noBaseline', 'compare'].some((key) => given[key] !== undefined);
  if (isChosen || (env['LLMCHECK_BASELINE'] ?? '') !== '' || (env['LLMCHECK_NO_BASELINE'] ?? '') !== '')
    return undefined;
  const { baseRef = '' } = github?.pullRequest ?? {};
  return baseRef === '' ? undefined : `git:${baseRef}...`;
}

/** True for a pull request whose job has no secrets, where a key is missing and no flag chose the cache mode. */
async function hasToReplay(
  github: GithubRun | undefined,
  { cache, record, config }: RunFlags,
  paths: readonly string[],
  { cwd, env }: Io,
): Promise<boolean> {
  if (github?.pullRequest?.isForeign !== true || cache !== undefined || record === true) return false;
  const { project } = await loadProject({ paths, cwd, ...(typeof config === 'string' && { configPath: config }) });
  // Suites with recordings send nothing: a missing recording is a mistake with a key too.
  const suites = project.suites.filter(({ recordings }) => recordings === undefined);
  return findMissingKeys({ ...project, suites }, env).length > 0;
}

function readEvent({ env, stderr }: Io): JsonValue | undefined {
  const path = env['GITHUB_EVENT_PATH'] ?? '';
  if (path === '') return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as JsonValue;
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof Error && 'code' in error)) throw error;
    stderr.write(`warning: GITHUB_EVENT_PATH could not be read: ${toSafeLine(error.message)}\n`);
    return undefined;
  }
}

function maskAll(...masks: readonly Mask[]): Mask {
  return (text) => masks.reduce((masked, mask) => mask(masked), text);
}
