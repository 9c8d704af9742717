import { join, sep } from 'node:path';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/problem.ts';
import { boundaryOf, displayPath, type FileFault, findPlaceFault, findProject } from '../suite/files/project-place.ts';

/** The folder that holds `.llmcheck/`. Commands that only read records start faster without the code that reads suites. */
export function findProjectRoot(cwd: string, configPath: string | undefined): string {
  return findProject(cwd, configPath).root;
}

/**
 * `evals/triage.eval.yaml` has its baseline beside it in `evals/triage.baseline.jsonl`. Throws a `UserError` where that
 * leads out of the project.
 */
export function baselinePathOf(root: string, suitePath: string): string {
  return checkedPath(root, pathBeside(root, suitePath, 'baseline.jsonl'));
}

/** The same for `evals/triage.reference.jsonl`, the pinned reference of a suite. */
export function referencePathOf(root: string, suitePath: string): string {
  return checkedPath(root, pathBeside(root, suitePath, 'reference.jsonl'));
}

/** The same for `evals/triage.judges.json`, which holds measurements of the suite's judges. */
export function calibrationPathOf(root: string, suitePath: string): string {
  return checkedPath(root, pathBeside(root, suitePath, 'judges.json'));
}

export type BesideEnding = 'baseline.jsonl' | 'reference.jsonl' | 'judges.json';

/** The same path for a caller that neither reads nor writes the file. */
export function pathBeside(root: string, suitePath: string, ending: BesideEnding): string {
  return join(root, `${suitePath.replace(/(?:\.eval)?\.(?:ya?ml|[cm]?[jt]s)$/i, '')}.${ending}`);
}

function checkedPath(root: string, path: string): string {
  refuseOutside(path, { root, cwd: root });
  return path;
}

export interface Place {
  /** Of the project. */
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
  throw new UserError([{ ...fault, severity: 'error', ...defined({ hint }) }]);
}

/**
 * The same for a path that a flag names. It may be anywhere, but a path in the project may not be a link out of it: the
 * user did not name the target.
 */
export function refuseLinkOutside(path: string, place: Place): void {
  if (path.startsWith(`${boundaryOf(place.root)}${sep}`)) refuseOutside(path, place);
}
