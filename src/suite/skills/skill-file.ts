import { basename, dirname, join, posix, relative, resolve, sep } from 'node:path';
import { hasWorkspace, type ProviderConfig } from '../../model/suite/suite.ts';
import { toSlashes } from '../../text/to-slashes.ts';
import { parseYaml } from '../../text/yaml/yaml-text.ts';
import type { Config } from '../config.ts';
import { childOf, type Located, locate, type Path, type Problems, type SourceFile } from '../documents/locate.ts';
import type { ProjectFiles } from '../files/project-files.ts';

export interface SkillContext {
  readonly files: ProjectFiles;
  readonly problems: Problems;
  readonly config: Pick<Config, 'providers' | 'judges'>;
  /** The folder that the suite's paths are relative to. */
  readonly suiteFolder: string;
}

export interface Skill {
  readonly name: string;
  readonly description: string;
  /** The whole file. */
  readonly text: string;
  /** Absolute: the folder that an eval's paths are relative to. */
  readonly folder: string;
}

/** True for the evals of a skill, which run without an import. */
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
  const inside = (base: string): readonly string[] =>
    name === undefined ? [] : ['skills', '.claude/skills', '.'].map((folder) => join(base, folder, name));
  const named = [...inside(above), ...inside(beside)];
  // If a plug-in has a single skill, its name does not matter. The evals may be in the plug-in's own folder.
  const only: string[] = [];
  for (const base of [beside, above]) {
    const { paths } = await files.glob(['skills/*/SKILL.md', '.claude/skills/*/SKILL.md'], base);
    if (paths.length === 1) only.push(...paths.map((path) => dirname(path)));
  }
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

/** The folders where agents find skills: Claude Code, and agents that follow the open standard. */
const skillFolders = ['.claude/skills', '.agents/skills'];

/** The most files of a skill. A larger folder is probably a whole project, which would be copied for every cell. */
const maxFiles = 1000;

/** The ways in which a skill reaches the config's providers. */
export interface PlacedSkill {
  /** Ids of programs with a workspace, into which the skill is installed. */
  readonly agents: readonly string[];
  /** Ids of the other providers, whose requests contain the skill's text. */
  readonly models: readonly string[];
  /** The files of the skill by their paths in a workspace. */
  readonly workspace: Readonly<Record<string, string>>;
}

/** Finds the files of a skill that an agent gets. It leaves out the evals, which hold the right answers. */
export async function placeSkill(
  evalsPath: string,
  skill: Skill,
  { document, requests }: { readonly document: Located; readonly requests: readonly string[] },
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
  const named = paths.filter((path) => !holdsAnswers(path, evalsPath, skill));
  const reports = findReports(named, requests, context);
  for (const path of reports) {
    const message = `${files.display(path)} holds requests of the evals, as a report of them does, so that no agent gets it`;
    problems.warn({ code: 'not-carried-over', message, at: locate(document) });
  }
  const own = named.filter((path) => !reports.includes(path));
  const name = skill.name.replaceAll(/[^\w.-]+/g, '-');
  if (own.length > maxFiles) {
    const message = `the folder of the skill, ${files.display(skill.folder) || '.'}, holds more than ${maxFiles} files`;
    const hint = 'put SKILL.md and what it needs into a folder of their own';
    problems.refuse(document, message, hint);
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

/** Finds reports: files with the words of two evals, or of the only one. They show the correct answers. */
function findReports(
  paths: readonly string[],
  requests: readonly string[],
  { files }: SkillContext,
): readonly string[] {
  const long = requests.filter((request) => request.length >= 20);
  if (long.length === 0) return [];
  return paths.filter((path) => {
    const read = files.readText(path);
    if (basename(path) === 'SKILL.md' || !('text' in read)) return false;
    const { text } = read;
    const found = long.filter((one) => text.includes(one) || text.includes(JSON.stringify(one).slice(1, -1)));
    return found.length >= Math.min(2, long.length);
  });
}

/** Reports a skill that is already installed, because the run without it would find it too. */
function reportInstalled(agent: ProviderConfig, name: string, document: Located, context: SkillContext): void {
  const { files, problems } = context;
  const { workspace } = agent.options;
  if (typeof workspace !== 'string') return;
  const folder = resolve(agent.folder, workspace);
  const found = skillFolders.map((one) => join(folder, one, name, 'SKILL.md')).find((path) => files.hash(path));
  if (found === undefined) return;
  const message = `the workspace of provider "${agent.id}" has the skill already: ${files.display(found)}`;
  const hint = 'remove it there: the evals install it for the version with the skill alone';
  problems.refuse(document, message, hint);
}

/** The places of a built document's parts in the document that it was built from. */
export interface Places {
  readonly add: (built: Path, written: Located) => void;
  readonly toSource: (document: Located) => SourceFile;
}

export function createPlaces(): Places {
  const known = new Map<string, Path>();
  const find = (path: Path): Path => {
    for (let length = path.length; length > 0; length -= 1) {
      const found = known.get(JSON.stringify(path.slice(0, length)));
      if (found !== undefined) return found;
    }
    return [];
  };
  return {
    add: (built, written) => void known.set(JSON.stringify(built), written.path),
    toSource: ({ source }) => ({
      file: source.file,
      folder: source.folder,
      at: (path, part) => source.at(find(path), part),
      within: (path) => source.at(find(path)),
    }),
  };
}
