import { join, resolve } from 'node:path';
import type { AssertionDeclaration } from '../model/assertion.ts';
import type { AdapterDeclaration } from '../model/provider.ts';
import { type CheckRun, type Config, emptyConfig, parseConfig } from './config.ts';
import type { EvaluateSuite } from './documents/code-suite.ts';
import type { Located } from './documents/locate.ts';
import type { Problems } from './documents/problems.ts';
import { readDocument } from './documents/read-document.ts';
import { openProjectFiles, type ProjectFiles, type ReadLog } from './files/project-files.ts';
import { findProject, kindOfPath, type ProjectPlace } from './files/project-place.ts';
import type { OpenPlugins } from './plugins.ts';
import type { ParsePrompt } from './prompts/prompt-file.ts';

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
  /** The version of an optional package in the project at a folder; undefined where it is missing. */
  readonly packageVersion: (name: string, root: string) => string | undefined;
  /** Checks the config's `run:`; without it, `run:` is not checked. */
  readonly checkRun?: CheckRun;
  /** Another state of the project than that of the working tree. */
  readonly snapshot?: ProjectSnapshot;
  /** Records every file that is read, also when loading fails. */
  readonly reads?: ReadLog;
  /** Leaves cases and assertions unread; the suites then have none. */
  readonly contractOnly?: boolean;
  /** A judge's file of labels that does not exist is empty, for the command that writes it. */
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

/** The document of the config; undefined where there is none, or none that can be read, which is reported. */
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

/** A config under another name would be ignored without a word. */
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

type ConfigOptions = Omit<Parameters<typeof parseConfig>[1], 'readFile'>;

export async function loadConfig(
  document: Located | undefined,
  files: ProjectFiles,
  options: ConfigOptions,
): Promise<Config> {
  if (document === undefined) return emptyConfig;
  const readFile = (namedBy: Located<string>) =>
    readDocument(resolve(namedBy.source.folder, namedBy.value), files, options.problems, namedBy);
  return parseConfig(document, { ...options, readFile });
}
