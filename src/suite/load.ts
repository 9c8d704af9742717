import { resolve } from 'node:path';
import { defined } from '../json/defined.ts';
import type { AssertionDeclaration } from '../model/assertion.ts';
import type { LoadedPlugin } from '../model/code-plugin.ts';
import type { EmptySelection } from '../model/empty-selection.ts';
import { UserError } from '../model/errors.ts';
import type { VersionOf } from '../model/optional-packages.ts';
import type { Plugin } from '../model/plugin.ts';
import type { Problem } from '../model/problem.ts';
import type { AdapterDeclaration } from '../model/provider.ts';
import type { SharedCacheConfig } from '../model/shared-cache.ts';
import type { Project, Suite } from '../model/suite.ts';
import { isNegative } from '../text/glob.ts';
import { type CheckRun, type Config, emptyConfig, parseCache, parseConfig } from './config.ts';
import type { ContractKnowledge } from './contracts.ts';
import {
  describeMissing,
  findProject,
  isGlob,
  kindOfPath,
  openProjectFiles,
  type ProjectFiles,
  type ProjectPlace,
} from './files.ts';
import { type Located, locate } from './locate.ts';
import { type ParsedSuite, parseSuite } from './parse.ts';
import { extendDeclarations, loadPlugins, type OpenPlugins, type PluginRequest } from './plugins.ts';
import { createProblems, type Problems } from './problems.ts';
import { readPromptSuite } from './prompt-suite.ts';
import { type EvaluateSuite, isCodeSuite, readCodeSuite } from './read-code-suite.ts';
import { readDocument } from './read-document.ts';
import { isPromptFile, type ParsePrompt } from './read-prompt-file.ts';
import { createReadLog, type ReadLog, recordReads, sourcesOf } from './record-reads.ts';

export type { CheckRun, OpenPlugins, PluginRequest };

export interface LoadOptions {
  /** Files, folders and globs; none: what the config or the default names. */
  readonly paths: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly configPath?: string;
  readonly assertions: Readonly<Record<string, AssertionDeclaration>>;
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  readonly parsePrompt: ParsePrompt;
  /** Imports what the config's `plugins:` names; without it, there are none. */
  readonly openPlugins?: OpenPlugins;
  /** Evaluates suites that are code; without it, there are none. */
  readonly evaluateSuite?: EvaluateSuite;
  /** True where the project at a folder has an optional package. */
  readonly packageVersion: (name: string, root: string) => string | undefined;
  readonly contracts?: ContractKnowledge;
  /** Checks the config's `run:`; without it, it is taken as it stands. */
  readonly checkRun?: CheckRun;
  /** Another state of the project than that of the working tree. */
  readonly snapshot?: ProjectSnapshot;
  /** Told of all that is read, in a load that fails too. */
  readonly reads?: ReadLog;
  /** Leaves cases and assertions unread; the suites then have none. */
  readonly contractOnly?: boolean;
}

export interface ProjectSnapshot {
  readonly place: ProjectPlace;
  readonly files: ProjectFiles;
  readonly kindOf: (path: string) => 'file' | 'folder' | undefined;
}

export interface LoadedProject {
  readonly project: Project;
  readonly warnings: readonly Problem[];
  readonly plugins: readonly LoadedPlugin<Plugin>[];
}

const DEFAULT_SUITES = ['evals/**/*.eval.{yaml,yml,ts,mts,js,mjs}'];
const SUITES_IN_FOLDER = ['**/*.eval.{yaml,yml,ts,mts,js,mjs}'];
const SUITE_FILE = /\.(?:ya?ml|[cm]?[jt]s)$/i;

/** Loads the suites of a project; throws a `UserError` with every problem at once. No suite found is no problem here. */
export async function loadProject(options: LoadOptions): Promise<LoadedProject> {
  const problems = createProblems();
  const snapshot = options.snapshot ?? openWorkingTree(options);
  const { place } = snapshot;
  const all = options.reads === undefined ? snapshot.files : recordReads(snapshot.files, options.reads);
  const shared = createReadLog();
  const project = { ...snapshot, files: recordReads(all, shared) };
  const configDocument = await readConfig(project, options, problems);
  const plugins = await loadPlugins(configDocument, project, { open: options.openPlugins, problems });
  const known = { ...options, ...extendDeclarations(options, plugins) };
  const config = await loadConfig(
    configDocument,
    project.files,
    { ...known, packageVersion: (name) => options.packageVersion(name, place.root) },
    problems,
  );
  const { paths, empty } = await findSuites(project, config, options, problems);
  const parsed: ParsedSuite[] = [];
  for (const path of paths) {
    const reads = createReadLog();
    const files = recordReads(all, reads);
    const isPrompt = isPromptFile(path);
    const document = isCodeSuite(path)
      ? await readCodeSuite(path, {
          files,
          problems,
          evaluate: options.snapshot === undefined ? options.evaluateSuite : undefined,
        })
      : isPrompt
        ? await readPromptSuite(path, { files, problems, config, parsePrompt: options.parsePrompt })
        : await readDocument(path, files, problems);
    const suite =
      document === undefined
        ? undefined
        : await parseSuite(path, document, {
            ...known,
            packageVersion: (name) => options.packageVersion(name, place.root),
            files,
            reads,
            problems,
            config,
            isPromptFile: isPrompt,
          });
    if (suite !== undefined) parsed.push(suite);
  }
  reportDuplicates(parsed, problems);
  const list = problems.list();
  if (problems.errorCount() > 0) throw new UserError(list);
  return {
    project: {
      root: place.root,
      ...defined({ configPath: place.configPath }),
      sources: sourcesOf(shared, all),
      suites: parsed.map(({ suite }) => suite),
      ...(empty.length === 0 ? {} : { emptySelections: empty }),
      prices: config.prices,
      run: config.run,
      cache: config.cache,
    },
    warnings: list,
    plugins: plugins.list,
  };
}

/** The suite files that a load would read, and the ids of the config's providers; mistakes are passed over. */
export async function findSuiteFiles(options: Pick<LoadOptions, 'paths' | 'cwd' | 'configPath' | 'adapters'>): Promise<{
  readonly paths: readonly string[];
  readonly files: ProjectFiles;
  readonly configProviders: readonly string[];
}> {
  const snapshot = openWorkingTree(options);
  const problems = createProblems();
  const document = await readConfig(snapshot, options, problems);
  const known = { ...options, packageVersion: () => undefined };
  const config = await loadConfig(document, snapshot.files, known, problems);
  return {
    paths: (await findSuites(snapshot, config, options, problems)).paths,
    files: snapshot.files,
    configProviders: config.providers.map(({ id }) => id),
  };
}

/** The project as it lies on disk. */
export function openWorkingTree({ cwd, configPath }: Pick<LoadOptions, 'cwd' | 'configPath'>): ProjectSnapshot {
  const place = findProject(cwd, configPath);
  return { place, files: openProjectFiles(place, cwd), kindOf: kindOfPath };
}

/** The plug-ins of a project alone, without reading a suite; throws a `UserError` for what is wrong with them. */
export async function loadProjectPlugins(
  options: Pick<LoadOptions, 'cwd' | 'configPath' | 'openPlugins'>,
): Promise<readonly LoadedPlugin<Plugin>[]> {
  const problems = createProblems();
  const snapshot = openWorkingTree(options);
  const document = await readConfig(snapshot, options, problems);
  const { list } = await loadPlugins(document, snapshot, { open: options.openPlugins, problems });
  if (problems.errorCount() > 0) throw new UserError(problems.list());
  return list;
}

/** The shared cache of a project alone; throws a `UserError` for what is wrong with it. */
export async function loadProjectCache(
  options: Pick<LoadOptions, 'cwd' | 'configPath' | 'packageVersion'>,
): Promise<SharedCacheConfig | undefined> {
  const problems = createProblems();
  const snapshot = openWorkingTree(options);
  const document = await readConfig(snapshot, options, problems);
  const packageVersion = (name: string) => options.packageVersion(name, snapshot.place.root);
  const cache = document === undefined ? undefined : parseCache(document, { problems, packageVersion });
  if (problems.errorCount() > 0) throw new UserError(problems.list());
  return cache;
}

/** Where the project of a folder is, for snapshots of it. */
export function findProjectPlace(cwd: string, configPath?: string): ProjectPlace {
  return findProject(cwd, configPath);
}

async function readConfig(
  { place: { configPath }, files, kindOf }: ProjectSnapshot,
  { cwd, configPath: asked }: Pick<LoadOptions, 'cwd' | 'configPath'>,
  problems: Problems,
): Promise<Located | undefined> {
  if (configPath === undefined) return undefined;
  if (asked !== undefined && kindOf(resolve(cwd, asked)) !== 'file') {
    problems.report({ code: 'usage', message: `the config ${asked} does not exist` });
    return undefined;
  }
  return readDocument(configPath, files, problems);
}

interface ConfigOptions extends Pick<LoadOptions, 'adapters' | 'contracts' | 'checkRun'> {
  readonly packageVersion: VersionOf;
}

async function loadConfig(
  document: Located | undefined,
  files: ProjectFiles,
  { adapters, contracts, checkRun, packageVersion }: ConfigOptions,
  problems: Problems,
): Promise<Config> {
  if (document === undefined) return emptyConfig;
  const readFile = (namedBy: Located<string>) =>
    readDocument(resolve(namedBy.source.folder, namedBy.value), files, problems, namedBy);
  return parseConfig(document, {
    adapters,
    packageVersion,
    problems,
    readFile,
    ...defined({ contracts, checkRun }),
  });
}

interface FoundSuites {
  /** Absolute, each once, sorted. */
  readonly paths: readonly string[];
  readonly empty: readonly EmptySelection[];
}

/** Looks for suite files, and warns of what leads to none. */
async function findSuites(
  snapshot: ProjectSnapshot,
  config: Config,
  { paths, cwd }: Pick<LoadOptions, 'paths' | 'cwd'>,
  problems: Problems,
): Promise<FoundSuites> {
  const found = new Set<string>();
  const empty: EmptySelection[] = [];
  const add = (suites: readonly string[], message: string, isNamed: boolean, at?: Config['suitesAt']) => {
    for (const suite of suites) found.add(suite);
    if (suites.length > 0 || problems.errorCount() > 0) return;
    problems.warn({ code: 'selects-nothing', message, ...at });
    empty.push({ message, isNamed });
  };
  for (const path of paths) {
    add(await findSuitesAt(path, snapshot, cwd, problems), `no suite was found under ${path}`, false);
  }
  if (paths.length > 0) return { paths: [...found].sort(), empty };
  const { place, files } = snapshot;
  const patterns = config.suites ?? DEFAULT_SUITES;
  const excluded = patterns.filter(isNegative);
  for (const pattern of patterns) {
    if (isNegative(pattern)) continue;
    const { paths: matches, faults } = await files.glob([pattern, ...excluded], place.root);
    for (const fault of faults) problems.report({ ...fault, ...config.suitesAt });
    // Without suites: nothing was asked for by name.
    if (config.suites === undefined) return { paths: matches, empty };
    add(matches, `suites: no file matches ${pattern}`, !isGlob(pattern), config.suitesAt);
  }
  return { paths: [...found].sort(), empty };
}

async function findSuitesAt(
  path: string,
  { files, kindOf }: ProjectSnapshot,
  cwd: string,
  problems: Problems,
): Promise<readonly string[]> {
  const absolute = resolve(cwd, path);
  switch (kindOf(absolute)) {
    case 'folder':
      return findByGlob(SUITES_IN_FOLDER, absolute, files, problems);
    case 'file':
      if (SUITE_FILE.test(path) || isPromptFile(path)) return [absolute];
      problems.report({
        code: 'usage',
        message: `${path} is not a suite: a suite is a YAML or TypeScript file`,
        hint: 'name a file that ends in .eval.yaml, or a prompt file with test data',
      });
      return [];
    case undefined:
      if (isGlob(path)) {
        const found = await findByGlob([path], cwd, files, problems);
        return found.filter((match) => SUITE_FILE.test(match) || isPromptFile(match));
      }
      problems.report({
        code: 'usage',
        message: `${path} ${describeMissing(absolute)}`,
        hint: 'name a suite file, a folder or a glob',
      });
      return [];
  }
}

async function findByGlob(
  patterns: readonly string[],
  folder: string,
  files: ProjectFiles,
  problems: Problems,
): Promise<readonly string[]> {
  const { paths, faults } = await files.glob(patterns, folder);
  for (const fault of faults) problems.report(fault);
  return paths;
}

function reportDuplicates(parsed: readonly ParsedSuite[], problems: Problems): void {
  const first = new Map<string, Suite>();
  for (const { suite, idAt } of parsed) {
    const other = first.get(suite.id);
    if (other === undefined) {
      first.set(suite.id, suite);
      continue;
    }
    problems.report({
      code: 'duplicate-id',
      message: `two suites have the id "${suite.id}": ${other.path} and ${suite.path}`,
      hint: 'give one of them another id with "suite:"',
      at: locate(idAt),
    });
  }
}
