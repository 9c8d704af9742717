import { relative, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import type { JsonObject } from '../model/json.ts';
import { type AcceptOptions, acceptBaseline } from '../pipeline/accept-baseline.ts';
import { forecastRun } from '../pipeline/dry-run.ts';
import { type AffectedOptions, findAffected } from '../pipeline/find-affected.ts';
import { findProjectRoot } from '../pipeline/load-project.ts';
import { maskFor } from '../pipeline/mask-for.ts';
import type { RunOptions, RunPorts } from '../pipeline/run-options.ts';
import { runSuites } from '../pipeline/run-suites.ts';
import { findInvocation } from '../pipeline/stored-runs.ts';
import { systemClock } from '../pipeline/system-clock.ts';
import { describeAffected, summarizeAffected } from './describe-affected.ts';
import { describeForecast } from './describe-forecast.ts';
import { describeProblems } from './describe-problems.ts';
import type { Io } from './io.ts';
import { maskSink, maskUserError } from './mask-io.ts';
import { createProgressView, type ProgressView } from './progress.ts';
import { loadForRun, resolveRun } from './resolve-run.ts';
import { buildRunOptions } from './run-options.ts';
import { wantsColor } from './style.ts';
import { packageFolder, version } from './version.ts';
import { writeReports } from './write-reports.ts';

/** `llmcheck run`: flags and environment to options, options to the pipeline, its report to the reporters. */
export async function runCommand(
  givenPaths: readonly string[],
  flags: Readonly<Record<string, unknown>>,
  givenIo: Io,
): Promise<number> {
  const configFlag = flags['config'] ?? givenIo.env['LLMCHECK_CONFIG'];
  const configPath = typeof configFlag === 'string' ? configFlag : undefined;
  const resumed = await findResumed(flags['resume'], configPath, givenIo);
  const paths = givenPaths.length > 0 ? givenPaths : resumed.paths;
  const invocation = { flags, env: givenIo.env, cwd: givenIo.cwd };
  const { project, warnings: loadWarnings } = await loadForRun(
    { paths, cwd: givenIo.cwd, ...(configPath === undefined ? {} : { configPath }) },
    invocation,
  );
  const resolved = resolveRun({ ...project.run, ...resumed.flags }, invocation);
  const { values, settings, reporters, env } = resolved;
  const warnings = [...loadWarnings, ...resolved.warnings];

  const mask = maskFor(project, env);
  // Progress and problems may quote what a server said.
  const io: Io = { ...givenIo, stderr: maskSink(givenIo.stderr, mask) };
  const quiet = values['quiet'] === true;
  const color = wantsColor(io.stderr, io.env, flags['color'] !== false);
  if (warnings.length > 0) io.stderr.write(describeProblems(warnings, { color }));
  const progress = openProgress(io, color, quiet || values['dryRun'] === true);
  const ports: RunPorts = {
    env,
    cwd: io.cwd,
    clock: systemClock,
    now: io.now,
    random: io.random,
    mask,
    onProgress: progress.onEvent,
    onSignal: io.onSignal,
  };
  try {
    const { options, explanation } = narrow(buildRunOptions(values, settings, project, paths), values['changed'], {
      env,
      cwd: io.cwd,
      ...(typeof values['envFile'] === 'string' ? { envFile: values['envFile'] } : {}),
    });
    if (!quiet) io.stderr.write(mask(explanation));
    if (values['dryRun'] === true) {
      io.stdout.write(mask(describeForecast(await forecastRun(options, ports))));
      return exitCodes.passed;
    }
    const report = await runSuites(options, ports);
    progress.close();
    writeReports(report, reporters.requests, {
      io,
      mask: ports.mask,
      color: flags['color'] !== false,
      quiet,
      verbose: values['verbose'] === true,
    });
    if (options.updateBaseline) {
      const recordPath = resolve(io.cwd, report.run.recordPath ?? '');
      io.stderr.write(updateBaseline({ root: project.root, cwd: io.cwd, recordPath, force: false }, color));
    }
    return report.exitCode;
  } catch (error) {
    if (error instanceof UserError) throw maskUserError(error, mask);
    throw error;
  } finally {
    progress.close();
  }
}

/** Leaves out the suites that `--changed` finds unchanged, and says why. */
function narrow(
  options: RunOptions,
  changed: unknown,
  { env, cwd, envFile }: Pick<AffectedOptions, 'env' | 'cwd' | 'envFile'>,
): { readonly options: RunOptions; readonly explanation: string } {
  if (changed === undefined) return { options, explanation: '' };
  const { project, settings } = options;
  const affected = findAffected({
    project,
    cwd,
    env,
    baseline: settings.baseline,
    ...(envFile === undefined ? {} : { envFile }),
    ...(typeof changed === 'string' ? { ref: changed.replace(/^git:/, '') } : {}),
    tool: { version, ...(packageFolder === undefined ? {} : { folder: packageFolder }) },
  });
  const suites = affected.suites.flatMap(({ suite, reasons }) => (reasons.length === 0 ? [] : [suite]));
  const paths = suites.map(({ path }) => relative(cwd, resolve(project.root, path)));
  return {
    explanation: describeAffected(affected),
    options: {
      ...options,
      project: { ...project, suites },
      settings: project.suites.length === 0 ? settings : { ...settings, changedSince: affected.since },
      knownSuites: project.suites,
      // A resumed run goes on with these suites, whatever git says by then.
      ...(paths.length === 0 ? {} : { invocation: { ...options.invocation, paths } }),
      notes: [summarizeAffected(affected)],
    },
  };
}

/** What became of the baseline, in words. A run that can't be accepted keeps the exit code that it has earned. */
function updateBaseline(options: AcceptOptions, color: boolean): string {
  try {
    return acceptBaseline(options)
      .map(({ file, isChanged }) => `${isChanged ? 'accepted' : 'unchanged'} ${file}\n`)
      .join('');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `the baseline was not updated\n${describeProblems(error.problems, { color })}`;
  }
}

/** The paths and flags that the run to be resumed began with. */
async function findResumed(
  flag: unknown,
  configPath: string | undefined,
  io: Io,
): Promise<{ readonly paths: readonly string[]; readonly flags: JsonObject }> {
  const wanted = flag ?? io.env['LLMCHECK_RESUME'];
  if (wanted === undefined || wanted === '') return { paths: [], flags: {} };
  const root = await findProjectRoot(io.cwd, configPath);
  return findInvocation({ root }, typeof wanted === 'string' ? wanted : undefined);
}

function openProgress(io: Io, color: boolean, quiet: boolean): ProgressView {
  return createProgressView({
    write: (text) => io.stderr.write(text),
    isTty: io.stderr.isTty && io.env['TERM'] !== 'dumb',
    columns: () => io.stderr.columns() ?? 80,
    now: () => performance.now(),
    color,
    ci: isSet(io.env['CI']),
    quiet,
  });
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}
