import { basename, dirname, join, posix, relative, resolve, sep } from 'node:path';
import { hasWorkspace, type ProviderConfig } from '../../model/suite.ts';
import { type Located, locate } from '../documents/locate.ts';
import { toSlashes } from '../files/project-place.ts';
import { isSkillSuite, type Skill, type SkillContext } from './skill-file.ts';

/** Where agents look for skills: Claude Code, and agents that follow the open standard. */
const skillFolders = ['.claude/skills', '.agents/skills'];

/** More files are no skill but a whole project, which would be copied for every cell. */
const maxFiles = 1000;

/** How a skill reaches the providers of the config. */
export interface PlacedSkill {
  /** Ids of the programs with a workspace, where the skill is installed. */
  readonly agents: readonly string[];
  /** Ids of the other providers, which are sent its text. */
  readonly models: readonly string[];
  /** The files of the skill by their paths in a workspace. */
  readonly workspace: Readonly<Record<string, string>>;
}

/** Finds the files of a skill that an agent gets; those of its evals, which hold the right answers, are none of them. */
export async function placeSkill(
  evalsPath: string,
  skill: Skill,
  document: Located,
  context: SkillContext,
): Promise<PlacedSkill> {
  const { files, problems, config } = context;
  const [agents, models] = [
    config.providers.filter(hasWorkspace),
    config.providers.filter((one) => !hasWorkspace(one)),
  ];
  const ids = { agents: agents.map(({ id }) => id), models: models.map(({ id }) => id) };
  if (agents.length === 0) return { ...ids, workspace: {} };
  const { paths } = await files.glob(['**/*'], skill.folder);
  const own = paths.filter((path) => !holdsAnswers(path, evalsPath, skill));
  const name = skill.name.replaceAll(/[^\w.-]+/g, '-');
  if (own.length > maxFiles) {
    const message = `the folder of the skill, ${files.display(skill.folder) || '.'}, holds more than ${maxFiles} files`;
    const hint = 'put SKILL.md and what it needs into a folder of their own';
    problems.report({ code: 'invalid-value', message, hint, at: locate(document) });
  }
  for (const agent of agents) reportInstalled(agent, name, document, context);
  const entries = skillFolders.flatMap((folder) =>
    own.map((path) => [
      posix.join(folder, name, toSlashes(relative(skill.folder, path))),
      toSlashes(relative(context.suiteFolder, path)),
    ]),
  );
  return { ...ids, workspace: Object.fromEntries(entries) as Record<string, string> };
}

/** True for the folder of the evals, and for suites and configs. */
function holdsAnswers(path: string, evalsPath: string, { folder }: Skill): boolean {
  const evals = dirname(evalsPath);
  const name = basename(path);
  if (evals !== folder && path.startsWith(`${evals}${sep}`)) return true;
  return isSkillSuite(name) || /\.eval\.[a-z]+$|^llmcheck\.config\./.test(name);
}

/** A skill that is always there would be there without it too. */
function reportInstalled(agent: ProviderConfig, name: string, document: Located, context: SkillContext): void {
  const { files, problems } = context;
  const { workspace } = agent.options;
  if (typeof workspace !== 'string') return;
  const folder = resolve(agent.folder, workspace);
  const found = skillFolders.map((one) => join(folder, one, name, 'SKILL.md')).find((path) => files.hash(path));
  if (found === undefined) return;
  const message = `the workspace of provider "${agent.id}" has the skill already: ${files.display(found)}`;
  const hint = 'remove it there: the evals install it for the version with the skill alone';
  problems.report({ code: 'invalid-value', message, hint, at: locate(document) });
}
