import { resolve } from 'node:path';
import { wholeTimeMs } from '../../../calls/stop.ts';
import { defined } from '../../../json/defined.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { UserError, usageError } from '../../../model/problem.ts';
import type { Report } from '../../../model/report/report.ts';
import type { RunOptions, RunPorts } from '../../../plan/run-options.ts';
import { forecastRun } from '../../../run/dry-run.ts';
import { runSuites } from '../../../run/run.ts';
import type { Mask } from '../../../secrets/mask-secrets.ts';
import { resolveFlagValues } from '../../flags/flag-values.ts';
import { addRunFlags } from '../../flags/run-flags.ts';
import type { Io } from '../../io.ts';
import { describeForecast } from '../../output/forecast.ts';
import { describeKnownFailures } from '../../output/known-failures.ts';
import { maskError } from '../../output/mask.ts';
import { describeProblems } from '../../output/problems.ts';
import { openProgress } from '../../output/progress.ts';
import { writeReports } from '../../output/reports.ts';
import { type PreparedRun, prepareRun } from '../../run/prepare-run.ts';
import { inlineLess, keepHeapSmall } from '../../run/v8-flags.ts';
import type { DefineCommand } from '../define.ts';

export type RunFlags = Readonly<Record<string, unknown>>;

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('-c, --config <file>', 'config file (default: llmcheck.config.yaml of the nearest folder)')
    .option('--no-color', 'no colour');
  addRunFlags(command);
  command
    .addHelpText(
      'after',
      `
Each flag is also an environment variable (--max-cost: LLMCHECK_MAX_COST) and a key of the config's run: (maxCost).

Examples:
  $ llmcheck run                                      every suite under evals/
  $ llmcheck run evals/triage.eval.yaml -t refund     the cases of one suite whose id contains "refund"
  $ llmcheck run --max-cost 0.50 --deadline 10m       within a budget and a time
  $ llmcheck run --cache replay -r junit=report.xml   without a call, with a report for CI
  $ llmcheck run --resume                             continue a run that was stopped
  $ llmcheck run --queue redis://127.0.0.1:6379/0     let workers make the calls (see llmcheck worker)

Exit codes: 0 passed, 1 failed, 2 usage, 3 provider errors, 4 incomplete, 70 bug, 130/143 interrupted.`,
    )
    .action(async (paths: string[], flags: RunFlags) => exit(await runCommand(paths, flags, io)));
};

/** `ci github` calls this too, and takes the report from `onReport`. */
export async function runCommand(
  paths: readonly string[],
  flags: RunFlags,
  io: Io,
  onReport?: (report: Report, mask: Mask) => void,
): Promise<number> {
  inlineLess();
  const watch = async () => {
    if (onReport !== undefined) {
      const hint = 'remove --watch, LLMCHECK_WATCH, and watch under run: in the config';
      throw usageError('--watch: a job has to end, and a watched run does not', hint);
    }
    return (await import('../../watch/watch.ts')).watchCommand(paths, flags, io);
  };
  // Before files are read, because watching goes on after a mistake in a file.
  if (resolveFlagValues({ flags, env: io.env, config: {} }).values.watch === true) return watch();
  const prepared = await prepareRun(paths, flags, io);
  return prepared.values.watch === true ? watch() : runOnce(prepared, onReport);
}

async function runOnce(
  prepared: PreparedRun,
  onReport: ((report: Report, mask: Mask) => void) | undefined,
): Promise<number> {
  const { options, explanation, values, reporters, mask, io, quiet, color, hasColor, configPath } = prepared;
  if (!quiet) io.stderr.write(explanation);
  const progress = openProgress(io, color, quiet || values.dryRun === true);
  const onProgress: RunPorts['onProgress'] = (event) => {
    if (event.type === 'planned') keepHeapSmall(event.cells);
    progress.onEvent(event);
  };
  const ports: RunPorts = { ...prepared.ports, onProgress };
  // Planning reads every case and its baseline before the number of cells is known.
  keepHeapSmall(options.project.suites.reduce((sum, { caseCount }) => sum + caseCount, 0));
  try {
    if (values.dryRun === true) {
      io.stdout.write(mask(describeForecast(await forecastRun(options, ports))));
      return exitCodes.passed;
    }
    const isOverdue = openDeadline(options, ports);
    const report = await runTraced(options, ports, values.otel);
    progress.close();
    // The reporter of a plug-in receives the report itself, and must not change the decision.
    const { exitCode } = report;
    const verbose = values.verbose === true;
    const config = defined({ config: configPath });
    await writeReports(report, reporters.requests, { io, mask, color: hasColor, quiet, verbose, isOverdue, ...config });
    onReport?.(report, mask);
    if (options.updateBaseline) io.stderr.write(await acceptReport(report, prepared));
    return exitCode;
  } catch (error) {
    throw maskError(error, mask);
  } finally {
    progress.close();
  }
}

/** Tells whether the run has used up its deadline and the time for its reports. */
function openDeadline({ deadlineMs }: RunOptions, { clock }: RunPorts): () => boolean {
  const endMs = clock.now() + (deadlineMs === undefined ? Number.POSITIVE_INFINITY : wholeTimeMs(deadlineMs));
  return () => clock.now() >= endMs;
}

async function runTraced(options: RunOptions, ports: RunPorts, otel: string | true | undefined): Promise<Report> {
  if (otel === undefined) return runSuites(options, ports);
  const { resolveOtel, traceRun } = await import('../../../run/trace-run.ts');
  return traceRun(options, ports, resolveOtel(ports.env, otel === true ? undefined : otel));
}

/** Accepts the run as the baseline and returns a message. A run that can't be accepted keeps its exit code. */
async function acceptReport(report: Report, { project, ports, configPath, color }: PreparedRun): Promise<string> {
  // Loaded only for `--update-baseline`.
  const { updateBaseline } = await import('../../../baseline/accept-baseline.ts');
  const { cwd, env } = ports;
  try {
    const accepted = await updateBaseline(report, {
      root: project.root,
      projectSuites: project.suites,
      cwd,
      env,
      recordPath: resolve(cwd, report.run.recordPath ?? ''),
      ...defined({ configPath }),
    });
    return accepted
      .map((one) => `${one.isChanged ? 'accepted' : 'unchanged'} ${one.file}\n${describeKnownFailures(one, false)}`)
      .join('');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `the baseline was not updated\n${describeProblems(error.problems, { color })}`;
  }
}
