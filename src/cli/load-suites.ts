import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { unlessRefused } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import type { Project } from '../model/suite/suite.ts';
import { loadProject } from '../project/load-project.ts';
import type { Io } from './io.ts';
import { printProblems } from './output/problems.ts';

/** Loads suites for a command that only reads them. Prints only warnings about paths that select no suite. */
export async function loadSuites(paths: readonly string[], config: string | undefined, io: Io): Promise<Project> {
  const { project, warnings } = await loadProject({ paths, cwd: io.cwd, ...defined({ configPath: config }) });
  printProblems(
    warnings.filter(({ code }) => code === 'selects-nothing'),
    io,
  );
  if (project.suites.length === 0) io.stderr.write(describeNoSuite(project.root, paths, io.cwd));
  return project;
}

/** Describes where llmcheck looked for suites, and names a file that is probably meant as one. */
export function describeNoSuite(root: string, paths: readonly string[], cwd: string): string {
  const where = paths.length === 0 ? 'evals/**/*.eval.yaml' : paths.join(', ');
  const near = findSkillEvals(paths, cwd) ?? findNearSuites(root);
  const hint =
    near === undefined
      ? 'change to the folder of your suites, or write one with `llmcheck init`'
      : `${near} is not among them: write llmcheck run ${near}`;
  return `no suite was found in ${root}: llmcheck looked for ${where}\n  hint: ${hint}\n`;
}

/** The evals of a skill whose folder is named. */
function findSkillEvals(paths: readonly string[], cwd: string): string | undefined {
  const files = paths.flatMap((path) => [join(path, 'evals/evals.json'), join(path, 'evals.json')]);
  return files.find((file) => existsSync(resolve(cwd, file)));
}

/** A file that the default pattern does not match: outside evals/, or without .eval in its name. */
function findNearSuites(root: string): string | undefined {
  const folders = listNames(root).filter((name) => !name.startsWith('.') && name !== 'node_modules');
  const near = [
    ...listNames(join(root, 'evals')).map((name) => `evals/${name}`),
    ...folders.filter((name) => suiteName.test(name)),
    ...folders.flatMap((folder) =>
      listNames(join(root, folder))
        .filter((name) => suiteName.test(name))
        .map((name) => `${folder}/${name}`),
    ),
  ];
  return near.find((name) => /\.ya?ml$/.test(name) && /^cases\s*:/m.test(readFileSync(join(root, name), 'utf8')));
}

const suiteName = /\.eval\.ya?ml$/;

/** Empty if the folder does not exist or can't be read. */
function listNames(folder: string): readonly string[] {
  return unlessRefused(() => readdirSync(folder).sort(), []);
}

export const noGatedCaseText = 'no suite with a gated case was found: `llmcheck init` writes one\n';
