import { dirname, resolve } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { loadProject } from '../project/load-project.ts';
import { createProblems } from '../suite/documents/locate.ts';
import type { ProjectFiles } from '../suite/files/project-files.ts';
import { readSkillSuite } from '../suite/skills/skill-suite.ts';
import type { ImportedSuite } from './draft.ts';

/** The evals of a skill as the suite that a run makes of them; throws a `UserError` where they can't be run. */
export async function importSkillEvals(
  path: string,
  files: ProjectFiles,
  cwd: string,
  target: string,
): Promise<ImportedSuite | { readonly problems: readonly Problem[] }> {
  const { project } = await loadProject({ paths: [path], cwd });
  const problems = createProblems();
  const [suite] = project.suites;
  const config = { providers: suite?.providers ?? [], judges: suite?.judges ?? [] };
  const document = await readSkillSuite(path, { files, problems, config, suiteFolder: dirname(resolve(cwd, target)) });
  if (document === undefined) return { problems: problems.list() };
  return { suite: document.value as ImportedSuite['suite'], refused: [], notes: problems.list() };
}
