import { basename, dirname, join } from 'node:path';
import { parseYaml } from '../../text/yaml-text.ts';
import type { Config } from '../config.ts';
import { childOf, type Located, locate, type Problems } from '../documents/locate.ts';
import type { ProjectFiles } from '../files/project-files.ts';

export interface SkillContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly config: Pick<Config, 'providers' | 'judges'>;
  /** Where the paths of the suite start from. */
  readonly suiteFolder: string;
}

export interface Skill {
  readonly name: string;
  readonly description: string;
  /** The whole file. */
  readonly text: string;
  /** Absolute: where the paths of an eval start from. */
  readonly folder: string;
}

/** True for the evals of a skill, which are run as they stand. */
export function isSkillSuite(path: string): boolean {
  return /^(?:evals|trigger[-_]evals?)\.json$/i.test(basename(path));
}

/** Finds the skill that evals belong to: beside them, above their folder, or by its name below that. */
export async function findSkill(
  path: string,
  name: string | undefined,
  document: Located,
  { files, problems }: { readonly files: ProjectFiles; readonly problems: Problems },
): Promise<Skill | undefined> {
  const beside = dirname(path);
  const above = dirname(beside);
  const named = name === undefined ? [] : ['skills', '.claude/skills', '.'].map((folder) => join(above, folder, name));
  // A plug-in may have one skill, whatever it is called there.
  const { paths } = await files.glob(['skills/*/SKILL.md', '.claude/skills/*/SKILL.md'], above);
  const only = paths.length === 1 ? paths.map((path) => dirname(path)) : [];
  for (const folder of [above, beside, ...named, ...only]) {
    const file = join(folder, 'SKILL.md');
    const found = files.readText(file);
    if ('text' in found) return readSkill(found.text, files.display(file), { folder, name, document, problems });
    if (found.fault.code !== 'file-unreadable') continue;
  }
  problems.report({
    code: 'file-unreadable',
    message: `the SKILL.md of these evals is not there: it was looked for in ${[above, beside, ...named].map((folder) => files.display(folder) || '.').join(', ')}`,
    hint: 'put the evals into evals/ of the folder that holds SKILL.md',
    at: locate(document),
  });
  return undefined;
}

function readSkill(
  text: string,
  file: string,
  context: { readonly folder: string; readonly name: string | undefined; document: Located; problems: Problems },
): Skill {
  const { folder, document, problems } = context;
  const head = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---(?:\r?\n|$)/.exec(text)?.[1] ?? '';
  const yaml = parseYaml(head);
  const value = yaml.errors.length === 0 ? yaml.value : undefined;
  const source = { ...document, value };
  const own = childOf(source, 'name').value;
  const description = childOf(source, 'description').value;
  const name = typeof own === 'string' ? own : context.name;
  if (context.name !== undefined && name !== context.name) {
    problems.warn({
      code: 'invalid-value',
      message: `skill_name is ${context.name}, and ${file} is the skill ${name ?? ''}`,
      at: locate(childOf(document, 'skill_name')),
    });
  }
  return { name: name ?? 'skill', description: typeof description === 'string' ? description : '', text, folder };
}

/** A template that renders to exactly this text. */
export function literal(text: string): string {
  return text.replaceAll(/\{[{%#]+/g, (braces) => `{% raw %}${braces}{% endraw %}`);
}
