import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/problem.ts';
import type { Project, RunDefaults, Suite } from '../model/suite/suite.ts';
import { bytesOfText, type FileText, type ProjectFiles } from '../suite/files/project-files.ts';
import type { ProjectPlace } from '../suite/files/project-place.ts';
import { CONFIG_NAME, findProject } from '../suite/files/project-place.ts';
import type { ProjectSnapshot } from '../suite/open-project.ts';
import { loadTemplateEngine, needsTemplateEngine } from '../templates/template.ts';
import { attemptOr } from '../text/attempt.ts';
import { toSlashes } from '../text/to-slashes.ts';
import { type GitRef, openGitRef } from './git/git-files.ts';
import { loadProject } from './load-project.ts';
import { matchGlobs } from './match-glob.ts';

interface LoadAtRefOptions {
  /** The project of the working tree, whose suites are loaded from the commit. */
  readonly project: Project;
  /** The paths of the command line; empty: every suite. */
  readonly paths: readonly string[];
  /** With `git:`. */
  readonly against?: string;
  /** The ref, if it is open already. */
  readonly ref?: GitRef;
  readonly configPath?: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads the cases too. A commit whose cases need code is a `UserError` then. */
  readonly withCases?: boolean;
}

interface ProjectAtRef {
  /** With their prompts, providers and contracts; without `withCases` they have no cases. */
  readonly suites: readonly Suite[];
  /** The config's `run:`. */
  readonly run: RunDefaults;
}

/** Loads the data of contracts from a commit. Throws a `UserError` if it can't be read. */
export async function loadProjectAtRef(options: LoadAtRefOptions): Promise<ProjectAtRef> {
  const { project, paths, against = '', configPath, cwd, env, withCases = false } = options;
  const ref = options.ref ?? openGitRef(project.root, against.slice('git:'.length), env);
  const place = findProject(cwd, configPath);
  const snapshot = openGitSnapshot(ref, place, cwd);
  const load = async (wanted: readonly string[]) => {
    const loaded = await loadProject({ paths: wanted, cwd, snapshot, contractOnly: !withCases });
    return loaded.project;
  };
  const known = project.suites
    .map(({ path }) => join(project.root, path))
    .filter((path) => snapshot.kindOf(path) === 'file');
  // A suite that is missing at its path may have been moved: all suites are loaded to find its id.
  if (paths.length > 0 && known.length === project.suites.length) return pick(await load(known));
  const { suites: found, run } = await load([]);
  const others = known.filter((path) => !found.some((suite) => join(project.root, suite.path) === path));
  return { suites: others.length === 0 ? found : [...found, ...(await load(others)).suites], run };
}

/** The nearest config of a folder as a commit has it. */
export function findConfigAtRef(ref: GitRef, folder: string): string | undefined {
  for (let at = realpathSync(folder); isWithin(ref, at); at = dirname(at)) {
    const path = join(at, CONFIG_NAME);
    if (ref.readFile(path) !== undefined) return path;
    if (at === ref.root) return undefined;
  }
  return undefined;
}

function isWithin({ root }: GitRef, folder: string): boolean {
  return folder === root || folder.startsWith(root + sep);
}

function pick({ suites, run }: Project): ProjectAtRef {
  return { suites, run };
}

/** The project as a commit has it. Nothing is checked out, and only files that suites name are read. */
function openGitSnapshot(ref: GitRef, place: ProjectPlace, cwd: string): ProjectSnapshot {
  const { root, boundary } = place;
  const files = new Set(ref.listFiles(boundary));
  const display = (path: string): string => `git:${ref.name}:${toSlashes(relative(cwd, path))}`;
  const configPath = place.configPath ?? resolve(root, CONFIG_NAME);
  const snapshot: ProjectFiles = {
    display,
    // Git reports a file outside of its repository when it reads it.
    findReadFault: () => undefined,
    relative: (path) => toSlashes(relative(root, path)),
    readText: (path) => readText(ref, path, display(path)),
    async read(path) {
      const found = readText(ref, path, display(path));
      if ('text' in found && needsTemplateEngine(found.text)) await loadTemplateEngine();
      return found;
    },
    readBytes(path) {
      const found = readText(ref, path, display(path));
      return Promise.resolve('text' in found ? { bytes: bytesOfText(found.text) } : found);
    },
    hash(path) {
      const bytes = files.has(path) ? attemptOr(() => ref.readBytes(path), UserError, undefined) : undefined;
      return bytes && createHash('sha256').update(bytes).digest('hex');
    },
    glob: (patterns, folder) => Promise.resolve({ paths: matchGlobs(patterns, folder, files), faults: [] }),
  };
  return {
    place: { root, boundary, ...defined({ configPath: files.has(configPath) ? configPath : undefined }) },
    files: snapshot,
    kindOf: (path) => {
      if (files.has(path)) return 'file';
      return [...files].some((file) => file.startsWith(path + sep)) ? 'folder' : undefined;
    },
  };
}

function readText(ref: GitRef, path: string, shown: string): FileText {
  try {
    const text = ref.readFile(path);
    return text === undefined ? { fault: { code: 'file-unreadable', message: `${shown} does not exist` } } : { text };
  } catch (error) {
    const [problem] = error instanceof UserError ? error.problems : [];
    if (problem === undefined) throw error;
    const { code, message, hint } = problem;
    return { fault: { code, message, ...defined({ hint }) } };
  }
}
