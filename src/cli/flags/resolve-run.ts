import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { systemErrorCode } from '../../files/write-files.ts';
import { defined } from '../../json/defined.ts';
import type { JsonObject, JsonValue } from '../../json/json.ts';
import { withoutInherited } from '../../json/without-inherited.ts';
import { type Problem, type SettingFault, UserError } from '../../model/problem.ts';
import type { Report } from '../../model/report/report.ts';
import type { RunSettings } from '../../model/run/record.ts';
import type { LoadedPlugin } from '../../model/suite/own-code.ts';
import type { Plugin } from '../../model/suite/plugin.ts';
import type { Project } from '../../model/suite/suite.ts';
import { type LoadOptions, loadProject } from '../../project/load-project.ts';
import { findOutsideFault, type Place } from '../../project/project-paths.ts';
import { findQueueSecrets } from '../../text/addresses/store-urls.ts';
import { decodeText } from '../../text/decode-text.ts';
import { type ParsedReporters, parseReporters } from '../output/reports.ts';
import { resolveFlagValues } from './flag-values.ts';
import { envNameOf, type RunFlagValues } from './run-flags.ts';
import { buildRunSettings } from './run-settings.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A run as it was called; `root` is the project's. */
export interface RunInvocation extends Place {
  readonly flags: Readonly<Record<string, unknown>>;
  /** The variables of the process. */
  readonly env: Env;
}

interface ResolvedRun {
  readonly values: RunFlagValues;
  readonly settings: RunSettings;
  readonly reporters: ParsedReporters<Report>;
  /** With the variables of the env file. */
  readonly env: Env;
  /** Names of the variables whose values come from the env file. */
  readonly fileVariables: ReadonlySet<string>;
  /** Errors first. */
  readonly problems: readonly Problem[];
}

type Plugins = readonly LoadedPlugin<Plugin>[];

/** Loads a project for a run. Reports mistakes in flags and files together. */
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
    const flagErrors = resolveAll({}, invocation, plugins).problems.filter(isError);
    throw new UserError([...flagErrors, ...error.problems], { cause: error });
  }
}

/** Mistakes in single keys of the config's `run:`. Combinations are checked later, together with the flags. */
function checkRunConfig(run: JsonObject, plugins: Plugins, place: Place): readonly SettingFault[] {
  return Object.entries(run).flatMap(([key, value]) => {
    const { values, problems } = resolveFlagValues({ flags: {}, env: {}, config: { [key]: value } });
    const further = [
      ...(key === 'seed' ? [] : buildRunSettings(values).problems),
      ...parseReporters(values.reporter ?? [], plugins).problems,
      ...(key === 'queue' ? findPassword(value) : []),
      ...findOutsidePaths(values, place),
    ];
    return [...problems, ...further].map(({ code, message, hint }) => ({ key, code, message, ...defined({ hint }) }));
  });
}

/** The config is committed, so a password must not be in it. */
function findPassword(value: JsonValue): readonly Problem[] {
  if (findQueueSecrets(value).length === 0) return [];
  const message = 'the address of the queue holds a password, and the config is no place for one';
  return [{ code: 'config', severity: 'error', message, hint: 'set the whole address as LLMCHECK_QUEUE' }];
}

/** Combines flags, environment and the config's `run:`. Throws a `UserError` for mistakes and returns warnings. */
export function resolveRun(config: JsonObject, invocation: RunInvocation, plugins: Plugins = []): ResolvedRun {
  const resolved = resolveAll(config, invocation, plugins);
  if (resolved.problems.some(isError)) throw new UserError(resolved.problems);
  return resolved;
}

function resolveAll(config: JsonObject, invocation: RunInvocation, plugins: Plugins): ResolvedRun {
  const { flags, env: processEnv } = invocation;
  // The env file may hold settings too, so it is read before they are.
  const { envFile } = resolveFlagValues({ flags, env: processEnv, config }).values;
  const configPaths = findPathsOfFiles({}, config, invocation);
  const { env, fileEnv, fileVariables } = readEnvironment(configPaths.length > 0 ? undefined : envFile, invocation);
  const { values, problems } = resolveFlagValues({ flags, env, config });
  const { settings, problems: settingProblems } = buildRunSettings(values);
  const reporters = parseReporters(values.reporter ?? [], plugins);
  const all = [
    ...problems,
    ...configPaths,
    ...findPathsOfFiles(fileEnv, {}, invocation),
    ...settingProblems,
    ...reporters.problems,
  ];
  const sorted = [...all.filter(isError), ...all.filter((problem) => !isError(problem))];
  return { values, settings, reporters, env, fileVariables, problems: sorted };
}

/** Paths outside the project from an env file, the config or a resumed run's record, unless a flag overrides them. */
function findPathsOfFiles(fileEnv: Env, config: JsonObject, invocation: RunInvocation): readonly Problem[] {
  const { flags, env: processEnv } = invocation;
  const { values } = resolveFlagValues({ flags: {}, env: fileEnv, config });
  const isInForce = (key: string) => flags[key] === undefined && (processEnv[envNameOf(key)] ?? '') === '';
  return findOutsidePaths(values, invocation)
    .filter(({ key }) => isInForce(key))
    .map(({ key, message, ...fault }) => {
      const label = fileEnv[envNameOf(key)] === undefined ? key : `${envNameOf(key)} of the env file`;
      return { ...fault, severity: 'error', message: `${label}: ${message}` };
    });
}

/** Settings that name a path outside the project. Only flags may do that. */
function findOutsidePaths({ envFile, baseline, reporter = [] }: RunFlagValues, place: Place): readonly SettingFault[] {
  const named = [
    ...reporter.map((text) => ({ key: 'reporter', path: text.includes('=') ? text.slice(text.indexOf('=') + 1) : '' })),
    { key: 'envFile', path: envFile ?? '' },
    { key: 'baseline', path: baseline?.startsWith('git:') === true ? '' : (baseline ?? '') },
  ];
  return named.flatMap(({ key, path }) => {
    const fault = path === '' ? undefined : findOutsideFault(resolve(place.cwd, path), place);
    if (fault === undefined) return [];
    const { code, message } = fault;
    return [{ key, code, message, hint: 'move it into the project, or name it with a flag' }];
  });
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}

interface Environment {
  /** The process's variables, and the file's variables that the process does not set. */
  readonly env: Env;
  /** The file's variables alone. */
  readonly fileEnv: Env;
  /** Names of the variables whose values come from the file. */
  readonly fileVariables: ReadonlySet<string>;
}

/** Adds the variables of `--env-file` to the process's variables. */
export function readEnvironment(file: unknown, { env, cwd }: { readonly env: Env; readonly cwd: string }): Environment {
  const fileEnv = typeof file === 'string' ? readEnvFile(file, cwd) : {};
  return {
    env: withoutInherited({ ...fileEnv, ...env }),
    fileEnv,
    fileVariables: new Set(Object.keys(fileEnv).filter((name) => env[name] === undefined)),
  };
}

function readEnvFile(file: string, cwd: string): Env {
  try {
    const { text, fault } = decodeText(readFileSync(resolve(cwd, file)), undefined);
    // The first variable may be a limit, and none is found in UTF-16.
    if (fault !== undefined) throw new Error(`${fault}: save it as UTF-8`);
    // Refuses a colon after a name. Other readers of env files accept it, and here a limit would be lost.
    const lost = /^\s*(?:export\s+)?(LLMCHECK_\w+)\s*:/m.exec(text)?.[1];
    if (lost !== undefined) throw new Error(`${lost} is followed by a colon: write ${lost}=…`);
    return parseEnv(text);
  } catch (error) {
    const isMissing = systemErrorCode(error) === 'ENOENT';
    const why = isMissing ? 'the file does not exist' : error instanceof Error ? error.message : String(error);
    const message = `--env-file ${file}: ${why}`;
    throw new UserError({ code: 'file-unreadable', message }, { cause: error });
  }
}
