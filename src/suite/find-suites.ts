import { basename, resolve } from 'node:path';
import type { EmptySelection } from '../model/suite/recorded-settings.ts';
import { shellWord } from '../text/code/command-line.ts';
import { isNegative } from '../text/patterns/glob.ts';
import { readRows, rowSuffixes } from './cases/read-rows.ts';
import type { Config } from './config.ts';
import { isCodeSuite } from './documents/code-suite.ts';
import { childOf, createProblems, isText, itemsOf, type Located, type Problems, textsOf } from './documents/locate.ts';
import { readDocument } from './documents/read-document.ts';
import { type ProjectFiles, suggestName } from './files/project-files.ts';
import { describeMissing, isGlob } from './files/project-place.ts';
import { type LoadOptions, loadConfig, openWorkingTree, type ProjectSnapshot, readConfig } from './open-project.ts';
import { isPromptFile } from './prompts/prompt-file.ts';
import { isSkillSuite } from './skills/skill-file.ts';

const defaultSuites = ['evals/**/*.eval.{yaml,yml,ts,mts,js,mjs}'];

const suitesInFolder = ['**/*.eval.{yaml,yml,ts,mts,js,mjs}'];

const suiteFilePattern = /\.(?:ya?ml|[cm]?[jt]s)$/i;

interface FoundSuites {
  /** Absolute, each once, sorted. */
  readonly paths: readonly string[];
  readonly empty: readonly EmptySelection[];
}

/** Finds suite files, and warns of paths and patterns that find none. */
export async function findSuites(
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
  const patterns = config.suites ?? defaultSuites;
  const excluded = patterns.filter(isNegative);
  for (const pattern of patterns) {
    if (isNegative(pattern)) continue;
    const { paths: matches, faults } = await files.glob([pattern, ...excluded], place.root);
    for (const fault of faults) problems.report({ ...fault, ...config.suitesAt });
    // No pattern was written, so none can be empty by mistake.
    if (config.suites === undefined) return { paths: matches, empty };
    add(matches, `suites: no file matches ${pattern}`, !isGlob(pattern), config.suitesAt);
  }
  return { paths: [...found].sort(), empty };
}

async function findSuitesAt(
  path: string,
  { files, kindOf, place }: ProjectSnapshot,
  cwd: string,
  problems: Problems,
): Promise<readonly string[]> {
  const absolute = resolve(cwd, path);
  switch (kindOf(absolute)) {
    case 'folder':
      return findByGlob(suitesInFolder, absolute, files, problems);
    case 'file':
      if (/^promptfooconfig\.(?:ya?ml|json)$/.test(basename(path))) {
        problems.report({
          code: 'usage',
          message: `${path} is a config of promptfoo, and no suite`,
          hint: `\`llmcheck import promptfoo ${shellWord(path)}\` writes a suite of it`,
        });
        return [];
      }
      if (isSuite(path)) return [absolute];
      problems.report({
        code: 'usage',
        message: `${path} is not a suite: a suite is a YAML or TypeScript file`,
        hint: 'name a file that ends in .eval.yaml, a prompt file with test data, or the evals.json of a skill',
      });
      return [];
    case undefined:
      if (isGlob(path)) {
        const found = await findByGlob([path], cwd, files, problems);
        return found.filter(isSuite);
      }
      problems.report({
        code: 'usage',
        message: `${path} ${describeMissing(absolute)}`,
        hint:
          (kindOf(resolve(place.root, path)) === undefined
            ? undefined
            : `write ${files.display(resolve(place.root, path))}: paths start from the working folder`) ??
          suggestName(absolute) ??
          `name a suite file, a folder or a glob${/^[\w-]+$/.test(path) ? `; for a case write: llmcheck run -t ${path}` : ''}`,
      });
      return [];
  }
}

function isSuite(path: string): boolean {
  return suiteFilePattern.test(path) || isPromptFile(path) || isSkillSuite(path);
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

/** The readable ids in a suite, for suggestions and never for a run. */
export interface SuiteIds {
  readonly suite: string;
  readonly prompts: readonly string[];
  readonly providers: readonly string[];
  readonly tags: readonly string[];
  /** The written ids of cases. Cases without one are left out. */
  readonly cases: readonly string[];
}

/**
 * Finds the absolute paths of the suites of a run without path arguments. A mistake in the config hides only its own
 * key.
 */
export async function findSuitePaths(
  options: Pick<LoadOptions, 'cwd' | 'configPath' | 'adapters'>,
): Promise<readonly string[]> {
  return (await openSuites({ ...options, paths: [] })).paths;
}

async function openSuites(options: Pick<LoadOptions, 'paths' | 'cwd' | 'configPath' | 'adapters'>) {
  const snapshot = openWorkingTree(options);
  const { files } = snapshot;
  const problems = createProblems();
  const configDocument = await readConfig(snapshot, options, problems);
  const known = { adapters: options.adapters, packageVersion: () => undefined, problems };
  const config = await loadConfig(configDocument, files, known);
  return { files, config, paths: (await findSuites(snapshot, config, options, problems)).paths };
}

/** Reads ids only, and runs no code. A mistake in a file hides only the ids of that file. */
export async function loadIds(
  options: Pick<LoadOptions, 'paths' | 'cwd' | 'configPath' | 'adapters'>,
  { withCases }: { readonly withCases: boolean },
): Promise<readonly SuiteIds[]> {
  const { files, config, paths } = await openSuites(options);
  const found: SuiteIds[] = [];
  for (const path of paths) {
    if (isCodeSuite(path)) continue;
    const document = await readDocument(path, files, createProblems());
    if (document === undefined) continue;
    const rows = withCases ? await readCaseRows(childOf(document, 'cases'), files) : [];
    const own = namesOf(childOf(document, 'providers'));
    const suite = childOf(document, 'suite').value;
    found.push({
      suite: typeof suite === 'string' ? suite : basename(path).replace(/(?:\.eval)?\.ya?ml$/, ''),
      prompts: namesOf(childOf(document, 'prompts')),
      providers: own.length > 0 ? own : config.providers.map(({ id }) => id),
      tags: rows.flatMap((row) => textsOf(itemsOf(childOf(row, 'tags')))),
      cases: rows.flatMap((row) => {
        const id = childOf(row, 'id').value;
        return typeof id === 'string' || typeof id === 'number' ? [String(id)] : [];
      }),
    });
  }
  return found;
}

/** The ids in a list of maps or texts. */
function namesOf(list: Located): readonly string[] {
  return itemsOf(list).flatMap((item) => {
    const id = isText(item) ? item.value : (childOf(item, 'id').value ?? childOf(item, 'use').value);
    return typeof id === 'string' ? [id] : [];
  });
}

async function readCaseRows(list: Located, files: ProjectFiles): Promise<readonly Located[]> {
  const rows: Located[] = [];
  for (const item of itemsOf(list)) {
    const file = childOf(item, 'file');
    rows.push(item);
    if (!isText(file)) continue;
    const { folder } = item.source;
    const named = file.value;
    for (const path of isGlob(named) ? (await files.glob([named], folder)).paths : [resolve(folder, named)]) {
      if (!rowSuffixes.some((suffix) => path.toLowerCase().endsWith(suffix))) continue;
      const read = await files.read(path);
      if ('text' in read) rows.push(...readRows({ path, text: read.text }, files, createProblems()));
    }
  }
  return rows;
}
