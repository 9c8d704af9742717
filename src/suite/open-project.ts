import { dirname, join, resolve } from 'node:path';
import { defined } from '../json/defined.ts';
import type { ProblemCode } from '../model/problem.ts';
import type { AssertionDeclaration } from '../model/suite/assertion.ts';
import type { LoadedPlugin, RenderPrompts } from '../model/suite/own-code.ts';
import { type Plugin, pluginsOf } from '../model/suite/plugin.ts';
import type { AdapterDeclaration } from '../model/suite/provider.ts';
import { sha256Hex } from '../text/sha256.ts';
import { createReadCode, describeCode } from './assertions/own-code.ts';
import { type CheckRun, type Config, configShape, emptyConfig, parseConfig } from './config.ts';
import { checkPart } from './documents/check-shape.ts';
import type { EvaluateSuite } from './documents/code-suite.ts';
import { childOf, isText, itemsOf, type Located, locate, type Problems } from './documents/locate.ts';
import { readDocument } from './documents/read-document.ts';
import { openProjectFiles, type ProjectFiles } from './files/project-files.ts';
import { CONFIG_NAME, findProject, kindOfPath, type ProjectPlace } from './files/project-place.ts';
import type { ReadLog } from './files/read-log.ts';
import type { ParsePrompt } from './prompts/prompt-file.ts';

export interface LoadOptions {
  /** Files, folders and globs. If empty, the config or the default decides. */
  readonly paths: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly configPath?: string;
  readonly assertions: Readonly<Record<string, AssertionDeclaration>>;
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  readonly parsePrompt: ParsePrompt;
  /** Imports the config's `plugins:`. If undefined, plug-ins are not loaded. */
  readonly openPlugins?: OpenPlugins;
  /** Evaluates suites that are code; without it, there are none. */
  readonly evaluateSuite?: EvaluateSuite;
  /** Calls prompts in code. If undefined, they have no messages. */
  readonly renderPrompts?: RenderPrompts;
  /** The version of an optional package in the project at a folder; undefined if it is missing. */
  readonly packageVersion: (name: string, root: string) => string | undefined;
  /** Checks the config's `run:`. If undefined, it is not checked. */
  readonly checkRun?: CheckRun;
  /** A state of the project other than the working tree. */
  readonly snapshot?: ProjectSnapshot;
  /** Records every file that is read, even if loading fails. */
  readonly reads?: ReadLog;
  /** Leaves cases, assertions and recordings unread, so that their mistakes do not matter; the suites have no cases. */
  readonly contractOnly?: boolean;
  /** Treats a missing file of labels as empty, for the command that writes it. */
  readonly mayLackLabels?: boolean;
}

export interface ProjectSnapshot {
  readonly place: ProjectPlace;
  readonly files: ProjectFiles;
  readonly kindOf: (path: string) => 'file' | 'folder' | undefined;
}

/** The project as it lies on disk. */
export function openWorkingTree({ cwd, configPath }: Pick<LoadOptions, 'cwd' | 'configPath'>): ProjectSnapshot {
  const place = findProject(cwd, configPath);
  return { place, files: openProjectFiles(place, cwd), kindOf: kindOfPath };
}

/** Reads the document of the config. Undefined if there is none, or if it can't be read, which is reported. */
export async function readConfig(
  { place: { root, configPath }, files, kindOf }: ProjectSnapshot,
  { cwd, configPath: asked }: Pick<LoadOptions, 'cwd' | 'configPath'>,
  problems: Problems,
): Promise<Located | undefined> {
  if (configPath === undefined) {
    reportOtherNames(root, kindOf, problems);
    return undefined;
  }
  if (asked !== undefined && kindOf(resolve(cwd, asked)) !== 'file') {
    problems.report({ code: 'usage', message: `the config ${asked} does not exist` });
    return undefined;
  }
  return readDocument(configPath, files, problems);
}

/** Warns of configs with another name, which would be silently ignored. */
function reportOtherNames(root: string, kindOf: ProjectSnapshot['kindOf'], problems: Problems): void {
  for (const ending of ['yml', 'json', 'js', 'mjs', 'ts']) {
    const name = `llmcheck.config.${ending}`;
    if (kindOf(join(root, name)) !== 'file') continue;
    const hint = ['yml', 'json'].includes(ending)
      ? 'rename it to llmcheck.config.yaml'
      : 'write the config in YAML, as llmcheck.config.yaml';
    problems.report({ code: 'config', message: `${name} is not read: the config is llmcheck.config.yaml`, hint });
  }
}

/** Warns of configs between the root and a suite, which would be silently ignored. */
export function warnOfNestedConfigs(
  suites: readonly string[],
  { place: { root, configPath }, files, kindOf }: ProjectSnapshot,
  problems: Problems,
): void {
  const folders = new Set<string>();
  for (const suite of suites) {
    for (let folder = dirname(suite); folder.startsWith(root) && folder !== root; folder = dirname(folder)) {
      folders.add(folder);
    }
  }
  const own = files.display(configPath ?? join(root, CONFIG_NAME));
  for (const folder of folders) {
    const nested = join(folder, CONFIG_NAME);
    if (kindOf(nested) !== 'file') continue;
    const reason =
      configPath === undefined
        ? 'llmcheck looks for a config in the working folder and above it'
        : `the config is ${own}`;
    const hint = configPath === undefined ? `move it to ${own}` : `write its settings into ${own}`;
    problems.warn({ code: 'config', message: `${files.display(nested)} is not read: ${reason}`, hint });
  }
}

type ConfigOptions = Omit<Parameters<typeof parseConfig>[1], 'readFile' | 'files'>;

export async function loadConfig(
  document: Located | undefined,
  files: ProjectFiles,
  options: ConfigOptions,
): Promise<Config> {
  if (document === undefined) return emptyConfig;
  const readFile = (namedBy: Located<string>) =>
    readDocument(resolve(namedBy.source.folder, namedBy.value), files, options.problems, namedBy);
  return parseConfig(document, { ...options, files, readFile });
}

/** One entry of `plugins:`: a file with its hash, or a package. */
export type PluginRequest =
  | ({ readonly kind: 'file'; readonly name: string; readonly file: string } & Pick<
      LoadedPlugin<Plugin>,
      'hash' | 'unfollowed'
    >)
  | { readonly kind: 'package'; readonly name: string; readonly root: string; readonly hash: string };

/** Why an entry of `plugins:` can't be used. */
export interface PluginFault {
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint?: string;
}

/** The parts that the entries of `plugins:` add. */
export interface OpenedPlugins {
  readonly list: readonly LoadedPlugin<Plugin>[];
  readonly assertions: Readonly<Record<string, AssertionDeclaration>>;
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  /** The faults, each with the index of its entry among the requests. */
  readonly faults: readonly (PluginFault & { readonly index: number })[];
}

/** Imports the user's own code. */
type OpenPlugins = (requests: readonly PluginRequest[]) => Promise<OpenedPlugins>;

type LoadedPlugins = Omit<OpenedPlugins, 'faults'>;

const none: OpenedPlugins = { list: [], assertions: {}, adapters: {}, faults: [] };

/** Loads the plug-ins of a config. Reports mistakes at their entries. */
export async function loadPlugins(
  config: Located | undefined,
  { place, files }: { readonly place: ProjectPlace; readonly files: ProjectFiles },
  { open, problems }: { readonly open: OpenPlugins | undefined; readonly problems: Problems },
): Promise<LoadedPlugins> {
  if (open === undefined) return none;
  if (config !== undefined) checkPart(config, 'plugins', configShape.plugins, problems);
  const entries = config === undefined ? [] : itemsOf(childOf(config, 'plugins')).filter(isText);
  const readCode = createReadCode({ files, problems });
  const requests: PluginRequest[] = [];
  const places: Located[] = [];
  for (const entry of entries) {
    const name = entry.value;
    if (!isPath(name)) {
      const { lines } = describeCode({ folder: place.root, package: name }, files);
      requests.push({ kind: 'package', name, root: place.root, hash: sha256Hex(`${name}\n${lines}`).slice(0, 16) });
      places.push(entry);
      continue;
    }
    const code = readCode('module', { value: entry });
    if (code?.file === undefined) continue;
    const { file, hash, unfollowed } = code;
    requests.push({ kind: 'file', name, file, hash, ...defined({ unfollowed }) });
    places.push(entry);
  }
  const { faults, ...opened } = await open(requests);
  for (const { index, ...fault } of faults) {
    const at = places[index];
    problems.report({ ...fault, ...defined({ at: at && locate(at) }) });
  }
  return opened;
}

/** The registries with the additions of plug-ins. */
export function extendDeclarations(
  known: {
    readonly assertions: Readonly<Record<string, AssertionDeclaration>>;
    readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  },
  plugins: Pick<OpenedPlugins, 'list' | 'assertions' | 'adapters'>,
) {
  return {
    assertions:
      pluginsOf(plugins.list, 'assertion').length === 0
        ? known.assertions
        : { ...known.assertions, ...plugins.assertions },
    adapters:
      pluginsOf(plugins.list, 'provider').length === 0 ? known.adapters : { ...known.adapters, ...plugins.adapters },
  };
}

/** True for a name that starts with a dot, as in an import, or ends like a module's. */
function isPath(name: string): boolean {
  return /^\.{0,2}\//.test(name) || /\.[cm]?[jt]s$/.test(name);
}
