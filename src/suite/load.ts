import { dirname } from 'node:path';
import { defined } from '../json/defined.ts';
import { type Problem, UserError } from '../model/problem.ts';
import type { SharedCacheConfig } from '../model/run/shared-cache.ts';
import type { LoadedPlugin } from '../model/suite/own-code.ts';
import type { Plugin } from '../model/suite/plugin.ts';
import type { EmptySelection } from '../model/suite/recorded-settings.ts';
import type { Project, Suite } from '../model/suite/suite.ts';
import { type Config, parseCache } from './config.ts';
import { isCodeSuite, readCodeSuite } from './documents/code-suite.ts';
import { childOf, createProblems, type Located, locate, type Problems } from './documents/locate.ts';
import { readDocument } from './documents/read-document.ts';
import type { ProjectFiles } from './files/project-files.ts';
import { stemOf } from './files/project-place.ts';
import { createReadLog, recordReads, sourcesOf } from './files/read-log.ts';
import { findSuites } from './find-suites.ts';
import { collectTags, reportEmptySlices } from './gate.ts';
import {
  extendDeclarations,
  type LoadOptions,
  loadConfig,
  loadPlugins,
  openWorkingTree,
  readConfig,
  warnOfNestedConfigs,
} from './open-project.ts';
import { type ParsedSuite, parseSuite } from './parse-suite.ts';
import { isPromptFile, readPromptSuite } from './prompts/prompt-file.ts';
import { isSkillSuite } from './skills/skill-file.ts';
import { readSkillSuite } from './skills/skill-suite.ts';

export interface LoadedProject {
  readonly project: Project;
  readonly warnings: readonly Problem[];
  readonly plugins: readonly LoadedPlugin<Plugin>[];
}

/**
 * Loads the suites of a project; throws a `UserError` with every problem at once. An empty project is not a problem
 * here.
 */
export async function loadProject(options: LoadOptions): Promise<LoadedProject> {
  const problems = createProblems();
  const snapshot = options.snapshot ?? openWorkingTree(options);
  const { place } = snapshot;
  const all = options.reads === undefined ? snapshot.files : recordReads(snapshot.files, options.reads);
  const shared = createReadLog();
  const project = { ...snapshot, files: recordReads(all, shared) };
  const configDocument = await readConfig(project, options, problems);
  const plugins = await loadPlugins(configDocument, project, { open: options.openPlugins, problems });
  // Without a part of the config or a plug-in, each use of it would be reported as a mistake too.
  if (problems.errorCount() > 0) throw new UserError(problems.list());
  const packageVersion = (name: string) => options.packageVersion(name, place.root);
  const known = { ...options, ...extendDeclarations(options, plugins), packageVersion, problems, place };
  const config = await loadConfig(configDocument, project.files, known);
  const { paths, empty } = await findSuites(project, config, options, problems);
  if (options.configPath === undefined) warnOfNestedConfigs(paths, project, problems);
  const parsed: ParsedSuite[] = [];
  for (const path of paths) {
    const reads = createReadLog();
    // Any suite may use a plug-in.
    for (const { unfollowed = [] } of plugins.list) for (const read of unfollowed) reads.unfollowed.add(read);
    const context = { ...known, files: recordReads(all, reads), config };
    const document = await readSuite(path, context);
    const isPrompt = isPromptFile(path);
    const suite = document && (await parseSuite(path, document, { ...context, reads, isPromptFile: isPrompt }));
    if (suite !== undefined) parsed.push(suite);
  }
  reportDuplicates(parsed, problems);
  if (problems.errorCount() === 0) warnOfSharedRecordings(parsed, problems);
  const emptySlices = findEmptySlices(configDocument, config, parsed, options, problems);
  const warnings = listWarnings(problems);
  return {
    project: {
      root: place.root,
      ...defined({ configPath: place.configPath }),
      sources: sourcesOf(shared, all),
      suites: parsed.map(({ suite }) => suite),
      ...defined({ emptySelections: empty.length + emptySlices.length === 0 ? undefined : [...empty, ...emptySlices] }),
      prices: config.prices,
      run: config.run,
      cache: config.cache,
    },
    warnings,
    plugins: plugins.list,
  };
}

/** Slices of the config's gate without a case in the project. Only a load of all suites can find them. */
function findEmptySlices(
  document: Located | undefined,
  config: Config,
  parsed: readonly ParsedSuite[],
  { paths, contractOnly }: Pick<LoadOptions, 'paths' | 'contractOnly'>,
  problems: Problems,
): readonly EmptySelection[] {
  if (document === undefined || config.gate?.slices === undefined || parsed.length === 0) return [];
  if (paths.length > 0 || contractOnly === true || problems.errorCount() > 0) return [];
  const tags = collectTags(parsed.map(({ suite }) => suite.cases()));
  const messages = reportEmptySlices(childOf(document, 'gate'), tags, problems);
  return messages.map((message) => ({ message, isNamed: true }));
}

type ReadContext = Pick<LoadOptions, 'snapshot' | 'evaluateSuite' | 'parsePrompt'> & {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly config: Config;
};

/** The document of a suite in any form; undefined if it can't be read, which is reported. */
function readSuite(path: string, context: ReadContext): Promise<Located | undefined> {
  const { files, problems, snapshot, evaluateSuite } = context;
  // Code at a commit can't be run: only the working tree has the files that it imports.
  const evaluate = snapshot === undefined ? evaluateSuite : undefined;
  if (isCodeSuite(path)) return readCodeSuite(path, { files, problems, evaluate });
  if (isSkillSuite(path)) return readSkillSuite(path, { ...context, suiteFolder: dirname(path) });
  return isPromptFile(path) ? readPromptSuite(path, context) : readDocument(path, files, problems);
}

/** Returns the warnings if there is no error; else throws all problems. */
function listWarnings(problems: Problems): readonly Problem[] {
  const list = problems.list();
  if (problems.errorCount() > 0) throw new UserError(list);
  return list;
}

function reportDuplicates(parsed: readonly ParsedSuite[], problems: Problems): void {
  const first = new Map<string, Suite>();
  const firstOfStem = new Map<string, Suite>();
  for (const { suite, idAt } of parsed) {
    const stem = stemOf(suite.path);
    const [other, neighbour] = [first.get(suite.id), firstOfStem.get(stem)];
    if (other === undefined) first.set(suite.id, suite);
    if (neighbour === undefined) firstOfStem.set(stem, suite);
    if (other !== undefined) {
      problems.report({
        code: 'duplicate-id',
        message: `two suites have the id "${suite.id}": ${other.path} and ${suite.path}`,
        hint: 'give one of them another id with "suite:"',
        at: locate(idAt),
      });
    } else if (neighbour !== undefined) {
      problems.report({
        code: 'duplicate-id',
        message: `two suites would share one baseline, ${stem}.baseline.jsonl: ${neighbour.path} and ${suite.path}`,
        hint: 'give one of the files another name',
        at: locate(idAt),
      });
    }
  }
}

/** Warns of suites that record into one file under equal names. Each would remove the other's answers. */
function warnOfSharedRecordings(parsed: readonly ParsedSuite[], problems: Problems): void {
  const first = new Map<string, Suite>();
  for (const { suite, idAt } of parsed) {
    if (suite.recordings === undefined) continue;
    const other = first.get(suite.recordings);
    if (other === undefined) first.set(suite.recordings, suite);
    const caseId = other && findCommonCase(other, suite);
    if (other === undefined || caseId === undefined) continue;
    problems.warn({
      code: 'recording',
      message: `${suite.id} and ${other.id} record their case "${caseId}" in one file: recording one suite removes the answers of the other`,
      hint: 'give each suite a file of its own',
      at: locate({ ...idAt, path: ['recordings'] }),
    });
  }
}

/** Finds a case that two suites ask with equal prompt and provider ids. */
function findCommonCase(a: Suite, b: Suite): string | undefined {
  const isCommon = (kind: 'prompts' | 'providers') => a[kind].some(({ id }) => b[kind].some((one) => one.id === id));
  if (!isCommon('prompts') || !isCommon('providers')) return undefined;
  const known = new Set(Array.from(a.cases(), ({ id }) => id));
  for (const { id } of b.cases()) if (known.has(id)) return id;
  return undefined;
}

/** Loads the plug-ins of a project without reading suites. Throws a `UserError` with all mistakes. */
export async function loadProjectPlugins(
  options: Pick<LoadOptions, 'cwd' | 'configPath' | 'openPlugins'>,
): Promise<readonly LoadedPlugin<Plugin>[]> {
  const problems = createProblems();
  const snapshot = openWorkingTree(options);
  const document = await readConfig(snapshot, options, problems);
  const { list } = await loadPlugins(document, snapshot, { open: options.openPlugins, problems });
  listWarnings(problems);
  return list;
}

/** Reads the shared-cache settings of a project without reading suites. Throws a `UserError` with all mistakes. */
export async function loadProjectCache(
  options: Pick<LoadOptions, 'cwd' | 'configPath' | 'packageVersion'>,
): Promise<SharedCacheConfig | undefined> {
  const problems = createProblems();
  const snapshot = openWorkingTree(options);
  const document = await readConfig(snapshot, options, problems);
  const packageVersion = (name: string) => options.packageVersion(name, snapshot.place.root);
  const cache = document === undefined ? undefined : parseCache(document, { problems, packageVersion });
  listWarnings(problems);
  return cache;
}
