import { appendFileSync, readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import type { JsonValue } from '../json/json.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import type { Report } from '../model/report.ts';
import { findMissingKeys } from '../plan/find-missing-keys.ts';
import { loadProject } from '../project/load-project.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { findStoredRun } from '../project/stored-runs.ts';
import { findPublishFault } from '../publishing/find-publish-fault.ts';
import { type Conclusion, findGithubRun, type GithubRun, publishToGithub } from '../publishing/publish-to-github.ts';
import { codeBlock, reporters, shoutDecision } from '../reports/index.ts';
import { createMask, type Mask } from '../secrets/mask-secrets.ts';
import { clipText } from '../terminal/display-width.ts';
import { splitCommand } from '../text/command-line.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { reportOnRun } from '../verdict/report-on-run.ts';
import { describeProblems } from './describe-problems.ts';
import { githubOutputs, renderOutputs } from './github-outputs.ts';
import type { Io } from './io.ts';
import { maskByName } from './mask-io.ts';
import { runCommand } from './run-command.ts';

export interface CiFlags {
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

type ParseRunArguments = (words: readonly string[]) => {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly paths: readonly string[];
};

/** What is published of a run, or of one that did not come to be. */
interface Outcome {
  readonly exitCode: number;
  readonly conclusion: Conclusion;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  readonly annotations: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** `llmcheck ci github`: a run, and its report wherever GitHub shows one. */
export async function ciGithubCommand(
  givenPaths: readonly string[],
  flags: CiFlags,
  io: Io,
  parseRunArguments: ParseRunArguments,
): Promise<number> {
  if (!/^[\w.-]{1,60}$/.test(flags.id)) {
    throw usage(`--id ${flags.id}: not a word of letters, digits, dots, dashes and underscores`);
  }
  const github = findGithubRun(io.env, readEvent(io));
  const token = io.env['GITHUB_TOKEN'] ?? '';
  const maskKnown = maskAll(maskByName(io.env), createMask([token]));
  try {
    const { report, mask, isReplay, exitCode } = await runOrRead(givenPaths, flags, io, { github, parseRunArguments });
    const outcome = describeOutcome(report, { exitCode, isReplay, github });
    await publish(outcome, flags, io, { github, token, mask: maskAll(mask, maskKnown) });
    return outcome.exitCode;
  } catch (error) {
    // An old comment of a run that passed must not stand under a commit that can't be run.
    const problems = error instanceof UserError ? error.problems : undefined;
    if (problems === undefined && !(error instanceof CommanderError)) throw error;
    const text = problems === undefined ? messageOf(error) : describeProblems(problems, { color: false });
    await publish(describeUsage(maskKnown(text)), flags, io, { github, token, mask: maskKnown });
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
  flags: CiFlags,
  io: Io,
  {
    github,
    parseRunArguments,
  }: { readonly github: GithubRun | undefined; readonly parseRunArguments: ParseRunArguments },
): Promise<RunOutcome> {
  if (flags.run !== undefined) {
    const root = findProjectRoot(io.cwd, flags.config);
    const { path } = findStoredRun({ root }, flags.run, io.cwd);
    const report = await reportOnRun({ path, root, cwd: io.cwd, env: io.env });
    return { report, mask: (text) => text, isReplay: false, exitCode: report.exitCode };
  }
  const given = parseRunArguments(wordsOf(flags.args, '--args'));
  const paths = [...givenPaths, ...wordsOf(flags.paths, '--paths'), ...given.paths];
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
    throw usage('--args: nothing is run under these flags, so there is nothing to publish', 'leave --dry-run out');
  }
  return { ...found, isReplay, exitCode };
}

/** A pull request is held against what its base had when it branched off. */
function defaultBaseline(
  github: GithubRun | undefined,
  given: Readonly<Record<string, unknown>>,
  { env }: Io,
): string | undefined {
  const isChosen = ['baseline', 'noBaseline', 'compare'].some((key) => given[key] !== undefined);
  if (isChosen || (env['LLMCHECK_BASELINE'] ?? '') !== '' || (env['LLMCHECK_NO_BASELINE'] ?? '') !== '')
    return undefined;
  const { baseRef = '' } = github?.pullRequest ?? {};
  return baseRef === '' ? undefined : `git:${baseRef}...`;
}

/** True for a pull request whose job has no secrets, where a key is missing and nobody chose how to use the cache. */
async function hasToReplay(
  github: GithubRun | undefined,
  runFlags: Readonly<Record<string, unknown>>,
  paths: readonly string[],
  { cwd, env }: Io,
): Promise<boolean> {
  if (github?.pullRequest?.isForeign !== true || runFlags['cache'] !== undefined || runFlags['record'] === true)
    return false;
  const { config } = runFlags;
  const { project } = await loadProject({
    paths,
    cwd,
    ...(typeof config === 'string' && { configPath: config }),
  });
  // Suites with recordings ask nobody: what they lack is a mistake of theirs, whoever runs them.
  const suites = project.suites.filter(({ recordings }) => recordings === undefined);
  return findMissingKeys({ ...project, suites }, env).length > 0;
}

function describeOutcome(
  report: Report,
  {
    exitCode,
    isReplay,
    github,
  }: { readonly exitCode: number; readonly isReplay: boolean; readonly github: GithubRun | undefined },
): Outcome {
  const { decision, totals } = report;
  const style = { color: false, width: 80, verbose: false, quiet: false };
  const render = (name: 'markdown' | 'github'): string => [...(reporters[name]?.render(report, style) ?? [])].join('');
  const { outcome, incompleteBecause, interrupted } = decision;
  const isUnjudged = incompleteBecause === 'errors' || incompleteBecause === 'nothing-evaluated';
  const isNeutral =
    isReplay && outcome === 'incomplete' && isUnjudged && interrupted === undefined && lacksAnswersAlone(report);
  const unjudged = `${totals.errored} of ${totals.planned} cells could not be judged from stored answers`;
  const contracts = report.contracts === undefined ? '' : ' Contracts were checked.';
  const note = isReplay
    ? `> **${isNeutral ? 'Neutral' : 'From stored answers'}**: the job of this pull request has no secrets, so nothing was sent; ${unjudged}.${contracts}\n\n`
    : '';
  const conclusion = isNeutral ? 'neutral' : conclusionOf(report);
  const code = isNeutral ? exitCodes.passed : exitCode;
  return {
    exitCode: code,
    conclusion,
    title: isNeutral ? `neutral: ${unjudged}` : shoutDecision(report),
    body: `${note}${render('markdown')}${footOf(github)}`,
    annotations: render('github'),
    outputs: { ...githubOutputs(report, code), conclusion },
  };
}

/** True where each errored cell only lacks an answer that the missing key would have brought. */
function lacksAnswersAlone({ suites, totals }: Report): boolean {
  if (totals.errored === 0) return false;
  for (const suite of suites) {
    for (const { trials } of suite.cases()) {
      if (trials.some(({ status, error }) => status === 'errored' && error?.kind !== 'cacheMiss')) return false;
    }
  }
  return true;
}

function conclusionOf({ decision }: Report): Conclusion {
  if (decision.interrupted !== undefined) return 'cancelled';
  switch (decision.outcome) {
    case 'passed':
      return 'success';
    case 'inconclusive':
      return 'neutral';
    case 'failed':
    case 'incomplete':
      return 'failure';
  }
}

function describeUsage(text: string): Outcome {
  const shown = clipText(text.trim(), maxProblemUnits);
  return {
    exitCode: exitCodes.usage,
    conclusion: 'failure',
    title: 'could not start: something has to be mended first (exit code 2)',
    body: `## ⛔ llmcheck could not start (exit code 2)\n\n${codeBlock(shown.split('\n'), '')}`,
    annotations: '',
    outputs: { outcome: 'usage', exitCode: String(exitCodes.usage), conclusion: 'failure' },
  };
}

const maxProblemUnits = 5000;

function footOf(github: GithubRun | undefined): string {
  if (github === undefined) return '';
  const commit = /^[0-9a-f]{7,64}$/.test(github.headSha) ? [`commit \`${github.headSha.slice(0, 12)}\``] : [];
  const log = github.runUrl === undefined ? [] : [`[log](${github.runUrl})`];
  return commit.length + log.length === 0 ? '' : `\n${[...commit, ...log].join(' · ')}\n`;
}

async function publish(
  outcome: Outcome,
  flags: CiFlags,
  io: Io,
  { github, token, mask }: { readonly github: GithubRun | undefined; readonly token: string; readonly mask: Mask },
): Promise<void> {
  const warn = (text: string): void => io.stderr.write(`warning: ${toSafeLine(mask(text))}\n`);
  const fault = github === undefined ? undefined : findPublishFault(github, io);
  const body = mask(fault === undefined ? outcome.body : `> **Not published**: ${fault}.\n\n${outcome.body}`);
  if (flags.annotations && fault === undefined) io.stdout.write(mask(outcome.annotations));
  if (fault !== undefined) warn(`nothing is published to GitHub: ${fault}`);
  if (flags.summary) append(io, 'GITHUB_STEP_SUMMARY', body, warn);
  const links: Record<string, string> = {};
  const wantsComment = flags.comment === true && github?.pullRequest !== undefined;
  if (fault === undefined && (flags.comment === true || flags.checkRun === true)) {
    if (github === undefined) warn('not published to GitHub: GITHUB_REPOSITORY names no repository');
    else if (token === '') warn('not published to GitHub: GITHUB_TOKEN is not set');
    else {
      const name = flags.id === 'default' ? 'llmcheck' : `llmcheck (${flags.id})`;
      const { conclusion, title } = outcome;
      const parts = await publishToGithub(
        github,
        {
          ...(wantsComment && { comment: { id: flags.id, body } }),
          ...(flags.checkRun === true && { checkRun: { name, conclusion, title: mask(title), summary: body } }),
        },
        { env: io.env, token, now: io.now },
      );
      for (const [part, published] of Object.entries(parts)) {
        if (published?.ok === false)
          warn(`the ${part === 'comment' ? 'comment' : 'check'} was not published: ${published.message}`);
        else if (published?.url !== undefined) links[`${part}Url`] = published.url;
      }
    }
  }
  append(io, 'GITHUB_OUTPUT', renderOutputs({ ...outcome.outputs, ...links }), warn);
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

function wordsOf(text: string, flag: string): readonly string[] {
  const words = splitCommand(text);
  if (words === undefined) throw usage(`${flag}: a quote is not closed`);
  return words;
}

function maskAll(...masks: readonly Mask[]): Mask {
  return (text) => masks.reduce((masked, mask) => mask(masked), text);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}

function usage(message: string, hint?: string): UserError {
  return new UserError([{ code: 'usage', severity: 'error', message, ...(hint !== undefined && { hint }) }]);
}
