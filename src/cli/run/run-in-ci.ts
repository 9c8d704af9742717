import { readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { reportOnRun } from '../../assessing/assess-run.ts';
import { confirmDrift, type DriftFinding } from '../../assessing/judge-drift.ts';
import { defined } from '../../json/defined.ts';
import { exitCodes } from '../../model/comparison/exit-code.ts';
import { UserError, usageError, usageProblem } from '../../model/problem.ts';
import type { Report } from '../../model/report/report.ts';
import { findMissingKeys } from '../../plan/check-providers.ts';
import { loadProject } from '../../project/load-project.ts';
import { findProjectRoot, folderInRepository } from '../../project/project-paths.ts';
import { findStoredRun } from '../../project/stored-runs.ts';
import {
  type CiPage,
  type CiPlace,
  describeOutcome,
  describeUsage,
  type ToPublish,
} from '../../publishing/ci-outcome.ts';
import { identifyJob, type JobIdentity, type RunOrigin, readRunOrigin } from '../../publishing/job.ts';
import { createMask, type Mask, maskByName } from '../../secrets/mask-secrets.ts';
import { loadRunDefaults } from '../../suite/load-run-defaults.ts';
import { splitCommand } from '../../text/code/command-line.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { reportOnShards } from '../commands/runs/merge.ts';
import { type RunFlags, runCommand } from '../commands/runs/run.ts';
import { resolveFlagValues } from '../flags/flag-values.ts';
import { addRunFlags, protectOptionalValues } from '../flags/run-flags.ts';
import type { Io } from '../io.ts';
import { describeProblems } from '../output/problems.ts';
import { prepareRun } from './prepare-run.ts';

/** Flags of every command that runs, or reads a stored run, and publishes the result. */
export interface CiFlags {
  readonly run?: string;
  readonly merge?: string;
  readonly args: string;
  readonly paths: string;
  readonly baseline: string;
  readonly id?: string;
  readonly config?: string;
  readonly pageUrl?: string;
  readonly pageZip?: boolean;
  /** USD for finding the edits that broke cases. */
  readonly blame?: string;
}

export function addCiFlags(command: Command, baselineText: string): Command {
  return command
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--run <id>', 'publish a stored run instead of running: an id, a record file, or latest')
    .option('--merge <folder>', 'publish the whole run of the shards whose records are in a folder')
    .option('--args <text>', 'flags of run, as one text', '')
    .option('--paths <text>', 'paths, as one text', '')
    .option('--baseline <source>', `as in run (default on a ${baselineText})`, '')
    .option('--blame <usd>', 'find which edit broke a case (as bisect does), for at most this much')
    .option('--page-url <url>', 'the address of the HTML report, to link to (or LLMCHECK_PAGE_URL)')
    .option('--page-zip', 'the page is downloaded from there as a zip file, so that no link leads into it')
    .option('-c, --config <file>', 'config file');
}

/** Adds the config of the run, which `--args` or a variable may name. */
export function withConfig<T extends CiFlags>(flags: T, { env }: Io): T {
  const config =
    flags.config ?? findConfigFlag(splitCommand(flags.args) ?? []) ?? (env['LLMCHECK_CONFIG'] || undefined);
  return { ...flags, ...defined({ config }) };
}

/** Reads only `--config`. The run itself parses the flags. */
function findConfigFlag(words: readonly string[]): string | undefined {
  let found: string | undefined;
  for (const [index, word] of words.entries()) {
    if (word === '-c' || word === '--config') found = words[index + 1];
    else found = /^(?:-c|--config=)(.+)$/s.exec(word)?.[1] ?? found;
  }
  return found;
}

/** The id of `--id`, else one from the names of the job and its folder. */
export function findIdentity(parts: readonly string[], { id = '', config }: CiFlags, { cwd, env }: Io): JobIdentity {
  const folder = config === undefined ? cwd : dirname(resolve(cwd, config));
  if (id === '') return identifyJob(...parts, folderInRepository(folder, env));
  if (!/^[\w.-]{1,60}$/.test(id)) {
    throw usageError(`--id ${id}: not a word of letters, digits, dots, dashes and underscores`);
  }
  return { id, label: id };
}

/** The page that a flag or a variable names. An upload that failed leaves an empty address. */
export function findPage({ pageUrl, pageZip = false }: CiFlags, { env }: Io): CiPage | undefined {
  const given = pageUrl ?? env['LLMCHECK_PAGE_URL'] ?? '';
  if (given === '') return undefined;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw usageError('--page-url: not an address that begins with https:// or http://', 'give the URL of the page');
  }
  // The page reads its own address, such as #/case/words/red.
  url.hash = '';
  return { kind: pageZip ? 'zip' : 'page', url: escapeUrl(url.href) };
}

/** Encodes characters that end a link, a cell or a code span in Markdown. */
function escapeUrl(url: string): string {
  return url.replaceAll(/[()[\]<>|`\\*$'"{}^\s]/g, (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

export interface CiEvent {
  /** The baseline if no flag and no variable chooses one. */
  readonly baseline?: string;
  /** Why the base of a change is not known. Without it, the change would be compared with its own baseline. */
  readonly missingBase?: string | undefined;
  /** True if the job has no secrets. */
  readonly isForeign: boolean;
  readonly place: CiPlace;
  readonly secrets: readonly string[];
  /** True for a run that looks for drift. It is repeated if it finds some. */
  readonly isDriftWatch?: boolean;
}

export interface CiSteps {
  /** Called before the run. Its error is published too; otherwise the verdict on an older commit would stay. */
  readonly prepare: () => Promise<void>;
  /** Returns the exit code. */
  readonly publish: (result: ToPublish) => Promise<number>;
}

/** Runs, or reads a stored run, and publishes its report. */
export async function runInCi(
  givenPaths: readonly string[],
  flags: CiFlags,
  io: Io,
  event: CiEvent,
  { prepare, publish }: CiSteps,
): Promise<number> {
  const { place } = event;
  const maskKnown = maskAll(maskByName(io.env), createMask(event.secrets));
  try {
    await prepare();
    const run = (): Promise<RunOutcome> => runOrRead(givenPaths, flags, io, event);
    const { report, isReplay, exitCode, ...found } =
      event.isDriftWatch === true
        ? await confirmDrift(run, () =>
            io.stderr.write('note: this run failed by drift; a second run has to confirm it\n'),
          )
        : await run();
    const facts = { exitCode, isReplay, place };
    const outcome = describeOutcome(report, facts);
    if (outcome.exitCode !== exitCode) io.stderr.write(`note: ${outcome.title} (exit code ${outcome.exitCode})\n`);
    const mask = maskAll(found.mask, maskKnown);
    return await publish({
      outcome,
      bodyWith(page) {
        const { page: _, ...elsewhere } = place;
        return describeOutcome(report, { ...facts, place: { ...elsewhere, ...defined({ page }) } }).body;
      },
      outcomeAs: (drift) => describeOutcome(report, { ...facts, drift }),
      mask,
      origin: originOf(report, io),
      report,
      problems: [],
      ...defined({ drift: found.drift }),
    });
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof CommanderError)) throw error;
    // Publishes the problem. Otherwise an earlier passed run's comment would stay on a commit that can't be run.
    const problems = error instanceof UserError ? error.problems : [usageProblem(error.message)];
    const text = error instanceof UserError ? describeProblems(problems, { color: false }) : error.message;
    const outcome = describeUsage(maskKnown(text), problems, place);
    await publish({
      outcome,
      bodyWith: () => outcome.body,
      outcomeAs: () => outcome,
      mask: maskKnown,
      origin: originOfFailed(flags, io),
      problems,
    });
    throw error;
  }
}

function originOf({ run: { recordPath } }: Report, { cwd }: Io): RunOrigin {
  return recordPath === undefined ? {} : readRunOrigin(resolve(cwd, recordPath));
}

/** A shard that could not start has no record. */
function originOfFailed({ args }: CiFlags, { env }: Io): RunOrigin {
  const text = `${args} --shard=${env['LLMCHECK_SHARD'] ?? ''}`;
  const [, index, count] = /(?:^|\s)--shard[= ]["']?(\d+)\/(\d+)/.exec(text) ?? [];
  return index === undefined ? {} : { shard: { index: Number(index), count: Number(count) } };
}

interface RunOutcome {
  readonly report: Report;
  readonly mask: Mask;
  /** True if nothing was sent because the job has no secrets. */
  readonly isReplay: boolean;
  readonly exitCode: number;
  readonly drift?: DriftFinding;
}

async function runOrRead(givenPaths: readonly string[], flags: CiFlags, io: Io, event: CiEvent): Promise<RunOutcome> {
  const blameUsd = readBlame(flags);
  if (flags.run !== undefined || flags.merge !== undefined) {
    refuseRunFlags(givenPaths, flags);
    const report = await readReport(flags, io);
    // The shards of a fork used stored answers alone.
    const isReplay = event.isForeign && originOf(report, io).isReplay === true;
    return { report, mask: (text) => text, isReplay, exitCode: report.exitCode };
  }
  const given = parseRunArguments(splitWords(flags.args, '--args'), io);
  const paths = [...givenPaths, ...splitWords(flags.paths, '--paths'), ...given.paths];
  const config = flags.config ?? given.flags['config'];
  const runFlags: Record<string, unknown> = { ...given.flags, ...defined({ config }) };
  const baseline = flags.baseline === '' ? await defaultBaseline(event, runFlags, io) : flags.baseline;
  if (baseline !== undefined) runFlags['baseline'] = baseline;
  if (event.isDriftWatch === true) askAgain(runFlags);
  const isReplay = await hasToReplay(event, runFlags, paths, io);
  if (isReplay) runFlags['cache'] = 'replay';
  let found: { readonly report: Report; readonly mask: Mask } | undefined;
  const exitCode = await runCommand(paths, runFlags, io, (report, mask) => {
    found = { report, mask };
  });
  if (found === undefined) {
    const message = '--args: nothing is run under these flags, so there is nothing to publish';
    throw usageError(message, 'leave --dry-run out');
  }
  if (blameUsd === undefined || isReplay || exitCode !== exitCodes.failed) return { ...found, isReplay, exitCode };
  const report = await blameBroken(found.report, { paths, runFlags: { ...runFlags, maxCost: blameUsd } }, io);
  return { ...found, report, isReplay, exitCode };
}

/** The report with the edits that broke its cases. A note says why they could not be searched. */
async function blameBroken(
  report: Report,
  { paths, runFlags }: { readonly paths: readonly string[]; readonly runFlags: RunFlags },
  io: Io,
): Promise<Report> {
  const { blameCases } = await import('../../probing/blame-cases.ts');
  // The run has printed the warnings.
  const silent = { ...io, stderr: { ...io.stderr, write: () => {} } };
  try {
    return await blameCases(report, async () => {
      const { options, ports, mask } = await prepareRun(paths, runFlags, silent);
      const onCase = (sentence: string): void => io.stderr.write(mask(`bisect: ${toSafeLine(sentence)}\n`));
      return { run: options, ports: { ...ports, onProgress: () => {} }, onCase };
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const problems = describeProblems(error.problems, { color: false });
    io.stderr.write(`note: --blame: the edits were not searched\n${problems}`);
    return report;
  }
}

/** Checks `--blame` before the run, because a refusal after it would come too late to save its cost. */
function readBlame({ blame, run, merge }: CiFlags): string | undefined {
  if (blame === undefined) return undefined;
  if (run !== undefined || merge !== undefined) {
    throw usageError('--blame asks the cases of this run again, and a stored run is published', 'use llmcheck bisect');
  }
  const { maxCost = 0 } = resolveFlagValues({ flags: { maxCost: blame }, env: {}, config: {} }).values;
  if (maxCost <= 0) throw usageError(`--blame: "${blame}" is not an amount above 0`, 'write --blame 1');
  return blame;
}

/** Sets `--cache refresh` by default, because stored answers cannot show drift. */
function askAgain(runFlags: Record<string, unknown>): void {
  const { cache = 'refresh' } = runFlags;
  if (cache !== 'refresh' && cache !== 'off') {
    throw usageError(`--issue can't be combined with --cache ${String(cache)}: stored answers show no drift`);
  }
  Object.assign(runFlags, { drift: true, cache });
}

/** Refuses flags of a run with `--run` and `--merge`: they would seem to limit the stored run. */
function refuseRunFlags(givenPaths: readonly string[], { run, merge, args, paths, baseline }: CiFlags): void {
  const flag = merge === undefined ? '--run' : '--merge';
  if (run !== undefined && merge !== undefined) throw usageError('--run and --merge: only one run can be published');
  const hint = 'leave it out: a stored run keeps the flags that it ran with';
  if (givenPaths.length > 0 || paths.trim() !== '') throw usageError(`${flag} takes no paths of suites`, hint);
  if (args.trim() !== '') throw usageError(`${flag} can't be combined with --args ${args}`, hint);
  if (baseline !== '') throw usageError(`${flag} can't be combined with --baseline ${baseline}`, hint);
}

async function readReport({ run, merge, config }: CiFlags, io: Io): Promise<Report> {
  const { cwd } = io;
  if (merge !== undefined) return reportOnShards(listRecords(resolve(cwd, merge), merge), config, io);
  const root = findProjectRoot(cwd, config);
  const { path } = findStoredRun({ root }, run, cwd);
  return reportOnRun({ path, root, cwd });
}

/**
 * The records below a folder: an artifact of each shard may have a folder of its own. No link is followed: one may lead to a
 * folder above, or out of the artifacts.
 */
function listRecords(folder: string, shown: string): readonly string[] {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  const files = isFolder ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
  const records = files.filter((entry) => entry.isFile() && entry.name.endsWith('.jsonl'));
  if (records.length > 0) return records.map(({ parentPath, name }) => join(parentPath, name)).sort();
  throw usageError(
    `--merge ${shown}: no record of a shard is there`,
    'download the records (.llmcheck/runs/*.jsonl) that each shard uploads',
  );
}

/** The flags and paths of `run` in words of a text. Throws a `CommanderError`. */
function parseRunArguments(words: readonly string[], io: Io): { readonly flags: RunFlags; readonly paths: string[] } {
  const run = new Command('run')
    .exitOverride()
    // Help would end the job with exit code 0, and nothing would have run.
    .helpOption(false)
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

async function defaultBaseline(
  { baseline, missingBase }: CiEvent,
  given: RunFlags,
  { cwd, env }: Io,
): Promise<string | undefined> {
  const { config } = given;
  const { swap } = await loadRunDefaults({
    cwd,
    ...defined({ configPath: typeof config === 'string' ? config : undefined }),
  });
  // A flag, a variable or `swap` of the config takes precedence over this baseline; `baseline` and `compare` of the
  // config do not. LLMCHECK_NO_BASELINE=0 chooses nothing.
  const { values } = resolveFlagValues({ flags: given, env, config: defined({ swap }) });
  if (values.noBaseline === true) return undefined;
  if ((['baseline', 'compare', 'swap'] as const).some((key) => values[key] !== undefined)) return undefined;
  if (missingBase !== undefined) {
    throw usageError(missingBase, 'in a container, pass the variables of the job and mount the file of the event');
  }
  return baseline;
}

/** True for a job without secrets in which a key is missing. A flag for the cache mode takes precedence. */
async function hasToReplay(
  { isForeign }: CiEvent,
  { cache, record, config }: RunFlags,
  paths: readonly string[],
  { cwd, env }: Io,
): Promise<boolean> {
  if (!isForeign || cache !== undefined || record === true) return false;
  const { project } = await loadProject({
    paths,
    cwd,
    ...defined({ configPath: typeof config === 'string' ? config : undefined }),
  });
  // Suites with recordings send nothing. A missing recording is a mistake even with a key.
  const suites = project.suites.filter(({ recordings }) => recordings === undefined);
  return findMissingKeys({ ...project, suites }, env).length > 0;
}

function maskAll(...masks: readonly Mask[]): Mask {
  return (text) => masks.reduce((masked, mask) => mask(masked), text);
}
