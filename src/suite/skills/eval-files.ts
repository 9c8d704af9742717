import { dirname, join, posix, relative } from 'node:path';
import { hasWorkspace } from '../../model/suite.ts';
import { childOf, itemsOf, type Located, locate } from '../documents/locate.ts';
import { toSlashes } from '../files/project-place.ts';
import type { Skill, SkillContext } from './skill-file.ts';

/** A file that goes with the prompt of an eval. */
interface EvalFile {
  /** As the eval names it, with the path below a folder that it names. */
  readonly shown: string;
  /** Absolute. */
  readonly path: string;
  readonly written: Located;
}

interface FilesContext extends SkillContext {
  readonly skill: Skill;
}

/** The files that an eval names, those of folders included. A missing one is reported. */
export async function findEvalFiles(list: Located, context: FilesContext): Promise<readonly EvalFile[]> {
  const found = await Promise.all(itemsOf(list).map((item) => findOne(item, context)));
  return found.flat();
}

async function findOne(item: Located, context: FilesContext): Promise<readonly EvalFile[]> {
  const { skill, files, problems } = context;
  const written = typeof item.value === 'string' ? item : childOf(item, 'path');
  const { value: shown } = written;
  if (typeof shown !== 'string') {
    const message = 'files must be a list of paths, or of maps with a path';
    problems.report({ code: 'invalid-value', message, at: locate(item) });
    return [];
  }
  if (isOfSkill(shown, skill, context)) {
    const message = `${shown} is a part of the skill, which the version without it does not get`;
    problems.warn({ code: 'not-carried-over', message, at: locate(written) });
    return [];
  }
  // Paths may begin with the folder that the skill once was in.
  const names = [shown, toSlashes(shown).replace(/^[^/]*\//, '')];
  const bases = [skill.folder, written.source.folder, dirname(written.source.folder)];
  const looked = [...new Set(names.flatMap((name) => bases.map((base) => join(base, name))))];
  for (const path of looked) {
    if (files.hash(path) !== undefined) return [{ shown, path, written }];
    const { paths } = await files.glob(['**/*'], path);
    if (paths.length === 0) continue;
    return paths.map((one) => ({ shown: posix.join(shown, toSlashes(relative(path, one))), path: one, written }));
  }
  problems.report({
    code: 'file-unreadable',
    message: `the file ${shown} of the eval is not there`,
    hint: `paths start from the folder of SKILL.md: looked for ${looked.map((path) => files.display(path)).join(', ')}`,
    at: locate(written),
  });
  return [];
}

/** A model is sent SKILL.md anyway, and an agent finds the whole skill where it is installed. */
function isOfSkill(shown: string, { folder }: Skill, { config, files }: FilesContext): boolean {
  const [first = ''] = posix.normalize(toSlashes(shown)).split('/');
  if (files.hash(join(folder, shown)) === undefined && !/^(?:references|scripts)$/.test(shown)) return false;
  return /^SKILL\.md$/i.test(shown) || (/^(?:references|scripts)$/.test(first) && config.providers.every(hasWorkspace));
}

/** For a model: the text of each file, as blocks after the prompt. */
export function writeFiles(found: readonly EvalFile[], { files, problems }: FilesContext): string {
  const blocks = found.map(({ shown, path, written }) => {
    const read = files.readText(path);
    if ('text' in read) return `<file path=${JSON.stringify(shown)}>\n${read.text}\n</file>`;
    problems.warn({
      code: 'not-carried-over',
      message: `${shown} is no text, so that only its path is sent`,
      hint: 'run the evals with an agent that has a workspace',
      at: locate(written),
    });
    return `<file path=${JSON.stringify(shown)}/>`;
  });
  return blocks.map((block) => `\n\n${block}`).join('');
}

/** For an agent: where the files are in its workspace. */
export function writePaths(found: readonly EvalFile[]): string {
  const paths = found.map(({ shown }) => `\n- ${pathInWorkspace(shown)}`);
  return paths.length === 0 ? '' : `\n\nFiles in the working folder:${paths.join('')}`;
}

export function placeEvalFiles(
  found: readonly EvalFile[],
  { suiteFolder }: FilesContext,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    found.map(({ shown, path }) => [pathInWorkspace(shown), toSlashes(relative(suiteFolder, path))]),
  );
}

/** As the eval names it, since its prompt may name it so; what leaves the folder begins at the first name. */
function pathInWorkspace(shown: string): string {
  return posix.normalize(toSlashes(shown)).replace(/^(?:\.{0,2}\/)+/, '');
}
