import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { type AffectedSuite, type AffectedSuites, findAffected } from '../../changes/find-affected.ts';
import { defined } from '../../json/defined.ts';
import { systemClock } from '../../model/clock.ts';
import { type Problem, UserError, usageProblem } from '../../model/problem.ts';
import type { Report } from '../../model/report/report.ts';
import type { RunSettings } from '../../model/run/record.ts';
import type { ConfirmBudget } from '../../model/suite/gate-policy.ts';
import type { Plugin } from '../../model/suite/plugin.ts';
import type { Project, Suite } from '../../model/suite/suite.ts';
import { findMisdirectedKeys } from '../../plan/check-providers.ts';
import { findUnknownTools } from '../../plan/check-tools.ts';
import type { RunOptions, RunPorts } from '../../plan/run-options.ts';
import { swapProviders } from '../../plan/swap-providers.ts';
import { maskFor } from '../../project/mask-for.ts';
import { findProjectRoot } from '../../project/project-paths.ts';
import {
  describeStoredRun,
  findInvocation,
  findStoredRun,
  isNothingToResume,
  type StoredInvocation,
} from '../../project/stored-runs.ts';
import type { Mask } from '../../secrets/mask-secrets.ts';
import type { ReadLog } from '../../suite/files/read-log.ts';
import { findQueueSecrets } from '../../text/addresses/store-urls.ts';
import { formatCount, listFirst } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { toSlashes } from '../../text/to-slashes.ts';
import { resolveFlagValues } from '../flags/flag-values.ts';
import { loadForRun, type RunInvocation, resolveRun } from '../flags/resolve-run.ts';
import type { RunFlagValues } from '../flags/run-flags.ts';
import { buildRunOptions, checkSwap, findSwaps } from '../flags/run-settings.ts';
import type { Io } from '../io.ts';
import { describeNoSuite } from '../load-suites.ts';
import { maskError, maskSink } from '../output/mask.ts';
import { printProblems } from '../output/problems.ts';
import type { ParsedReporters } from '../output/reports.ts';
import { wantsColor } from '../output/style.ts';
import { packageFolder, version } from '../version.ts';
import { announceWaitingState, committedNotes } from './committed-state.ts';

type LoadedPlugins = Awaited<ReturnType<typeof loadForRun>>['plugins'];

/** Everything that a run needs before its first call, from files, flags and environment. */
export interface PreparedRun {
  /** The whole project, even if the run takes fewer suites. */
  readonly project: Project;
  readonly configPath: string | undefined;
  readonly options: RunOptions;
  /** `env` has the variables of the env file. */
  readonly ports: Omit<RunPorts, 'onProgress'>;
  readonly values: RunFlagValues;
  readonly reporters: ParsedReporters<Report>;
  readonly mask: Mask;
  /** Its stderr is masked, because progress and problems may quote a server. */
  readonly io: Io;
  readonly quiet: boolean;
  /** Whether stderr has colour. */
  readonly color: boolean;
  /** False under `--no-color`. */
  readonly hasColor: boolean;
  /** Why each suite runs or not; empty without `--changed`. */
  readonly explanation: string;
}

interface PrepareOptions {
  readonly reads?: ReadLog | undefined;
  readonly plugins?: readonly Plugin[] | undefined;
  /** The cases that `--last-failed` took before; undefined for the failed cases of the last run. */
  readonly cases?: readonly string[] | undefined;
}

/** Loads the project and resolves its settings. Prints warnings, and throws mistakes as a `UserError`. */
export async function prepareRun(
  givenPaths: readonly string[],
  givenFlags: Readonly<Record<string, unknown>>,
  givenIo: Io,
  { reads, plugins: givenPlugins = [], cases: givenCases }: PrepareOptions = {},
): Promise<PreparedRun> {
  const { cwd, now, random, onSignal } = givenIo;
  const configFlag = givenFlags['config'] ?? givenIo.env['LLMCHECK_CONFIG'];
  const configPath = typeof configFlag === 'string' ? configFlag : undefined;
  const given = { flags: givenFlags, env: givenIo.env, cwd, root: findProjectRoot(cwd, configPath) };
  const { baseline } = givenFlags;
  announceWaitingState({ config: configPath, baseline: typeof baseline === 'string' ? baseline : undefined }, givenIo);
  const resumed = findResumed(given);
  const cases = givenCases ?? resumed.cases;
  const paths = givenPaths.length > 0 ? givenPaths : resumed.paths.map((path) => pathBetween(cwd, given.root, path));
  const invocation = resumed.isNew === true ? withoutResume(given) : given;
  const loaded = await loadForRun(
    { paths, cwd, ...defined({ configPath, reads, plugins: givenPlugins.length > 0 ? givenPlugins : undefined }) },
    invocation,
  );
  const { plugins } = loaded;
  const resolved = resolveRun({ ...loaded.project.run, ...resumed.flags }, invocation, plugins);
  const project = withConfirmBudget(loaded.project, resolved.values.confirmBudget);
  if (resumed.stored !== undefined) refuseLess(resumed.stored, { invocation, project });
  const { values, reporters, env, fileVariables } = resolved;
  const mask = maskFor(project, env, findQueueSecrets(values.queue));
  const io: Io = { ...givenIo, stderr: maskSink(givenIo.stderr, mask) };
  const hasColor = invocation.flags['color'] !== false;
  printProblems(
    [
      ...(resumed.isNew === true ? [nothingToResume] : []),
      ...loaded.warnings,
      ...resolved.problems,
      ...findMisdirectedKeys(project, { env, fileVariables }),
      ...findUnknownTools(project.suites),
    ],
    io,
    hasColor,
  );
  if (project.suites.length === 0) io.stderr.write(describeNoSuite(project.root, paths, io.cwd));
  const swapped = swapCandidates(project, resolved, { plugins, io, hasColor });
  const notes = [...committedNotes(given.root), ...(swapped.notes ?? [])];
  const whole = buildRunOptions(
    values,
    swapped.settings,
    { ...swapped, notes },
    {
      paths: paths.map((path) => toSlashes(pathBetween(project.root, cwd, path))),
      ...defined({ cases }),
    },
  );
  const quiet = values.quiet === true;
  if (values.lastFailed === true && cases === undefined && !quiet) {
    const last = describeStoredRun(findStoredRun(project, undefined), now());
    io.stderr.write(`--last-failed: the cases that did not pass in ${last}\n`);
  }
  const ports = { env, cwd, clock: systemClock, now, random, mask, onSignal };
  const color = wantsColor(io.stderr, io.env, hasColor);
  try {
    const selected = selectChanged(whole, values, ports);
    return { project, configPath, ...selected, ports, values, reporters, mask, io, quiet, color, hasColor };
  } catch (error) {
    throw maskError(error, mask);
  }
}

/** `--confirm-budget` takes the place of the budget of every suite. */
function withConfirmBudget(project: Project, budget: ConfirmBudget | undefined): Project {
  if (budget === undefined) return project;
  const suites = project.suites.map((suite): Suite => {
    const { gate } = suite;
    return { ...suite, gate: { ...gate, confirm: { ...gate.confirm, budget } } };
  });
  return { ...project, suites };
}

/**
 * Adds the candidates of `--swap`, or compares providers by `--compare`. Prints their problems before anything is sent.
 */
function swapCandidates(
  project: Project,
  { values, settings, env }: Pick<ReturnType<typeof resolveRun>, 'values' | 'settings' | 'env'>,
  { plugins, io, hasColor }: Pick<PreparedRun, 'io' | 'hasColor'> & { readonly plugins: LoadedPlugins },
): { readonly project: Project; readonly settings: RunSettings; readonly notes?: readonly string[] } {
  const swaps = findSwaps(values, project);
  if (swaps.length === 0) return { project, settings };
  const flag = values.swap === undefined ? '--compare' : '--swap';
  const problems = checkSwap(values, flag);
  if (problems.length > 0) throw new UserError(problems);
  const { project: swapped, warnings } = swapProviders(project, swaps, {
    plugins,
    env,
    flag,
    prompts: values.prompt ?? [],
  });
  printProblems(warnings, io, hasColor);
  const { compare: _compare, ...others } = settings;
  // Nothing that was accepted earlier counts: all sides run here.
  return {
    project: swapped,
    settings: { ...others, baseline: 'none', swap: swaps },
    notes: warnings.map(({ message }) => message),
  };
}

/** A path that is relative to one folder, as another one sees it. */
function pathBetween(to: string, from: string, path: string): string {
  return relative(to, resolve(from, path)) || '.';
}

interface ResumedRun extends Pick<StoredInvocation, 'paths' | 'flags' | 'cases'> {
  readonly stored?: StoredInvocation;
  /** Set if a run should be resumed, but there is no record. */
  readonly isNew?: true;
}

/** Finds the flags and settings that the run to resume began with. */
function findResumed({ flags, env, root }: RunInvocation): ResumedRun {
  const given = resolveFlagValues({ flags, env, config: {} }).values;
  const { resume } = given;
  if (resume === undefined) return { paths: [], flags: {} };
  const id = resume === true ? undefined : resume;
  // Without an id, a missing record is no error: the run simply starts from the beginning.
  if (id === undefined && isNothingToResume({ root })) return { paths: [], flags: {}, isNew: true };
  const stored = findInvocation({ root }, id);
  return { ...stored, flags: withoutRefused(stored.flags, given), stored };
}

/** Flags of the run to resume, without flags that contradict a given one. The user could not remove them. */
function withoutRefused(flags: StoredInvocation['flags'], given: RunFlagValues): StoredInvocation['flags'] {
  const isReplay = given.cache === 'replay';
  const isRecording = given.record === true || given.recordTools === true;
  const isRefused = (key: string) =>
    key === 'cache' ? isRecording && flags[key] === 'replay' : isReplay && (key === 'record' || key === 'recordTools');
  return Object.fromEntries(Object.entries(flags).filter(([key]) => !isRefused(key)));
}

/** Throws a `UserError` if a resumed run would drop cells that it has answers of. */
function refuseLess(
  { id, flags, cases, suites }: StoredInvocation,
  { invocation, project }: { readonly invocation: RunInvocation; readonly project: Project },
): void {
  const given = resolveFlagValues({ flags: invocation.flags, env: invocation.env, config: {} }).values;
  const others = selectingFlags.filter((key) => {
    if (given[key] === undefined || given[key] === false || (key === 'lastFailed' && cases !== undefined)) return false;
    return JSON.stringify(given[key]) !== JSON.stringify(flags[key]);
  });
  const loaded = new Set(project.suites.map(({ path }) => path));
  const left = suites.filter((path) => !loaded.has(path) && existsSync(resolve(project.root, path)));
  const faults = [
    ...others.map((key) => `--${key === 'lastFailed' ? 'last-failed' : key}: run ${id} was not begun with this value`),
    ...left.slice(0, 1).map((path) => `the given paths leave out ${path}, a suite of run ${id}`),
  ];
  const hint = '--resume goes on with all cells of a run; leave it out, and the cache answers what was asked already';
  if (faults.length > 0) throw new UserError(faults.map((message) => usageProblem(message, hint)));
}

/** Flags that leave cells out. */
const selectingFlags = [
  'filter',
  'lastFailed',
  'tag',
  'prompt',
  'provider',
  'sample',
  'shard',
  'compare',
  'swap',
] as const;

function withoutResume({ flags, env, ...place }: RunInvocation): RunInvocation {
  const { resume: _flag, ...newFlags } = flags;
  const { LLMCHECK_RESUME: _variable, ...newEnv } = env;
  return { flags: newFlags, env: newEnv, ...place };
}

const nothingToResume: Problem = {
  code: 'record',
  severity: 'warning',
  message: '--resume: there is no record of a run, so there is nothing to resume',
  hint: 'this is a new run',
};

interface SelectedSuites {
  readonly options: RunOptions;
  /** Why each suite runs or not. */
  readonly explanation: string;
}

/** Drops the suites that `--changed` finds unchanged, and explains why. */
function selectChanged(
  options: RunOptions,
  { changed, envFile }: RunFlagValues,
  { env, cwd }: Pick<RunPorts, 'env' | 'cwd'>,
): SelectedSuites {
  if (changed === undefined) return { options, explanation: '' };
  const { project, settings } = options;
  const affected = findAffected({
    project,
    cwd,
    env,
    baseline: settings.baseline,
    ...defined({ envFile, ref: changed === true ? undefined : changed.replace(/^git:/, '') }),
    tool: { version, ...defined({ folder: packageFolder }) },
  });
  const suites = affected.suites.flatMap(({ suite, reasons }) => (reasons.length === 0 ? [] : [suite]));
  const paths = suites.map(({ path }) => path);
  return {
    explanation: describeAffected(affected),
    options: {
      ...options,
      project: { ...project, suites },
      settings: project.suites.length === 0 ? settings : { ...settings, changedSince: affected.since },
      knownSuites: project.suites,
      // A resumed run keeps these suites, whatever git says by then.
      ...defined({ invocation: paths.length > 0 ? { ...options.invocation, paths } : undefined }),
      notes: [...(options.notes ?? []), summarizeAffected(affected)],
    },
  };
}

/** One line for each suite, with the reason why it runs or does not run. */
function describeAffected({ since, suites, removed }: AffectedSuites): string {
  const running = suites.filter(({ reasons }) => reasons.length > 0).length;
  const width = Math.max(0, ...suites.map(({ suite }) => suite.id.length));
  const lines = [
    `${running} of ${formatCount(suites.length, 'suite')} changed since ${since}`,
    ...suites.map((entry) => {
      const mark = entry.reasons.length > 0 ? 'run ' : 'skip';
      return `  ${mark}  ${entry.suite.id.padEnd(width)}  ${describeReason(entry)}`;
    }),
    ...removed.map((path) => `  gone  ${path} was deleted`),
  ];
  return lines.map((line) => `${toSafeLine(line)}\n`).join('');
}

const maxReasons = 3;

function describeReason({ reasons, fileCount }: AffectedSuite): string {
  if (reasons.length === 0) return `none of its ${formatCount(fileCount, 'file')} changed`;
  return listFirst(reasons, maxReasons);
}

const maxNamed = 20;

/** Summarizes the affected suites in one sentence, for the report. */
function summarizeAffected({ since, suites }: AffectedSuites): string {
  const skipped = suites.flatMap(({ suite, reasons }) => (reasons.length === 0 ? [suite.id] : []));
  const running = suites.length - skipped.length;
  const lead = `--changed: ${running} of ${formatCount(suites.length, 'suite')} changed since ${since}`;
  if (skipped.length === 0) return lead;
  return `${lead}; not run: ${listFirst(skipped, maxNamed)}`;
}
