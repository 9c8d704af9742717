import { findProject } from '../suite/files.ts';

/** The folder that holds `.llmcheck/`, without what it takes to read a suite: who only looks at records starts sooner. */
export function findProjectRoot(cwd: string, configPath: string | undefined): string {
  return findProject(cwd, configPath).root;
}
