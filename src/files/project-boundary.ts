import { existsSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join, parse, relative, resolve, sep } from 'node:path';
import type { ProblemCode } from '../model/problem.ts';
import { unlessRefused } from './write-files.ts';

/** Why a file can't be used. */
export interface FileFault {
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint?: string;
  /** True if nothing is there. */
  readonly isMissing?: true;
}

/** The nearest folder, upwards to and with `last`, that holds a name. */
export function findUp(start: string, name: string, last?: string): string | undefined {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder;
    if (folder === last || dirname(folder) === folder) return undefined;
  }
}

/** The git root, else the project root: a path in a file may not lead out of it. */
export function boundaryOf(root: string): string {
  return findUp(root, '.git') ?? root;
}

/**
 * Why a path that a file names can't be used; links are followed. Git's own folder is not part of a project: its config
 * may hold keys, and its hooks are programs.
 */
export function findPlaceFault(path: string, boundary: string, shown: string): FileFault | undefined {
  const realBoundary = realPathOf(boundary);
  const real = realPathOf(path);
  const hint = 'move it into the project: nothing outside is read or written';
  if (!isInside(real, realBoundary)) {
    const message = `${shown} lies outside the project (${boundary})`;
    return { code: 'file-outside-project', message, hint };
  }
  const folders = relative(realBoundary, real).split(sep);
  if (!folders.some((folder) => folder.toLowerCase() === '.git')) return undefined;
  const message = `${shown} lies in the folder .git, which is not part of the project`;
  return { code: 'file-outside-project', message, hint };
}

/** True for a folder itself and for what lies below it. Both paths are real. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Resolves links. What is missing counts as if it were there, and a broken link counts as its target. */
function realPathOf(path: string): string {
  const whole = resolve(path);
  if (existsSync(whole)) return realpathSync(whole);
  const { root } = parse(whole);
  // The system can't open a path through a circle of links either.
  return followLinks(root, whole.slice(root.length)) ?? whole;
}

/** More than any system follows. */
const maxLinks = 64;

/**
 * The place that a path leads to from a real folder; undefined for a circle of links. Links are followed step by step,
 * as the system does: `..` leaves the folder that a link led to, not the one that the link lies in.
 */
export function followLinks(folder: string, path: string): string | undefined {
  let place = folder;
  const steps = stepsOf(path);
  let linksLeft = maxLinks;
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    if (step === '' || step === '.') continue;
    if (step === '..') {
      place = dirname(place);
      continue;
    }
    const next = join(place, step);
    const target = readLink(next);
    if (target === undefined) {
      place = next;
      continue;
    }
    linksLeft -= 1;
    if (linksLeft < 0) return undefined;
    const { root } = parse(target);
    if (root !== '') place = resolve(place, root);
    steps.push(...stepsOf(target.slice(root.length)));
  }
  return place;
}

/** The last step first. */
function stepsOf(path: string): string[] {
  return path.split(sep === '\\' ? /[/\\]/ : sep).reverse();
}

/** The target of a link, whether or not it exists; undefined for anything else. */
export function readLink(path: string): string | undefined {
  return unlessRefused(() => readlinkSync(path), undefined);
}
