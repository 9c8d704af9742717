import { join } from 'node:path';
import { assertions } from '../../src/assertions/index.ts';
import { type Problem, UserError } from '../../src/model/problem.ts';
import type { Case, Suite } from '../../src/model/suite/suite.ts';
import { openPackages } from '../../src/programs/import-module.ts';
import { parsePromptFile } from '../../src/prompts/parse-prompt-file.ts';
import { adapters } from '../../src/providers/index.ts';
import { type LoadedProject, loadProject } from '../../src/suite/load.ts';

export const fixtureFolder = join(import.meta.dirname, '../../fixtures/suite');

/** Loads suites with the real registries. */
export function loadAt(
  cwd: string,
  paths: readonly string[] = [],
  configPath?: string,
  more: { readonly contractOnly?: boolean } = {},
): Promise<LoadedProject> {
  return loadProject({
    cwd,
    paths,
    assertions,
    adapters,
    parsePrompt: parsePromptFile,
    packageVersion: (name) => openPackages(import.meta.dirname).version(name),
    ...(configPath === undefined ? {} : { configPath }),
    ...more,
  });
}

/** What is wrong with suites that can't be loaded. */
export async function problemsAt(
  cwd: string,
  paths: readonly string[] = [],
  configPath?: string,
): Promise<readonly Problem[]> {
  try {
    await loadAt(cwd, paths, configPath);
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  }
  throw new Error('The suites were loaded, and should not have been.');
}

export function onlySuite({ project }: LoadedProject): Suite {
  const [suite, ...others] = project.suites;
  if (suite === undefined || others.length > 0) throw new Error(`Expected one suite, found ${project.suites.length}.`);
  return suite;
}

export function casesOf(suite: Suite): Readonly<Record<string, Case>> {
  return Object.fromEntries([...suite.cases()].map((one) => [one.id, one]));
}

/** `file:line:column code`, the part of a problem that tests hold on to. */
export function placeOf({ at, code }: Problem): string {
  return `${at === undefined ? '-' : `${at.file}:${at.line}:${at.column}`} ${code}`;
}
