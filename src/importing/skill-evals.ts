import { basename, dirname, extname, resolve } from 'node:path';
import { loadProject } from '../project/load-project.ts';
import { createProblems } from '../suite/documents/locate.ts';
import { readSkillSuite } from '../suite/skills/skill-suite.ts';
import type { ImportedSuite, Unreadable } from './draft.ts';
import type { Importer, ImportSource } from './importer.ts';

export const skillEvalsImporter: Importer = {
  name: 'skill-evals',
  description: 'The evals.json or trigger-eval.json of a Claude skill; `run` takes them too.',
  input: 'the file',
  example: 'skills/pdf/evals/evals.json',
  nameOf: nameSuite,
  read: importSkillEvals,
};

/** Names the suite. Evals are in a subfolder of the skill's folder. */
function nameSuite(path: string): string {
  const base = basename(path, extname(path));
  const skill = basename(dirname(dirname(path)));
  return base === 'evals' ? skill : `${skill}-${base}`;
}

/** Imports a skill's evals as the suite that a run builds from them. Throws a `UserError` if they can't be run. */
async function importSkillEvals({ path, files, cwd, target }: ImportSource): Promise<ImportedSuite | Unreadable> {
  const { project } = await loadProject({ paths: [path], cwd });
  const problems = createProblems();
  const [suite] = project.suites;
  const config = { providers: suite?.providers ?? [], judges: suite?.judges ?? [] };
  const document = await readSkillSuite(path, { files, problems, config, suiteFolder: dirname(resolve(cwd, target)) });
  if (document === undefined) return { problems: problems.list() };
  return { suite: document.value as ImportedSuite['suite'], refused: [], notes: problems.list() };
}
