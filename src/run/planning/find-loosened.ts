import { basename, dirname, join, relative } from 'node:path';
import { parseEnv } from 'node:util';
import { openComparedRef } from '../../baseline/find-baselines.ts';
import { readOrUndefined } from '../../files/write-files.ts';
import { defined } from '../../json/defined.ts';
import type { JsonValue } from '../../json/json.ts';
import { UserError } from '../../model/problem.ts';
import type { Loosened, LoosenedCases } from '../../model/run/record.ts';
import type { GatePolicy } from '../../model/suite/gate-policy.ts';
import { type Case, mergeContracts, type RunDefaults, type Suite, slicesOf } from '../../model/suite/suite.ts';
import type { RunOptions, RunPorts } from '../../plan/run-options.ts';
import { findChangesSince } from '../../project/git/git-changes.ts';
import type { GitRef } from '../../project/git/git-files.ts';
import { loadProject } from '../../project/load-project.ts';
import { findConfigAtRef, loadProjectAtRef } from '../../project/project-at-ref.ts';
import { attempt } from '../../text/attempt.ts';
import { toSlashes } from '../../text/to-slashes.ts';
import { compareGates, type Gating } from '../../verdict/gate/compare-gates.ts';

interface FoundLoosened {
  readonly loosened: readonly Loosened[];
  /** Why settings could not be compared. */
  readonly remarks: readonly string[];
}

/**
 * The settings that a change loosens against the compared commit. Such a change could make its own failure pass. So the
 * report names each setting with its old and new value.
 */
export async function findLoosened(
  { project, settings }: Pick<RunOptions, 'project' | 'settings'>,
  { cwd, env }: Pick<RunPorts, 'cwd' | 'env'>,
  ref = openComparedRef(settings.baseline, { root: project.root, env }),
): Promise<FoundLoosened> {
  if (ref === undefined) return { loosened: [], remarks: [] };
  const { root, configPath } = project;
  const against = `git:${ref.name}`;
  const ofConfig = findOtherConfig(ref, configPath, cwd);
  if (!hasOtherSettings(ref, project, env)) return { loosened: ofConfig, remarks: [] };
  const where = { paths: [], cwd, ...defined({ configPath }) };
  try {
    // Compares all suites, because the job may run only a part.
    const { old, now, remarks } = await loadBoth(where, ref, env);
    const ofSuites = old.suites.flatMap((suite) => compareSuite(suite, now.suites));
    const ofRun = [...compareRunDefaults(old.run, now.run), ...compareEnvFiles(ref, root, now.run, old.run)];
    return { loosened: [...ofConfig, ...ofRun, ...ofSuites], remarks };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const [problem] = error.problems;
    const why = `the settings of the gate were not compared with ${against}: ${problem?.message ?? error.message}`;
    return { loosened: ofConfig, remarks: [why] };
  }
}

/**
 * Loads both sides, with cases if the commit has them. For suites and checks in code, both sides use the working tree.
 */
async function loadBoth(
  where: { readonly paths: readonly string[]; readonly cwd: string; readonly configPath?: string },
  ref: GitRef,
  env: RunPorts['env'],
) {
  const load = async (withCases: boolean) => {
    const { project: now } = await loadProject({ ...where, contractOnly: !withCases });
    return { now, old: await loadProjectAtRef({ ...where, project: now, ref, env, withCases }) };
  };
  try {
    return { ...(await load(true)), remarks: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const both = await load(false);
    const [problem] = error.problems;
    return {
      ...both,
      remarks: [`settings of cases were not compared with git:${ref.name}: ${problem?.message ?? ''}`],
    };
  }
}

/** True if the config, a suite or its cases differ. Most changes affect only prompts, so that nothing more is read. */
function hasOtherSettings(ref: GitRef, { root, run }: RunOptions['project'], env: RunPorts['env']): boolean {
  const envFiles = new Set(envFileOf(root, run).map((path) => basename(path)));
  const isSetting = (path: string): boolean =>
    /\.(?:ya?ml|jsonl?|csv)$|\.eval\.[cm]?[jt]s$/i.test(path) || envFiles.has(basename(path));
  const changes = attempt(() => findChangesSince(ref, env), UserError);
  // If the changes are unknown, everything is compared.
  return changes instanceof UserError || [...changes.keys()].some(isSetting);
}

/** The config's env file, which may contain settings too. */
function envFileOf(root: string, { envFile }: RunDefaults): readonly string[] {
  return typeof envFile === 'string' ? [join(root, envFile)] : [];
}

/** The llmcheck variables in the env file that changed. */
function compareEnvFiles(ref: GitRef, root: string, now: RunDefaults, old: RunDefaults): readonly Loosened[] {
  const [path] = envFileOf(root, now);
  if (path === undefined) return [];
  const read = (text = '') => parseEnv(text.replace(/^\uFEFF/, ''));
  const before = read(envFileOf(root, old)[0] === path ? ref.readFile(path) : '');
  const after = read(readOrUndefined(path));
  const shown = toSlashes(relative(root, path));
  const names = Object.keys({ ...before, ...after }).filter((name) => name.startsWith('LLMCHECK_'));
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => ({ key: `${name} of ${shown}`, old: before[name] ?? 'none', new: after[name] ?? 'none' }));
}

/** Finds whether another config file is in force: a nearer one was added, or the nearest one was removed. */
function findOtherConfig(ref: GitRef, configPath: string | undefined, cwd: string): readonly Loosened[] {
  if (configPath !== undefined && ref.readFile(configPath) !== undefined) return [];
  const found = findConfigAtRef(ref, configPath === undefined ? cwd : dirname(configPath));
  if (found === undefined) return [];
  const shown = (path: string): string => toSlashes(relative(ref.root, path));
  return [{ key: 'config', old: shown(found), new: configPath === undefined ? 'none' : shown(configPath) }];
}

function compareSuite(old: Suite, suites: readonly Suite[]): readonly Loosened[] {
  const now = suites.find(({ id }) => id === old.id) ?? suites.find(({ path }) => path === old.path);
  if (now === undefined) return [{ suite: old.id, key: 'suite', old: old.path, new: 'none' }];
  const found = [...compareGates(gatingOf(old), gatingOf(now)), ...compareCases(old, now)];
  return found.map((one) => ({ suite: now.id, ...one }));
}

/** Compares the cases of a suite. Finds nothing if the cases were not loaded. */
function compareCases(old: Suite, now: Suite): readonly Omit<Loosened, 'suite'>[] {
  if (old.caseCount === 0 || now.caseCount === 0) return [];
  const after = new Map([...now.cases()].map((one) => [one.id, one]));
  const found = new Map<LoosenedCases, string[]>();
  for (const before of old.cases()) {
    for (const kind of looserKinds(before, after.get(before.id), now.gate)) {
      found.set(kind, [...(found.get(kind) ?? []), before.id]);
    }
  }
  return [...found].map(([key, cases]) => ({ key, cases, old: '', new: '' }));
}

function looserKinds(before: Case, after: Case | undefined, gate: GatePolicy): readonly LoosenedCases[] {
  if (after === undefined) return before.mustPass ? ['removed'] : [];
  return [
    ...(before.mustPass && !after.mustPass ? (['mustPass'] as const) : []),
    ...(!before.observe && after.observe ? (['observe'] as const) : []),
    ...(before.skip === undefined && after.skip !== undefined ? (['skip'] as const) : []),
    ...((slicesOf(before, gate) ?? []).some((slice) => !after.tags.includes(slice)) ? (['slices'] as const) : []),
    ...(after.trials < before.trials ? (['trials'] as const) : []),
  ];
}

function gatingOf({ gate, classes, contract, prompts }: Suite): Gating {
  const contracts = prompts.map((prompt) => mergeContracts(contract, prompt.contract));
  return { gate, contracts: [contract, ...contracts], ...defined({ classes }) };
}

/** Compares the keys of the config's `run:` that affect the tested cells or the meaning of a result. */
function compareRunDefaults(old: RunDefaults, now: RunDefaults): readonly Loosened[] {
  const show = (value: JsonValue | undefined): string =>
    value === undefined
      ? 'none'
      : [value]
          .flat()
          .map((item) => (typeof item === 'string' ? item : JSON.stringify(item)))
          .join(', ');
  const isOn = (value: JsonValue | undefined): boolean => value !== undefined && value !== false;
  return runKeys.flatMap(({ key, isLooser }) => {
    const [before, after] = [old[key], now[key]];
    if (show(before) === show(after) || !isLooser({ before, after, isOn })) return [];
    return [{ key: `run.${key}`, old: show(before), new: show(after) }];
  });
}

interface Change {
  readonly before: JsonValue | undefined;
  readonly after: JsonValue | undefined;
  readonly isOn: (value: JsonValue | undefined) => boolean;
}

const isSet = ({ after, isOn }: Change): boolean => isOn(after);
const isUnset = ({ before, after, isOn }: Change): boolean => isOn(before) && !isOn(after);
const isFewer = ({ before = 1, after = 1 }: Change): boolean => !(Number(after) >= Number(before));
const isMore = ({ before = 0, after = 0 }: Change): boolean => !(Number(after) <= Number(before));
const always = (): boolean => true;

/** A filter that merely changes may leave out other cases, so it is reported too. */
const runKeys: readonly { readonly key: string; readonly isLooser: (change: Change) => boolean }[] = [
  ...['filter', 'tag', 'prompt', 'provider', 'sample', 'shard', 'lastFailed', 'changed', 'early'].map((key) => ({
    key,
    isLooser: isSet,
  })),
  ...['allowEmpty', 'noBaseline', 'compare', 'updateBaseline'].map((key) => ({ key, isLooser: isSet })),
  ...['requireConclusive', 'drift'].map((key) => ({ key, isLooser: isUnset })),
  { key: 'trials', isLooser: isFewer },
  { key: 'maxErrors', isLooser: isMore },
  { key: 'baseline', isLooser: always },
];
