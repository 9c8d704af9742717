import { join } from 'node:path';
import type { Project, Suite } from '../model/suite.ts';
import { findProjectPlace } from '../suite/load.ts';
import { type GitRef, openGitRef } from './git-files.ts';
import { openGitSnapshot } from './git-snapshot.ts';
import { loadProject } from './load-project.ts';

export interface LoadAtRefOptions {
  /** The working tree's, whose suites are looked for. */
  readonly project: Project;
  /** What was asked for; empty: every suite. */
  readonly paths: readonly string[];
  /** With `git:`. */
  readonly against?: string;
  readonly configPath?: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ProjectAtRef {
  readonly ref: GitRef;
  /** With their prompts, providers and contracts; they have no cases. */
  readonly suites: readonly Suite[];
}

/** Loads what contracts are made of as a commit has it; throws a `UserError` where that can't be read. */
export async function loadProjectAtRef(options: LoadAtRefOptions): Promise<ProjectAtRef> {
  const { project, paths, against = '', configPath, cwd, env } = options;
  const ref = openGitRef(project.root, against.slice('git:'.length), env);
  const place = findProjectPlace(cwd, configPath);
  const snapshot = openGitSnapshot(ref, place, cwd);
  const load = async (wanted: readonly string[]) => {
    const loaded = await loadProject({ paths: wanted, cwd, snapshot, contractOnly: true });
    return loaded.project.suites;
  };
  const known = project.suites
    .map(({ path }) => join(project.root, path))
    .filter((path) => snapshot.kindOf(path) === 'file');
  // A suite that is not where it was may have been moved: then all are looked through for its id.
  if (paths.length > 0 && known.length === project.suites.length) return { ref, suites: await load(known) };
  const found = await load([]);
  const others = known.filter((path) => !found.some((suite) => join(project.root, suite.path) === path));
  return { ref, suites: others.length === 0 ? found : [...found, ...(await load(others))] };
}
