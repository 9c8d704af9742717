import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { boundaryOf, type FileFault, findPlaceFault } from '../files/project-boundary.ts';
import { isDistrusted } from '../files/state-folder.ts';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/problem.ts';
import { displayPath, findProject, stemOf } from '../suite/files/project-place.ts';
import { toSlashes } from '../text/to-slashes.ts';

/** The folder that holds `.llmcheck/`. Commands that only read records start faster without the code that reads suites. */
export function findProjectRoot(cwd: string, configPath: string | undefined): string {
  return findProject(cwd, configPath).root;
}

/**
 * `evals/triage.eval.yaml` has its baseline beside it in `evals/triage.baseline.jsonl`. Throws a `UserError` if that
 * leads out of the project.
 */
export function baselinePathOf(root: string, suitePath: string): string {
  return checkedPath(root, pathBeside(root, suitePath, 'baseline.jsonl'));
}

/** The path of a suite's pinned reference, such as `evals/triage.reference.jsonl`. */
export function referencePathOf(root: string, suitePath: string): string {
  return checkedPath(root, pathBeside(root, suitePath, 'reference.jsonl'));
}

/** The path of the measurements of a suite's judges, such as `evals/triage.judges.json`. */
export function validationPathOf(root: string, suitePath: string): string {
  return checkedPath(root, pathBeside(root, suitePath, 'judges.json'));
}

/** The path of the cases that guard each instruction of a suite, such as `evals/triage.cover.json`. */
export function coveragePathOf(root: string, suitePath: string): string {
  return checkedPath(root, pathBeside(root, suitePath, 'cover.json'));
}

export type BesideEnding = 'baseline.jsonl' | 'reference.jsonl' | 'judges.json' | 'cover.json';

/** Builds such a path without checking it, for callers that neither read nor write the file. */
export function pathBeside(root: string, suitePath: string, ending: BesideEnding): string {
  return join(root, `${stemOf(suitePath)}.${ending}`);
}

function checkedPath(root: string, path: string): string {
  refuseOutside(path, { root, cwd: root });
  return path;
}

export interface Place {
  /** The root folder of the project. */
  readonly root: string;
  readonly cwd: string;
}

/** Why a path in a file can't be used: it leads out of the project, perhaps by links. */
export function findOutsideFault(path: string, { root, cwd }: Place): FileFault | undefined {
  return findPlaceFault(path, boundaryOf(root), displayPath(path, cwd));
}

/** Throws a `UserError` for a path that leads out of the project. */
export function refuseOutside(path: string, place: Place, hint?: string): void {
  const fault = findOutsideFault(path, place);
  if (fault === undefined) return;
  throw new UserError({ ...fault, ...defined({ hint }) });
}

/**
 * The same for a path that a flag names. It may be anywhere, but a path in the project must not be a link out of it:
 * the user did not name the target.
 */
export function refuseLinkOutside(path: string, place: Place): void {
  if (isDistrusted(path)) {
    const message = `${displayPath(path, place.cwd)} is committed, so it is not read here: a change could bring a forged one`;
    throw new UserError({ code: 'file-unreadable', message, hint: 'name a record that a run of this job has written' });
  }
  if (path.startsWith(`${boundaryOf(place.root)}${sep}`)) refuseOutside(path, place);
}

type Env = Readonly<Record<string, string | undefined>>;

/** Git's root around a folder, else the runner's GITHUB_WORKSPACE if it contains the folder. */
function findRepositoryRoot(folder: string, env: Env): string | undefined {
  const root = boundaryOf(folder);
  if (existsSync(join(root, '.git'))) return root;
  const workspace = env['GITHUB_WORKSPACE'] ?? '';
  return workspace !== '' && existsSync(workspace) && isIn(realOf(folder), realOf(workspace)) ? workspace : undefined;
}

/** A folder relative to its repository, with slashes; empty for the root, and if there is no repository. */
export function folderInRepository(folder: string, env: Env): string {
  const root = findRepositoryRoot(folder, env);
  return root === undefined ? '' : toSlashes(relative(realOf(root), realOf(folder)));
}

interface RepositoryPlace {
  readonly cwd: string;
  /** The root folder of the project. */
  readonly root: string;
  readonly env: Env;
  /** The address of the repository's files at the tested commit. */
  readonly blobUrl?: string;
}

/**
 * Converts paths of files to paths relative to the repository; undefined outside of one. A name of no file stays the
 * same.
 */
export function openRepositoryPaths({ cwd, root, env, blobUrl }: RepositoryPlace) {
  // A config elsewhere, or a job that starts beside the repository.
  const repository = findRepositoryRoot(root, env) ?? findRepositoryRoot(cwd, env);
  if (repository === undefined) return undefined;
  const real = realOf(repository);
  const known = new Map<string, string | undefined>();
  /** The record of a run may have been written in another working folder. */
  const find = (file: string, folders: readonly string[]): string | undefined => {
    const path = folders.map((folder) => resolve(folder, file)).find((candidate) => existsSync(candidate));
    if (file === '' || path === undefined) return undefined;
    const inside = toSlashes(relative(real, join(realOf(dirname(path)), basename(path))));
    return /^\.\.(?:\/|$)/.test(inside) || isAbsolute(inside) ? undefined : inside;
  };
  const findPlace = (file: string): string | undefined => {
    if (!known.has(file)) known.set(file, find(file, [cwd, root]));
    return known.get(file);
  };
  return {
    fileOf: (file: string) => findPlace(file) ?? file,
    suiteOf: (path: string) => find(path, [root, cwd]) ?? path,
    urlOf(file: string, line: number) {
      const path = findPlace(file);
      if (blobUrl === undefined || path === undefined) return undefined;
      return `${blobUrl}/${path.split('/').map(encodeSegment).join('/')}#L${line}`;
    },
  };
}

/** Brackets would end the link in Markdown. */
export function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll('(', '%28').replaceAll(')', '%29');
}

function realOf(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : resolve(folder);
}

function isIn(folder: string, root: string): boolean {
  return folder === root || folder.startsWith(`${root}${sep}`);
}
