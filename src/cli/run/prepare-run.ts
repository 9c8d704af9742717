import { defined } from '../json/defined.ts';
import type { JsonObject } from '../json/json.ts';
import { systemClock } from '../model/clock.ts';
import { UserError } from '../model/errors.ts';
import type { Plugin } from '../model/plugin.ts';
import type { Problem } from '../model/problem.ts';
import type { Report } from '../model/report.ts';
import type { Project } from '../model/suite.ts';
import { findForeignKeys } from '../plan/find-foreign-keys.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import type { ReadLog } from '../project/load-project.ts';
import { maskFor } from '../project/mask-for.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { describeStoredRun, findInvocation, findStoredRun, isNothingToResume } from '../project/stored-runs.ts';
import type { Mask } from '../secrets/mask-secrets.ts';
import { findQueueSecrets } from '../text/store-urls.ts';
import { describeProblems } from './describe-problems.ts';
import type { Io } from './io.ts';
import { maskSink, maskUserError } from './mask-io.ts';
import { narrowRun } from './narrow-run.ts';
import { loadForRun, type RunInvocation, resolveRun } from './resolve-run.ts';
import { buildRunOptions, type Values } from './run-options.ts';
import { wantsColor } from './style.ts';
import type { ParsedReporters } from './write-reports.ts';

/** Everything that a run needs before its first call, from files, flags and environment. */
export interface PreparedRun {
  /** As loaded, also where the run takes fewer suites. */
  readonly project: Project;
  readonly options: RunOptions;
  readonly ports: Omit<RunPorts, 'onProgress'>;
  readonly values: Values;
  readonly reporters: ParsedReporters<Report>;
  /** With the variables of the env file. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly mask: Mask;
  /** Its stderr is masked: progress and problems may quote what a server said. */
  readonly io: Io;
  readonly quiet: boolean;
  readonly color: boolean;
  /** Why each suite runs or not, where `--changed` asks. */
  readonly explanation: string;
}

/** Loads and resolves; warnings are printed, mistakes are thrown as a `UserError`. */
export async function prepareRun(
  givenPaths: readonly string[],
  givenFlags: Readonly<Record<string, unknown>>,
  givenIo: Io,
  { reads, plugins: givenPlugins = [] }: { readonly reads?: ReadLog; readonly plugins?: readonly Plugin[] } = {},
): Promise<PreparedRun> {
  const configFlag = givenFlags['config'] ?? givenIo.env['LLMCHECK_CONFIG'];
  const configPath = typeof configFlag === 'string' ? configFlag : undefined;
  const root = findProjectRoot(givenIo.cwd, configPath);
  const given = { flags: givenFlags, env: givenIo.env, cwd: givenIo.cwd, root };
  const resumed = findResumed(given);
  const paths = givenPaths.length > 0 ? givenPaths : resumed.paths;
  const invocation = resumed.isNew === true ? withoutResume(given) : given;
  const { flags } = invocation;
  const {
    project,
    warnings: loadWarnings,
    plugins,
  } = await loadForRun(
    {
      paths,
      cwd: givenIo.cwd,
      ...defined({ configPath, reads }),
      ...(givenPlugins.length === 0 ? {} : { plugins: givenPlugins }),
    },
    invocation,
  );
  const resolved = resolveRun({ ...project.run, ...resumed.flags }, invocation, plugins);
  const { values, settings, reporters, env, fileVariables } = resolved;
  const warnings = [
    ...(resumed.isNew === true ? [nothingToResume] : []),
    ...loadWarnings,
    ...resolved.warnings,
    ...findForeignKeys(project, { env, fileVariables }),
  ];
  const mask = maskFor(project, env, findQueueSecrets(values['queue']));
  const io: Io = { ...givenIo, stderr: maskSink(givenIo.stderr, mask) };
  const color = wantsColor(io.stderr, io.env, flags['color'] !== false);
  if (warnings.length > 0) io.stderr.write(describeProblems(warnings, { color }));
  const ports = {
    env,
    cwd: io.cwd,
    clock: systemClock,
    now: io.now,
    random: io.random,
    mask,
    onSignal: io.onSignal,
  };
  const whole = buildRunOptions(values, settings, project, paths);
  if (values['lastFailed'] === true && values['quiet'] !== true) {
    const last = describeStoredRun(findStoredRun(project, undefined), io.now());
    io.stderr.write(`--last-failed: the cases that did not pass in ${last}\n`);
  }
  const where = {
    env,
    cwd: io.cwd,
    ...(typeof values['envFile'] === 'string' ? { envFile: values['envFile'] } : {}),
  };
  try {
    const narrowed = narrowRun(whole, values['changed'], where);
    return { project, ...narrowed, ports, values, reporters, env, mask, io, quiet: values['quiet'] === true, color };
  } catch (error) {
    if (error instanceof UserError) throw maskUserError(error, mask);
    throw error;
  }
}

interface Resumed {
  readonly paths: readonly string[];
  readonly flags: JsonObject;
  /** Set where a run should be resumed and none was killed late enough to have a record. */
  readonly isNew?: true;
}

/** The paths and flags that the run to be resumed began with. */
function findResumed({ flags, env, root }: RunInvocation): Resumed {
  const wanted = flags['resume'] ?? env['LLMCHECK_RESUME'];
  if (wanted === undefined || wanted === '') return { paths: [], flags: {} };
  const id = typeof wanted === 'string' ? wanted : undefined;
  // Who names a run means that one; who names none wants whatever is left to be done.
  if (id === undefined && isNothingToResume({ root })) return { paths: [], flags: {}, isNew: true };
  return findInvocation({ root }, id);
}

function withoutResume({ flags, env, ...place }: RunInvocation): RunInvocation {
  const { resume: _flag, ...newFlags } = flags;
  const { LLMCHECK_RESUME: _variable, ...newEnv } = env;
  return { flags: newFlags, env: newEnv, ...place };
}

const nothingToResume: Problem = {
  code: 'record',
  severity: 'warning',
  message: '--resume: no run has left a record, so there is nothing to go on with',
  hint: 'this is a new run',
};
