import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { updateBaseline } from '../baseline/accept-baseline.ts';
import type { Io } from '../cli/io.ts';
import { announceCommittedState } from '../cli/run/committed-state.ts';
import { prepareRun } from '../cli/run/prepare-run.ts';
import { isUnderCi } from '../files/state-folder.ts';
import { defined } from '../json/defined.ts';
import type { Report } from '../model/report/report.ts';
import { caseKey } from '../model/run/cell.ts';
import type { ProgressEvent } from '../model/run/progress.ts';
import { refusalOf } from '../model/storage-problem.ts';
import { planRun } from '../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import { runSuites } from '../run/run.ts';
import type { RunSuitesOptions } from './options.ts';

export interface ProjectRun {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: Readonly<Record<string, unknown>>;
  readonly options: RunSuitesOptions;
  readonly onEvent: (event: ProgressEvent) => void;
}

/** Runs a project, and accepts the run as its baseline under `updateBaseline`. */
export async function runProject(given: ProjectRun): Promise<Report> {
  const { options, ports } = await prepare(given);
  const { cwd, env } = ports;
  const report = await runSuites(options, ports);
  if (!options.updateBaseline) return report;
  const { root, suites: projectSuites } = options.project;
  const recordPath = resolve(cwd, report.run.recordPath ?? '');
  const configPath = given.options.config;
  try {
    await updateBaseline(report, { root, projectSuites, cwd, env, recordPath, ...defined({ configPath }) });
  } catch (error) {
    // The report is due whether or not the baseline could be written.
    given.onEvent({ type: 'note', message: `the baseline was not updated: ${refusalOf(error).message}` });
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

/** What a run would run, each case once for each variant; nothing is sent. */
export async function planProject(given: ProjectRun): Promise<readonly PlannedCase[]> {
  const { options, ports } = await prepare(given);
  const { plan } = await planRun(options, ports);
  const cases = new Map<string, PlannedCase>();
  for (const providerKey of plan.providerKeys) {
    for (const { key } of plan.cells(providerKey)) {
      const { suite, caseId, prompt, provider } = key;
      cases.set(caseKey(key), { suite, caseId, prompt, provider });
    }
  }
  return [...cases.values()];
}

/** Prepared by the same code as a run of the command line, so that both mean the same. */
async function prepare(given: ProjectRun): Promise<{ readonly options: RunOptions; readonly ports: RunPorts }> {
  const { cwd, env, flags, options, onEvent } = given;
  const { config, signal, paths = [], plugins = [] } = options;
  const note = (text: string) => {
    if (text.trim() !== '') onEvent({ type: 'note', message: text.trim() });
  };
  const io: Io = {
    stdout: { write: () => {}, isTty: false, columns: () => undefined },
    stderr: { write: note, isTty: false, columns: () => undefined },
    env,
    cwd,
    now: () => new Date(),
    random: () => randomInt(2 ** 47) / 2 ** 47,
    onSignal(handler) {
      if (signal === undefined) return () => {};
      const abort = () => handler('SIGINT');
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      return () => signal.removeEventListener('abort', abort);
    },
  };
  if (isUnderCi(env)) {
    const baseline = options.baseline === false ? undefined : options.baseline;
    announceCommittedState(defined({ config, baseline }), io, { isLater: false });
  }
  // As the other lists, one may be given alone.
  const prepared = await prepareRun([paths].flat(), { ...flags, color: false, ...defined({ config }) }, io, {
    plugins,
  });
  note(prepared.mask(prepared.explanation));
  return { options: prepared.options, ports: { ...prepared.ports, onProgress: onEvent } };
}
