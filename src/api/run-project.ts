import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { loadForRun, resolveRun } from '../cli/resolve-run.ts';
import { buildRunOptions } from '../cli/run-options.ts';
import { UserError } from '../errors.ts';
import type { Report } from '../model/report.ts';
import { acceptBaseline } from '../pipeline/accept-baseline.ts';
import { findProjectRoot } from '../pipeline/load-project.ts';
import { maskFor } from '../pipeline/mask-for.ts';
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

/** The settings are resolved by the same code as those of the command line, so that both mean the same. */
export async function runProject({ cwd, env: processEnv, flags, options, onEvent }: ProjectRun): Promise<Report> {
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
  const runOptions = buildRunOptions(values, settings, project, paths);
  const report = await runSuites(runOptions, {
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
  });
  if (runOptions.updateBaseline) {
    const recordPath = resolve(cwd, report.run.recordPath ?? '');
    try {
      acceptBaseline({ root: project.root, cwd, recordPath, force: false });
    } catch (error) {
      // The run has earned its report, whatever became of the baseline.
      if (!(error instanceof UserError)) throw error;
      onEvent({ type: 'note', message: `the baseline was not updated: ${error.message}` });
    }
  }
  return report;
}
