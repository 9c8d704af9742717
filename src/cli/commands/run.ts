import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { defined } from '../../json/defined.ts';
import { exitCodes } from '../../model/exit-code.ts';
import { UserError } from '../../model/problem.ts';
import type { Report } from '../../model/report.ts';
import type { RunOptions, RunPorts } from '../../plan/run-options.ts';
import { forecastRun, type VariantForecast } from '../../run/dry-run.ts';
import { runSuites } from '../../run/run.ts';
import type { Mask } from '../../secrets/mask-secrets.ts';
import { sumKnown } from '../../stats/descriptive.ts';
import { formatCount, formatUsd } from '../../text/format-amount.ts';
import { sanitizeTerminal } from '../../text/sanitize.ts';
import { usageError } from '../flags/flag-reader.ts';
import { resolveFlagValues } from '../flags/flag-values.ts';
import { addRunFlags } from '../flags/run-flags.ts';
import type { Io } from '../io.ts';
import { describeKnownFailures } from '../output/known-failures.ts';
import { maskError } from '../output/mask.ts';
import { describeProblems } from '../output/problems.ts';
import { openProgress } from '../output/progress.ts';
import { writeReports } from '../output/reports.ts';
import { type PreparedRun, prepareRun } from '../run/prepare-run.ts';
import type { DefineCommand } from './define.ts';

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
    return (await import('../watch/watch.ts')).watchCommand(paths, flags, io);
  };
  // Before files are read, since watching goes on after a mistake in a file.
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
    const report = await runTraced(options, ports, values.otel);
    progress.close();
    // The reporter of a plug-in receives the report itself, and must not change the decision.
    const { exitCode } = report;
    const verbose = values.verbose === true;
    const config = defined({ config: configPath });
    await writeReports(report, reporters.requests, { io, mask, color: hasColor, quiet, verbose, ...config });
    onReport?.(report, mask);
    if (options.updateBaseline) io.stderr.write(await acceptReport(report, prepared));
    return exitCode;
  } catch (error) {
    throw maskError(error, mask);
  } finally {
    progress.close();
  }
}

async function runTraced(options: RunOptions, ports: RunPorts, otel: string | true | undefined): Promise<Report> {
  if (otel === undefined) return runSuites(options, ports);
  const { resolveOtel, traceRun } = await import('../../run/trace-run.ts');
  return traceRun(options, ports, resolveOtel(ports.env, otel === true ? undefined : otel));
}

/** Accepts the run as the baseline and returns a message. A run that can't be accepted keeps its exit code. */
async function acceptReport(report: Report, { project, ports, configPath, color }: PreparedRun): Promise<string> {
  // Loaded only for `--update-baseline`.
  const { updateBaseline } = await import('../../baseline/accept-baseline.ts');
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

/** The output of `run --dry-run`: each variant, each provider where there are several, and the total. */
export function describeForecast(forecasts: readonly VariantForecast[]): string {
  const variants = forecasts.map((forecast) => {
    const { suite, prompt, provider } = forecast;
    return `${sanitizeTerminal(`${suite}  ${prompt} × ${provider}`)}: ${describeVariant(forecast)}`;
  });
  const providers = [...new Set(forecasts.map(({ provider }) => provider))].map((id) => {
    const own = forecasts.filter(({ provider }) => provider === id);
    return `${sanitizeTerminal(id)}: ${[describeRequests(own), ...describeUse(own)].join(', ')}`;
  });
  const all = [
    formatCount(sumOf(forecasts, 'cells'), 'cell'),
    `${sumOf(forecasts, 'answered')} answered`,
    describeRequests(forecasts),
    ...describeCost(forecasts),
    ...describeRetrials(forecasts),
    ...describeUncounted(forecasts),
  ];
  return `${[
    ...variants,
    ...(providers.length > 1 ? ['', ...providers] : []),
    '',
    `dry run: ${all.join(', ')}; nothing was sent`,
  ].join('\n')}\n`;
}

function describeRequests(forecasts: readonly VariantForecast[]): string {
  return formatCount(sumOf(forecasts, 'requests'), 'request');
}

function describeVariant(forecast: VariantForecast): string {
  const { cells, answered, skipped } = forecast;
  return [
    formatCount(cells, 'cell'),
    `${answered} answered from the cache or recordings`,
    formatCount(forecast.requests, 'request'),
    ...describeUse([forecast]),
    ...describeJudges([forecast]),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ');
}

/** Tokens and cost, from the baseline's answers where it has all of them. */
function describeUse(forecasts: readonly VariantForecast[]): readonly string[] {
  const expected = expectedOf(forecasts);
  const tokens =
    expected === undefined
      ? `~${sumOf(forecasts, 'inputTokens')} input tokens`
      : `~${Math.round(expected.inputTokens)} input and ~${Math.round(expected.outputTokens)} output tokens by the baseline's usage`;
  return [tokens, ...describeCost(forecasts)];
}

function describeCost(forecasts: readonly VariantForecast[]): readonly string[] {
  const expectedUsd = expectedOf(forecasts)?.costUsd;
  const boundUsd = forecasts.length === 0 ? 0 : addThoseKnown(forecasts.map((forecast) => forecast.boundUsd));
  if (expectedUsd === undefined) {
    return [
      boundUsd === undefined
        ? 'cost unknown (no price or no limit on output tokens)'
        : `at most ${formatBound(boundUsd)}`,
    ];
  }
  return [
    `about ${formatUsd(expectedUsd).replace(/^< /, '')}`,
    boundUsd === undefined ? 'without an upper bound (no limit on output tokens)' : `at most ${formatBound(boundUsd)}`,
  ];
}

/** The upper bound for confirmation trials, since it is not known yet what will look worse. */
function describeRetrials(forecasts: readonly VariantForecast[]): readonly string[] {
  const calls = Math.floor(sumOf(forecasts, 'retrialCalls'));
  const judges = describeJudges(forecasts);
  const hasJudgeBound = addThoseKnown(forecasts.map((forecast) => forecast.judgeBoundUsd)) !== undefined;
  const boundUsd = addThoseKnown(
    forecasts.flatMap((forecast) => [forecast.boundUsd, forecast.judgeBoundUsd, forecast.retrialBoundUsd]),
  );
  const isBounded = forecasts.some((forecast) => forecast.boundUsd !== undefined) || hasJudgeBound;
  const inAll = boundUsd === undefined || !isBounded ? '' : `: at most ${formatBound(boundUsd)} in all`;
  const retrials = calls === 0 ? [] : [`up to ${calls} more where something looks broken`];
  const [first = '', ...others] = hasJudgeBound ? [[...retrials, ...judges].join(', ')] : [...retrials, ...judges];
  if (first === '' || (retrials.length === 0 && !hasJudgeBound)) return judges;
  return [`${first}${inAll}`, ...others];
}

/** Names the variants that the amounts do not include, unless they include none. */
function describeUncounted(forecasts: readonly VariantForecast[]): readonly string[] {
  const names = namesOf(forecasts, 'uncounted');
  const isAll = forecasts.every(({ boundUsd, requests }) => requests === 0 || boundUsd === undefined);
  return names === '' || isAll ? [] : [`not counted: ${names}`];
}

function describeJudges(forecasts: readonly VariantForecast[]): readonly string[] {
  const requests = sumOf(forecasts, 'judgeRequests');
  if (requests === 0) return [];
  const uncounted = namesOf(forecasts, 'uncountedJudges');
  const why = uncounted === '' ? '' : `, whose cost is not counted (${uncounted})`;
  return [`up to ${formatCount(requests, 'request')} to judges${why}`];
}

function namesOf(forecasts: readonly VariantForecast[], key: 'uncounted' | 'uncountedJudges'): string {
  return sanitizeTerminal([...new Set(forecasts.flatMap((forecast) => forecast[key]))].join(', '));
}

/** Undefined where nothing is to be sent, or the baseline lacks a part of it. */
function expectedOf(forecasts: readonly VariantForecast[]): VariantForecast['expected'] {
  const sending = forecasts.filter(({ requests }) => requests > 0);
  const known = sending.map(({ expected }) => expected).filter((expected) => expected !== undefined);
  if (known.length === 0 || known.length < sending.length) return undefined;
  return {
    inputTokens: sumOf(known, 'inputTokens'),
    outputTokens: sumOf(known, 'outputTokens'),
    costUsd: sumKnown(known, ({ costUsd }) => costUsd),
  };
}

function sumOf<Key extends string>(items: readonly Readonly<Record<Key, number>>[], key: Key): number {
  return items.reduce((total, item) => total + item[key], 0);
}

/** The sum of the known amounts; undefined where none is known. */
function addThoseKnown(amounts: readonly (number | undefined)[]): number | undefined {
  const known = amounts.filter((amount) => amount !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, amount) => total + amount, 0);
}

/** Rounded up, so that it is still an upper bound. */
function formatBound(usd: number): string {
  const unit = usd >= 1 ? 100 : 10_000;
  return formatUsd(Math.ceil(usd * unit - 1e-6) / unit);
}

/**
 * Gives V8 a small budget for inlining: most runs are over before long optimized functions pay. On Node 20, 10,000 cold
 * cells took 3.1 instead of 3.4 s of CPU, and 10,000 cached ones 1.25 instead of 1.55 s. 60,000 took 5 % more.
 */
function inlineLess(): void {
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=100');
}

/** A smaller run fits into 400 MB without this, and its time counts for more. */
const manyCells = 50_000;

/**
 * Makes V8 collect garbage earlier in a large run: before its heap has grown by a tenth since it last did. With this a run of
 * 1,000,000 cells peaks at 888 MB on Node 20; without it, one of 200,000 took 528 MB.
 */
function keepHeapSmall(cells: number): void {
  if (cells > manyCells) setFlagsFromString('--heap-growing-percent=10');
}
