import type { JsonObject } from '../json/json.ts';
import type { LoadedPlugin } from '../model/code-plugin.ts';
import { UserError } from '../model/errors.ts';
import type { Plugin } from '../model/plugin.ts';
import type { Problem } from '../model/problem.ts';
import type { RunSettings } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import type { Project } from '../model/suite.ts';
import { type LoadOptions, loadProject } from '../project/load-project.ts';
import { checkRunConfig } from './check-run-config.ts';
import { readEnvFile } from './env-file.ts';
import { findOutsidePaths } from './find-outside-paths.ts';
import { resolveFlagValues } from './flag-values.ts';
import { envNameOf, runFlags } from './run-flags.ts';
import { buildRunSettings, listOf, type Values } from './run-options.ts';
import { type ParsedReporters, parseReporters } from './write-reports.ts';

export interface RunInvocation {
  readonly flags: Readonly<Record<string, unknown>>;
  /** Of the process. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Of the project. */
  readonly root: string;
}

export interface ResolvedRun {
  readonly values: Values;
  readonly settings: RunSettings;
  readonly reporters: ParsedReporters<Report>;
  /** With the variables of the env file. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Names of the variables whose values are those of the env file. */
  readonly fileVariables: ReadonlySet<string>;
  readonly warnings: readonly Problem[];
}

type Plugins = readonly LoadedPlugin<Plugin>[];

/** Loads a project for a run; what is wrong with a flag is told together with what is wrong with the files. */
export async function loadForRun(
  options: Omit<LoadOptions, 'checkRun'>,
  invocation: RunInvocation,
): Promise<{ readonly project: Project; readonly warnings: readonly Problem[]; readonly plugins: Plugins }> {
  let plugins: Plugins = [];
  try {
    return await loadProject({
      ...options,
      onPlugins(loaded) {
        plugins = loaded;
      },
      checkRun: (run) => checkRunConfig(run, plugins, invocation),
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError([...findProblems(resolve({}, invocation, plugins)).filter(isError), ...error.problems], {
      cause: error,
    });
  }
}

/** What flags, environment and the config's `run:` come to together. */
export function resolveRun(config: JsonObject, invocation: RunInvocation, plugins: Plugins = []): ResolvedRun {
  const resolved = resolve(config, invocation, plugins);
  const problems = findProblems(resolved);
  if (problems.some(isError)) {
    throw new UserError([...problems.filter(isError), ...problems.filter((problem) => !isError(problem))]);
  }
  const { values, settings, reporters, env, fileVariables } = resolved;
  return { values, settings: settings.settings, reporters, env, fileVariables, warnings: problems };
}

function resolve(config: JsonObject, invocation: RunInvocation, plugins: Plugins) {
  const { flags, env: processEnv, cwd } = invocation;
  // The file may hold settings too, so it is read before they are.
  const { envFile } = resolveFlagValues(runFlags, { flags, env: processEnv, config }).values;
  const recordedPaths = findPathsOfFiles({}, config, invocation);
  const fileEnv = recordedPaths.length > 0 ? {} : readEnvFile(envFile, cwd);
  const env = { ...fileEnv, ...processEnv };
  const { values, problems } = resolveFlagValues(runFlags, { flags, env, config });
  return {
    env,
    fileVariables: new Set(Object.keys(fileEnv).filter((name) => processEnv[name] === undefined)),
    values,
    problems: [...problems, ...recordedPaths, ...findPathsOfFiles(fileEnv, {}, invocation)],
    settings: buildRunSettings(values),
    reporters: parseReporters(listOf(values, 'reporter'), plugins),
  };
}

/** Paths outside the project that an env file, the config or a resumed run's record names, where nothing wins over them. */
function findPathsOfFiles(
  fileEnv: RunInvocation['env'],
  config: JsonObject,
  invocation: RunInvocation,
): readonly Problem[] {
  const { flags, env: processEnv } = invocation;
  const { values } = resolveFlagValues(runFlags, { flags: {}, env: fileEnv, config });
  const isOpen = (key: string) => flags[key] === undefined && (processEnv[envNameOf(key)] ?? '') === '';
  const used = Object.fromEntries(Object.entries(values).filter(([key]) => isOpen(key)));
  return findOutsidePaths(used, invocation).map(({ key, message, ...fault }) => {
    const label = fileEnv[envNameOf(key)] === undefined ? key : `${envNameOf(key)} of the env file`;
    return { ...fault, severity: 'error', message: `${label}: ${message}` };
  });
}

function findProblems({ problems, settings, reporters }: ReturnType<typeof resolve>): readonly Problem[] {
  return [...problems, ...settings.problems, ...reporters.problems];
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}
