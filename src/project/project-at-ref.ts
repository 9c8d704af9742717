import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { openCodeFiles } from '../files/code-files.ts';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/problem.ts';
import type { Project, RunDefaults, Suite } from '../model/suite/suite.ts';
import { bytesOfText, type FileText, type ProjectFiles } from '../suite/files/project-files.ts';
import type { ProjectPlace } from '../suite/files/project-place.ts';
import { CONFIG_NAME, findProject } from '../suite/files/project-place.ts';
import type { ProjectSnapshot } from '../suite/open-project.ts';
import { loadTemplateEngine, needsTemplateEngine } from '../templates/template.ts';
import { attemptOr } from '../text/attempt.ts';
import type { CodeFiles } from '../text/code/code-files.ts';
import { findReads } from '../text/code/find-reads.ts';
import { skippedFolders } from '../text/patterns/glob.ts';
import { matchGlobs } from '../text/patterns/match-glob.ts';
import { toSlashes } from '../text/to-slashes.ts';
import { type GitRef, openGitRef } from './git/git-files.ts';
import { loadProject } from './load-project.ts';

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
  const code = openGitCode(ref, files, boundary);
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
    readsOf: (start) => findReads(start, code),
    openCode: () => code,
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

/** The code of a commit; installed packages are those of the working tree. */
function openGitCode(ref: GitRef, files: ReadonlySet<string>, boundary: string): CodeFiles {
  const disk = openCodeFiles(boundary);
  const isPackage = (path: string) => path.split(sep).includes('node_modules');
  const readBytes = (path: string) =>
    files.has(path) ? attemptOr(() => ref.readBytes(path), UserError, undefined) : undefined;
  const below = (folder: string) => [...files].filter((path) => path.startsWith(folder + sep));
  return {
    boundary,
    isFile: (path) => (isPackage(path) ? disk.isFile(path) : files.has(path)),
    isFolder: (path) => (isPackage(path) ? disk.isFolder(path) : below(path).length > 0),
    readText: (path) => (isPackage(path) ? disk.readText(path) : readBytes(path)?.toString()),
    hash(path) {
      if (isPackage(path)) return disk.hash(path);
      const bytes = readBytes(path);
      return bytes && createHash('sha256').update(bytes).digest('hex');
    },
    list(folder) {
      const paths = below(folder).map((path) => relative(folder, path).split(sep));
      const names = new Map(paths.map(([name = '', ...rest]) => [name, rest.length > 0]));
      return [...names].filter(([name]) => !skippedFolders.has(name)).map(([name, isFolder]) => ({ name, isFolder }));
    },
    realPath: (path) => (isPackage(path) ? disk.realPath(path) : path),
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
