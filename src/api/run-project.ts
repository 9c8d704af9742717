import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { loadForRun, resolveRun } from '../cli/resolve-run.ts';
import { buildRunOptions } from '../cli/run-options.ts';
import { UserError } from '../errors.ts';
import type { Report } from '../model/report.ts';
import { acceptBaseline } from '../pipeline/accept-baseline.ts';
import { findProjectRoot } from '../pipeline/load-project.ts';
import { maskFor } from '../pipeline/mask-for.ts';
import { planRun } from '../pipeline/plan-run.ts';
import type { RunOptions, RunPorts } from '../pipeline/run-options.ts';
import { runSuites } from '../pipeline/run-suites.ts';
import { findInvocation } from '../pipeline/stored-runs.ts';
import { systemClock } from '../pipeline/system-clock.ts';
import type { RunEvent } from './run-events.ts';
import type { RunSuitesOptions } from './run-options.ts';

export interface ProjectRun {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: Readonly<Record<string, unknown>>;
  readonly options: RunSuitesOptions;
  readonly onEvent: (event: RunEvent) => void;
}

/** Runs a project, and accepts the run as its baseline where that was asked for. */
export async function runProject(given: ProjectRun): Promise<Report> {
  const { options, ports } = await prepareRun(given);
  const report = await runSuites(options, ports);
  if (options.updateBaseline) {
    const recordPath = resolve(ports.cwd, report.run.recordPath ?? '');
    try {
      acceptBaseline({ root: options.project.root, cwd: ports.cwd, recordPath, force: false });
    } catch (error) {
      // The run has earned its report, whatever became of the baseline.
      if (!(error instanceof UserError)) throw error;
      given.onEvent({ type: 'note', message: `the baseline was not updated: ${error.message}` });
    }
  }
  return report;
}

/** A case on a variant, as it will be run. */
export interface PlannedCase {
  readonly suite: string;
  readonly caseId: string;
  readonly prompt: string;
  readonly provider: string;
}

/** What a run would run, each case once a variant; nothing is sent. */
export async function planProject(given: ProjectRun): Promise<readonly PlannedCase[]> {
  const { options, ports } = await prepareRun(given);
  const { plan } = await planRun(options, ports);
  const cases = new Map<string, PlannedCase>();
  for (const providerId of plan.providerIds) {
    for (const { key } of plan.cells(providerId)) {
      const { suite, caseId, prompt, provider } = key;
      cases.set(JSON.stringify([suite, caseId, prompt, provider]), { suite, caseId, prompt, provider });
    }
  }
  return [...cases.values()];
}

/** The settings are resolved by the same code as those of the command line, so that both mean the same. */
async function prepareRun({ cwd, env: processEnv, flags, options, onEvent }: ProjectRun): Promise<{
  readonly options: RunOptions;
  readonly ports: RunPorts;
}> {
  const { config, signal, plugins: given = [] } = options;
  const configPath = config === undefined ? {} : { configPath: config };
  const invocation = { flags, env: processEnv, cwd };
  const resumed =
    flags['resume'] === undefined
      ? { paths: [], flags: {} }
      : findInvocation(
          { root: await findProjectRoot(cwd, config) },
          typeof flags['resume'] === 'string' ? flags['resume'] : undefined,
        );
  const paths = options.paths ?? resumed.paths;
  const { project, warnings, plugins } = await loadForRun({ paths, cwd, ...configPath, plugins: given }, invocation);
  const resolved = resolveRun({ ...project.run, ...resumed.flags }, invocation, plugins);
  const { values, settings, env } = resolved;
  for (const { message, at } of [...warnings, ...resolved.warnings]) {
    onEvent({ type: 'note', message: at === undefined ? message : `${at.file}:${at.line}:${at.column} ${message}` });
  }
  const mask = maskFor(project, env);
  const ports: RunPorts = {
    env,
    cwd,
    clock: systemClock,
    now: () => new Date(),
    random: () => randomInt(2 ** 47) / 2 ** 47,
    mask,
    onProgress: onEvent,
    onSignal(handler) {
      if (signal === undefined) return () => {};
      const abort = () => handler('SIGINT');
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      return () => signal.removeEventListener('abort', abort);
    },
  };
  return { options: buildRunOptions(values, settings, project, paths), ports };
}
