import { appendFileSync, readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { defined } from '../../json/defined.ts';
import type { JsonValue } from '../../json/json.ts';
import { UserError } from '../../model/errors.ts';
import type { Report } from '../../model/report.ts';
import { findMissingKeys } from '../../plan/check-providers.ts';
import { loadProject } from '../../project/load-project.ts';
import { findProjectRoot } from '../../project/project-paths.ts';
import { findStoredRun } from '../../project/stored-runs.ts';
import {
  findPublishFault,
  type GithubRun,
  parseGithubRun,
  publishToGithub,
} from '../../publishing/publish-to-github.ts';
import { createMask, type Mask } from '../../secrets/mask-secrets.ts';
import { splitCommand } from '../../text/command-line.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { reportOnRun } from '../../verdict/assess-run.ts';
import { addRunFlags, protectOptionalValues } from '../flags/run-flags.ts';
import type { Io } from '../io.ts';
import { describeOutcome, describeUsage, type GithubOutcome } from '../output/github-outcome.ts';
import { maskByName } from '../output/mask.ts';
import { describeProblems } from '../output/problems.ts';
import { usageError } from '../usage-error.ts';
import type { DefineCommand } from './define.ts';
import { type RunFlags, runCommand } from './run.ts';

interface Flags {
  readonly run?: string;
  readonly args: string;
  readonly paths: string;
  readonly baseline: string;
  readonly comment?: boolean;
  readonly checkRun?: boolean;
  readonly id: string;
  readonly summary: boolean;
  readonly annotations: boolean;
  readonly config?: string;
}

export const define: DefineCommand = (ci, { io, exit }) => {
  ci.addHelpText('after', '\nExamples:\n  $ llmcheck ci github --comment --check-run');
  ci.command('github')
    .description('Run, then publish to GitHub: job summary, annotations, outputs, comment, check.')
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--run <id>', 'publish a stored run instead of running: an id, a record file, or latest')
    .option('--args <text>', 'flags of run, as one text', '')
    .option('--paths <text>', 'paths, as one text', '')
    .option('--baseline <source>', 'as in run (default on a pull request: the merge-base with its base)', '')
    .option('--comment', 'keep one comment on the pull request, updated in place')
    .option('--check-run', 'put a check on the head commit')
    .option('--id <id>', 'tells several comments and checks of one commit apart', 'default')
    .option('--no-summary', 'no job summary')
    .option('--no-annotations', 'no annotations')
    .option('-c, --config <file>', 'config file')
    .addHelpText(
      'after',
      `
Reads what the runner sets: GITHUB_TOKEN, GITHUB_EVENT_PATH, GITHUB_REPOSITORY, GITHUB_SHA, GITHUB_API_URL,
GITHUB_STEP_SUMMARY, GITHUB_OUTPUT. What can't be published is a warning; the exit code is that of the run.
On a pull request from a fork, whose jobs have no secrets, stored answers alone are used; where they do not
suffice, the verdict is neutral (exit code 0) unless what was judged fails.

Examples:
  $ llmcheck ci github evals/triage.eval.yaml --args "--max-cost 0.50" --comment
  $ llmcheck ci github --run latest --check-run`,
    )
    .action(async (paths: string[], flags: Flags) => exit(await runInGithub(paths, flags, io)));
};

/** A run, and its report wherever GitHub shows one. */
async function runInGithub(givenPaths: readonly string[], flags: Flags, io: Io): Promise<number> {
  if (!/^[\w.-]{1,60}$/.test(flags.id)) {
    throw usageError(`--id ${flags.id}: not a word of letters, digits, dots, dashes and underscores`);
  }
  const github = parseGithubRun(io.env, readEvent(io));
  const maskKnown = maskAll(maskByName(io.env), createMask([io.env['GITHUB_TOKEN'] ?? '']));
  try {
    const { report, mask, isReplay, exitCode } = await runOrRead(givenPaths, flags, io, github);
    const outcome = describeOutcome(report, { exitCode, isReplay, github });
    await publish(outcome, flags, io, { github, mask: maskAll(mask, maskKnown) });
    return outcome.exitCode;
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof CommanderError)) throw error;
    // Else the comment of an earlier run that passed would stay on a commit that can't be run.
    const text = error instanceof UserError ? describeProblems(error.problems, { color: false }) : error.message;
    await publish(describeUsage(maskKnown(text)), flags, io, { github, mask: maskKnown });
    throw error;
  }
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
  if (flags.run !== undefined) {
    const root = findProjectRoot(io.cwd, flags.config);
    const { path } = findStoredRun({ root }, flags.run, io.cwd);
    const report = await reportOnRun({ path, root, cwd: io.cwd, env: io.env });
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

interface PublishOptions {
  readonly github: GithubRun | undefined;
  readonly mask: Mask;
}

async function publish(outcome: GithubOutcome, flags: Flags, io: Io, { github, mask }: PublishOptions): Promise<void> {
  const warn = (text: string): void => io.stderr.write(`warning: ${toSafeLine(mask(text))}\n`);
  const fault = github === undefined ? undefined : findPublishFault(github, io);
  const body = mask(fault === undefined ? outcome.body : `> **Not published**: ${fault}.\n\n${outcome.body}`);
  if (fault !== undefined) warn(`nothing is published to GitHub: ${fault}`);
  else if (flags.annotations) io.stdout.write(mask(outcome.annotations));
  if (flags.summary) append(io, 'GITHUB_STEP_SUMMARY', body, warn);
  const links = fault === undefined ? await publishParts({ ...outcome, body }, flags, io, { github, mask }, warn) : {};
  const outputs = Object.entries({ ...outcome.outputs, ...links });
  // Values have no line breaks of their own: they are numbers, words and ids.
  const lines = outputs.map(([name, value]) => `${name}=${value.replaceAll(/[\r\n]/g, ' ')}\n`);
  append(io, 'GITHUB_OUTPUT', lines.join(''), warn);
}

/** Writes the comment and the check that were asked for. Returns their addresses as outputs of the step. */
async function publishParts(
  { conclusion, title, body }: GithubOutcome,
  flags: Flags,
  io: Io,
  { github, mask }: PublishOptions,
  warn: (text: string) => void,
): Promise<Readonly<Record<string, string>>> {
  const token = io.env['GITHUB_TOKEN'] ?? '';
  if (flags.comment !== true && flags.checkRun !== true) return {};
  if (github === undefined || token === '') {
    const reason = github === undefined ? 'GITHUB_REPOSITORY names no repository' : 'GITHUB_TOKEN is not set';
    warn(`not published to GitHub: ${reason}`);
    return {};
  }
  const name = flags.id === 'default' ? 'llmcheck' : `llmcheck (${flags.id})`;
  const parts = await publishToGithub(
    github,
    {
      ...(flags.comment === true && github.pullRequest !== undefined && { comment: { id: flags.id, body } }),
      ...(flags.checkRun === true && { checkRun: { name, conclusion, title: mask(title), summary: body } }),
    },
    { env: io.env, token, now: io.now },
  );
  const links: Record<string, string> = {};
  for (const [part, published] of Object.entries(parts)) {
    if (published.ok) Object.assign(links, defined({ [`${part}Url`]: published.url }));
    else warn(`the ${part === 'comment' ? 'comment' : 'check'} was not published: ${published.message}`);
  }
  return links;
}

function append(io: Io, variable: string, text: string, warn: (text: string) => void): void {
  const path = io.env[variable] ?? '';
  if (path === '') return;
  try {
    appendFileSync(path, text);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    warn(`${variable} could not be written: ${error.message}`);
  }
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
