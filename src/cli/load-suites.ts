import { defined } from '../json/defined.ts';
import type { Project } from '../model/suite.ts';
import { loadProject } from '../project/load-project.ts';
import type { Io } from './io.ts';
import { printProblems } from './output/problems.ts';

/** Loads suites for a command that only reads them. Of the warnings, those of paths that select no suite are printed. */
export async function loadSuites(paths: readonly string[], config: string | undefined, io: Io): Promise<Project> {
  const { project, warnings } = await loadProject({ paths, cwd: io.cwd, ...defined({ configPath: config }) });
  printProblems(
    warnings.filter(({ code }) => code === 'selects-nothing'),
    io,
  );
  return project;
}

export const noSuiteText = 'no suite was found: llmcheck looks for evals/**/*.eval.yaml; `llmcheck init` writes one\n';
export const noGatedCaseText = 'no suite with a gated case was found: `llmcheck init` writes one\n';
