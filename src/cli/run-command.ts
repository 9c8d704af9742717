import { resolve } from 'node:path';
import type { updateBaseline } from '../baseline/update-baseline.ts';
import { UserError } from '../model/errors.ts';
import { exitCodes } from '../model/exit-code.ts';
import type { Report } from '../model/report.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { forecastRun } from '../run/dry-run.ts';
import { runSuites } from '../run/run.ts';
import type { Mask } from '../secrets/mask-secrets.ts';
import { describeForecast } from './describe-forecast.ts';
import { describeKnownFailures } from './describe-known-failures.ts';
import { describeProblems } from './describe-problems.ts';
import { type FlagValue, resolveFlagValues } from './flag-values.ts';
import type { Io } from './io.ts';
import { maskUserError } from './mask-io.ts';
import { openProgress } from './open-progress.ts';
import { prepareRun } from './prepare-run.ts';
import { runFlags } from './run-flags.ts';
import { writeReports } from './write-reports.ts';

/** `llmcheck run`: flags and environment to options, options to the pipeline, its report to the reporters and to who else wants it. */
export async function runCommand(
  givenPaths: readonly string[],
  flags: Readonly<Record<string, unknown>>,
  givenIo: Io,
  onReport?: (report: Report, mask: Mask) => void,
): Promise<number> {
  const watch = async () => (await import('./watch-command.ts')).watchCommand(givenPaths, flags, givenIo);
  // Before the files are read: their mistakes are no end of watching.
  if (resolveFlagValues(runFlags, { flags, env: givenIo.env, config: {} }).values['watch'] === true) return watch();
  const prepared = await prepareRun(givenPaths, flags, givenIo);
  if (prepared.values['watch'] === true) return watch();
  const { project, options, explanation, values, reporters, mask, io, quiet, color } = prepared;
  if (!quiet) io.stderr.write(mask(explanation));
  const progress = openProgress(io, color, quiet || values['dryRun'] === true);
  const ports: RunPorts = {
    ...prepared.ports,
    onProgress: progress.onEvent,
  };
  try {
    if (values['dryRun'] === true) {
      io.stdout.write(mask(describeForecast(await forecastRun(options, ports))));
      return exitCodes.passed;
    }
    const report = await runTraced(options, ports, values['otel']);
    progress.close();
    // A reporter of a plug-in is handed the report itself, and decides nothing.
    const { exitCode } = report;
    await writeReports(report, reporters.requests, {
      io,
      mask,
      color: flags['color'] !== false,
      quiet,
      verbose: values['verbose'] === true,
    });
    onReport?.(report, ports.mask);
    if (options.updateBaseline) {
      const recordPath = resolve(io.cwd, report.run.recordPath ?? '');
      const { root, suites } = project;
      const configPath = flags['config'] ?? givenIo.env['LLMCHECK_CONFIG'];
      const config = typeof configPath === 'string' ? { configPath } : {};
      const place = { root, projectSuites: suites, cwd: io.cwd, env: ports.env, recordPath, ...config };
      io.stderr.write(mask(await describeUpdate(report, place, color)));
    }
    return exitCode;
  } catch (error) {
    if (error instanceof UserError) throw maskUserError(error, mask);
    throw error;
  } finally {
    progress.close();
  }
}

/** Tracing is loaded where it is asked for, and nowhere else. */
async function runTraced(options: RunOptions, ports: RunPorts, otel: FlagValue | undefined): Promise<Report> {
  if (otel === undefined) return runSuites(options, ports);
  const { resolveOtel, traceRun } = await import('../run/trace-run.ts');
  return traceRun(options, ports, resolveOtel(ports.env, typeof otel === 'string' ? otel : undefined));
}

/** What became of the baseline, in words. A run that can't be accepted keeps the exit code that it has earned. */
async function describeUpdate(
  report: Report,
  options: Parameters<typeof updateBaseline>[1],
  color: boolean,
): Promise<string> {
  // Few runs are accepted by themselves.
  const { updateBaseline: update } = await import('../baseline/update-baseline.ts');
  try {
    const accepted = await update(report, options);
    return accepted
      .map((one) => `${one.isChanged ? 'accepted' : 'unchanged'} ${one.file}\n${describeKnownFailures(one, false)}`)
      .join('');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `the baseline was not updated\n${describeProblems(error.problems, { color })}`;
  }
}
