import type { RunDefaults } from '../model/suite/suite.ts';
import { toJsonObject } from '../text/yaml/exact-numbers.ts';
import { childOf, createProblems } from './documents/locate.ts';
import { type LoadOptions, openWorkingTree, readConfig } from './open-project.ts';

/** The config's `run:` as written, without reading suites. A run reports the mistakes in it. */
export async function loadRunDefaults(options: Pick<LoadOptions, 'cwd' | 'configPath'>): Promise<RunDefaults> {
  const document = await readConfig(openWorkingTree(options), options, createProblems());
  return document === undefined ? {} : toJsonObject(Object(childOf(document, 'run').value));
}
